import TestSupport
import Testing

extension EndToEnd {
    /// Contract 7: messages pass as they are.
    @Suite("transparency")
    struct Transparency {
        @Test("7 every framing of an answer")
        func framings() throws {
            try onStage(usual) { stage in
                let client = stage.client()
                let whole = Array(Pattern.bytes[..<100_000])
                for target in [
                    "/bytes?n=65000", "/chunked?n=65000&size=1", "/chunked?n=65000&size=4096",
                    "/until-close?n=65000", "/bytes?n=0", "/chunked?n=0", "/until-close?n=0",
                ] {
                    let answer = try client.get(target)
                    #expect(answer.status == 200)
                    let count = target.contains("n=0") ? 0 : 65_000
                    #expect(answer.body == Array(whole[..<count]), "\(target)")
                }
                #expect(try client.get("/204").status == 204)
                let unchanged = try client.get("/304")
                #expect(unchanged.status == 304)
                #expect(unchanged["ETag"] == #""one""#)
                #expect(try client.get("/api/who").status == 200)
            }
        }

        @Test("7 HEAD has the length and no content")
        func head() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                for target in ["/bytes?n=1000", "/chunked?n=1000", "/until-close?n=1000"] {
                    let answer = try connection.ask("HEAD", target)
                    #expect(answer.status == 200)
                    let expected = target.hasPrefix("/bytes") ? "1000" : nil
                    #expect(answer["Content-Length"] == expected)
                    #expect(connection.isQuiet(forMilliseconds: 30))
                }
                #expect(try connection.ask("GET", "/api/who").status == 200)
            }
        }

        @Test("7 chunked both ways, without a length for the backend to trip over")
        func chunkedUpload() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                connection.send("POST", "/echo", ["Transfer-Encoding: chunked"])
                for _ in 0..<100 {
                    connection.sendChunk(Array(Pattern.bytes[..<777]))
                }
                connection.sendChunk([])
                let answer = try connection.receive()
                #expect(answer.number("count") == 77_700)
                let lines = answer.strings("lines").map { $0.lowercased() }
                #expect(lines.contains("transfer-encoding: chunked"))
                #expect(!lines.contains { $0.hasPrefix("content-length") })
                connection.send("POST", "/upload", ["Transfer-Encoding: chunked"])
                connection.send("5;name=value\r\n")
                connection.send(Array(Pattern.bytes[..<5]) + Array("\r\n0\r\n\r\n".utf8))
                #expect(try connection.receive().text == #"{"count":5,"right":true}"#)
            }
        }

        @Test("7 chunks arrive while the answer is still being made")
        func streaming() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                let start = ContinuousClock.now
                connection.send("GET", "/chunked?n=10&size=5&ms=700")
                #expect(try connection.receiveHead().status == 200)
                _ = try connection.receive(bytes: 10)
                #expect(ContinuousClock.now - start < .milliseconds(600))
            }
        }

        @Test("7 an HTTP/1.0 client gets content without chunks, and the end of the connection")
        func http10() throws {
            try onStage(usual) { stage in
                for target in ["/chunked?n=1000", "/bytes?n=1000"] {
                    let connection = try stage.connect()
                    connection.send("GET \(target) HTTP/1.0\r\nHost: old.test\r\n\r\n")
                    let answer = try connection.receive()
                    #expect(answer["Transfer-Encoding"] == nil)
                    #expect(answer.body == Array(Pattern.bytes[..<1_000]))
                    #expect(connection.isClosedByPeer())
                }
                let connection = try stage.connect()
                connection.send("GET /echo HTTP/1.0\r\n\r\n")
                let answer = try connection.receive()
                #expect(answer.strings("lines").first == "GET /echo HTTP/1.1")
            }
        }

        @Test("7 Connection: close is kept on the client's side alone")
        func close() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                let answer = try connection.ask("GET", "/echo", ["Connection: close"])
                #expect(answer["Connection"]?.lowercased() == "close")
                #expect(connection.isClosedByPeer())
                let lines = answer.strings("lines").map { $0.lowercased() }
                #expect(!lines.contains("connection: close"))
            }
        }

        @Test("7 pipelined requests are answered in order, each once")
        func pipelining() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                let host = "Host: a\r\n"
                let text =
                    "GET /slow?ms=50 HTTP/1.1\r\n\(host)\r\n"
                    + "POST /upload HTTP/1.1\r\n\(host)Content-Length: 3\r\n\r\nabc"
                    + "HEAD /bytes?n=9 HTTP/1.1\r\n\(host)\r\n"
                    + "POST /two HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n"
                    + "3\r\nabc\r\n0\r\n\r\nGET /chunked?n=5 HTTP/1.1\r\n\(host)\r\n"
                    + "GET /last HTTP/1.1\r\n\(host)\r\n"
                connection.send(text)
                #expect(try connection.receive().string("instance") != nil)
                #expect(try connection.receive().number("count") == 3)
                #expect(try connection.receive(for: "HEAD")["Content-Length"] == "9")
                #expect(try connection.receive().string("path") == "/two")
                #expect(try connection.receive().body.count == 5)
                #expect(try connection.receive().string("path") == "/last")
                #expect(connection.isQuiet(forMilliseconds: 50))
            }
        }

        @Test("7 pipelined requests with a stale session: each its 401, none forwarded")
        func pipelinedStale() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let cookie = "Cookie: lychgate=\(client.cookies["lychgate"] ?? "")"
                try stage.backend.restart()
                let connection = try stage.connect()
                let one = "GET /api/work HTTP/1.1\r\nHost: a\r\n\(cookie)\r\n\r\n"
                connection.send(one + one + one)
                let answers = try (0..<3).map { _ in try connection.receive() }
                #expect(answers.count { isClean401($0, cleared: "backend-restart") } == 3)
                #expect(answers.count { jarCookie($0) != nil } == 1)
                #expect(stage.backend.count(of: "/api/work") == 0)
            }
        }

        @Test("7 a request that arrives byte by byte")
        func byteByByte() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                let text = "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                let bytes = Array(text.utf8) + Array("1\r\n\0\r\n1\r\n".utf8) + [7]
                for byte in bytes + Array("\r\n0\r\n\r\n".utf8) {
                    connection.send([byte])
                }
                #expect(try connection.receive().text == #"{"count":2,"right":true}"#)
            }
        }

        @Test("7 a request that waited goes on as it came, whatever was parsed meanwhile")
        func waitedWhileOthersWereParsed() throws {
            let one = "workers: 1\nupstream: { url: UPSTREAM, max_connections: 1 }\n"
            try onStage(one + usual) { stage in
                let busy = try stage.connect()
                busy.send("GET", "/slow?ms=400")
                #expect(becomesTrue { stage.backend.count(of: "/slow?ms=400") == 1 })
                let waiting = try stage.connect()
                waiting.send("GET", "/echo?mine", ["X-Mine: 1"])
                let partial = try stage.connect()
                partial.send("GET /echo?theirs HTTP/1.1\r\nHost: theirs\r\nX-Theirs: 1\r\n")
                let refused = try stage.connect()
                refused.send("GET /echo?refused HTTP/1.1\r\nX-Refused : 1\r\n\r\n")
                #expect(try refused.receive().status == 400)
                #expect(try busy.receive().status == 200)
                let lines = try waiting.receive().strings("lines")
                #expect(lines.first == "GET /echo?mine HTTP/1.1")
                #expect(lines.contains("X-Mine: 1"))
                #expect(!lines.contains { $0.contains("heirs") || $0.contains("efused") })
            }
        }

        @Test("7 names, order, doubles, Host and target are kept")
        func requestFields() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                let sent = ["X-B: 1", "x-a: 2", "X-B: 3", "accept-ENCODING: gzip, br", "X-Empty:"]
                let target = "/echo?a=%2F%00;b=//x/../y&q='\"<>"
                let answer = try connection.ask("GET", target, ["Host: Some.Host:81"] + sent)
                let lines = answer.strings("lines")
                #expect(lines.first == "GET \(target) HTTP/1.1")
                let kept = lines.map { $0.hasSuffix(": ") ? String($0.dropLast()) : $0 }
                #expect(kept.filter { sent.contains($0) } == sent)
                #expect(lines.contains("Host: Some.Host:81"))
                #expect(lines.count { $0.lowercased().hasPrefix("host:") } == 1)
            }
        }

        @Test("7 hop-by-hop fields end at the proxy, on the way there")
        func hopByHopRequest() throws {
            try onStage(usual) { stage in
                let answer = try stage.connect().ask(
                    "GET",
                    "/echo",
                    [
                        "Connection: X-Hop, keep-alive", "X-Hop: 1", "Keep-Alive: timeout=1",
                        "Proxy-Connection: keep-alive", "TE: gzip", "X-Stays: 1",
                        "Proxy-Authorization: Basic eA==",
                    ]
                )
                let names = answer.strings("lines").dropFirst().map { line in
                    line.split(separator: ":")[0].lowercased()
                }
                for gone in ["x-hop", "keep-alive", "proxy-connection", "te"] {
                    #expect(!names.contains(gone), "\(gone)")
                }
                #expect(names.contains("x-stays"))
            }
        }

        @Test("7 hop-by-hop fields end at the proxy, on the way back; the rest keeps its order")
        func hopByHopResponse() throws {
            try onStage(usual) { stage in
                let answer = try stage.connect().ask("GET", "/fields")
                for gone in ["X-Hop", "Keep-Alive", "Proxy-Connection"] {
                    #expect(answer[gone] == nil, "\(gone)")
                }
                let names = answer.fields.map(\.name)
                let kept = ["X-First", "set-cookie", "Set-Cookie", "x-LAST"]
                #expect(names.filter { kept.contains($0) } == kept)
                #expect(answer.values("set-cookie") == ["a=1", "b=2"])
                #expect(answer["X-Last"] == "kept")
            }
        }

        @Test("7 X-Forwarded-*, Forwarded and Via from a client that is not trusted")
        func forwardedUntrusted() throws {
            try onStage(usual) { stage in
                let lies = [
                    "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https",
                    "X-Forwarded-Host: evil.test", "Forwarded: for=6.6.6.6", "Via: 1.0 before",
                ]
                let lines = try stage.connect().ask("GET", "/echo", lies).strings("lines")
                #expect(
                    lines.filter { $0.lowercased().hasPrefix("x-forwarded-") }.sorted() == [
                        "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: example.test",
                        "X-Forwarded-Proto: http",
                    ]
                )
                #expect(!lines.contains { $0.lowercased().hasPrefix("forwarded:") })
                let via = lines.filter { $0.lowercased().hasPrefix("via:") }
                let chain = via.map { $0.dropFirst(5) }.joined(separator: ", ")
                #expect(chain == "1.0 before, 1.1 lychgate")
            }
        }

        @Test("7 X-Forwarded-* from a trusted proxy are believed and extended")
        func forwardedTrusted() throws {
            try onStage("trusted_proxies: [ 127.0.0.0/8 ]\nvia: off\n" + usual) { stage in
                let chain = [
                    "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https",
                    "X-Forwarded-Host: shop.test", "Forwarded: for=6.6.6.6",
                ]
                let client = stage.client()
                client.fields = chain
                let lines = try client.get("/echo").strings("lines")
                #expect(lines.contains("X-Forwarded-For: 6.6.6.6, 127.0.0.1"))
                #expect(lines.contains("X-Forwarded-Proto: https"))
                #expect(lines.contains("X-Forwarded-Host: shop.test"))
                #expect(!lines.contains { $0.lowercased().hasPrefix("via:") })
            }
        }

        @Test("2.2 a trusted proxy says that the client's connection is TLS: __Host- and Secure")
        func secureBehindProxy() throws {
            try onStage("trusted_proxies: [ 127.0.0.0/8 ]\n" + usual) { stage in
                let client = stage.client()
                client.fields = ["X-Forwarded-Proto: https"]
                let lines = try client.post("/api/connect").values("Set-Cookie")
                let cookie = lines.map { SetCookie($0) }.first { $0.name == "__Host-lychgate" }
                #expect(cookie?.attributes["secure"] != nil)
                #expect(try client.get("/api/work").status == 200)
            }
        }
    }
}
