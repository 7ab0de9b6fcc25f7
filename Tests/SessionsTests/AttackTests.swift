import Instances
import Sessions
import Settings
import Testing
import Time

@Suite struct AttackTests {
    @Test("a flood of made-up cookies displaces nothing and takes no memory in the jar")
    func cookieFlood() {
        var world = World()
        let cookies = (0..<100).map { world.capture("s-\($0)") }
        let stale = world.capture("stale")
        let request = world.get("Cookie: lychgate=\(stale)")
        if let session = request.session { _ = world.jar.end(session, .backend, now: world.now) }
        for number in 0..<20_000 {
            // Each chooses its shard by the last character.
            let value = String(repeating: "A", count: 15) + "\(1_000_000 + number)"
            let verdict = name(world.get("Cookie: lychgate=\(value)"))
            #expect(verdict == "unknown expires")
        }
        let statistics = world.jar.statistics()
        #expect(statistics.sessions == 100)
        #expect(statistics.cookies == 100)
        #expect(statistics.endedSessions == 1)
        #expect(statistics.endedCookies == 1)
        #expect(statistics.displacedTombstones == 0)
        #expect(name(world.get("X-Session-ID: stale")) == "expired")
        for (number, cookie) in cookies.enumerated() {
            #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "live 1 cookie s-\(number)")
        }
    }

    @Test("made-up session IDs take no memory before the backend accepts them")
    func headerFlood() {
        let world = World()
        for number in 0..<2000 {
            #expect(name(world.get("X-Session-ID: x\(number)")) == "unknownID")
        }
        #expect(world.jar.statistics() == World().jar.statistics())
    }

    @Test("2.2 made-up IDs that the backend accepts push out no session and no tombstone")
    func boundFlood() {
        var settings = JarSettings()
        settings.capacity = 50
        settings.tombstones = 100
        var world = World(jar: settings)
        _ = world.capture("stale")
        world.restart()
        #expect(name(world.get("X-Session-ID: stale")) == "backend-restart")
        let cookies = (0..<40).map { world.capture("s-\($0)") }
        for round in 0..<3 {
            for number in 0..<400 {
                let request = world.get("X-Session-ID: made-up-\(round)-\(number)")
                if let session = request.session {
                    world.jar.bind(session, instance: world.live.current, now: world.now)
                }
            }
            #expect(name(world.get("X-Session-ID: stale")) == "backend-restart")
            for (number, cookie) in cookies.enumerated() {
                let verdict = name(world.get("Cookie: lychgate=\(cookie)"))
                #expect(verdict == "live \(world.live.current.rawValue) cookie s-\(number)")
            }
        }
        // Nor does a restart, which ends all that were bound.
        world.restart()
        for _ in 0..<200 {
            _ = world.jar.reap(limit: 1000, live: world.live, now: world.now)
        }
        for number in 0..<400 {
            let request = world.get("X-Session-ID: again-\(number)")
            if let session = request.session { _ = world.jar.refuse(session, now: world.now) }
        }
        #expect(name(world.get("X-Session-ID: stale")) == "backend-restart")
        #expect(name(world.get("X-Session-ID: s-0")) == "backend-restart")
        #expect(world.jar.statistics().displacedTombstones == 0)
    }

    @Test("2.2 of bound sessions as many are known as there may be tombstones")
    func boundRoom() {
        var settings = JarSettings()
        settings.capacity = 10
        settings.tombstones = 200
        var world = World(jar: settings)
        let cookie = world.capture("captured")
        for number in 0..<200 {
            let request = world.get("X-Session-ID: held-\(number)")
            if let session = request.session {
                world.jar.bind(session, instance: world.live.current, now: world.now)
            }
        }
        #expect(name(world.get("X-Session-ID: held-0")) == "live 1 header")
        #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "live 1 cookie captured")
        world.restart()
        for number in 0..<200 {
            #expect(name(world.get("X-Session-ID: held-\(number)")) == "backend-restart")
        }
    }

