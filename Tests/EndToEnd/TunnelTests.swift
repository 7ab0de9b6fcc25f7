import TestSupport
import Testing

extension EndToEnd {
    /// RFC 9110 §7.8: upgrades, and the tunnels that come of them.
    @Suite("tunnels")
    struct Tunnels {
        private let offer = ["Connection: Upgrade", "Upgrade: echo"]

        private func tunnel(_ stage: Stage, _ query: String = "") throws -> HTTPConnection {
            let connection = try stage.connect()
            connection.send("GET", "/upgrade?\(query)", offer)
            let head = try connection.receiveHead()
            #expect(head.status == 101)
            #expect(head["Upgrade"] == "echo" && head["Connection"] == "Upgrade")
            return connection
        }

        private func text(_ connection: HTTPConnection, count: Int) throws -> String {
            String(decoding: try connection.receive(bytes: count), as: UTF8.self)
        }

        @Test("7 any token: bytes go both ways, one by one and at once")
        func echo() throws {
            try onStage(usual) { stage in
                let connection = try tunnel(stage)
                for byte in "not HTTP\r\n\r\nGET / HTTP/1.1\r\n\r\n\0".utf8 {
                    connection.send([byte])
                    #expect(try connection.receive(bytes: 1) == [byte])
                }
                connection.send(Array(Pattern.bytes[..<100_000]))
                let back = try connection.receive(bytes: 100_000)
                #expect(back == Array(Pattern.bytes[..<100_000]))
                connection.shutDownWriting()
                #expect(connection.isClosedByPeer())
            }
        }

