import TestSupport
import Testing

extension EndToEnd {
    /// Contract 4.3: what is under way for a session whose instance is gone.
    @Suite("streams of stale sessions")
    struct StaleStreams {
        private let offer = ["Connection: Upgrade", "Upgrade: websocket"]
        /// A restart is known soon, without traffic.
        private let quick = "identity: { interval: 50ms }\n" + usual
        private static let restart: [UInt8] = [0x88, 0x02, 0x03, 0xF4]
        private static let hello: [UInt8] = [0x81, 0x05] + Array("hello".utf8)

        private func cookie(_ client: Client) -> String {
            "Cookie: lychgate=\(client.cookies["lychgate"] ?? "")"
        }

        /// A tunnel that echoes what it gets: each frame comes back as it was sent.
        private func tunnel(
            _ stage: Stage,
            _ fields: [String],
            _ query: String = ""
        ) throws -> HTTPConnection {
            let connection = try stage.connect()
            connection.send("GET", "/upgrade?\(query)", fields)
            #expect(try connection.receiveHead().status == 101)
            return connection
        }

        private func echo(_ connection: HTTPConnection, _ bytes: [UInt8]) throws {
            connection.send(bytes)
            #expect(try connection.receive(bytes: bytes.count) == bytes)
        }

        /// All that comes until the end; nil if that is a reset.
        private func rest(_ connection: HTTPConnection) -> String? {
            try? connection.receiveAll()
        }

        /// The ways in which an instance ends.
        enum End: CaseIterable {
            /// Killed: its connections end, and the next one starts.
            case killed
            /// Killed, and none comes.
            case killedForGood
            /// It lives on, and its connections with it; another one listens.
            case draining
            /// The process stays, and so do its connections; what is in it is another one.
            case reloaded
        }

        /// Ends the instance; what it gives is to be kept until the end.
        private func end(_ stage: Stage, _ way: End) throws -> PythonBackend? {
            switch way {
            case .killed: try stage.backend.restart()
            case .killedForGood: stage.backend.kill()
            case .reloaded: try stage.backend.ask("GET", "/control?instance=the-next-one")
            case .draining:
                try stage.backend.ask("GET", "/control?listen=off")
                let next = PythonBackend(
                    at: stage.backend.endpoint,
                    recordingIn: stage.directory
                )
                try next.start()
                return next
            }
            return nil
        }

