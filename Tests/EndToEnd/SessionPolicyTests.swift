import TestSupport
import Testing

extension EndToEnd {
    /// Contract 2.1, 2.2: what clients send themselves, and where sessions are captured.
    @Suite("session policies")
    struct SessionPolicies {
        @Test("2.1 client_header: strip and reject")
        func clientHeader() throws {
            try onStage(usual + "\n  client_header: strip") { stage in
                let client = try stage.loggedIn()
                let session = try client.get("/api/who").string("session")
                client.fields = ["x-session-id: other"]
                #expect(try client.get("/api/who").string("session") == session)
                let bare = stage.client()
                bare.fields = ["X-Session-ID: \(session ?? "")"]
                #expect(try bare.get("/api/who").string("session") == nil)
                let lines = try client.get("/echo").strings("lines")
                #expect(lines.count { $0.lowercased().hasPrefix("x-session-id") } == 1)
            }
            try onStage(usual + "\n  client_header: reject") { stage in
                let client = try stage.loggedIn()
                #expect(try client.get("/api/work").status == 200)
                let answer = try client.get("/refused", ["X-Session-ID: x"])
                #expect(answer.status == 400)
                #expect(answer.string("reason") == "bad-request")
                #expect(stage.backend.count(of: "/refused") == 0)
            }
        }

