import TestSupport
import Testing

extension EndToEnd {
    /// The tests' own tools, without the program: what they find later is the program's doing.
    @Suite("tools")
    struct Tools {
        private func withBackend(
            _ options: [String] = [],
            _ body: (PythonBackend) throws -> Void
        ) throws {
            let directory = try Place.newDirectory()
            let backend = PythonBackend(
                at: .free(),
                recordingIn: directory,
                options: options
            )
            try backend.start()
            defer {
                backend.kill()
                Place.remove(directory)
            }
            try body(backend)
        }

        @Test("the client reads every framing")
        func framings() throws {
            try withBackend { backend in
                let client = Client(backend.endpoint)
                #expect(try client.get("/bytes?n=100000").body.count == 100_000)
                #expect(try client.get("/chunked?n=100000&size=999").body.count == 100_000)
                #expect(try client.ask("HEAD", "/bytes?n=7")["Content-Length"] == "7")
                #expect(try client.get("/204").status == 204)
                #expect(try client.get("/304").status == 304)
                #expect(client.connectionCount == 1)
                let bytes = try client.get("/until-close?n=100000").body
                #expect(bytes == Array(Pattern.bytes[..<65_521] + Pattern.bytes[..<34_479]))
            }
        }

        @Test("the client sees a cut answer as cut")
        func cuts() throws {
            try withBackend { backend in
                let client = Client(backend.endpoint)
                #expect(throws: HTTPFailure.cut("half,")) { try client.get("/cut") }
                #expect(throws: HTTPFailure.cut("half,")) {
                    try client.get("/cut?framing=chunked")
                }
                #expect(throws: HTTPFailure.closed) { try client.get("/drop") }
                #expect(throws: HTTPFailure.malformed("this is no HTTP")) {
                    try client.get("/garbage")
                }
            }
        }

        @Test("the backend knows its own sessions from another instance's, over restarts")
        func zombies() throws {
            try withBackend { backend in
                let client = Client(backend.endpoint)
                let session = try client.post("/api/connect").string("sessionId") ?? ""
                client.fields = ["X-Session-ID: \(session)"]
                #expect(try client.get("/api/work").status == 200)
                #expect(backend.zombies.isEmpty)
                let before = backend.instance
                try backend.restart()
                client.drop()
                #expect(backend.instance != before)
                #expect(try client.get("/api/work").status == 401)
                #expect(backend.zombies.map(\.session) == [session])
                #expect(backend.seen.map(\.kind) == ["anonymous", "session", "zombie"])
            }
        }

        @Test("the backend closes after each answer if told to, and reports what it is told to")
        func manners() throws {
            try withBackend(["--close", "--health-status", "500"]) { backend in
                let client = Client(backend.endpoint)
                let health = try client.get("/health")
                #expect(health.status == 500)
                #expect(health.string("serverInstanceId") == backend.instance)
                #expect(try client.get("/x").number("served") == 1)
                #expect(client.connectionCount == 2)
                try backend.ask("GET", "/control?report=off")
                #expect(try client.get("/health").string("serverInstanceId") == nil)
            }
        }

        @Test("content too big to hold is checked on both sides")
        func bigContent() throws {
            try withBackend { backend in
                let connection = try HTTPConnection(to: backend.endpoint)
                connection.send("GET", "/bytes?n=300000000")
                #expect(try connection.receiveHead().status == 200)
                #expect(try connection.receivePattern(count: 300_000_000) == 300_000_000)
                connection.send("POST", "/upload", ["Content-Length: 300000000"])
                #expect(connection.sendPattern(count: 300_000_000) == 300_000_000)
                let answer = try connection.receive()
                #expect(answer.text == #"{"count":300000000,"right":true}"#)
            }
        }

        @Test("a child's end and output are known")
        func children() throws {
            let child = try ChildProcess(
                Place.python,
                ["-c", "import sys; print('out'); print('one two', file=sys.stderr); sys.exit(3)"]
            )
            #expect(child.sawError("one", "two"))
            #expect(child.waitForExit() == .code(3))
            #expect(child.output == "out\n")
            #expect(!child.sawError("three"))
        }
    }
}
