import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Backends that say one thing and do another.
    @Suite("hard backends")
    struct HardBackendTests {
        @Test(
            "7 bytes behind an answer never reach the next client, however they fall into the reads"
        )
        func poison() throws {
            try onStage("workers: 1\n" + usual) { stage in
                for _ in 0..<5 {
                    let first = try stage.connect().ask("GET", "/poison")
                    #expect(first.body.allSatisfy { $0 == UInt8(ascii: "x") })
                    let second = try stage.connect().ask("GET", "/slow?ms=50")
                    #expect(!second.text.contains("POISON"))
                    #expect(second.status == 200)
                }
            }
        }

        @Test("3.2 closes after each answer without saying so: served all the same, and the 401")
        func closesUnsaid() throws {
            try onStage(backend: ["--close-unsaid"], "workers: 1\n" + usual) { stage in
                let client = stage.client()
                let statuses = try (0..<20).map { _ in try client.get("/x").status }
                // What it takes to find out may fail; what follows does not.
                #expect(statuses.count { $0 != 200 } <= 2, "\(statuses)")
                try client.post("/api/connect")
                #expect(try client.get("/api/work").status == 200)
                try stage.backend.restart()
                #expect(try client.get("/api/work").status == 401)
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test(
            "4.2 after a retry in vain the next request begins where it began, not in the content"
        )
        func retryAndPipelining() throws {
            try onStage("workers: 1\n" + usual) { stage in
                let client = try stage.loggedIn()
                let cookie = "Cookie: lychgate=\(client.cookies["lychgate"] ?? "")"
                try inVain(stage, [], expected: 502, runs: 1)
                try stage.backend.start()
                // A session of the first instance is stale by now: another one.
                let again = try stage.loggedIn()
                let fresh = "Cookie: lychgate=\(again.cookies["lychgate"] ?? "")"
                #expect(fresh != cookie)
                try inVain(stage, [fresh], expected: 503, runs: 2)
            }
        }

        private func inVain(
            _ stage: Stage,
            _ lines: [String],
            expected: Int,
            runs: Int
        ) throws {
            let connection = try stage.connect()
            let content = [UInt8](repeating: UInt8(ascii: "c"), count: 100)
            connection.send("PUT", "/never", lines, body: content)
            let padding = String(repeating: "a", count: 300)
            connection.send("GET", "/second", ["X-Pad: \(padding)"])
            #expect(becomesTrue { stage.backend.count(of: "/never") == runs })
            stage.backend.kill()
            #expect(try connection.receive().status == expected)
            let second = try connection.receive()
            #expect(second.status == 502, "\(second.text)")
        }

        @Test("9 a client that sends crumbs and reads nothing is cut after write_idle all the same")
        func crumbsBuyNoTime() throws {
            let quick = "timeouts: { write_idle: 500ms }\nworkers: 1\n"
            try onStage(quick + usual) { stage in
                let connection = try stage.connect()
                connection.send("GET", "/bytes?n=200000000")
                #expect(becomesTrue { stage.backend.count(of: "/bytes?n=200000000") == 1 })
                // Until it is cut; the answer stays unread.
                let deadline = Date(timeIntervalSinceNow: 10)
                while connection.send("G"), Date() < deadline {}
                #expect(Date() < deadline)
            }
        }

        @Test("4.2 an upload that stalled leaves no deadline to its response")
        func leftoverDeadline() throws {
            let quick = "upstream: { url: UPSTREAM, response_timeout: 400ms }\n"
            try onStage(quick + usual) { stage in
                let connection = try stage.connect()
                let size = 16 * 1024 * 1024
                connection.send(
                    "POST /early?pause=100&ms=100 HTTP/1.1\r\nHost: a\r\n"
                        + "Content-Length: \(size)\r\n\r\n"
                )
                connection.send([UInt8](repeating: 7, count: size))
                let answer = try connection.receive()
                #expect(answer.text == "xxxxxxxxxx")
            }
        }

        @Test("7 an early answer goes on as long as it likes, though the upload is never read")
        func earlyAndUnread() throws {
            let quick = "upstream: { url: UPSTREAM, response_timeout: 300ms }\n"
            try onStage(quick + usual) { stage in
                // Sending waits once every buffer on the way is full, until the answer is over.
                let connection = try stage.connect()
                let size = 64 * 1024 * 1024
                connection.send(
                    "POST /early?read=off&pause=0&ms=150 HTTP/1.1\r\nHost: a\r\n"
                        + "Content-Length: \(size)\r\n\r\n"
                )
                connection.send([UInt8](repeating: 7, count: size))
                #expect(try connection.receive().text == "xxxxxxxxxx")
            }
        }

        @Test(
            "7 interim responses without an end keep nobody else waiting",
            arguments: ["1.0", "1.1"]
        )
        func interimFlood(version: String) throws {
            try onStage("workers: 1\n" + usual) { stage in
                let connection = try stage.connect()
                connection.send("GET /interims HTTP/\(version)\r\nHost: a\r\n\r\n")
                #expect(becomesTrue { stage.backend.count(of: "/interims") == 1 })
                #expect(try stage.connect().ask("GET", "/other").status == 200)
            }
        }

        @Test("7 whoever stops its upload at an early answer gets all of it")
        func earlyAndStopped() throws {
            let quick = "timeouts: { body_idle: 300ms }\nworkers: 1\n"
            try onStage(quick + usual) { stage in
                let connection = try stage.connect()
                connection.send(
                    "POST /early?read=off&pause=0&ms=100 HTTP/1.1\r\nHost: a\r\n"
                        + "Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n"
                )
                #expect(try connection.receive().text == "xxxxxxxxxx")
            }
        }

        @Test("4.2 content that a rule reads, cut by a reset, is never passed off as whole")
        func collectedAndReset() throws {
            let rule = "session: { capture: [ { json: /sessionId, on: GET /json-cut } ] }\n"
            try onStage(rule) { stage in
                let answer = try? stage.connect().ask("GET", "/json-cut")
                #expect(answer == nil || answer?.status == 502)
                #expect(answer?.values("Set-Cookie").isEmpty ?? true)
            }
        }

        @Test("4.2 a stream without a length, given up at the end of the grace, is visibly cut")
        func cutByGrace() throws {
            try onStage("shutdown: { grace: 200ms }\n" + usual) { stage in
                let connection = try stage.connect()
                connection.send("GET /stall?framing=chunked HTTP/1.0\r\n\r\n")
                let head = try connection.receiveHead()
                #expect(head.status == 200)
                stage.lychgate.process.send(15)
                #expect(throws: HTTPFailure.self) { _ = try connection.receiveAll() }
                #expect(stage.lychgate.process.waitForExit() == .code(0))
            }
        }

        @Test("7 TRACE is not served, so that nothing shows an injected session")
        func trace() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let cookie = "Cookie: lychgate=\(client.cookies["lychgate"] ?? "")"
                let answer = try stage.connect().ask("TRACE", "/x", [cookie])
                #expect(answer.status == 501)
                #expect(stage.backend.count(of: "/x") == 0)
            }
        }
    }
}
