import Sessions
import Settings
import Testing

private func world(
    pages: StaleSettings.Pages = .pass,
    _ change: (inout SessionSettings) -> Void = { _ in }
) -> World {
    World(pages: pages) {
        $0.carrierCookie = "JSESSIONID"
        $0.capture = []
        $0.exempt = [pattern("/login")]
        $0.end = [pattern("POST /logout")]
        change(&$0)
    }
}

private let over = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"

private func issue(_ world: World, _ cookie: String, to request: Judgement? = nil) {
    world.settle("HTTP/1.1 200 OK\nSet-Cookie: \(cookie)", to: request ?? world.get())
}

/// Contract 2.1: the carrier is the backend's own cookie.
@Suite("2.1 Backend cookie")
struct BackendCookieTests {
    @Test("2.1 a value is live at its instance, then stale, and expired as it was set")
    func life() {
        var world = world()
        issue(world, "JSESSIONID=one; Path=/app; HttpOnly")
        #expect(name(world.get("Cookie: JSESSIONID=one")) == "live 1 backendCookie")
        world.restart()
        let stale = world.get("Cookie: a=b; JSESSIONID=one")
        #expect(name(stale) == "backend-restart expires 1")
        #expect(world.expired(stale) == ["JSESSIONID=; Path=/app\(over); HttpOnly"])
        #expect(name(world.get()) == "anonymous")
    }

    @Test("4.1 one answer in ten seconds expires a value")
    func lateAnswers() {
        var world = world()
        issue(world, "JSESSIONID=one; Path=/")
        world.restart()
        #expect(name(world.get("Cookie: JSESSIONID=one")) == "backend-restart expires 1")
        for _ in 0..<3 {
            world.wait(.seconds(3))
            #expect(name(world.get("Cookie: JSESSIONID=one")) == "backend-restart")
        }
        world.wait(.seconds(1))
        #expect(name(world.get("Cookie: JSESSIONID=one")) == "backend-restart expires 1")
    }

    @Test("4.1 a client that a late echo gives its ended value back is freed of it at once")
    func lateEcho() {
        var world = world()
        issue(world, "JSESSIONID=one; Path=/")
        let slow = world.get("Cookie: JSESSIONID=one")
        issue(world, "JSESSIONID=two; Path=/", to: world.get("Cookie: JSESSIONID=one"))
        #expect(name(world.get("Cookie: JSESSIONID=one")) == "expired")
        // Servers with rolling expiry say the value in each answer.
        issue(world, "JSESSIONID=one; Path=/", to: slow)
        #expect(name(world.get("Cookie: JSESSIONID=one")) == "expired expires 1")
        #expect(name(world.get("Cookie: JSESSIONID=one")) == "expired")
        #expect(name(world.get("Cookie: JSESSIONID=two")) == "live 1 backendCookie")
        world.wait(.seconds(10))
        #expect(name(world.get("Cookie: JSESSIONID=one")) == "expired expires 1")
    }

    @Test("4.1 a log-in with the stale value lets no late answer take the new one away")
    func loginWithStaleValue() {
        var world = world()
        issue(world, "JSESSIONID=one; Path=/")
        world.restart()
        let login = world.get("Cookie: JSESSIONID=one", path: "/login")
        #expect(name(login) == "anonymous")
        #expect(login.cutCookies == 1)
        issue(world, "JSESSIONID=two; Path=/", to: login)
        #expect(name(world.get("Cookie: JSESSIONID=one")) == "backend-restart")
        #expect(name(world.get("Cookie: JSESSIONID=two")) == "live 2 backendCookie")
    }

