import TestSupport
import Testing

extension EndToEnd {
    /// Trailers, Max-Forwards, Date, HTTP/1.0, the limit of content.
    @Suite("details of messages")
    struct MessageDetails {
        private func sendTrailers(_ connection: HTTPConnection, _ fields: [String] = []) {
            let trailer = ["Transfer-Encoding: chunked", "Trailer: X-T", "Connection: x-hop"]
            connection.send("POST", "/echo", trailer + fields)
            connection.sendChunk(Array("abc".utf8))
            connection.send("0\r\nX-T: 1\r\nX-Hop: 1\r\nCookie: a=1\r\nx-t:two \r\n\r\n")
        }

        @Test("7 trailers of a request pass, but for those that must not")
        func requestTrailers() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                sendTrailers(connection)
                let answer = try connection.receive()
                #expect(answer.number("count") == 3)
                #expect(answer.strings("trailers") == ["X-T: 1", "x-t:two "])
                #expect(answer.strings("lines").contains("Trailer: X-T"))
                #expect(try connection.ask("GET", "/api/who").status == 200)
            }
        }

        @Test("7 trailers that come byte by byte, and behind content too big to keep")
        func slowTrailers() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                connection.send("POST", "/echo", ["Transfer-Encoding: chunked"])
                for byte in "1\r\na\r\n0\r\nA: 1\r\nB: 2\r\n\r\n".utf8 {
                    connection.send([byte])
                }
                #expect(try connection.receive().strings("trailers") == ["A: 1", "B: 2"])
                connection.send("POST", "/echo", ["Transfer-Encoding: chunked"])
                for _ in 0..<20 {
                    connection.sendChunk(Array(Pattern.bytes[..<100_000]))
                }
                let long = "L: " + String(repeating: "x", count: 8000)
                connection.send("0\r\n\(long)\r\n\r\nGET /api/who HTTP/1.1\r\nHost: a\r\n\r\n")
                let answer = try connection.receive()
                #expect(answer.number("count") == 2_000_000)
                #expect(answer.strings("trailers") == [long])
                #expect(try connection.receive().status == 200)
            }
        }

        @Test("7 malformed trailers and too many of them are refused; 2.1 a session is not taken")
        func badTrailers() throws {
            try onStage(usual) { stage in
                for (trailers, status) in [
                    ("X : 1", 400), (" X: 1", 400), ("X: 1\nY: 2", 400),
                    ("X: " + String(repeating: "x", count: 8200), 431),
                    (String(repeating: "X: 1\r\n", count: 100) + "X: 1", 431),
                ] {
                    let connection = try stage.connect()
                    connection.send("POST", "/echo", ["Transfer-Encoding: chunked"])
                    connection.send("3\r\nabc\r\n0\r\n\(trailers)\r\n\r\n")
                    #expect(try connection.receive().status == status)
                    #expect(connection.isClosedByPeer())
                }
            }
        }

        @Test("7 trailers of a response pass, but for those that must not, and not to HTTP/1.0")
        func responseTrailers() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                let answer = try connection.ask("GET", "/trailers")
                #expect(answer.text == "abc" && answer["Trailer"] == "X-Sum, Sum")
                #expect(answer.trailers == ["X-Sum: 1", "Sum:two ", "x-sum:"])
                #expect(try connection.ask("GET", "/api/who").status == 200)
                let old = try stage.connect()
                old.send("GET /trailers HTTP/1.0\r\n\r\n")
                let plain = try old.receive()
                #expect(plain.text == "abc" && plain["Trailer"] == nil)
            }
        }

        @Test("7 trailers behind content that a rule has read")
        func collectedTrailers() throws {
            try onStage(usual) { stage in
                let answer = try stage.connect().ask("POST", "/api/connect?trailers=1", body: [])
                #expect(jarCookie(answer) != nil)
                #expect(answer.string("sessionId") != nil)
                #expect(answer.trailers == ["X-Sum: 1"])
            }
        }

        @Test("RFC 9110 10.1.4 TE: trailers is passed on as our own word")
        func te() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                let lines = try connection.ask("GET", "/echo", ["TE: gzip, trailers"])
                    .strings("lines")
                #expect(lines.contains("TE: trailers") && lines.contains("Connection: TE"))
                let none = try connection.ask("GET", "/echo").strings("lines")
                #expect(!none.contains { $0.hasPrefix("TE:") || $0.hasPrefix("Connection:") })
            }
        }

        @Test("RFC 9110 7.6.2 Max-Forwards ends here, or goes on with one less")
        func maxForwards() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                let own = try connection.ask("OPTIONS", "*", ["Max-Forwards: 0"])
                #expect(own.status == 200 && own["Content-Length"] == "0")
                #expect(own["Content-Type"] == nil)
                #expect(stage.backend.seen.isEmpty)
                let answer = try connection.ask("OPTIONS", "/echo", ["Max-Forwards: 5"])
                #expect(answer.strings("lines").contains("Max-Forwards: 4"))
                let other = try connection.ask("GET", "/echo", ["Max-Forwards: 0"])
                #expect(other.strings("lines").contains("Max-Forwards: 0"))
                let bad = try connection.ask("OPTIONS", "/echo", ["Max-Forwards: x"])
                #expect(bad.status == 400)
            }
        }

        @Test("RFC 9110 9.3.7 OPTIONS * passes; TRACE ends here, whatever Max-Forwards says")
        func optionsAndTrace() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                #expect(try client.ask("OPTIONS", "*").string("path") == "*")
                #expect(stage.backend.seen.last?.target == "*")
                for fields in [[], ["Max-Forwards: 0"], ["Max-Forwards: 5"], ["Max-Forwards: x"]] {
                    let answer = try stage.connect().ask("TRACE", "/echo", fields)
                    #expect(answer.status == 501 && !answer.text.contains("/echo"))
                }
                #expect(try stage.connect().ask("TRACE", "/echo", body: [1]).status == 501)
                #expect(stage.backend.count(of: "/echo") == 0)
            }
        }

        @Test("RFC 9110 6.6.1 every response has one Date")
        func date() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                for (target, fields) in [
                    ("/api/who", []), ("/chunked?n=10", []), ("/304", []), ("/garbage", []),
                    ("/api/who", ["X_Session_ID: 1"]),
                ] {
                    let fresh = try stage.connect()
                    let dates = try fresh.ask("GET", target, fields).values("Date")
                    #expect(dates.count == 1)
                    let pattern = /[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} 20\d\d \d\d:\d\d:\d\d GMT/
                    #expect(dates.first?.wholeMatch(of: pattern) != nil, "\(dates)")
                }
                let own = try connection.ask("GET", "/dated").values("Date")
                #expect(own == ["Sun, 06 Nov 1994 08:49:37 GMT"])
            }
        }

        @Test("RFC 9112 9.3 clients of HTTP/1.0 keep their connection if they ask for it")
        func oldClients() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                let keep = "Connection: keep-alive\r\n\r\n"
                for _ in 0..<3 {
                    connection.send("GET /bytes?n=10 HTTP/1.0\r\n\(keep)")
                    let answer = try connection.receive()
                    #expect(answer.body.count == 10)
                    #expect(answer["Connection"]?.lowercased() == "keep-alive")
                }
                // Content of unknown length can only be ended by the end of the connection.
                connection.send("GET /chunked?n=10 HTTP/1.0\r\n\(keep)")
                let last = try connection.receive()
                #expect(last["Connection"]?.lowercased() == "close" && last.body.count == 10)
                let plain = try stage.connect()
                plain.send("GET /bytes?n=10 HTTP/1.0\r\n\r\n")
                let answer = try plain.receive()
                #expect(answer["Connection"]?.lowercased() == "close")
                #expect(plain.isClosedByPeer())
            }
        }

        @Test("RFC 9112 9.3 backends of HTTP/1.0 keep theirs if they say so")
        func oldBackends() throws {
            try onStage("workers: 1\n" + usual) { stage in
                let connection = try stage.connect()
                let first = try connection.ask("GET", "/old?keep=1")
                #expect(first.version == "HTTP/1.1" && first["Connection"] == nil)
                let second = try connection.ask("GET", "/old?keep=1")
                #expect(Int(second.text) == (Int(first.text) ?? 0) + 1)
                #expect(try connection.ask("GET", "/old").status == 200)
                #expect(try connection.ask("GET", "/old").status == 200)
            }
        }

        @Test("9 limits.body_bytes: 413 at once by length, when it is passed in chunks")
        func bodyBytes() throws {
            try onStage("limits: { body_bytes: 100KiB }\n" + usual) { stage in
                let fits = Array(Pattern.bytes[..<102_400])
                let connection = try stage.connect()
                #expect(try connection.ask("POST", "/upload", body: fits).status == 200)
                connection.send("POST", "/upload", ["Transfer-Encoding: chunked"])
                connection.sendChunk(fits)
                connection.sendChunk([])
                #expect(try connection.receive().number("count") == 102_400)
                // What chunks have used up is not held against the next request.
                #expect(try connection.ask("POST", "/upload", body: fits).status == 200)
                let expecting = ["Content-Length: 102401", "Expect: 100-continue"]
                connection.send("POST", "/refused", expecting)
                let refused = try connection.receiveHead()
                #expect(refused.status == 413 && refused["Connection"] == "close")
                #expect(stage.backend.count(of: "/refused") == 0)
                let chunked = try stage.connect()
                chunked.send("POST", "/upload", ["Transfer-Encoding: chunked"])
                chunked.sendChunk(fits)
                chunked.sendChunk([1])
                chunked.sendChunk(fits)
                #expect(try chunked.receive().status == 413)
                #expect(chunked.isClosedByPeer())
            }
        }
    }
}
