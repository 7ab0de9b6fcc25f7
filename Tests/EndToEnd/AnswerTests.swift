import TestSupport
import Testing

extension EndToEnd {
    /// Contract 4.1 row by row, and 4.2.
    @Suite("answers")
    struct Answers {
        @Test("4.1 stale session: one clean 401, then a fresh start")
        func stale() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                try stage.backend.restart()
                let answer = try client.get("/api/work")
                #expect(isClean401(answer, cleared: "backend-restart"))
                let expired = try #require(jarCookie(answer))
                #expect(expired.isExpired)
                #expect(expired.attributes["path"] == "/")
                #expect(client.cookies["lychgate"] == nil)

                let anonymous = try client.get("/api/work")
                #expect(anonymous.string("reason") == "NO_SESSION_ID")
                #expect(anonymous["X-Session-Cleared"] == nil)
                #expect(stage.backend.seen.last?.kind == "anonymous")

                #expect(try client.post("/api/connect").status == 200)
                #expect(try client.get("/api/work").status == 200)
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("4.1 stale client-held session: the 401 as often as it is sent")
        func staleHeader() throws {
            try onStage(usual) { stage in
                let client = stage.client()
                let session = try client.post("/api/connect").string("sessionId") ?? ""
                client.cookies = [:]
                client.fields = ["X-Session-ID: \(session)"]
                #expect(try client.get("/api/work").status == 200)
                try stage.backend.restart()
                for _ in 0..<3 {
                    let answer = try client.get("/api/work")
                    #expect(isClean401(answer, cleared: "backend-restart"))
                }
                #expect(stage.backend.zombies.isEmpty)
                client.fields = []
                #expect(try client.get("/api/work").string("reason") == "NO_SESSION_ID")
            }
        }