        @Test(
            "4.3 a WebSocket is closed with 1012, however its instance ends",
            arguments: End.allCases
        )
        func restartCloses(way: End) throws {
            try onStage(quick) { stage in
                let client = try stage.loggedIn()
                let connection = try tunnel(stage, offer + [cookie(client)])
                try echo(connection, Self.hello)
                let next = try end(stage, way)
                defer { next?.kill() }
                #expect(try connection.receive(bytes: 4) == Self.restart)
                // The client's own Close is taken, and the connection ends without a reset.
                connection.send([0x88, 0x82, 1, 2, 3, 4, 2, 0xF6])
                #expect(connection.isClosedByPeer())
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test(
            "4.3 nothing is put into a frame: one that lives ends it first, a dead one never will",
            arguments: End.allCases
        )
        func midFrame(way: End) throws {
            try onStage(quick) { stage in
                let client = try stage.loggedIn()
                // The backend sends half a frame, and the rest of it when it is told to.
                let connection = try tunnel(stage, offer + [cookie(client)], "mode=halves")
                #expect(try connection.receive(bytes: 4) == [0x82, 0x06, 1, 2])
                let direct = try HTTPConnection(to: stage.backend.endpoint)
                _ = try direct.ask("GET", "/health")
                let next = try end(stage, way)
                defer { next?.kill() }
                if way == .killed || way == .killedForGood {
                    #expect((rest(connection) ?? "") == "")
                    return
                }
                let known = way == .draining ? next?.instance ?? "" : "the-next-one"
                #expect(stage.logged("restarted", String(known.prefix(8))))
                #expect(connection.isQuiet(forMilliseconds: 100))
                _ = try direct.ask("GET", "/control?go=1")
                #expect(try connection.receive(bytes: 8) == [3, 4, 5, 6] + Self.restart)
                connection.send([0x88, 0x82, 1, 2, 3, 4, 2, 0xF6])
                #expect(connection.isClosedByPeer())
            }
        }

        @Test("4.3 where the backend has sent a Close itself, or the client has, none is added")
        func closedAlready() throws {
            try onStage(quick) { stage in
                let client = try stage.loggedIn()
                let connection = try tunnel(stage, offer + [cookie(client)])
                try echo(connection, Self.hello + [0x88, 0x02, 0x03, 0xE8])
                stage.backend.kill()
                #expect((rest(connection) ?? "") == "")
                try stage.backend.start()
                let other = try stage.loggedIn()
                // It reads and says nothing, then it is gone.
                let silent = try tunnel(stage, offer + [cookie(other)], "mode=early&x=1")
                #expect(try silent.receive(bytes: 3) == Array("bye".utf8))
                silent.send([0x88, 0x82, 0, 0, 0, 0, 3, 0xE8])
                stage.backend.kill()
                #expect((rest(silent) ?? "") == "")
            }
        }

        @Test("4.3 without a session a WebSocket is passed on as it is, and so is another protocol")
        func passedOn() throws {
            try onStage(quick) { stage in
                let anonymous = try tunnel(stage, offer)
                try echo(anonymous, Self.hello)
                _ = try end(stage, .reloaded)
                #expect(stage.logged("restarted", "the-next"))
                try echo(anonymous, Self.hello)
                stage.backend.kill()
                #expect((rest(anonymous) ?? "") == "")
            }
        }

        @Test(
            "4.3 a tunnel that is no WebSocket is just closed",
            arguments: [End.killed, .reloaded]
        )
        func otherProtocol(way: End) throws {
            try onStage(quick) { stage in
                let client = try stage.loggedIn()
                let fields = ["Connection: Upgrade", "Upgrade: echo", cookie(client)]
                let connection = try tunnel(stage, fields)
                try echo(connection, Self.hello)
                _ = try end(stage, way)
                let rest = rest(connection)
                #expect(rest == nil || way == .killed && rest == "")
            }
        }

        @Test("4.3 a session that the 101 itself issued ends its WebSocket, too")
        func issuedByUpgrade() throws {
            try onStage(quick) { stage in
                let connection = try tunnel(stage, offer, "session=1")
                try echo(connection, Self.hello)
                _ = try end(stage, .reloaded)
                #expect(try connection.receive(bytes: 4) == Self.restart)
            }
        }

        @Test("4.3 much in both directions is followed to the byte")
        func much() throws {
            try onStage(quick) { stage in
                let client = try stage.loggedIn()
                let connection = try tunnel(stage, offer + [cookie(client)])
                let big: [UInt8] =
                    [0x82, 0x7E, 0xFF, 0xFF] + [UInt8](repeating: 0x88, count: 65_535)
                for _ in 0..<20 {
                    try echo(connection, big)
                    try echo(connection, [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0])
                    try echo(connection, [UInt8](repeating: 0x88, count: 65_536))
                    try echo(connection, [0x01, 0x00, 0x80, 0x01, 0x88])
                }
                _ = try end(stage, .reloaded)
                #expect(try connection.receive(bytes: 4) == Self.restart)
            }
        }

        @Test("4.3 a client that takes nothing does not keep its stale WebSocket")
        func deafClient() throws {
            let times = "timeouts: { write_idle: 500ms }\nlog: { access: json }\n"
            try onStage(times + quick) { stage in
                let client = try stage.loggedIn()
                let connection = try tunnel(stage, offer + [cookie(client)], "mode=flood")
                _ = try connection.receive(bytes: 1)
                _ = try end(stage, .reloaded)
                #expect(stage.lychgate.process.sawOutput(#""status":101"#, seconds: 20))
            }
        }

        @Test("4.3 someone else's client, which compresses, sees 1012")
        func webSocketLibrary() throws {
            let directory = try Place.newDirectory()
            defer { Place.remove(directory) }
            let (behind, front) = (Endpoint.free(), Endpoint.free())
            guard case .tcp(_, let port) = behind, case .tcp(_, let open) = front else { return }
            let script = Place.root + "/Tests/EndToEnd/Backends/websocket.py"
            let server = try ChildProcess(Place.python, [script, "server", "\(port)", "one"])
            defer { server.kill9() }
            #expect(server.sawOutput("ready", seconds: 20))
            let lychgate = try Lychgate(
                configuration: "listen: \"\(front)\"\nupstream: \(behind.url)\n",
                listeningOn: front,
                in: directory
            )
            defer { lychgate.process.kill9() }
            let client = Client(front)
            try client.get("/api/connect")
            let value = "lychgate=\(client.cookies["lychgate"] ?? "")"
            let waiting = try (0..<3).map { _ in
                try ChildProcess(Place.python, [script, "wait", "\(open)", value])
            }
            for process in waiting { #expect(process.sawOutput("open", seconds: 20)) }
            server.kill9()
            for process in waiting {
                #expect(process.sawOutput("closed 1012", seconds: 20), "\(process.output)")
                process.kill9()
            }
        }

        // MARK: Events

        private func events(
            _ stage: Stage,
            _ fields: [String],
            _ query: String = "",
            version: String = "1.1"
        ) throws -> HTTPConnection {
            let connection = try stage.connect()
            let lines = ["Host: a", "Accept: text/event-stream"] + fields
            connection.send(
                "GET /events?\(query) HTTP/\(version)\r\n" + lines.joined(separator: "\r\n")
                    + "\r\n\r\n"
            )
            return connection
        }

        @Test(
            "4.3 a stream of events ends with its session, and is not passed off as complete",
            arguments: End.allCases
        )
        func eventStream(way: End) throws {
            try onStage(quick) { stage in
                let client = try stage.loggedIn()
                let connection = try events(stage, [cookie(client)])
                let plain = try events(stage, [cookie(client)], "framing=close", version: "1.0")
                for stream in [connection, plain] {
                    #expect(try stream.receiveHead().status == 200)
                    _ = try stream.receive(bytes: 60)
                }
                let next = try end(stage, way)
                defer { next?.kill() }
                #expect(rest(connection)?.hasSuffix("0\r\n\r\n") != true)
                if way == .draining || way == .reloaded {
                    #expect(rest(plain) == nil, "a reset where the end would look like one")
                }
                if way == .killedForGood { try stage.backend.start() }
                // EventSource comes back by itself.
                let again = try events(stage, [cookie(client)])
                #expect(isClean401(try again.receive(), cleared: "backend-restart"))
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("4.3 a stream without a session goes on, and other responses finish")
        func others() throws {
            try onStage(quick) { stage in
                let client = try stage.loggedIn()
                let anonymous = try events(stage, [])
                #expect(try anonymous.receiveHead().status == 200)
                let endless = try stage.connect()
                endless.send("GET", "/endless", [cookie(client)])
                #expect(try endless.receiveHead().status == 200)
                _ = try end(stage, .reloaded)
                #expect(stage.logged("restarted", "the-next"))
                _ = try anonymous.receive(bytes: 1000)
                try stage.backend.ask("GET", "/control?go=1")
                let chunks = try endless.receiveAll(limit: 21)
                #expect(chunks == "3\r\n{}\n\r\n3\r\n{}\n\r\n0\r\n\r\n")
            }
        }

        @Test("4.3 a stream that would begin for a session that is stale by then is its 401")
        func beginsLate() throws {
            try onStage(quick) { stage in
                let client = try stage.loggedIn()
                let late = try events(stage, [cookie(client)], "wait=1")
                #expect(becomesTrue { stage.backend.count(of: "/events?wait=1") == 1 })
                _ = try end(stage, .reloaded)
                #expect(stage.logged("restarted", "the-next"))
                try stage.backend.ask("GET", "/control?go=1")
                #expect(isClean401(try late.receive(), cleared: "backend-restart"))
            }
        }

        @Test("3.4, 4.3 of several instances, only the streams of the one that is gone end")
        func several() throws {
            let many = "identity: { instances: multi, interval: 50ms, grace: 300ms }\n" + usual
            try onStage(backend: ["--share"], many) { stage in
                let other = PythonBackend(
                    at: stage.backend.endpoint,
                    recordingIn: stage.directory,
                    options: ["--share"]
                )
                try other.start()
                defer { other.kill() }
                let mine = try loggedIn(stage, at: stage.backend.instance)
                let its = try loggedIn(stage, at: other.instance)
                let sockets = try [mine, its].map { try tunnel(stage, offer + [cookie($0)]) }
                let streams = try [mine, its].map { try events(stage, [cookie($0)]) }
                for socket in sockets { try echo(socket, Self.hello) }
                for stream in streams { #expect(try stream.receiveHead().status == 200) }
                stage.backend.kill()
                #expect(try sockets[0].receive(bytes: 4) == Self.restart)
                #expect(rest(streams[0])?.hasSuffix("0\r\n\r\n") != true)
                #expect(stage.logged("is gone"))
                try echo(sockets[1], Self.hello)
                _ = try streams[1].receive(bytes: 1000)
                #expect(try its.get("/api/work").status == 200)
                let answer = try eventually(mine, "/api/work") { $0.status != 503 }
                #expect(isClean401(answer, cleared: "backend-restart"))
            }
        }

        /// Logs in until the session is a certain instance's.
        private func loggedIn(_ stage: Stage, at instance: String) throws -> Client {
            var client = stage.client()
            let isFound = try becomesTrue(seconds: 20) {
                client = stage.client()
                return try client.post("/api/connect").string("instance") == instance
            }
            #expect(isFound)
            return client
        }
    }
}
