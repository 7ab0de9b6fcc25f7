import TestSupport
import Testing

private let page = "/.lychgate/session"

private func cookie(_ client: Client) -> String {
    "Cookie: lychgate=\(client.cookies["lychgate"] ?? "")"
}

extension EndToEnd {
    /// Contract 5: what Lychgate answers itself.
    @Suite("own pages")
    struct OwnPages {
        @Test("5 guard.js does what pages rely on")
        func guardModule() throws {
            try onStage(usual) { stage in
                let answer = try stage.client().get("/.lychgate/guard.js")
                #expect(answer.status == 200)
                #expect(answer.body.count < 4096)
                #expect(answer["Content-Type"] == "text/javascript; charset=utf-8")
                let tag = try #require(answer["ETag"])
                let again = try stage.client().get(
                    "/.lychgate/guard.js",
                    ["If-None-Match: \(tag)"]
                )
                #expect(again.status == 304)
                // Named so that Node takes it for a module; a browser goes by the media type.
                let copy = stage.directory + "/guard.mjs"
                try Place.write(answer.text, to: copy)
                let test = Place.root + "/Tests/EndToEnd/Clients/guard_test.mjs"
                let node = try ChildProcess("/usr/bin/env", ["node", test, copy])
                #expect(node.waitForExit(seconds: 60) == .code(0), "\(node.errors)")
                #expect(stage.backend.seen.isEmpty)
            }
        }

        @Test("5 session: valid, then the one clean 401, then none; the backend sees nothing")
        func session() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let valid = try client.get(page)
                #expect(valid.status == 200)
                #expect(valid.text.hasPrefix(#"{"valid":true,"#))
                #expect(valid.string("instanceId") == stage.backend.instance)
                #expect(valid.string("since")?.hasSuffix("Z") == true)
                #expect(valid["Cache-Control"] == "no-store")
                let head = try client.ask("HEAD", page)
                #expect(head["Content-Length"] == valid["Content-Length"])
                try stage.backend.restart()
                #expect(stage.logged("backend restarted"))
                let stale = try client.get(page)
                #expect(isClean401(stale, cleared: "backend-restart"))
                #expect(jarCookie(stale)?.isExpired == true)
                let none = try client.get(page)
                #expect(none.status == 401)
                #expect(none.string("reason") == "NO_SESSION_ID")
                #expect(none.string("instanceId") == stage.backend.instance)
                #expect(stage.backend.count(of: page) == 0)
            }
        }

        @Test("5 session: 503 while the backend is away, and the session is kept")
        func unreachable() throws {
            try onStage("identity: { interval: 50ms }\n" + usual) { stage in
                let client = try stage.loggedIn()
                stage.backend.kill()
                #expect(stage.logged("backend is down"))
                let answer = try eventually(client, page) { $0.status == 503 }
                #expect(answer.status == 503)
                #expect(answer.string("reason") == "backend-unreachable")
                #expect(answer.text.hasPrefix(#"{"valid":true,"#))
                #expect(try stage.client().get(page).status == 401)
                try stage.backend.start()
                let next = try eventually(client, page) { $0.status != 503 }
                #expect(isClean401(next, cleared: "backend-restart"))
            }
        }

        @Test("5 session: one that its client holds, known or not")
        func clientHeld() throws {
            try onStage(usual) { stage in
                let login = try stage.client().post("/api/connect")
                let id = try #require(login["X-Session-ID"])
                let client = stage.client()
                let known = try client.get(page, ["X-Session-ID: \(id)"])
                #expect(known.status == 200)
                #expect(!known.text.contains("known"))
                let unknown = try client.get(page, ["X-Session-ID: never-seen"])
                #expect(unknown.status == 200)
                #expect(unknown.text.contains(#""known":false"#))
                try stage.backend.restart()
                #expect(stage.logged("backend restarted"))
                let stale = try client.get(page, ["X-Session-ID: \(id)"])
                #expect(isClean401(stale, cleared: "backend-restart"))
            }
        }

        @Test("5 DELETE forgets the session, unless another site asks for it")
        func forget() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let held = cookie(client)
                let foreign = try client.ask("DELETE", page, ["Origin: https://other.example"])
                #expect(foreign.status == 403)
                #expect(try client.get(page).status == 200)
                let answer = try client.ask("DELETE", page)
                #expect(answer.status == 200)
                #expect(answer.text == #"{"valid":false}"#)
                #expect(jarCookie(answer)?.isExpired == true)
                let again = try stage.client().get("/api/work", [held])
                #expect(isClean401(again, cleared: "expired"))
                #expect(stage.backend.count(of: "/api/work") == 0)
            }
        }

        @Test("5 below the prefix nothing reaches the backend")
        func nothingPasses() throws {
            try onStage(usual) { stage in
                let client = stage.client()
                for (method, target, status) in [
                    ("GET", "/.lychgate/", 404), ("POST", "/.lychgate/x", 404),
                    ("POST", page, 405), ("DELETE", "/.lychgate/events", 405),
                    ("PUT", "/.lychgate/guard.js", 405), ("OPTIONS", page, 200),
                    ("OPTIONS", "/.lychgate/x", 404),
                ] {
                    let answer = try client.ask(method, target)
                    #expect(answer.status == status, "\(method) \(target)")
                    if status == 405 { #expect(answer["Allow"]?.hasPrefix("GET") == true) }
                }
                #expect(stage.backend.seen.isEmpty)
                #expect(try client.get("/.lychgate").status == 200)
                #expect(stage.backend.count(of: "/.lychgate") == 1)
            }
        }

        @Test("5 status_path is answered as session is, and endpoints can be switched off")
        func statusPath() throws {
            let path = "/api/session/status"
            let configuration =
                usual + "\n  endpoints: off\n  status_path: \(path)\n  required: [ /api/* ]\n"
            try onStage(configuration) { stage in
                let client = try stage.loggedIn()
                #expect(try client.get(path).string("instanceId") == stage.backend.instance)
                #expect(try stage.client().get(path).string("reason") == "NO_SESSION_ID")
                #expect(try client.ask("DELETE", path).status == 405)
                try stage.backend.restart()
                #expect(stage.logged("backend restarted"))
                #expect(isClean401(try client.get(path), cleared: "backend-restart"))
                #expect(stage.backend.count(of: path) == 0)
                #expect(try client.get(page).status == 200)
                #expect(stage.backend.count(of: page) == 1)
            }
        }
    }
}
