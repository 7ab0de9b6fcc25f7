import Sessions
import Settings
import Testing

@Suite struct ExemptionTests {
    @Test("2.4 on an exempt request a live session is injected, a dead one left out")
    func exempt() {
        var world = World { $0.exempt = [pattern("POST /api/connect"), pattern("/health")] }
        let cookie = world.capture("s-1")
        let line = "POST /api/connect HTTP/1.1\nCookie: lychgate=\(cookie)"
        #expect(name(world.judge(line)) == "live 1 cookie s-1")
        #expect(world.judge(line).isExempt)
        world.restart()
        #expect(name(world.judge(line)) == "anonymous")
        #expect(world.judge(line).hasJarCookie)
        let unknown = world.get("Cookie: lychgate=made-up", path: "/health")
        #expect(name(unknown) == "anonymous")
        #expect(unknown.hasJarCookie)
        // The next call that is not exempt still gets its one clean 401.
        #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "backend-restart expires")
        #expect(name(world.get("Cookie: lychgate=made-up")) == "unknown expires")
    }

    @Test("2.4 a dead client-held session is not passed on")
    func exemptHeader() {
        var world = World { $0.exempt = [pattern("/health")] }
        _ = world.capture("s-1")
        world.restart()
        let judgement = world.get("X-Session-ID: s-1", path: "/health")
        #expect(name(judgement) == "anonymous")
        #expect(judgement.dropsCarrier)
        #expect(judgement.carrierLine == 1)
        #expect(name(world.get("X-Session-ID: s-1")) == "backend-restart")
    }

    @Test("2.4 a session found dead at the moment of writing is left out as well")
    func leftOut() {
        var world = World { $0.exempt = [pattern("/health")] }
        _ = world.capture("s-1")
        var judgement = world.get("X-Session-ID: s-1", path: "/health")
        judgement.leaveOutSession()
        #expect(name(judgement) == "anonymous")
        #expect(judgement.dropsCarrier)
        #expect(judgement.session == nil)
    }

    @Test("2.4 a log-in with a dead cookie makes it harmless for the new one")
    func logInWithDeadCookie() {
        var world = World { $0.exempt = [pattern("POST /api/connect")] }
        let old = world.capture("s-1")
        world.restart()
        for cookie in [old, "never-known"] {
            let request = world.judge("POST /api/connect HTTP/1.1\nCookie: lychgate=\(cookie)")
            #expect(name(request) == "anonymous")
            let new = world.capture("s-2-\(cookie)", for: request)
            // A parallel call with the old cookie, answered after the log-in.
            #expect(!name(world.get("Cookie: lychgate=\(cookie)")).contains("expires"))
            #expect(name(world.get("Cookie: lychgate=\(new)")).hasPrefix("live"))
        }
    }

    @Test(
        "2.4 what a browser loads to show a page is exempt",
        arguments: [
            ("GET", "Sec-Fetch-Dest: document", true), ("HEAD", "Sec-Fetch-Dest: image", true),
            ("GET", "Sec-Fetch-Dest: empty", false), ("GET", "Sec-Fetch-Dest: websocket", false),
            ("GET", "Sec-Fetch-Dest: script\nAccept: application/json", true),
            ("GET", "Sec-Fetch-Dest: empty\nAccept: text/html", false),
            ("POST", "Sec-Fetch-Dest: document", false), ("POST", "Accept: text/html", false),
            ("GET", "Accept: text/html,application/xhtml+xml", true),
            ("HEAD", "Accept: TEXT/HTML", true), ("GET", "Accept: */*", false),
            ("GET", "Accept: application/json, text/html", false), ("GET", "A: b", false),
            ("GET", "Accept: */*\nAccept: text/html", false), ("GET", "Accept: text/htm", false),
            ("GET", "Sec-Fetch-Dest: document\nSec-Fetch-Dest: empty", false),
            ("get", "Sec-Fetch-Dest: document", false),
            ("OPTIONS", "Sec-Fetch-Dest: document", false), ("GET", "Accept:", false),
        ]
    )
    func pages(method: String, fields: String, isExempt: Bool) {
        let world = World()
        let judgement = world.judge("\(method) /page HTTP/1.1\n\(fields)\nCookie: lychgate=x")
        #expect(judgement.isExempt == isExempt)
        #expect(name(judgement) == (isExempt ? "anonymous" : "unknown expires"))
    }

