import TestSupport
import Testing

extension EndToEnd {
    /// Contract 2.1: how a request carries its session.
    @Suite("carriers")
    struct Carriers {
        @Test("2.1 jar cookie: the backend gets the session and not the cookie")
        func jarCookieHappyPath() throws {
            try onStage(usual) { stage in
                let client = stage.client()
                let session = try client.post("/api/connect").string("sessionId")
                #expect(client.cookies["theme"] == "dark")
                let work = try client.get("/api/work")
                #expect(work.status == 200)
                #expect(work.values("Vary").joined(separator: ",").contains("Cookie"))
                #expect(try client.get("/api/who").string("session") == session)

                client.cookies["zebra"] = "1"
                let lines = try client.get("/echo").strings("lines")
                #expect(lines.contains("Cookie: theme=dark; zebra=1"))
                #expect(lines.contains("X-Session-ID: \(session ?? "")"))

                client.cookies = client.cookies.filter { $0.key == "lychgate" }
                let bare = try client.get("/echo").strings("lines")
                #expect(!bare.contains { $0.lowercased().hasPrefix("cookie:") })
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("2.1 client-held header: forwarded as it is, once")
        func headerHappyPath() throws {
            try onStage(usual) { stage in
                let first = try stage.client().post("/api/connect")
                let session = first.string("sessionId") ?? ""
                #expect(first["X-Session-ID"] == session)
                let client = stage.client()
                client.fields = ["x-session-id: \(session)"]
                #expect(try client.get("/api/work").status == 200)
                let lines = try client.get("/echo").strings("lines")
                #expect(lines.count { $0.lowercased() == "x-session-id: \(session)" } == 1)
            }
        }

        @Test("2.1 with both, the header wins")
        func headerWins() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let other = try stage.client().post("/api/connect").string("sessionId") ?? ""
                client.fields = ["X-Session-ID: \(other)"]
                let answer = try client.get("/api/who")
                #expect(answer.string("session") == other)
                let lines = try client.get("/echo").strings("lines")
                #expect(lines.count { $0.lowercased().hasPrefix("x-session-id:") } == 1)
            }
        }

        @Test("2.1 the field twice, or an alias of it, gets 400 and goes nowhere")
        func repeatsAndAliases() throws {
            try onStage(usual) { stage in
                for lines in [
                    ["X-Session-ID: a", "X-Session-ID: a"],
                    ["X-Session-ID: a", "x-session-id: b"],
                    ["X_Session_ID: a"],
                    ["X-Session_ID: a"],
                    ["x_session-id: a"],
                ] {
                    let client = stage.client()
                    #expect(try client.get("/refused", lines).status == 400, "\(lines)")
                }
                let client = try stage.loggedIn()
                #expect(try client.get("/refused", ["X_SESSION_ID: a"]).status == 400)
                #expect(stage.backend.count(of: "/refused") == 0)
            }
        }

        @Test("2.1 a session in trailers is never accepted")
        func sessionInTrailers() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                connection.send("POST", "/api/who", ["Transfer-Encoding: chunked"])
                connection.sendChunk(Array("hello".utf8))
                connection.send("0\r\nX-Session-ID: smuggled\r\n\r\n")
                let answer = try connection.receive()
                #expect(answer.status == 400 || answer.string("session") == nil)
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("2.1 Connection cannot take the injected field away, nor the cookie rules")
        func connectionNamesTheCarrier() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let answer = try client.get("/api/who", ["Connection: X-Session-ID, Cookie"])
                #expect(answer.status == 400 || answer.string("session") != nil)
                let held = stage.client()
                let session = try held.post("/api/connect").string("sessionId") ?? ""
                let named = stage.client()
                named.fields = ["X-Session-ID: \(session)", "Connection: x-session-id"]
                let other = try named.get("/api/who")
                #expect(other.status == 400 || other.string("session") == session)
            }
        }

        @Test("2.2 two different jar cookies are none; the same one twice is one")
        func twoJarCookies() throws {
            try onStage(usual) { stage in
                let one = try stage.loggedIn().cookies["lychgate"] ?? ""
                let two = try stage.loggedIn().cookies["lychgate"] ?? ""
                #expect(one != two)
                let bare = stage.client()
                let both = ["Cookie: lychgate=\(one); a=1; lychgate=\(two)"]
                #expect(try bare.get("/api/who", both).string("session") == nil)
                let lines = try bare.get("/echo", both).strings("lines")
                #expect(lines.contains("Cookie: a=1"))
                let fields = ["Cookie: lychgate=\(one)", "Cookie: lychgate=\(two)"]
                #expect(try bare.get("/api/who", fields).string("session") == nil)
                let same = ["Cookie: lychgate=\(one); lychgate=\(one)"]
                #expect(try bare.get("/api/who", same).string("session") != nil)
            }
        }

        @Test("2.2 a session ID that Lychgate has never seen is forwarded")
        func unknownHeader() throws {
            try onStage(usual) { stage in
                let client = stage.client()
                client.fields = ["X-Session-ID: from-somewhere-else"]
                let answer = try client.get("/api/work")
                #expect(answer.status == 401)
                #expect(answer["X-Session-Cleared"] == nil)
                #expect(stage.backend.count(of: "/api/work") == 1)
            }
        }

        @Test("2.2 a session issued past Lychgate is bound by its first answer")
        func boundLater() throws {
            try onStage(usual) { stage in
                let direct = try stage.backend.ask("POST", "/api/connect")
                let session = direct.string("sessionId") ?? ""
                let client = stage.client()
                client.fields = ["X-Session-ID: \(session)"]
                #expect(try client.get("/api/work").status == 200)
                try stage.backend.restart()
                let answer = try client.get("/api/work")
                #expect(isClean401(answer, cleared: "backend-restart"))
                #expect(stage.backend.zombies.isEmpty)
            }
        }
    }
}