        @Test("7 what stands right behind either head belongs to the tunnel")
        func early() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                connection.send(
                    "GET /upgrade?first=hello HTTP/1.1\r\nHost: a\r\nConnection: x, upgrade\r\n"
                        + "Upgrade: echo, other/2\r\n\r\nGET /smuggled HTTP/1.1\r\n"
                )
                let head = try connection.receiveHead()
                #expect(head["Upgrade"] == "echo" && head["X-Offer"] == "echo, other/2")
                #expect(try text(connection, count: 29) == "helloGET /smuggled HTTP/1.1\r\n")
                #expect(stage.backend.seen.count == 1)
            }
        }

        @Test("7 the client's end is passed on, and the answer still comes")
        func halfCloseByClient() throws {
            try onStage(usual) { stage in
                let connection = try tunnel(stage, "mode=count")
                let count = connection.sendPattern(count: 3_000_000)
                connection.shutDownWriting()
                #expect(count == 3_000_000)
                #expect(try connection.receiveAll() == "3000000")
            }
        }

        @Test("7 the backend's end is passed on, and it still gets what the client sends")
        func halfCloseByBackend() throws {
            try onStage(usual) { stage in
                let connection = try tunnel(stage, "mode=early")
                #expect(try text(connection, count: 3) == "bye")
                #expect(connection.isClosedByPeer())
                #expect(connection.sendPattern(count: 3_000_000) == 3_000_000)
                connection.close()
                let record = becomesTrue {
                    stage.backend.everything.contains {
                        $0.kind == "tunnel" && $0.method == "3000000" && $0.target == "end"
                    }
                }
                #expect(record)
            }
        }

        @Test("7 a backend that closes: the client gets all of it, even while it sends")
        func closeByBackend() throws {
            try onStage(usual) { stage in
                for _ in 0..<20 {
                    let connection = try tunnel(stage, "mode=close")
                    connection.send("x")
                    #expect(try text(connection, count: 3) == "bye")
                    // Nobody takes it; but what the client got is no reset.
                    connection.send("more")
                    connection.send("and more")
                    #expect(connection.isClosedByPeer())
                }
            }
        }

        @Test("7 much both ways at once, each direction at its own pace")
        func both() throws {
            try onStage(usual) { stage in
                let size = 1 << 20
                let connection = try tunnel(stage, "mode=both&n=\(64 * size)")
                for round in 0..<64 {
                    let start = round * size % Pattern.period
                    let part = Array(Pattern.bytes[start..<(start + size)])
                    connection.send(part)
                    #expect(try connection.receive(bytes: size) == part)
                }
                #expect(try connection.receiveAll() == "right")
                // One direction stands still until the other is done.
                let other = try tunnel(stage, "mode=both&n=\(64 * size)")
                #expect(other.sendPattern(count: 64 * size) == 64 * size)
                #expect(try other.receivePattern(count: 64 * size) == 64 * size)
                #expect(try other.receiveAll() == "right")
            }
        }

        @Test("7 tunnels have no idle limit, and count against no other")
        func idle() throws {
            let times = """
                timeouts: { header: 100ms, body_idle: 100ms, keepalive: 100ms, write_idle: 100ms }

                """
            let upstream = "upstream: { url: UPSTREAM, response_timeout: 100ms }\n"
            try onStage(times + upstream + usual) { stage in
                let connection = try tunnel(stage)
                #expect(connection.isQuiet(forMilliseconds: 500))
                connection.send("still here")
                #expect(try text(connection, count: 10) == "still here")
            }
        }

        @Test("7 a tunnel holds its connection to the backend until it ends")
        func leased() throws {
            let upstream =
                "upstream: { url: UPSTREAM, max_connections: 1, queue_timeout: 200ms }\n"
            try onStage(upstream + "workers: 1\n" + usual) { stage in
                let connection = try tunnel(stage)
                #expect(try stage.connect().ask("GET", "/api/who").status == 503)
                connection.shutDownWriting()
                #expect(connection.isClosedByPeer())
                #expect(
                    try eventually(stage.client(), "/api/who") { $0.status == 200 }.status == 200
                )
            }
        }

        @Test("7 an upgrade that is refused is an ordinary answer, and the connection goes on")
        func refused() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                let answer = try connection.ask("GET", "/upgrade?refuse=1", offer)
                #expect(answer.status == 426)
                #expect(answer["Upgrade"] == "echo" && answer["Connection"] == "Upgrade")
                #expect(answer.string("offer") == "echo")
                let ignored = try connection.ask("GET", "/echo", offer)
                #expect(ignored.status == 200 && ignored["Upgrade"] == nil)
                let lines = ignored.strings("lines")
                #expect(lines.contains("Upgrade: echo") && lines.contains("Connection: Upgrade"))
                #expect(try connection.ask("GET", "/api/who").status == 200)
            }
        }

        @Test("7 h2c is never passed on")
        func h2c() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                let fields = [
                    "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQAAP__",
                ]
                let ordinary = try connection.ask("GET", "/echo", fields + ["Upgrade: h2c"])
                #expect(ordinary.status == 200)
                let names = ordinary.strings("lines").map { $0.lowercased() }
                #expect(!names.contains { $0.hasPrefix("upgrade:") || $0.hasPrefix("http2-") })
                #expect(!names.contains { $0.hasPrefix("connection:") })
                connection.send("GET", "/upgrade", fields + ["Upgrade: h2c, echo"])
                let head = try connection.receiveHead()
                #expect(head.status == 101 && head["X-Offer"] == "echo")
            }
        }

        @Test(
            "7 a 101 that was not asked for is 502, and nothing of it goes on",
            arguments: ["/unasked", "/upgrade?token=other", "/upgrade?token=h2c"]
        )
        func unasked(target: String) throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                let answer = try connection.ask("GET", target, offer)
                #expect(answer.status == 502 && answer.string("reason") == "bad-response")
                let body = Array("abc".utf8)
                let plain = try connection.ask("POST", "/unasked", [], body: body)
                #expect(plain.status == 502)
                let chunked = ["Transfer-Encoding: chunked"]
                connection.send("POST", "/unasked", chunked + offer)
                connection.send("3\r\nabc\r\n0\r\n\r\nGET /api/who HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try connection.receive().status == 502)
                #expect(try connection.receive().string("instance") != nil)
            }
        }

        @Test("7 a backend that dies in a tunnel ends it, and the next one is another")
        func backendDies() throws {
            try onStage(usual) { stage in
                let connection = try tunnel(stage, "mode=die")
                connection.send("x")
                #expect((try? connection.receiveAll()) ?? "" == "")
                try stage.backend.restart()
                let next = try eventually(stage.client(), "/api/who") { $0.status == 200 }
                #expect(next.string("instance") == stage.backend.instance)
                let other = try tunnel(stage)
                other.send("x")
                #expect(try text(other, count: 1) == "x")
            }
        }

        @Test("7 a reset is passed on as one, in both directions")
        func resets() throws {
            try onStage(usual) { stage in
                let connection = try tunnel(stage, "mode=reset")
                connection.send("x")
                #expect(throws: HTTPFailure.self) {
                    // The end that comes is no clean one.
                    _ = try connection.receive(bytes: 1000)
                }
                let mine = try tunnel(stage, "mode=early")
                #expect(try text(mine, count: 3) == "bye")
                // Nothing is on its way: a reset that overtakes a byte, as it can from another
                // core, is out of sequence (RFC 5961 §3), and none is sent twice.
                mine.reset()
                let isReset = becomesTrue {
                    stage.backend.everything.contains {
                        $0.kind == "tunnel" && $0.target == "reset"
                    }
                }
                #expect(isReset)
            }
        }

        @Test("2.2 a 101 can issue a session; 4.1 a stale one gets its 401 instead of a tunnel")
        func sessions() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                connection.send("GET", "/upgrade?session=1", offer)
                let head = try connection.receiveHead()
                let cookie = try #require(jarCookie(head))
                let fields = offer + ["Cookie: lychgate=\(cookie.value)"]
                let other = try stage.connect()
                other.send("GET", "/upgrade", fields)
                #expect(try other.receiveHead().status == 101)
                #expect(stage.backend.seen.last?.kind == "session")
                try stage.backend.restart()
                let late = try stage.connect().ask("GET", "/upgrade", fields)
                #expect(isClean401(late, cleared: "backend-restart"))
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("6 tunnels end with the grace once Lychgate is told to stop")
        func stop() throws {
            try onStage("shutdown: { grace: 4s }\n" + usual) { stage in
                let connection = try tunnel(stage)
                stage.lychgate.process.send(15)
                #expect(stage.logged("stop"))
                connection.send("last words")
                #expect(try text(connection, count: 10) == "last words")
                #expect(stage.lychgate.process.waitForExit() == .code(0))
                // No end that the backend meant.
                #expect(throws: HTTPFailure.self) { _ = try connection.receiveAll() }
            }
        }

        @Test("7 someone else's WebSocket client and server")
        func webSocket() throws {
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
            let clients = try inParallel(4) { _ in
                let client = try ChildProcess(Place.python, [script, "client", "\(open)"])
                let exit = client.waitForExit(seconds: 60)
                return exit == .code(0) ? "good" : client.errors
            }
            #expect(clients == Array(repeating: "good", count: 4))
            try lychgate.checkHealth()
        }
    }
}
