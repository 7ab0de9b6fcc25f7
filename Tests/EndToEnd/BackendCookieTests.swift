import TestSupport
import Testing

/// A backend that issues its sessions in a cookie of its own, and reads them there.
private let options = ["--set-cookie", "SID", "--read-cookie", "SID"]

/// What an answer says of the backend's cookie.
private func sid(_ response: HTTPResponse) -> [String] {
    response.values("Set-Cookie").filter { $0.hasPrefix("SID=") }
}

private let epoch = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"

extension EndToEnd {
    /// Contract 2.1: the carrier is the backend's own cookie, which stays with the client.
    @Suite("backend cookie")
    struct BackendCookie {
        @Test("2.1 passes both ways as it is, and no jar cookie is made")
        func transparent() throws {
            try onStage(backend: options, backendCookie) { stage in
                let client = stage.client()
                let answer = try client.post("/api/connect")
                let session = answer.string("sessionId") ?? ""
                #expect(
                    answer.values("Set-Cookie") == ["SID=\(session); Path=/", "theme=dark; Path=/"]
                )
                #expect(answer["Cache-Control"] == "private")
                let who = try client.get("/api/who")
                #expect(who.string("session") == session)
                #expect(who["Vary"] == nil)
                client.fields = ["X-Session-ID: x", "X_Session_ID: y"]
                let lines = try client.get("/echo").strings("lines")
                #expect(lines.contains("Cookie: SID=\(session); theme=dark"))
                #expect(lines.contains("X_Session_ID: y"))
            }
        }