        @Test("2.2 client_unknown: refuse")
        func clientUnknown() throws {
            try onStage(usual + "\n  client_unknown: refuse") { stage in
                let client = stage.client()
                let session = try client.post("/api/connect").string("sessionId") ?? ""
                client.cookies = [:]
                client.fields = ["X-Session-ID: \(session)"]
                #expect(try client.get("/api/work").status == 200)
                client.fields = ["X-Session-ID: made-up"]
                #expect(isClean401(try client.get("/api/work"), cleared: "unknown"))
                #expect(try client.post("/api/connect").status == 200)
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("2.2 capture from a cookie: the client gets the jar cookie in its place")
        func captureCookie() throws {
            let rules = usual.replacing("- header: X-Session-ID", with: "- cookie: SID")
            let options = ["--issue", "json", "--set-cookie", "SID"]
            try onStage(backend: options, rules) { stage in
                let client = stage.client()
                let answer = try client.post("/api/connect")
                let session = answer.string("sessionId")
                #expect(client.cookies["SID"] == nil)
                #expect(client.cookies["theme"] == "dark")
                #expect(jarCookie(answer) != nil)
                #expect(answer["Cache-Control"] == "private")
                #expect(try client.get("/api/who").string("session") == session)
                let first = client.cookies["lychgate"]
                let rotated = try client.get("/api/rotate")
                #expect(!rotated.values("Set-Cookie").contains { $0.hasPrefix("SID") })
                #expect(client.cookies["lychgate"] != first)
                #expect(try client.get("/api/who").string("session") != session)
                try client.get("/api/set-cookies?c=SID=x;Max-Age=9+SID2=1+SID=;Max-Age=0")
                #expect(client.cookies["SID"] == nil)
                #expect(client.cookies["SID2"] == "1")
                try stage.backend.restart()
                #expect(isClean401(try client.get("/api/work"), cleared: "backend-restart"))
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("2.2 capture from a cookie with keep: the client gets both")
        func captureAndKeep() throws {
            let rules = "session: { capture: [ { cookie: SID, keep: true } ] }"
            try onStage(backend: ["--issue", "json", "--set-cookie", "SID"], rules) { stage in
                let client = stage.client()
                let session = try client.post("/api/connect").string("sessionId")
                #expect(client.cookies["SID"] == session)
                #expect(client.cookies["lychgate"] != nil)
                let lines = try client.get("/echo").strings("lines")
                #expect(lines.contains("X-Session-ID: \(session ?? "")"))
                #expect(lines.contains("Cookie: SID=\(session ?? ""); theme=dark"))
            }
        }

        @Test("2.2 redact: the value is blanked, with its length right, in every framing")
        func redact() throws {
            let rules = """
                session:
                  capture:
                    - header: X-Other
                    - { json: /sessionId, on: "POST /api/connect", redact: true }
                """
            try onStage(backend: ["--issue", "json"], rules) { stage in
                let client = stage.client()
                let answer = try client.post("/api/connect")
                let instance = stage.backend.instance
                let wanted = #"{"sessionId":"","instance":"\#(instance)"}"#
                #expect(answer.text == wanted)
                #expect(answer.values("Content-Length") == [String(wanted.utf8.count)])
                #expect(try client.get("/api/who").string("session")?.hasPrefix("s-") == true)
                // The next answer on the connection is where it is expected.
                #expect(client.connectionCount == 1)
                let chunked = try client.post("/api/connect?trailers")
                #expect(chunked.text == #"{"sessionId":""}"#)
                #expect(chunked["Content-Length"] == nil)
                #expect(try client.get("/api/who").string("session")?.hasPrefix("s-") == true)
                #expect(client.connectionCount == 1)
                let old = try stage.connect()
                old.send("POST /api/connect?trailers HTTP/1.0\r\nHost: a\r\n\r\n")
                #expect(try old.receive().text == #"{"sessionId":""}"#)
            }
        }

        @Test("2.2 redact: what another rule has captured is blanked all the same")
        func redactBehindHeader() throws {
            let rules = """
                session:
                  capture:
                    - header: X-Session-ID
                    - { json: /sessionId, on: "POST /api/connect", redact: true }
                """
            try onStage(rules) { stage in
                let client = stage.client()
                let answer = try client.post("/api/connect")
                #expect(answer.string("sessionId") == "")
                #expect(try client.get("/api/who").string("session") == answer["X-Session-ID"])
            }
        }

        @Test("2.2 on TLS only the __Host- cookie is made and read")
        func hostPrefix() throws {
            let trusting = usual + "\ntrusted_proxies: [ 127.0.0.1 ]"
            try onStage(trusting) { stage in
                let client = stage.client()
                client.fields = ["X-Forwarded-Proto: https"]
                let answer = try client.post("/api/connect")
                let line = answer.values("Set-Cookie").first { $0.hasPrefix("__Host-lychgate=") }
                #expect(line?.hasSuffix("; Secure") == true)
                #expect(line?.contains("Domain") == false)
                #expect(try client.get("/api/work").status == 200)
                // The name without the prefix is what a neighbour on http could have set.
                let value = client.cookies["__Host-lychgate"] ?? ""
                client.cookies = ["lychgate": value]
                #expect(try client.get("/api/who").string("session") == nil)
                #expect(try client.get("/echo").strings("lines").allSatisfy { !$0.contains(value) })
                client.fields = []
                #expect(try client.get("/api/work").status == 200)
            }
        }

        @Test("4.1 session.required asks for a session, whatever the carrier")
        func required() throws {
            let rules = usual + "\n  required: [ /api/work ]"
            try onStage(rules) { stage in
                let answer = try stage.client().get("/api/work")
                #expect(answer.status == 401)
                #expect(answer.string("reason") == "NO_SESSION_ID")
                #expect(answer["WWW-Authenticate"] == #"Session realm="lychgate""#)
                #expect(answer["X-Session-Cleared"] == nil)
                #expect(try stage.loggedIn().get("/api/work").status == 200)
                #expect(stage.backend.count(of: "/api/work") == 1)
            }
        }
    }

    /// Contract 2.4: `stale.pages`.
    @Suite("pages")
    struct Pages {
        private let page = ["Sec-Fetch-Dest: document", "Accept: text/html"]

        @Test("2.4 stale.pages: answer")
        func answer() throws {
            try onStage(usual + "\nstale: { pages: answer }") { stage in
                let client = try stage.loggedIn()
                try stage.backend.restart()
                #expect(isClean401(try client.get("/page", page), cleared: "backend-restart"))
                #expect(try client.get("/page", page).status == 200)
            }
        }

        @Test("2.4 stale.pages with a path: one 303, and the page is there")
        func redirect() throws {
            try onStage(usual + "\nstale: { pages: /login }") { stage in
                let client = try stage.loggedIn()
                try stage.backend.restart()
                #expect(try client.get("/style.css", ["Sec-Fetch-Dest: style"]).status == 200)
                #expect(try client.get("/login", page).status == 200)
                let answer = try client.get("/data?x=1", page)
                #expect(answer.status == 303)
                #expect(answer["Location"] == "/login")
                #expect(answer["Cache-Control"] == "no-store")
                #expect(answer["WWW-Authenticate"] == nil)
                #expect(answer.body.isEmpty)
                #expect(jarCookie(answer)?.isExpired == true)
                #expect(try client.get("/login", page).status == 200)
                #expect(try client.get("/data", page).status == 200)
                #expect(stage.backend.zombies.isEmpty)
                #expect(stage.backend.seen.allSatisfy { $0.target != "/data?x=1" })
            }
        }

        @Test("4.1 status, reason and message are as configured")
        func configured() throws {
            let stale = "\nstale: { status: 440, reason: GONE, message: \"again \\\"please\\\"\" }"
            try onStage(usual + stale) { stage in
                let client = try stage.loggedIn()
                try stage.backend.restart()
                let answer = try client.get("/api/work")
                #expect(answer.status == 440)
                #expect(
                    answer.text == #"{"valid":false,"reason":"GONE","message":"again \"please\""}"#
                )
                #expect(answer["X-Session-Cleared"] == "backend-restart")
                #expect(answer["WWW-Authenticate"] == nil)
                #expect(jarCookie(answer)?.isExpired == true)
            }
        }
    }
}