    @Test("4.1 a path under session.required needs a session, unless the request is exempt")
    func required() {
        var world = World {
            $0.required = [pattern("/api/*")]
            $0.exempt = [pattern("POST /api/connect")]
        }
        #expect(name(world.get()) == "missing")
        #expect(name(world.get(path: "/other")) == "anonymous")
        #expect(name(world.judge("POST /api/connect HTTP/1.1")) == "anonymous")
        #expect(name(world.get("Accept: text/html")) == "anonymous")
        #expect(name(world.get("X-Session-ID: a")) == "unknownID")
        #expect(name(world.get("Cookie: lychgate=a; lychgate=b")) == "missing")
        // What may lead out of a prefix is no way around the requirement.
        #expect(name(world.get(path: "/api/../api/data")) == "missing")
        let cookie = world.capture("s-1")
        #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "live 1 cookie s-1")
    }

    @Test(
        "2.4 only the path as configured is exempt",
        arguments: [
            ("/health", true), ("/health?x=/../y", true), ("/healthy", false), ("/health/", false),
            ("//health", false), ("/%68ealth", false), ("/api/x/../health", false),
            ("/HEALTH", false), ("/health;x", false), ("/health%3Fx", false), ("/", false),
            ("http://a/health", true), ("http://a/health?x", true), ("http://a", false),
            ("http://a/b/health", false), ("/x?/health", false), ("", false),
        ]
    )
    func exactPaths(path: String, isExempt: Bool) {
        let world = World { $0.exempt = [pattern("/health")] }
        #expect(world.get(path: path).isExempt == isExempt)
    }

    @Test(
        "2.4 a prefix is exempt, but not a path that may lead out of it",
        arguments: [
            ("/static/", true), ("/static/a/b.css", true), ("/static/..a/b", true),
            ("/static/a../b", true), ("/static/...", true), ("/static/a.b.c", true),
            ("/static/a%20b", true), ("/static/./a", true), ("/static//a", true),
            ("/static/%2e%2ea", true), ("/static/a?/../b", true), ("/static", false),
            ("/static/..", false), ("/static/../api", false), ("/static/a/../../api", false),
            ("/static/%2e%2e/api", false), ("/static/%2E./api", false),
            ("/static/.%2e/api", false), ("/static/..%2fapi", false),
            ("/static/%2e%2e%2Fapi", false), ("/static/..\\api", false),
            ("/static/..%5capi", false), ("/static/a%2f..%2f..%2fapi", false),
            ("/static/..;/api", false), ("/static/..;a=b/api", false),
            ("/static/..%3b/api", false), ("/static/%252e%252e/api", false),
            ("/static/%c0%ae%c0%ae/api", false), ("/static/..%00/api", false),
            ("/static/a;..", false), ("/static/%2e%2e", false), ("//static/a", false),
        ]
    )
    func prefixes(path: String, isExempt: Bool) {
        let world = World { $0.exempt = [pattern("/static/*")] }
        #expect(world.get(path: path).isExempt == isExempt)
    }

    @Test("2.4 a pattern with a method is for that method alone")
    func methods() {
        let world = World { $0.exempt = [pattern("POST /a"), pattern("PURGE /b*")] }
        #expect(world.judge("POST /a HTTP/1.1").isExempt)
        #expect(!world.judge("GET /a HTTP/1.1").isExempt)
        #expect(!world.judge("POSTS /a HTTP/1.1").isExempt)
        #expect(!world.judge("POS /a HTTP/1.1").isExempt)
        #expect(world.judge("PURGE /bcd HTTP/1.1").isExempt)
        #expect(!world.judge("purge /bcd HTTP/1.1").isExempt)
    }

    @Test("9112 3.2.2: an absolute target without a path means /")
    func emptyPath() {
        let root = World { $0.exempt = [pattern("/")] }
        #expect(root.get(path: "http://a").isExempt)
        #expect(root.get(path: "http://a?x").isExempt)
        #expect(!root.get(path: "http://a/b").isExempt)
        #expect(World { $0.exempt = [pattern("/*")] }.get(path: "http://a").isExempt)
    }
}
