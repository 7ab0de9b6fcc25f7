import HTTPModel
import Instances
import Sessions
import Settings
import Testing

@Suite struct EndTests {
    @Test("2.3 an end rule fires on a 2xx answer to a request with a session")
    func endRule() {
        var world = World { $0.end = [pattern("POST /api/disconnect")] }
        let cookie = world.capture("s-1")
        let line = "POST /api/disconnect HTTP/1.1"
        let request = world.judge("\(line)\nCookie: lychgate=\(cookie)")
        #expect(request.endsOnSuccess)
        #expect(world.respond("HTTP/1.1 200 OK", to: request).ends)
        #expect(!world.respond("HTTP/1.1 500 X", to: request).ends)
        #expect(!world.respond("HTTP/1.1 302 X", to: request).ends)
        #expect(!world.respond("HTTP/1.1 200 OK", to: world.judge(line)).ends)
        #expect(!world.get("Cookie: lychgate=\(cookie)").endsOnSuccess)

        guard let session = request.session else { return }
        #expect(world.jar.end(session, .endRule, now: world.now))
        #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "expired")
        #expect(name(world.get("X-Session-ID: s-1")) == "expired")
        #expect(world.jar.statistics().ended[.endRule] == 1)
    }

    @Test("2.3 the backend's own 401 is read for its reason only if the request had a session")
    func backend401() {
        var world = World()
        let cookie = world.capture("s-1")
        let request = world.get("Cookie: lychgate=\(cookie)")
        let answer = "HTTP/1.1 401 X\nContent-Type: application/json"
        #expect(world.respond(answer, to: request).content == .reason)
        #expect(world.respond(answer, to: world.get("X-Session-ID: z")).content == .reason)
        #expect(world.respond(answer, to: world.get()).content == .stream)
        #expect(world.respond(answer, to: request, framing: .length(65537)).content == .stream)
        #expect(world.respond("HTTP/1.1 401 X", to: request).content == .stream)
        #expect(world.respond(answer + "\nContent-Encoding: br", to: request).content == .stream)
        let forbidden = "HTTP/1.1 403 X\nContent-Type: application/json"
        #expect(world.respond(forbidden, to: request).content == .stream)
        #expect(SessionRules.endsSession(reason: Array("SESSION_NOT_FOUND".utf8)))
        #expect(SessionRules.endsSession(reason: Array("auth-error".utf8)))
        for reason in ["NO_SESSION_ID", "session_not_found", "auth-error ", ""] {
            #expect(!SessionRules.endsSession(reason: Array(reason.utf8)))
        }
    }

    @Test("2.3 of five answers 401 by the backend, one expires the cookie")
    func parallelBackend401() {
        var world = World()
        let cookie = world.capture("s-1")
        let requests = (0..<5).map { _ in world.get("Cookie: lychgate=\(cookie)") }
        let expiring = requests.compactMap(\.session)
            .filter { world.jar.end($0, .backend, now: world.now) }
        #expect(expiring.count == 1)
        #expect(world.jar.statistics().ended[.backend] == 1)
    }

    @Test("2.3 an ID that the jar does not know leaves no tombstone, however often it is refused")
    func noTombstonesOnDemand() {
        let world = World()
        for number in 0..<1000 {
            if let session = world.get("X-Session-ID: made-up-\(number)").session {
                #expect(!world.jar.end(session, .backend, now: world.now))
            }
        }
        #expect(world.jar.statistics().endedSessions == 0)
    }

    @Test("2.3 a late answer does not end a session of the same ID of a later instance")
    func lateAnswerOfOldInstance() {
        var world = World()
        _ = world.capture("s-1")
        let late = world.get("X-Session-ID: s-1")
        world.restart()
        _ = world.capture("s-1")
        if let session = late.session {
            _ = world.jar.end(session, .backend, now: world.now)
            _ = world.jar.refuse(session, now: world.now)
        }
        #expect(name(world.get("X-Session-ID: s-1")) == "live 2 header")
    }

    @Test("2.3 unused for idle_timeout, a session ends; used, it goes on")
    func idle() {
        var world = World { $0.idleTimeout = .seconds(60) }
        let cookie = world.capture("s-1")
        for _ in 0..<10 {
            world.wait(.seconds(59))
            #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "live 1 cookie s-1")
        }
        world.wait(.seconds(60))
        #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "expired expires")
        #expect(world.jar.statistics().ended[.idle] == 1)
    }

