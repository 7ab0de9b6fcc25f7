import TestSupport
import Testing

extension EndToEnd {
    /// Contract 9: `timeouts`, `limits` and the queue for connections to the backend.
    @Suite("limits")
    struct LimitTests {
        @Test("9 the queue under overload: in order, and 503 for whoever waits too long")
        func queue() throws {
            let one = "upstream: { url: UPSTREAM, max_connections: 1, queue_timeout: 500ms }\n"
            try onStage(one + "workers: 1\n" + usual) { stage in
                #expect(try stage.connect().ask("GET", "/first").status == 200)
                let holder = try stage.connect()
                holder.send("GET", "/slow?ms=1500")
                #expect(becomesTrue { stage.backend.count(of: "/slow?ms=1500") == 1 })
                let waiting = try (0..<5).map { number in
                    let connection = try stage.connect()
                    connection.send("GET", "/waits-\(number)")
                    return connection
                }
                for connection in waiting {
                    #expect(try connection.receive().status == 503)
                }
                #expect(!stage.backend.seen.contains { $0.target.hasPrefix("/waits") })
                #expect(try holder.receive().status == 200)
                #expect(try stage.connect().ask("GET", "/after").status == 200)
            }
        }

        @Test("9 the queue is fair: who came first is served first")
        func fairness() throws {
            let one = "upstream: { url: UPSTREAM, max_connections: 1, queue_timeout: 20s }\n"
            try onStage(one + "workers: 1\n" + usual) { stage in
                let holder = try stage.connect()
                holder.send("GET", "/slow?ms=300")
                #expect(becomesTrue { stage.backend.count(of: "/slow?ms=300") == 1 })
                var waiting: [HTTPConnection] = []
                for number in 0..<10 {
                    let connection = try stage.connect()
                    // Its answer says that it has come in before the next one is sent.
                    #expect(try connection.ask("GET", "/x", ["X Y: malformed"]).status == 400)
                    let next = try stage.connect()
                    next.send("GET", "/waits-\(number)")
                    waiting.append(next)
                }
                for connection in waiting {
                    #expect(try connection.receive().status == 200)
                }
                let order = stage.backend.seen.map(\.target).filter { $0.hasPrefix("/waits") }
                #expect(order == (0..<10).map { "/waits-\($0)" })
            }
        }

        @Test("9 header is a time for the whole head: crumbs of it buy none")
        func slowHead() throws {
            try onStage("timeouts: { header: 400ms }\nworkers: 1\n" + usual) { stage in
                let connection = try stage.connect()
                connection.send("GET /x HTTP/1.1\r\nHost: a\r\nX-Long: ")
                while connection.isQuiet(forMilliseconds: 50), connection.send("x") {}
                #expect(try connection.receive().status == 408)
                #expect(connection.isClosedByPeer())
                #expect(stage.backend.count(of: "/x") == 0)
            }
        }

        @Test("9 body_idle is a time between two pieces: content that goes on coming is served")
        func slowContent() throws {
            try onStage("timeouts: { body_idle: 1s }\nworkers: 1\n" + usual) { stage in
                let connection = try stage.connect()
                connection.send("POST", "/echo", ["Content-Length: 25"])
                for _ in 0..<25 {
                    #expect(connection.isQuiet(forMilliseconds: 50))
                    connection.send("x")
                }
                #expect(try connection.receive().number("count") == 25)
            }
        }

        @Test("9 body_idle: an upload that stands still behind an answer that does, too, is cut")
        func stillBoth() throws {
            try onStage("timeouts: { body_idle: 300ms }\nworkers: 1\n" + usual) { stage in
                let connection = try stage.connect()
                connection.send(
                    "POST /early?pause=0&ms=0 HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"
                )
                connection.send("only this much")
                #expect(try connection.receiveHead().status == 200)
                #expect(connection.isClosedByPeer())
                #expect(try stage.connect().ask("GET", "/after").status == 200)
            }
        }

        @Test("9 keepalive: a connection that asks nothing more is closed")
        func keepalive() throws {
            try onStage("timeouts: { keepalive: 200ms }\n" + usual) { stage in
                let connection = try stage.connect()
                #expect(try connection.ask("GET", "/x").status == 200)
                #expect(connection.isClosedByPeer())
            }
        }
    }
}