    @Test("4.1 a late log-in answer of a gone instance ends no session of the same ID")
    func lateCapture() {
        var world = World()
        let gone = world.live.current
        world.restart()
        let cookie = world.capture("7")
        let late = world.jar.capture(
            Array("7".utf8),
            instance: gone,
            live: world.live,
            request: Judgement(),
            random: (1, 2),
            now: world.now
        )
        #expect(late == nil)
        let current = world.live.current.rawValue
        #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "live \(current) cookie 7")
    }

    @Test("2.3 a session whose first request ends it is known to have ended")
    func endedAtFirstSight() {
        var world = World()
        if let session = world.get("X-Session-ID: short").session {
            _ = world.jar.end(session, .endRule, now: world.now)
        }
        world.restart()
        #expect(name(world.get("X-Session-ID: short")) != "unknownID")
        if let session = world.get("X-Session-ID: unheard-of").session {
            _ = world.jar.end(session, .backend, now: world.now)
        }
        #expect(name(world.get("X-Session-ID: unheard-of")) == "unknownID")
    }

    @Test("huge values are hashed whole and told apart at their last byte")
    func hugeValues() {
        let world = World()
        let huge = String(repeating: "x", count: 30_000)
        for carrier in ["Cookie: lychgate=", "X-Session-ID: "] {
            let first = world.get(carrier + huge + "1")
            let second = world.get(carrier + huge + "2")
            #expect(name(first) == (carrier.hasPrefix("C") ? "unknown expires" : "unknownID"))
            #expect(name(second) == (carrier.hasPrefix("C") ? "unknown expires" : "unknownID"))
        }
        if let session = world.get("X-Session-ID: \(huge)1").session {
            world.jar.bind(session, instance: world.live.current, now: world.now)
        }
        #expect(name(world.get("X-Session-ID: \(huge)1")) == "live 1 header")
        #expect(name(world.get("X-Session-ID: \(huge)2")) == "unknownID")
        #expect(name(world.get("X-Session-ID: \(huge)")) == "unknownID")
    }

    @Test("a cookie does not open a session as a header, nor the other way round")
    func domains() {
        var world = World()
        let cookie = world.capture("s-1")
        #expect(name(world.get("X-Session-ID: \(cookie)")) == "unknownID")
        #expect(name(world.get("Cookie: lychgate=s-1")) == "unknown expires")
    }

    @Test("thousands of cookies in a field, and as many lines as fit")
    func manyCookies() {
        var world = World()
        let cookie = world.capture("s-1")
        let many = (0..<5000).map { "c\($0)=v" }.joined(separator: "; ")
        #expect(name(world.get("Cookie: \(many); lychgate=\(cookie)")) == "live 1 cookie s-1")
        let lines = (0..<90).map { "Cookie: c\($0)=v" } + ["Cookie: lychgate=\(cookie)"]
        let text = (["GET / HTTP/1.1"] + lines).joined(separator: "\n")
        #expect(name(world.judge(text)) == "live 1 cookie s-1")
    }

    @Test("no bytes in any field make the rules trap")
    func randomBytes() {
        var world = World {
            $0.exempt = [pattern("/static/*"), pattern("GET /x")]
            $0.required = [pattern("/api/*")]
        }
        let cookie = world.capture("s-1")
        var random = SeededRandom(seed: 3)
        let parts = [
            "lychgate=", cookie, ";", "=", "\"", "%", "%2e", "..", "/", "/static/", "X-Session-ID",
            "X_Session_ID", ":", "\n", "Cookie:", " ", "Accept:", "text/html", "Sec-Fetch-Dest:",
        ].map { Array($0.utf8) }
        for _ in 0..<20_000 {
            var bytes = Array("GET /".utf8)
            for _ in 0..<Int.random(in: 0..<20, using: &random) {
                if Bool.random(using: &random) {
                    bytes += parts[Int.random(in: 0..<parts.count, using: &random)]
                } else {
                    bytes.append(UInt8.random(in: 0...255, using: &random))
                }
            }
            let judgement = world.judge(bytes: bytes)
            if case .live(let session) = judgement.verdict {
                #expect(session.instance == world.live.current)
            }
        }
    }
}
