import Instances
import Sessions
import Settings
import Testing

@Suite struct CarrierTests {
    @Test("2.1 a request without a carrier is anonymous")
    func anonymous() {
        let world = World()
        let judgement = world.get()
        #expect(name(judgement) == "anonymous")
        #expect(!judgement.hasJarCookie)
        #expect(!judgement.injects)
        #expect(judgement.session == nil)
    }

    @Test("2.1 the jar cookie stands for the session, which is injected")
    func jarCookie() {
        var world = World()
        let cookie = world.capture("s-1")
        let judgement = world.get("Cookie: a=b; lychgate=\(cookie); c=d")
        #expect(name(judgement) == "live 1 cookie s-1")
        #expect(judgement.hasJarCookie)
        #expect(judgement.injects)
    }

    @Test("2.1 a client-held session that was captured is live, and its field is passed on")
    func header() {
        var world = World()
        _ = world.capture("s-1")
        let judgement = world.get("x-SESSION-id:   s-1 ")
        #expect(name(judgement) == "live 1 header")
        #expect(!judgement.injects)
        #expect(!judgement.dropsCarrier)
        #expect(judgement.carrierLine == 1)
    }

    @Test("2.1 with both carriers the header wins")
    func both() {
        var world = World()
        let cookie = world.capture("s-1")
        _ = world.capture("s-2")
        let live = world.get("Cookie: lychgate=\(cookie)", "X-Session-ID: s-2")
        #expect(name(live) == "live 1 header")
        #expect(live.hasJarCookie)
        #expect(name(world.get("Cookie: lychgate=\(cookie)", "X-Session-ID: s-3")) == "unknownID")
    }

    @Test("2.1 the session field twice is refused, be the values equal, be the request exempt")
    func repeated() {
        let world = World { $0.exempt = [pattern("/health")] }
        let lines = ["X-Session-ID: a", "x-session-id: a"]
        #expect(name(world.get(lines[0], lines[1])) == "refused repeatedSession")
        #expect(
            name(world.get(lines[0], lines[1], path: "/health")) == "refused repeatedSession"
        )
        #expect(name(world.get("X-Session-ID:", "X-Session-ID:")) == "refused repeatedSession")
    }

    @Test(
        "2.1 a field that becomes an injected one when _ is read as - is refused",
        arguments: [
            ("X_Session_ID", "sessionAlias"), ("X-Session_ID", "sessionAlias"),
            ("x_session-id", "sessionAlias"), ("X_Forwarded_For", "forwardedAlias"),
            ("X-Forwarded_Proto", "forwardedAlias"), ("x_forwarded-host", "forwardedAlias"),
        ]
    )
    func aliases(field: String, cause: String) {
        let world = World()
        #expect(name(world.get("\(field): a")) == "refused \(cause)")
        #expect(name(world.get("X-Session-ID: a", "\(field): a")) == "refused \(cause)")
    }

    @Test(
        "2.1 other names are not aliases",
        arguments: [
            "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Session-IDs",
            "X-Session-I", "X-Session_", "X_Request_ID", "XSession-ID", "X_Forwarded_Port",
            "X--Session-ID", "X-Forwarded-Fo_",
        ]
    )
    func noAliases(field: String) {
        #expect(name(World().get("\(field): a")) == "anonymous")
    }

    @Test("2.1 a configured field with _ has the alias with -")
    func configuredUnderscore() {
        let world = World { $0.carrierHeader = "Session_ID" }
        #expect(name(world.get("session_id: a")) == "unknownID")
        #expect(name(world.get("Session-ID: a")) == "refused sessionAlias")
    }

    @Test("2.1 an empty session field is no session and does not hide the cookie")
    func emptyField() {
        var world = World()
        let cookie = world.capture("s-1")
        #expect(name(world.get("X-Session-ID:")) == "anonymous")
        let judgement = world.get("X-Session-ID:  ", "Cookie: lychgate=\(cookie)")
        #expect(name(judgement) == "live 1 cookie s-1")
        #expect(judgement.dropsCarrier)
    }

    @Test("2.2 an ID that the jar has never seen is forwarded, and bound at the first 2xx")
    func unknownID() {
        var world = World()
        let request = world.get("X-Session-ID: abc")
        #expect(name(request) == "unknownID")
        for status in [199, 301, 404, 500] {
            #expect(!world.respond("HTTP/1.1 \(status) X", to: request).binds)
        }
        for status in [200, 204, 299] {
            #expect(world.respond("HTTP/1.1 \(status) X", to: request).binds)
        }
        if let session = request.session {
            world.jar.bind(session, instance: world.live.current, now: world.now)
        }
        #expect(name(world.get("X-Session-ID: abc")) == "live 1 header")
        #expect(!world.respond("HTTP/1.1 200 OK", to: world.get("X-Session-ID: abc")).binds)
        world.restart()
        #expect(name(world.get("X-Session-ID: abc")) == "backend-restart")
        #expect(name(world.get("X-Session-ID: abc")) == "backend-restart")
    }

    @Test("2.2 an ID that the jar has never seen is not bound on an exempt path")
    func unknownIDExempt() {
        let world = World { $0.exempt = [pattern("/health")] }
        let request = world.get("X-Session-ID: abc", path: "/health")
        #expect(name(request) == "unknownID")
        #expect(!request.dropsCarrier)
        #expect(!world.respond("HTTP/1.1 200 OK", to: request).binds)
    }

    @Test("2.2 what ended while its request was on its way is not bound again")
    func bindAfterEnd() {
        let world = World()
        let first = world.get("X-Session-ID: abc")
        guard let session = first.session else { return }
        world.jar.bind(session, instance: world.live.current, now: world.now)
        let bound = world.get("X-Session-ID: abc")
        if let session = bound.session {
            #expect(!world.jar.end(session, .backend, now: world.now))
        }
        world.jar.bind(session, instance: world.live.current, now: world.now)
        #expect(name(world.get("X-Session-ID: abc")) == "expired")
    }

    @Test("2.2 a session of a connection that did not say whose it is is not bound")
    func bindUnverified() {
        let world = World()
        if let session = world.get("X-Session-ID: abc").session {
            world.jar.bind(session, instance: .unverified, now: world.now)
        }
        #expect(name(world.get("X-Session-ID: abc")) == "unknownID")
    }

    @Test("2.2 on TLS only the __Host- cookie is read, elsewhere only the plain one")
    func hostPrefix() {
        var world = World()
        let cookie = world.capture("s-1")
        #expect(name(world.get("Cookie: __Host-lychgate=\(cookie)")) == "anonymous")
        world.isSecure = true
        #expect(name(world.get("Cookie: __Host-lychgate=\(cookie)")) == "live 1 cookie s-1")
        let plain = world.get("Cookie: lychgate=\(cookie)")
        #expect(name(plain) == "anonymous")
        #expect(plain.hasJarCookie)
        let both = world.get("Cookie: lychgate=tossed; __Host-lychgate=\(cookie)")
        #expect(name(both) == "live 1 cookie s-1")
    }

    @Test("9 cookie.secure always and never go before the connection")
    func secureSetting() {
        var always = World { $0.cookie.secure = .always }
        let cookie = always.capture("s-1")
        #expect(name(always.get("Cookie: __Host-lychgate=\(cookie)")) == "live 1 cookie s-1")
        #expect(name(always.get("Cookie: lychgate=\(cookie)")) == "anonymous")
        let never = World { $0.cookie.secure = .never }
        #expect(!never.rules.usesHostPrefix(isSecure: true))
    }
}
