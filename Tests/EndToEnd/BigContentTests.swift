import TestSupport
import Testing

extension EndToEnd {
    /// Contract 7: nothing is buffered whole.
    @Suite("big content")
    struct BigContent {
        private static let gibibyte = 1 << 30
        private static let memoryMaxKiB = 64 << 10

        /// A GiB, but less where a sanitizer makes each byte dear.
        private let count = Place.sanitizer == nil ? Self.gibibyte : Self.gibibyte >> 4

        private func expectConstantMemory(_ stage: Stage) {
            let peak = stage.lychgate.process.memoryKiB("VmHWM")
            #expect(peak > 0)
            if Place.sanitizer == nil {
                #expect(peak < Self.memoryMaxKiB, "\(peak) KiB at most")
            }
        }

        @Test("7 1 GiB down at constant memory")
        func download() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                connection.send("GET", "/bytes?n=\(count)")
                #expect(try connection.receiveHead()["Content-Length"] == String(count))
                #expect(try connection.receivePattern(count: count) == count)
                #expect(try connection.ask("GET", "/after").status == 200)
                expectConstantMemory(stage)
            }
        }

        @Test("7 1 GiB up at constant memory")
        func upload() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                connection.send("POST", "/upload", ["Content-Length: \(count)"])
                #expect(connection.sendPattern(count: count) == count)
                #expect(try connection.receive().text == #"{"count":\#(count),"right":true}"#)
                expectConstantMemory(stage)
            }
        }

        @Test("7 a client that stops reading stops the backend, not the memory")
        func backPressure() throws {
            try onStage(usual) { stage in
                let connections = try (0..<4).map { _ in
                    let connection = try stage.connect()
                    connection.send("GET", "/bytes?n=\(Self.gibibyte)")
                    _ = try connection.receiveHead()
                    return connection
                }
                #expect(try stage.client().get("/meanwhile").status == 200)
                let passing = try stage.connect()
                #expect(passing.isQuiet(forMilliseconds: 300))
                expectConstantMemory(stage)
                for connection in connections {
                    #expect(try connection.receivePattern(count: 10_000_000) == 10_000_000)
                    connection.reset()
                }
                #expect(try stage.client().get("/after").status == 200)
                expectConstantMemory(stage)
            }
        }

        @Test("7 a backend that stops reading stops the client, not the memory")
        func uploadBackPressure() throws {
            try onStage(usual) { stage in
                let connection = try HTTPConnection(to: stage.endpoint, timeoutSeconds: 1)
                stage.backend.freeze()
                connection.send("POST", "/upload", ["Content-Length: \(Self.gibibyte)"])
                #expect(connection.sendPattern(count: Self.gibibyte) < Self.gibibyte)
                expectConstantMemory(stage)
                connection.close()
                stage.backend.thaw()
                #expect(try stage.client().get("/after").status == 200)
            }
        }
    }

    /// Contract 9: every kind of address.
    @Suite("addresses")
    struct Addresses {
        private func expectTheStory(_ stage: Stage) throws {
            let client = try stage.loggedIn()
            #expect(try client.get("/api/work").status == 200)
            #expect(try client.get("/bytes?n=1000000").body.count == 1_000_000)
            try stage.backend.restart()
            #expect(isClean401(try client.get("/api/work"), cleared: "backend-restart"))
            #expect(try client.post("/api/connect").status == 200)
            #expect(try client.get("/api/work").status == 200)
            #expect(stage.backend.zombies.isEmpty)
        }

        @Test("9 a unix socket in front")
        func unixListener() throws {
            let directory = try Place.newDirectory()
            defer { Place.remove(directory) }
            let listen = Endpoint.unix(directory + "/front")
            try onStage(listen: listen, usual) { stage in
                try expectTheStory(stage)
                let lines = try stage.client().get("/echo").strings("lines")
                #expect(lines.contains { $0.hasPrefix("X-Forwarded-Proto: http") })
            }
        }

        @Test("9 a unix socket behind")
        func unixUpstream() throws {
            let directory = try Place.newDirectory()
            defer { Place.remove(directory) }
            try onStage(at: .unix(directory + "/back"), usual) { stage in
                try expectTheStory(stage)
            }
        }

        @Test("9 IPv6 in front and behind")
        func ipv6() throws {
            try onStage(at: .free(host: "::1"), listen: .free(host: "::1"), usual) { stage in
                try expectTheStory(stage)
                let lines = try stage.client().get("/echo").strings("lines")
                #expect(lines.contains("X-Forwarded-For: ::1"))
            }
        }

        @Test("9 several listeners at once")
        func several() throws {
            let directory = try Place.newDirectory()
            defer { Place.remove(directory) }
            let other = Endpoint.free()
            let unix = Endpoint.unix(directory + "/second")
            let first = Endpoint.free()
            let listens = """
                listen:
                  - address: "\(first)"
                  - address: "\(other)"
                  - address: "\(unix)"

                """
            try onStage(listen: first, listens + usual) { stage in
                let client = try stage.loggedIn()
                for endpoint in [other, unix] {
                    let elsewhere = Client(endpoint)
                    elsewhere.cookies = client.cookies
                    #expect(try elsewhere.get("/api/work").status == 200)
                }
            }
        }
    }
}
