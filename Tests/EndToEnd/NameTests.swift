import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// An upstream that is a host name: what it means may change, and be several things.
    @Suite("host names", .serialized, .enabled(if: Place.sanitizer == nil))
    struct Names {
        /// The stand-in for the resolver, made once.
        private static let library: String? = {
            let file = NSTemporaryDirectory() + "lychgate-names-\(getpid()).so"
            let source = Place.root + "/Tests/EndToEnd/Backends/names.c"
            let compiler = try? ChildProcess(
                "/usr/bin/env",
                ["clang", "-shared", "-fPIC", "-o", file, source]
            )
            return compiler?.waitForExit(seconds: 60) == .code(0) ? file : nil
        }()

        /// Lychgate in front of `backend.test`, which means these addresses.
        private func onName(
            _ addresses: [String],
            port: Int,
            more: String = "",
            _ body: (ChildProcess, Endpoint, _ mean: ([String]) throws -> Void) throws -> Void
        ) throws {
            let directory = try Place.newDirectory()
            defer { Place.remove(directory) }
            let names = directory + "/names"
            let mean = { (addresses: [String]) in
                try Place.write(addresses.map { $0 + "\n" }.joined(), to: names)
            }
            try mean(addresses)
            let endpoint = Endpoint.free()
            let file = directory + "/c.yaml"
            try Place.write(
                "listen: \(endpoint)\nupstream:\n  url: http://backend.test:\(port)\n\(more)\n",
                to: file
            )
            let library = try #require(Self.library)
            let process = try ChildProcess(
                Place.binary,
                ["run", "--config", file],
                environment: ["LD_PRELOAD": library, "LYCHGATE_TEST_NAMES": names]
            )
            defer { process.kill9() }
            #expect(becomesTrue { (try? HTTPConnection(to: endpoint)) != nil })
            try body(process, endpoint, mean)
            #expect(process.terminate() == .code(0))
        }

        private func backend(at endpoint: Endpoint, _ body: (PythonBackend) throws -> Void) throws {
            let directory = try Place.newDirectory()
            defer { Place.remove(directory) }
            let backend = PythonBackend(at: endpoint, recordingIn: directory, options: [])
            try backend.start()
            defer { backend.kill() }
            try body(backend)
        }

        private func port(_ endpoint: Endpoint) -> Int {
            guard case .tcp(_, let port) = endpoint else { return 0 }
            return port
        }

        @Test(
            "one of several addresses answers, of whatever family, and is found at once",
            arguments: [
                (["127.0.0.1", "::1"], "::1"), (["::1", "127.0.0.1"], "127.0.0.1"),
                (["::1", "127.0.0.1"], "::1"),
                (["127.0.0.2", "127.0.0.3", "127.0.0.1"], "127.0.0.1"),
            ]
        )
        func several(addresses: [String], host: String) throws {
            let place = Endpoint.free(host: host)
            try backend(at: place) { _ in
                try onName(addresses, port: port(place)) { _, endpoint, _ in
                    let answer = try Client(endpoint).get("/api/who")
                    #expect(answer.status == 200)
                }
            }
        }

        @Test("an address that does not answer has its share of the time")
        func silent() throws {
            let place = Endpoint.free()
            try backend(at: place) { _ in
                // An address of the documentation's: nothing is sent back, or no way leads there.
                let more = "  connect_timeout: 1s"
                try onName(["192.0.2.1", "127.0.0.1"], port: port(place), more: more) {
                    _,
                    endpoint,
                    _ in
                    let answer = try Client(endpoint).get("/api/who")
                    #expect(answer.status == 200)
                }
            }
        }

        @Test("a backend that moves is found again, and its sessions are stale")
        func moves() throws {
            let first = Endpoint.free(host: "127.0.0.1")
            let second = Endpoint.tcp("127.0.0.2", port(first))
            try backend(at: first) { old in
                try onName(["127.0.0.1"], port: port(first), more: usual) {
                    process,
                    endpoint,
                    mean in
                    let client = Client(endpoint)
                    #expect(try client.post("/api/connect").status == 200)
                    #expect(try client.get("/api/work").status == 200)
                    try backend(at: second) { new in
                        old.kill()
                        try mean(["127.0.0.2"])
                        _ = try client.get("/api/who")
                        #expect(process.sawError("backend.test", "means 127.0.0.2"))
                        let answer = try eventually(client, "/api/work") { $0.status != 503 }
                        #expect(isClean401(answer, cleared: "backend-restart"))
                        #expect(try client.get("/api/who").status == 200)
                        #expect(new.zombies.isEmpty)
                    }
                }
            }
        }

        @Test(
            "a backend that the name does not mean any more gets no more requests, though it lives"
        )
        func movesAway() throws {
            let first = Endpoint.free(host: "127.0.0.1")
            let second = Endpoint.tcp("127.0.0.2", port(first))
            try backend(at: first) { old in
                try backend(at: second) { new in
                    try onName(["127.0.0.1"], port: port(first), more: usual) {
                        process,
                        endpoint,
                        mean in
                        let client = Client(endpoint)
                        #expect(try client.get("/before").status == 200)
                        try mean(["127.0.0.2"])
                        // A lost connection is a reason to resolve the name again.
                        _ = try? client.get("/cut?framing=length")
                        _ = try eventually(client, "/until") { _ in
                            process.sawError("backend.test", "means 127.0.0.2", seconds: 0)
                        }
                        _ = try eventually(client, "/until") { _ in new.count(of: "/until") > 0 }
                        for _ in 0..<20 { #expect(try client.get("/after").status == 200) }
                        #expect(new.count(of: "/after") == 20)
                        #expect(old.count(of: "/after") == 0)
                    }
                }
            }
        }

        @Test("a tunnel to an address that the name does not mean any more goes on to its end")
        func tunnelStays() throws {
            let first = Endpoint.free(host: "127.0.0.1")
            let second = Endpoint.tcp("127.0.0.2", port(first))
            try backend(at: first) { _ in
                try backend(at: second) { new in
                    try onName(["127.0.0.1"], port: port(first)) { process, endpoint, mean in
                        let tunnel = try HTTPConnection(to: endpoint)
                        tunnel.send("GET", "/upgrade", ["Connection: Upgrade", "Upgrade: echo"])
                        #expect(try tunnel.receiveHead().status == 101)
                        try mean(["127.0.0.2"])
                        let client = Client(endpoint)
                        // A lost connection is a reason to resolve the name again.
                        _ = try? client.get("/cut?framing=length")
                        _ = try eventually(client, "/until") { _ in new.count(of: "/until") > 0 }
                        #expect(process.sawError("backend.test", "means 127.0.0.2"))
                        tunnel.send("still here")
                        #expect(try tunnel.receive(bytes: 10) == Array("still here".utf8))
                        tunnel.shutDownWriting()
                        #expect(tunnel.isClosedByPeer())
                    }
                }
            }
        }

        @Test("a name that means nothing at the start: said, answered 502, and asked for again")
        func nothing() throws {
            let place = Endpoint.free()
            try backend(at: place) { _ in
                try onName([], port: port(place)) { process, endpoint, mean in
                    #expect(process.sawError("cannot resolve 'backend.test'"))
                    let client = Client(endpoint)
                    #expect(try client.get("/api/who").status == 502)
                    try mean(["127.0.0.1"])
                    #expect(process.sawError("backend.test", "means 127.0.0.1"))
                    let answer = try eventually(client, "/api/who") { $0.status == 200 }
                    #expect(answer.status == 200)
                }
            }
        }

        @Test("a name that means nothing for a while: its addresses stand")
        func outage() throws {
            let place = Endpoint.free()
            try backend(at: place) { backend in
                try onName(["127.0.0.1"], port: port(place)) { process, endpoint, mean in
                    let client = Client(endpoint)
                    #expect(try client.get("/api/who").status == 200)
                    try mean([])
                    backend.kill()
                    #expect(try client.get("/api/who").status == 502)
                    #expect(process.sawError("cannot be resolved", "stand"))
                    try backend.start()
                    let answer = try eventually(client, "/api/who") { $0.status == 200 }
                    #expect(answer.status == 200)
                }
            }
        }
    }
}
