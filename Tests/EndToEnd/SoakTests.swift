import TestSupport
import Testing

extension EndToEnd {
    /// What is used for a request is given back, however the request ends.
    @Suite("soak")
    struct Soak {
        private static let seconds = Place.number("LYCHGATE_SOAK_SECONDS", default: 10)
        private static let clientCount = 16
        /// Its own, and connections to the backend that are kept: one for each client and worker.
        private static let descriptorsMax = 32 + 2 * clientCount
        // The jar is full from the start, so that what grows is a leak.
        private static let configuration = """
            workers: 2
            jar: { capacity: 64, tombstones: 64 }
            timeouts: { header: 1s, body_idle: 1s, write_idle: 1s }

            """

        @Test(
            "7 mixed load, half of it cut off or malformed: memory and descriptors stay as they are"
        )
        func soak() throws {
            try onStage(Self.configuration + usual) { stage in
                let endpoint = stage.endpoint
                let process = stage.lychgate.process
                // Both halves do the same, so what the second adds has no reason.
                try load(endpoint, seconds: Self.seconds / 2, seed: 1)
                let before = try settled(stage)
                try load(endpoint, seconds: Self.seconds - Self.seconds / 2, seed: 2)
                let after = try settled(stage)
                print(
                    "soak: \(Self.seconds) s, \(stage.backend.seen.count) requests served,",
                    "\(before.kiB) KiB, then \(after.kiB) KiB;",
                    "\(before.descriptors) descriptors, then \(after.descriptors)"
                )
                #expect(after.descriptors < Self.descriptorsMax)
                // A sanitizer keeps what was freed.
                if Place.sanitizer == nil { #expect(after.kiB < before.kiB + 2048) }
                #expect(try stage.client().get("/after").status == 200)
                #expect(process.memoryKiB("VmRSS") > 0)
            }
        }

        /// What it holds once every client has gone.
        private func settled(_ stage: Stage) throws -> (kiB: Int, descriptors: Int) {
            let process = stage.lychgate.process
            var least = Int.max
            #expect(
                becomesTrue(seconds: 10) {
                    least = min(least, process.openDescriptors)
                    return least < Self.descriptorsMax
                },
                "\(least) descriptors are open, and no client"
            )
            return (process.memoryKiB("VmRSS"), least)
        }

        private func load(_ endpoint: Endpoint, seconds: Int, seed: UInt64) throws {
            let end = ContinuousClock.now + .seconds(seconds)
            _ = try inParallel(Self.clientCount) { index in
                var dice = SeededNumbers(seed: seed &* 1000 &+ UInt64(index))
                let client = Client(endpoint)
                while ContinuousClock.now < end {
                    try step(Int(dice.next() % 12), client, endpoint)
                }
            }
        }

        private func step(_ kind: Int, _ client: Client, _ endpoint: Endpoint) throws {
            let connection = try HTTPConnection(to: endpoint)
            switch kind {
            case 0:
                #expect(try client.post("/api/connect").status == 200)
            case 1...3:
                let status = try client.get("/api/work").status
                #expect(status == 200 || status == 401)
            case 4:
                let body = [UInt8](repeating: 7, count: 100_000)
                #expect(try connection.ask("POST", "/echo", body: body).status == 200)
            case 5:
                #expect(try connection.ask("GET", "/bytes?n=300000").body.count == 300_000)
            case 6:
                // Pipelined, and the last answers unread.
                for _ in 0..<5 { connection.send("GET", "/x") }
                #expect(try connection.receive().status == 200)
            case 7:
                connection.send("POST", "/echo", ["Transfer-Encoding: chunked"])
                connection.sendChunk([UInt8](repeating: 1, count: 5000))
            case 8:
                connection.send("GET", "/bytes?n=2000000")
                _ = try connection.receiveHead()
                connection.reset()
            case 9:
                connection.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
                #expect(try connection.receive().status == 400)
            case 10:
                let stranger = ["Cookie: lychgate=AAAAAAAAAAAAAAAAAAAAAA"]
                #expect(try connection.ask("GET", "/api/work", stranger).status == 401)
            default:
                connection.send("GET /half HTTP/1.1\r\nHo")
            }
        }
    }
}