    @Test("2.3 a client that holds the ID keeps the session alive for its cookie, and back")
    func idleOfBothKeys() {
        var world = World { $0.idleTimeout = .seconds(60) }
        let cookie = world.capture("s-1")
        world.wait(.seconds(50))
        #expect(name(world.get("X-Session-ID: s-1")) == "live 1 header")
        world.wait(.seconds(50))
        #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "live 1 cookie s-1")
        world.wait(.seconds(50))
        #expect(name(world.get("X-Session-ID: s-1")) == "live 1 header")
    }

    @Test("2.3 older than max_age, a session ends however much it is used")
    func age() {
        var world = World { $0.maxAge = .seconds(100) }
        let cookie = world.capture("s-1")
        world.wait(.seconds(99))
        #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "live 1 cookie s-1")
        world.wait(.seconds(1))
        #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "expired expires")
        #expect(world.jar.statistics().ended[.age] == 1)
    }

    @Test("2.2 a tombstone is kept until max_age")
    func tombstoneAge() {
        var world = World { $0.maxAge = .seconds(100) }
        let cookie = world.capture("s-1")
        world.restart()
        #expect(name(world.get("X-Session-ID: s-1")) == "backend-restart")
        world.wait(.seconds(99))
        #expect(name(world.get("X-Session-ID: s-1")) == "backend-restart")
        world.wait(.seconds(1))
        #expect(name(world.get("X-Session-ID: s-1")) == "unknownID")
        #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "unknown expires")
        while !world.jar.reap(limit: 10, live: world.live, now: world.now).isPassDone {}
        #expect(world.jar.statistics().endedSessions == 0)
        #expect(world.jar.statistics().endedCookies == 0)
    }

    @Test("2.3 in a full jar the least recently used ends")
    func capacity() {
        var settings = JarSettings()
        settings.capacity = 3
        var world = World(jar: settings)
        let cookies = ["a", "b", "c"].map { world.capture($0) }
        #expect(name(world.get("Cookie: lychgate=\(cookies[0])")) == "live 1 cookie a")
        _ = world.capture("d")
        #expect(world.jar.statistics().sessions == 3)
        #expect(name(world.get("Cookie: lychgate=\(cookies[0])")) == "live 1 cookie a")
        #expect(name(world.get("Cookie: lychgate=\(cookies[1])")) == "expired expires")
        #expect(name(world.get("X-Session-ID: b")) == "expired")
        #expect(world.jar.statistics().ended[.capacity] == 1)
    }

    @Test("2.2 live sessions never displace tombstones; only newer tombstones do")
    func tombstonesStay() {
        var settings = JarSettings()
        settings.capacity = 100_000
        settings.tombstones = 1000
        var world = World(jar: settings)
        for number in 0..<500 { _ = world.capture("old-\(number)") }
        world.restart()
        for number in 0..<500 {
            #expect(name(world.get("X-Session-ID: old-\(number)")) == "backend-restart")
        }
        for number in 0..<20_000 { _ = world.capture("new-\(number)") }
        for number in 0..<500 {
            #expect(name(world.get("X-Session-ID: old-\(number)")) == "backend-restart")
        }
        #expect(world.jar.statistics().displacedTombstones == 0)
        world.restart()
        while !world.jar.reap(limit: 1000, live: world.live, now: world.now).isPassDone {}
        let statistics = world.jar.statistics()
        #expect(statistics.sessions == 0)
        #expect(statistics.displacedTombstones + statistics.endedSessions == 20_500)
        #expect((1000...1400).contains(statistics.endedSessions))
    }

    @Test("3.4 a restart is known at once, and how many sessions it ends; reaping gives them back")
    func reaping() {
        var world = World()
        for number in 0..<5000 { _ = world.capture("s-\(number)") }
        let first = world.live.current
        #expect(world.jar.count(boundTo: first) == 5000)
        world.restart()
        for number in 0..<300 { _ = world.capture("t-\(number)") }
        #expect(world.jar.count(boundTo: world.live.current) == 300)
        var steps = 0
        var ended = EndCounts()
        while true {
            let reaped = world.jar.reap(limit: 64, live: world.live, now: world.now)
            #expect(reaped.ended.total <= 64)
            ended += reaped.ended
            steps += 1
            if reaped.isPassDone { break }
        }
        #expect(ended[.restart] == 5000)
        #expect(ended.total == 5000)
        #expect((83...140).contains(steps))
        #expect(world.jar.count(boundTo: first) == 0)
        #expect(world.jar.statistics().sessions == 300)
        #expect(name(world.get("X-Session-ID: s-77")) == "backend-restart")
    }
}
