import Instances
import Sessions
import Settings
import Testing

/// `session.cookie: off`: what is captured, its client alone holds.
@Suite("2.1 Without jar cookies")
struct HeldSessionTests {
    private func world() -> World {
        World {
            $0.hasJarCookies = false
            $0.carrierHeader = "Mcp-Session-Id"
            $0.capture = [.header(name: "Mcp-Session-Id")]
        }
    }

    /// Lets a response that issues this session act on the jar.
    private func issue(
        _ world: World,
        _ sessionID: String,
        for request: Judgement = Judgement(),
        from instance: InstanceNumber? = nil
    ) {
        world.jar.issue(
            Array(sessionID.utf8),
            instance: instance ?? world.live.current,
            live: world.live,
            request: request,
            now: world.now
        )
    }

    @Test("2.2 a captured session is bound at once, and stale with its instance")
    func captured() {
        var world = world()
        #expect(name(world.get("Mcp-Session-Id: s1")) == "unknownID")
        issue(world, "s1")
        #expect(name(world.get("Mcp-Session-Id: s1")) == "live 1 header")
        world.restart()
        #expect(name(world.get("Mcp-Session-Id: s1")) == "backend-restart")
        #expect(name(world.get("Mcp-Session-Id: s1")) == "backend-restart")
        #expect(name(world.get("Mcp-Session-Id: s2")) == "unknownID")
    }

    @Test("2.1 no cookie is read: the request is as anonymous as it looks")
    func cookies() {
        let world = world()
        let request = world.get("Cookie: lychgate=AAAAAAAAAAAAAAAAAAAAAA; a=b")
        #expect(name(request) == "anonymous")
        #expect(!request.hasJarCookie)
    }

    @Test("2.2 another session in its place ends the old one, a new issue revives")
    func replaced() {
        var world = world()
        issue(world, "s1")
        issue(world, "s2", for: world.get("Mcp-Session-Id: s1"))
        #expect(name(world.get("Mcp-Session-Id: s1")) == "expired")
        #expect(name(world.get("Mcp-Session-Id: s2")) == "live 1 header")
        world.restart()
        issue(world, "s2")
        #expect(name(world.get("Mcp-Session-Id: s2")) == "live 2 header")
        // A late answer of the instance that is gone.
        issue(world, "s2", from: InstanceNumber(rawValue: 1))
        #expect(name(world.get("Mcp-Session-Id: s2")) == "live 2 header")
    }

    @Test("2.3 an end rule leaves a tombstone, and the least recently used goes from a full jar")
    func ends() {
        var small = JarSettings()
        small.capacity = 2
        let world = World(jar: small) {
            $0.hasJarCookies = false
            $0.carrierHeader = "Mcp-Session-Id"
        }
        issue(world, "s1")
        let request = world.get("Mcp-Session-Id: s1")
        if let session = request.session {
            #expect(!world.jar.end(session, .endRule, now: world.now))
        }
        #expect(name(world.get("Mcp-Session-Id: s1")) == "expired")
        for session in ["a", "b", "c"] { issue(world, session) }
        #expect(name(world.get("Mcp-Session-Id: a")) == "expired")
        #expect(name(world.get("Mcp-Session-Id: c")) == "live 1 header")
    }
}