        @Test("4.1 a big upload with a stale session sees its 401 and no reset")
        func staleUpload() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                try stage.backend.restart()
                let connection = try stage.connect()
                let cookie = "Cookie: lychgate=\(client.cookies["lychgate"] ?? "")"
                let size = 16 * 1024 * 1024
                connection.send("PUT", "/upload", [cookie, "Content-Length: \(size)"])
                let isSent = connection.send([UInt8](repeating: 7, count: size))
                #expect(isSent)
                #expect(isClean401(try connection.receive(), cleared: "backend-restart"))
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("4.1 HEAD gets the head alone")
        func staleHead() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                try stage.backend.restart()
                let connection = try stage.connect()
                let cookie = "Cookie: lychgate=\(client.cookies["lychgate"] ?? "")"
                let answer = try connection.ask("HEAD", "/api/work", [cookie])
                #expect(answer.status == 401)
                #expect(answer["Content-Length"] == String(sessionNotFound.utf8.count))
                #expect(connection.isQuiet(forMilliseconds: 50))
                #expect(try connection.ask("GET", "/api/who").status == 200)
            }
        }

        @Test("4.1 a stale request's content is not taken for the next request")
        func staleWithContent() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                try stage.backend.restart()
                let hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
                #expect(try client.post("/api/work", hidden).status == 401)
                #expect(try client.get("/api/who").status == 200)
                #expect(stage.backend.count(of: "/hidden") == 0)
                #expect(stage.backend.count(of: "/api/work") == 0)
            }
        }

        @Test("4.1 a jar cookie that the jar does not know")
        func unknown() throws {
            try onStage(usual) { stage in
                for value in ["AAAAAAAAAAAAAAAAAAAAAA", "short", "not~base64url~at~all~~"] {
                    let client = stage.client()
                    client.cookies["lychgate"] = value
                    let answer = try client.get("/api/work")
                    #expect(isClean401(answer, cleared: "unknown"), "\(value)")
                    #expect(jarCookie(answer)?.isExpired == true)
                }
                #expect(stage.backend.count(of: "/api/work") == 0)
            }
        }

        @Test("4.1 no session on a path under session.required")
        func required() throws {
            try onStage(usual + "\n  required: [ /api/* ]") { stage in
                let client = stage.client()
                let answer = try client.get("/api/work")
                let text =
                    #"{"valid":false,"reason":"NO_SESSION_ID","message":"No session ID provided"}"#
                #expect(answer.status == 401)
                #expect(answer.text == text)
                #expect(answer["WWW-Authenticate"] == #"Session realm="lychgate""#)
                #expect(answer["Cache-Control"] == "no-store")
                #expect(answer["X-Session-Cleared"] == nil)
                #expect(stage.backend.count(of: "/api/work") == 0)
                #expect(try client.post("/api/connect").status == 200)
                #expect(try client.get("/api/work").status == 200)
                #expect(try stage.client().get("/other").status == 200)
            }
        }

        @Test("4.1 the backend is down: 503 with a session, 502 without; the session is kept")
        func down() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                stage.backend.kill()
                for method in ["GET", "POST"] {
                    let answer = try client.ask(method, "/api/work")
                    #expect(answer.status == 503)
                    #expect(
                        answer.text.hasPrefix(#"{"valid":true,"reason":"backend-unreachable","#)
                    )
                    #expect(answer.string("message")?.hasSuffix("try again later") == true)
                    #expect(answer["Retry-After"] == "1")
                    #expect(answer["Content-Type"] == "application/json")
                    #expect(answer["Cache-Control"] == "no-store")
                    #expect(jarCookie(answer) == nil)
                }
                let anonymous = try stage.client().get("/api/work")
                #expect(anonymous.status == 502)
                #expect(anonymous.text.hasPrefix(#"{"reason":"backend-unreachable","message":"#))
                #expect(anonymous["Cache-Control"] == "no-store")
            }
        }

        @Test("4.1 no answer in time: 503 with a session, 504 without")
        func timeOut() throws {
            let quick = "upstream: { url: UPSTREAM, response_timeout: 300ms }\n"
            try onStage(quick + usual) { stage in
                let client = try stage.loggedIn()
                let get = try client.get("/never")
                #expect(get.status == 503)
                #expect(get.string("reason") == "backend-unreachable")
                #expect(get["Retry-After"] == "1")
                let post = try client.post("/never")
                #expect(post.status == 503)
                #expect(post["Retry-After"] == nil)
                #expect(client.cookies["lychgate"] != nil)
                let anonymous = try stage.client().get("/never")
                #expect(anonymous.status == 504)
                #expect(anonymous.string("reason") == "timeout")
                #expect(try client.get("/api/work").status == 200)
            }
        }

        @Test("4.1 what is no answer: 502 bad-response", arguments: ["/garbage", "/both-lengths"])
        func badResponse(target: String) throws {
            try onStage(usual) { stage in
                let anonymous = try stage.client().get(target)
                #expect(anonymous.status == 502)
                #expect(anonymous.string("reason") == "bad-response")
                let client = try stage.loggedIn()
                #expect(try client.get(target).status == 503)
                #expect(try client.get("/api/work").status == 200)
            }
        }

        @Test("4.2 dropped without an answer: GET is tried once more, POST is not")
        func dropped() throws {
            try onStage(usual) { stage in
                let anonymous = stage.client()
                #expect(try anonymous.get("/drop?get").status == 502)
                #expect(stage.backend.count(of: "/drop?get") == 2)
                let post = try anonymous.post("/drop?post")
                #expect(post.status == 502)
                #expect(post.string("reason") == "backend-unreachable")
                #expect(post["Retry-After"] == nil)
                #expect(stage.backend.count(of: "/drop?post") == 1)

                let client = try stage.loggedIn()
                #expect(try client.get("/drop").status == 503)
                #expect(try client.post("/drop")["Retry-After"] == nil)
                #expect(try client.get("/api/work").status == 200)
            }
        }

        @Test("4.1 late answers: five at once, five 401s, one Set-Cookie, none forwarded")
        func lateAnswers() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let cookie = "Cookie: lychgate=\(client.cookies["lychgate"] ?? "")"
                try stage.backend.restart()
                let endpoint = stage.endpoint
                let answers = try inParallel(5) { index in
                    try HTTPConnection(to: endpoint).ask("GET", "/api/work?\(index)", [cookie])
                }
                let clean = answers.count { isClean401($0, cleared: "backend-restart") }
                #expect(clean == 5)
                #expect(answers.count { jarCookie($0) != nil } == 1)
                #expect(stage.backend.seen.count { $0.target.hasPrefix("/api/work") } == 0)

                try client.post("/api/connect")
                let fresh = client.cookies["lychgate"]
                let late = try stage.connect().ask("GET", "/api/work", [cookie])
                #expect(isClean401(late, cleared: "backend-restart"))
                #expect(jarCookie(late) == nil)
                #expect(fresh != nil)
                #expect(try client.get("/api/work").status == 200)
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("4.1 status, reason and message are what `stale` says")
        func configured() throws {
            let words = "\nstale: { status: 440, reason: GONE, message: \"Log in, please\" }"
            try onStage(usual + words) { stage in
                let client = try stage.loggedIn()
                try stage.backend.restart()
                let answer = try client.get("/api/work")
                #expect(answer.status == 440)
                let text = #"{"valid":false,"reason":"GONE","message":"Log in, please"}"#
                #expect(answer.text == text)
                #expect(answer["X-Session-Cleared"] == "backend-restart")
            }
        }
    }
}
