import TestSupport
import Testing

extension EndToEnd {
    /// Contract 2.2 and 2.3: how sessions come into the jar and go.
    @Suite("capture and end")
    struct Captures {
        @Test("2.2 the jar cookie has every attribute, and the answer is private")
        func attributes() throws {
            try onStage(usual) { stage in
                let response = try stage.client().post("/api/connect")
                let cookie = try #require(jarCookie(response))
                #expect(cookie.value.utf8.count == 22)
                let alphabet = cookie.value.allSatisfy {
                    $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_")
                }
                #expect(alphabet)
                #expect(cookie.attributes["httponly"] != nil)
                #expect(cookie.attributes["samesite"]?.lowercased() == "lax")
                #expect(cookie.attributes["path"] == "/")
                #expect(cookie.attributes["max-age"] == "604800")
                #expect(cookie.attributes["secure"] == nil)
                #expect(response["Cache-Control"] == "private")
                #expect(response.values("Set-Cookie").contains("theme=dark; Path=/"))
                #expect(response.string("sessionId") == response["X-Session-ID"])
            }
        }

        @Test("2.2 each log-in gets a cookie value of its own")
        func newValueEachTime() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let first = client.cookies["lychgate"]
                try client.post("/api/connect")
                #expect(client.cookies["lychgate"] != first)
            }
        }

        @Test("2.2 capture from JSON, the content passing unchanged")
        func fromJSON() throws {
            try onStage(backend: ["--issue", "json"], usual) { stage in
                let client = stage.client()
                let response = try client.post("/api/connect")
                let session = response.string("sessionId")
                #expect(response["X-Session-ID"] == nil)
                #expect(jarCookie(response) != nil)
                #expect(try client.get("/api/who").string("session") == session)
                try stage.backend.restart()
                let answer = try client.get("/api/work")
                #expect(isClean401(answer, cleared: "backend-restart"))
            }
        }

        @Test("2.2 the default rule alone: a response field")
        func fromHeaderByDefault() throws {
            try onStage(backend: ["--issue", "header"]) { stage in
                let client = stage.client()
                let session = try client.post("/api/connect")["X-Session-ID"]
                #expect(try client.get("/api/who").string("session") == session)
            }
        }

        @Test(
            "2.2 what could split a field, is too long or has a space is ignored",
            arguments: ["/api/issue-long", "/api/issue-json", "/api/issue-space"]
        )
        func impossibleValues(target: String) throws {
            let rules = """
                session:
                  capture:
                    - header: X-Session-ID
                    - json: /sessionId
                      on: GET /api/issue-json
                """
            try onStage(rules) { stage in
                let client = stage.client()
                let response = try client.get(target)
                #expect(response.status == 200)
                #expect(jarCookie(response) == nil)
                let lines = try client.get("/echo").strings("lines")
                #expect(!lines.contains { $0.hasPrefix("X-Session-ID") })
                #expect(!lines.contains { $0.hasPrefix("X-Injected") })
                #expect(stage.logged("warning"))
            }
        }

        @Test("2.2 a value that the request carried is not issued anew")
        func echo() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                #expect(jarCookie(try client.get("/api/echo-session")) == nil)
                #expect(try client.get("/api/work").status == 200)
            }
        }

        @Test("2.2 a real change of value drops the old entry")
        func rotation() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let old = client.cookies["lychgate"] ?? ""
                let rotated = try client.get("/api/rotate")
                #expect(jarCookie(rotated) != nil)
                #expect(client.cookies["lychgate"] != old)
                let session = rotated.string("sessionId")
                #expect(try client.get("/api/who").string("session") == session)
                let other = stage.client()
                other.cookies["lychgate"] = old
                #expect(try other.get("/api/who").status == 401)
            }
        }

        @Test("2.3 an end rule expires the cookie on a 2xx answer, and only then")
        func endRule() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let value = client.cookies["lychgate"] ?? ""
                #expect(jarCookie(try client.post("/api/disconnect?status=500")) == nil)
                let ended = try client.post("/api/disconnect")
                #expect(ended.text == #"{"disconnected":true}"#)
                #expect(jarCookie(ended)?.isExpired == true)
                #expect(client.cookies["lychgate"] == nil)
                #expect(try client.get("/api/who").string("session") == nil)
                client.cookies["lychgate"] = value
                #expect(try client.get("/late").status == 401)
                #expect(stage.backend.count(of: "/late") == 0)
            }
        }

        @Test("2.3 an end rule ends a client-held session too")
        func endRuleForHeader() throws {
            try onStage(usual) { stage in
                let client = stage.client()
                let session = try client.post("/api/connect").string("sessionId") ?? ""
                client.cookies = [:]
                client.fields = ["X-Session-ID: \(session)"]
                #expect(try client.get("/api/work").status == 200)
                #expect(try client.post("/api/disconnect").status == 200)
                #expect(try client.get("/late").status == 401)
                #expect(stage.backend.count(of: "/late") == 0)
            }
        }

        @Test(
            "2.3 the backend's own 401 passes as it is and ends the session",
            arguments: [
                ("/api/forget", "SESSION_NOT_FOUND"), ("/api/auth-error", "auth-error"),
            ]
        )
        func backendSays401(target: String, reason: String) throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let value = client.cookies["lychgate"] ?? ""
                let answer = try client.get(target)
                #expect(answer.status == 401)
                #expect(answer.string("reason") == reason)
                #expect(answer["X-Session-Cleared"] == nil)
                #expect(jarCookie(answer)?.isExpired == true)
                client.cookies["lychgate"] = value
                #expect(try client.get("/late").status == 401)
                #expect(stage.backend.count(of: "/late") == 0)
            }
        }

        @Test("2.3 the backend's 503 passes as it is and keeps the session")
        func backendSays503() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let answer = try client.get("/api/unreachable")
                #expect(answer.status == 503)
                #expect(answer.string("reason") == "snowflake-unreachable")
                #expect(jarCookie(answer) == nil)
                #expect(try client.get("/api/work").status == 200)
            }
        }

        @Test("2.3 idle for too long, and too old")
        func expiry() throws {
            for limit in ["idle_timeout: 1s", "max_age: 1s"] {
                try onStage(usual + "\n  " + limit) { stage in
                    let client = try stage.loggedIn()
                    #expect(try client.get("/api/work").status == 200)
                    let passing = try stage.connect()
                    #expect(passing.isQuiet(forMilliseconds: 1_100))
                    let answer = try client.get("/api/work")
                    #expect(isClean401(answer, cleared: "expired"))
                    #expect(jarCookie(answer)?.isExpired == true)
                    #expect(client.cookies["lychgate"] == nil)
                }
            }
        }

        @Test("2.3 what is used is not idle")
        func idleIsCountedFromTheLastUse() throws {
            try onStage(usual + "\n  idle_timeout: 1s") { stage in
                let client = try stage.loggedIn()
                let passing = try stage.connect()
                for _ in 0..<4 {
                    #expect(passing.isQuiet(forMilliseconds: 400))
                    #expect(try client.get("/api/work").status == 200)
                }
            }
        }
    }
}
