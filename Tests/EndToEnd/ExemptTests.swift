import TestSupport
import Testing

extension EndToEnd {
    /// Contract 2.4: requests that are never answered 401.
    @Suite("exempt requests")
    struct Exempt {
        @Test("2.4 an exempt request of a stale session goes on without it, the cookie stays")
        func staleOnExempt() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let value = client.cookies["lychgate"]
                try stage.backend.restart()
                let health = try client.get("/health")
                #expect(health.status == 200)
                #expect(health.string("serverInstanceId") == stage.backend.instance)
                #expect(jarCookie(health) == nil)
                #expect(client.cookies["lychgate"] == value)
                let answer = try client.get("/api/work")
                #expect(isClean401(answer, cleared: "backend-restart"))
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("2.4 a log-in with a stale cookie succeeds at once and replaces it")
        func logInWithStaleCookie() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let value = client.cookies["lychgate"]
                try stage.backend.restart()
                let response = try client.post("/api/connect")
                #expect(response.status == 200)
                #expect(client.cookies["lychgate"] != value)
                #expect(try client.get("/api/work").status == 200)
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("2.4 a log-in with a stale header succeeds at once, the header left out")
        func logInWithStaleHeader() throws {
            try onStage(usual) { stage in
                let client = stage.client()
                let session = try client.post("/api/connect").string("sessionId") ?? ""
                client.cookies = [:]
                client.fields = ["X-Session-ID: \(session)"]
                try stage.backend.restart()
                #expect(try client.post("/api/connect").status == 200)
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("2.4 a live session is injected as always")
        func liveOnExempt() throws {
            let rules = usual.replacing("exempt: [", with: "exempt: [ /static/*,")
            try onStage(rules) { stage in
                let client = try stage.loggedIn()
                #expect(try client.get("/static/x").status == 200)
                #expect(stage.backend.seen.last?.kind == "session")
                client.cookies["lychgate"] = "AAAAAAAAAAAAAAAAAAAAAA"
                #expect(try client.get("/static/x").status == 200)
                #expect(stage.backend.seen.last?.kind == "anonymous")
            }
        }

        @Test(
            "2.4 what a browser loads to show a page passes, the next call gets the 401",
            arguments: [
                ["Sec-Fetch-Dest: document"],
                ["Sec-Fetch-Dest: image", "Accept: image/avif"],
                ["Accept: text/html,application/xhtml+xml"],
            ]
        )
        func pagesPass(fields: [String]) throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                try stage.backend.restart()
                for method in ["GET", "HEAD"] {
                    let page = try client.ask(method, "/page", fields)
                    #expect(page.status == 200)
                    #expect(jarCookie(page) == nil)
                }
                #expect(stage.backend.seen.last?.kind == "anonymous")
                let answer = try client.get("/api/work")
                #expect(isClean401(answer, cleared: "backend-restart"))
            }
        }

        @Test(
            "2.4 what a script asks for is no page",
            arguments: [
                ["Sec-Fetch-Dest: empty", "Accept: text/html"],
                ["Sec-Fetch-Dest: websocket", "Accept: text/html"],
                ["Accept: application/json, text/html"],
                ["Accept: */*"],
            ]
        )
        func scriptsDoNot(fields: [String]) throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                try stage.backend.restart()
                let answer = try client.ask("GET", "/page", fields)
                #expect(isClean401(answer, cleared: "backend-restart"))
                #expect(stage.backend.count(of: "/page") == 0)
            }
        }

        @Test("2.4 a POST is no page, whatever it accepts")
        func postIsNoPage() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                try stage.backend.restart()
                client.fields = ["Accept: text/html", "Sec-Fetch-Dest: document"]
                #expect(try client.post("/page").status == 401)
                #expect(stage.backend.count(of: "/page") == 0)
            }
        }
    }
}
