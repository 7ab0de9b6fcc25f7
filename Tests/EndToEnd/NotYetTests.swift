import TestSupport
import Testing

extension EndToEnd {
    /// What the contract has and this version does not: left out or refused, never half done.
    @Suite("not there yet")
    struct NotYet {
        @Test("7 CONNECT is refused")
        func connect() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                connection.send("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n")
                #expect(try connection.receive().status == 501)
                #expect(connection.isClosedByPeer())
                #expect(stage.backend.seen.isEmpty)
            }
        }

        @Test(
            "7 HTTP/2 and TLS on a plain address are refused",
            arguments: [
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}",
            ]
        )
        func otherProtocols(text: String) throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                connection.send(text)
                let status = try connection.receive().status
                #expect(status == 505 || status == 400)
                #expect(connection.isClosedByPeer())
            }
        }

        @Test("7 a client that waits for 100 gets its answer")
        func expectation() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                let fields = ["Expect: 100-continue", "Content-Length: 3"]
                connection.send("POST", "/echo", fields)
                connection.send("abc")
                #expect(try connection.receive().number("count") == 3)
            }
        }
    }

    /// Contract 4.1: Lychgate answers while the client is still sending.
    @Suite("answers to big requests")
    struct EarlyAnswers {
        @Test("4.1 a stale request with little content keeps its connection")
        func small() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                try stage.backend.restart()
                let count = client.connectionCount
                let answer = try client.ask("POST", "/x", body: Array(Pattern.bytes[..<10_000]))
                #expect(isClean401(answer, cleared: "backend-restart"))
                #expect(try client.get("/api/who").status == 200)
                #expect(client.connectionCount == count)
            }
        }

        @Test("4.1 a stale request with a GiB to come is answered before it has come")
        func big() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let cookie = "Cookie: lychgate=\(client.cookies["lychgate"] ?? "")"
                try stage.backend.restart()
                let connection = try stage.connect()
                connection.send("POST", "/upload", [cookie, "Content-Length: 1073741824"])
                let answer = try connection.receive()
                #expect(isClean401(answer, cleared: "backend-restart"))
                #expect(stage.backend.count(of: "/upload") == 0)
            }
        }

        @Test("4.1 a stale request that sends all the same still gets to read its 401")
        func bigAndDeaf() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let cookie = "Cookie: lychgate=\(client.cookies["lychgate"] ?? "")"
                try stage.backend.restart()
                let connection = try stage.connect()
                connection.send("POST", "/upload", [cookie, "Content-Length: 4000000"])
                _ = connection.sendPattern(count: 4_000_000)
                let answer = try connection.receive()
                #expect(isClean401(answer, cleared: "backend-restart"))
                #expect(stage.backend.count(of: "/upload") == 0)
            }
        }
    }
}