        @Test("2.1 a restart is one 401 that expires the cookie as it was set, then a fresh start")
        func restart() throws {
            try onStage(backend: options, backendCookie) { stage in
                let client = stage.client()
                let target = "/api/connect?attributes=Path=/api+HttpOnly+Domain=.Gate.example"
                try client.post(target)
                #expect(try client.get("/api/work").status == 200)
                try stage.backend.restart()
                #expect(try client.get("/health").status == 200)
                let answer = try client.get("/api/work")
                #expect(isClean401(answer, cleared: "backend-restart"))
                #expect(sid(answer) == ["SID=; Path=/api; Domain=gate.example\(epoch); HttpOnly"])
                #expect(client.cookies["SID"] == nil)
                #expect(try client.get("/api/who").string("session") == nil)
                try client.post(target)
                #expect(try client.get("/api/work").status == 200)
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("2.4 pages and log-ins go on without the stale value, every other cookie passes")
        func exempt() throws {
            try onStage(backend: options, backendCookie) { stage in
                let client = stage.client()
                try client.post("/api/connect")
                let old = client.cookies["SID"]
                try stage.backend.restart()
                let lines = try client.get("/echo", ["Accept: text/html"]).strings("lines")
                #expect(lines.contains("Cookie: theme=dark"))
                #expect(client.cookies["SID"] == old)
                #expect(try client.post("/api/connect").status == 200)
                #expect(client.cookies["SID"] != old)
                #expect(try client.get("/api/work").status == 200)
                client.cookies["SID"] = old
                let late = try client.get("/api/work")
                #expect(isClean401(late, cleared: "backend-restart"))
                #expect(sid(late) == [])
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("2.1 a stale value beside a living one is cut out, in any order and spelling")
        func mixed() throws {
            try onStage(backend: options, backendCookie) { stage in
                let old = stage.client()
                try old.post("/api/connect?attributes=Path=/old")
                try stage.backend.restart()
                let new = stage.client()
                try new.post("/api/connect")
                let (stale, live) = (old.cookies["SID"] ?? "", new.cookies["SID"] ?? "")
                for line in [
                    "SID=\(stale); SID=\(live)", "SID=\(live);SID=\(stale)",
                    "SID=\"\(stale)\"; SID=\(live)", " SID = \(stale) ; SID=\(live)",
                    "SID=\(live)\r\nCookie: SID=\(stale)",
                ] {
                    let answer = try stage.client().get("/api/who", ["Cookie: \(line)"])
                    #expect(answer.string("session") == live, "\(line)")
                }
                let alone = try stage.client().get("/api/who", ["Cookie: SID=\(stale); SID=tossed"])
                #expect(isClean401(alone, cleared: "backend-restart"))
                #expect(sid(alone) == ["SID=; Path=/old\(epoch)"])
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("2.2 a value issued past Lychgate is bound by its first answer")
        func binding() throws {
            try onStage(backend: options, backendCookie) { stage in
                let direct = try stage.backend.ask("POST", "/api/connect")
                let client = stage.client()
                client.cookies["SID"] = direct.string("sessionId")
                #expect(try client.get("/api/work").status == 200)
                try stage.backend.restart()
                let answer = try client.get("/api/work")
                #expect(isClean401(answer, cleared: "backend-restart"))
                #expect(sid(answer) == ["SID=; Path=/\(epoch)"])
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("2.2 client_unknown: refuse forwards nothing that was never issued")
        func unknown() throws {
            let rules = backendCookie + "\n  client_unknown: refuse"
            try onStage(backend: options, rules) { stage in
                let client = stage.client()
                client.cookies["SID"] = "made-up"
                let answer = try client.get("/api/work")
                #expect(isClean401(answer, cleared: "unknown"))
                #expect(client.cookies["SID"] == nil)
                client.cookies["SID"] = "made-up"
                try client.post("/api/connect")
                #expect(try client.get("/api/work").status == 200)
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("2.2 a new value takes the place of the old one")
        func rotation() throws {
            try onStage(backend: options, backendCookie) { stage in
                let client = stage.client()
                try client.post("/api/connect")
                let old = client.cookies["SID"] ?? ""
                try client.get("/api/rotate")
                #expect(try client.get("/api/work").status == 200)
                let other = try stage.client().get("/late", ["Cookie: SID=\(old)"])
                #expect(isClean401(other, cleared: "expired"))
                #expect(stage.backend.count(of: "/late") == 0)
            }
        }

        @Test("2.3 an end rule and the backend's own 401 expire it")
        func endings() throws {
            try onStage(backend: options, backendCookie) { stage in
                for (method, target) in [("POST", "/api/disconnect"), ("GET", "/api/forget")] {
                    let client = stage.client()
                    try client.post("/api/connect?attributes=Path=/api")
                    let old = client.cookies["SID"] ?? ""
                    let answer = try client.ask(method, target)
                    #expect(answer["X-Session-Cleared"] == nil)
                    #expect(sid(answer) == ["SID=; Path=/api\(epoch)"])
                    #expect(client.cookies["SID"] == nil)
                    let late = try stage.client().get("/late", ["Cookie: SID=\(old)"])
                    #expect(isClean401(late, cleared: "expired"))
                    #expect(sid(late) == [])
                }
                #expect(stage.backend.count(of: "/late") == 0)
            }
        }

        @Test("2.3 idle for too long")
        func idle() throws {
            try onStage(backend: options, backendCookie + "\n  idle_timeout: 1s") { stage in
                let client = stage.client()
                try client.post("/api/connect")
                let passing = try stage.connect()
                #expect(passing.isQuiet(forMilliseconds: 1_100))
                let answer = try client.get("/api/work")
                #expect(isClean401(answer, cleared: "expired"))
                #expect(sid(answer) == ["SID=; Path=/\(epoch)"])
            }
        }

        @Test("4.1 the backend is down: 503 with a session, and the cookie is kept")
        func down() throws {
            try onStage(backend: options, backendCookie) { stage in
                let client = stage.client()
                try client.post("/api/connect")
                stage.backend.kill()
                let answer = try client.get("/api/work")
                #expect(answer.status == 503)
                #expect(sid(answer) == [])
                #expect(try stage.client().get("/api/work").status == 502)
            }
        }

        @Test("4.3 no tunnel for a session that is stale by then")
        func tunnel() throws {
            try onStage(backend: options, backendCookie) { stage in
                let client = stage.client()
                try client.post("/api/connect")
                let cookie = "Cookie: SID=\(client.cookies["SID"] ?? "")"
                try stage.backend.restart()
                let connection = try stage.connect()
                connection.send(
                    "GET",
                    "/upgrade",
                    [cookie, "Upgrade: echo", "Connection: Upgrade"]
                )
                #expect(isClean401(try connection.receive(), cleared: "backend-restart"))
                #expect(stage.backend.count(of: "/upgrade") == 0)
            }
        }
    }
}