    @Test("4.1 found stale when it was to be written: the same one answer")
    func staleAtWriting() {
        var world = world()
        issue(world, "JSESSIONID=one; Path=/a; Domain=.Example.org; Secure; SameSite=None")
        issue(world, "JSESSIONID=two; Path=/")
        let both = world.get("Cookie: JSESSIONID=one; JSESSIONID=two")
        let again = world.get("Cookie: JSESSIONID=two; JSESSIONID=one")
        world.restart()
        let end = world.jar.refuse(both, now: world.now)
        #expect(end.reason == .backendRestart)
        #expect(
            world.lines(end.scopes) == [
                "JSESSIONID=; Path=/a; Domain=example.org\(over); Secure; SameSite=None",
                "JSESSIONID=; Path=/\(over)",
            ]
        )
        #expect(world.jar.refuse(again, now: world.now).scopes.isEmpty)
        var exempt = both
        exempt.leaveOutSession()
        #expect(exempt.cutCookies & 3 == 3)
        #expect(exempt.session == nil)
    }

    @Test("2.2 bound at the first 2xx answer; what was never issued has no place of its own")
    func binding() {
        var world = world()
        let request = world.get("Cookie: JSESSIONID=old", path: "/shop/cart")
        #expect(name(request) == "unknownID")
        world.settle("HTTP/1.1 500 No", to: request)
        #expect(name(world.get("Cookie: JSESSIONID=old")) == "unknownID")
        world.settle("HTTP/1.1 200 OK", to: request)
        #expect(name(world.get("Cookie: JSESSIONID=old")) == "live 1 backendCookie")
        issue(world, "JSESSIONID=else; Path=/shop")
        issue(world, "JSESSIONID=more; Path=/shopping")
        world.restart()
        let stale = world.get("Cookie: JSESSIONID=old", path: "/shop/cart")
        #expect(world.expired(stale) == ["JSESSIONID=; Path=/shop\(over)"])
        world.wait(.seconds(11))
        let elsewhere = world.get("Cookie: JSESSIONID=old", path: "/other")
        #expect(world.expired(elsewhere) == ["JSESSIONID=; Path=/\(over)"])
    }

    @Test("2.2 client_unknown: refuse answers what was never issued, once with an expiry")
    func unknownRefused() {
        var world = world { $0.clientUnknown = .refuse }
        #expect(name(world.get("Cookie: JSESSIONID=x")) == "unknown expires 1")
        #expect(name(world.get("Cookie: JSESSIONID=x")) == "unknown")
        let login = world.get("Cookie: JSESSIONID=x", path: "/login")
        #expect(name(login) == "anonymous")
        #expect(login.cutCookies == 1)
        issue(world, "JSESSIONID=y; Path=/", to: login)
        #expect(name(world.get("Cookie: JSESSIONID=y")) == "live 1 backendCookie")
        #expect(name(world.get("Cookie: JSESSIONID=y; JSESSIONID=x")) == "live 1 backendCookie")
        world.wait(.seconds(11))
        #expect(name(world.get("Cookie: JSESSIONID=x")) == "unknown expires 1")
    }

    @Test("2.2 a new value ends the one that it replaces, and no other of the name")
    func rotation() {
        var world = world()
        issue(world, "JSESSIONID=root; Path=/")
        issue(world, "JSESSIONID=app; Path=/app")
        let both = world.get("Cookie: JSESSIONID=app; JSESSIONID=root", path: "/app/x")
        issue(world, "JSESSIONID=new; Path=/app; HttpOnly", to: both)
        #expect(name(world.get("Cookie: JSESSIONID=root")) == "live 1 backendCookie")
        #expect(name(world.get("Cookie: JSESSIONID=new")) == "live 1 backendCookie")
        #expect(name(world.get("Cookie: JSESSIONID=app")) == "expired")
        world.wait(.seconds(10))
        let late = world.get("Cookie: JSESSIONID=app")
        #expect(world.expired(late) == ["JSESSIONID=; Path=/app\(over)"])
    }

    @Test("2.2 a value that the request carried is not issued anew")
    func echo() {
        var world = world { $0.maxAge = .seconds(100) }
        issue(world, "JSESSIONID=one; Path=/")
        let request = world.get("Cookie: JSESSIONID=one")
        world.wait(.seconds(60))
        issue(world, "JSESSIONID=one; Path=/", to: request)
        world.wait(.seconds(40))
        #expect(name(world.get("Cookie: JSESSIONID=one")) == "expired expires 1")
        // And what ended while the answer was on its way stays ended.
        issue(world, "JSESSIONID=one; Path=/", to: request)
        #expect(name(world.get("Cookie: JSESSIONID=one")) == "expired expires 1")
        // But a backend may issue a value again that has ended.
        issue(world, "JSESSIONID=one; Path=/")
        #expect(name(world.get("Cookie: JSESSIONID=one")) == "live 1 backendCookie")
    }

    @Test("2.3 end rules and the backend's own 401 expire the cookie, unless it did so itself")
    func endings() {
        let logout = "POST /logout HTTP/1.1\nCookie: JSESSIONID=one"
        let path = "JSESSIONID=; Path=/app\(over)"
        var lines: [[String]] = []
        for response in [
            "HTTP/1.1 200 OK", "HTTP/1.1 500 No",
            "HTTP/1.1 200 OK\nSet-Cookie: JSESSIONID=; Path=/",
        ] {
            let world = world()
            issue(world, "JSESSIONID=one; Path=/app")
            lines.append(world.settle(response, to: world.judge(logout)))
            let isOver = !response.contains("500")
            let after = name(world.get("Cookie: JSESSIONID=one"))
            #expect(after.hasPrefix("expired") == isOver, "\(response)")
        }
        #expect(lines == [[path], [], []])
        let world = world()
        issue(world, "JSESSIONID=one; Path=/app")
        let request = world.get("Cookie: JSESSIONID=one")
        let answer = "HTTP/1.1 401 No"
        #expect(world.settle(answer, to: request, endedByBackend: true) == [path])
        #expect(world.settle(answer, to: request, endedByBackend: true) == [])
        #expect(name(world.get("Cookie: JSESSIONID=one")) == "expired")
    }

    @Test("2.2 a deletion is no session, and does not end one")
    func deletions() {
        for line in [
            "JSESSIONID=", "JSESSIONID=\"\"", "JSESSIONID=x; Max-Age=0", "JSESSIONID=x; max-age=-1",
            "JSESSIONID=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "JSESSIONID=x; expires=Thu, 01-Jan-1970 00:00:10 GMT",
            "JSESSIONID=x; Max-Age=9; Max-Age=0", "JSESSIONID=x; Expires=1999; Max-Age=x",
        ] {
            let world = world { $0.clientUnknown = .refuse }
            issue(world, line)
            #expect(name(world.get("Cookie: JSESSIONID=x")) == "unknown expires 1", "\(line)")
            issue(world, "JSESSIONID=one; Path=/")
            world.settle(
                "HTTP/1.1 200 OK\nSet-Cookie: \(line)",
                to: world.get("Cookie: JSESSIONID=one")
            )
            #expect(name(world.get("Cookie: JSESSIONID=one")).hasPrefix("live"), "\(line)")
        }
        for line in [
            "JSESSIONID=x; Max-Age=1", "JSESSIONID=x; Max-Age=", "JSESSIONID=x; Max-Age=0x",
            "JSESSIONID=x; Expires=Thu, 01 Jan 2970 00:00:00 GMT",
            "JSESSIONID=x; Max-Age=0; Max-Age=9", "JSESSIONID=x; Max-Age=9; Expires=1970",
        ] {
            let world = world { $0.clientUnknown = .refuse }
            issue(world, line)
            #expect(name(world.get("Cookie: JSESSIONID=x")).hasPrefix("live"), "\(line)")
        }
    }

    @Test("2.4 pages and log-ins go on without it, and session.required asks for it")
    func exemptions() {
        var world = world { $0.required = [pattern("/data")] }
        #expect(name(world.get(path: "/data")) == "missing")
        issue(world, "JSESSIONID=one; Path=/")
        #expect(name(world.get("Cookie: JSESSIONID=one", path: "/data")).hasPrefix("live"))
        world.restart()
        let page = "GET /data HTTP/1.1\nAccept: text/html\nCookie: a=1; JSESSIONID=one; b=2"
        #expect(name(world.judge(page)) == "anonymous")
        #expect(world.upstreamCookies(page) == ["a=1; b=2"])
        #expect(name(world.get("Cookie: JSESSIONID=one")) == "backend-restart expires 1")
    }

    @Test("2.1 the fields and the cookie of the other carriers mean nothing then")
    func otherCarriers() {
        let world = world()
        for field in [
            "X-Session-ID: a", "X_Session_ID: a", "X-Session-ID: a\nX-Session-ID: b",
            "Cookie: lychgate=a",
        ] {
            #expect(name(world.get(field)) == "anonymous", "\(field)")
            #expect(!world.get(field).hasJarCookie)
        }
    }
}
