import Sessions
import Settings
import Testing

private func world() -> World {
    World {
        $0.carrierCookie = "SID"
        $0.capture = []
        $0.exempt = [pattern("/login")]
    }
}

private func issue(_ world: World, _ cookie: String, path: String = "/") {
    world.settle("HTTP/1.1 200 OK\nSet-Cookie: \(cookie)", to: world.get(path: path))
}

/// What can be done with cookies to get a stale one through, or a fresh one deleted.
@Suite("2.1 Backend cookie under attack")
struct BackendCookieAttackTests {
    /// Every way to write a stale value beside others, and what is left of it.
    private static let spellings: [(cookie: String, left: [String])] = [
        ("Cookie: SID=old", []),
        ("Cookie: SID=old;", []),
        ("Cookie: ;SID=old", []),
        ("Cookie:  SID = old ", []),
        ("Cookie: SID=\"old\"", []),
        ("Cookie: a=1; SID=old", ["a=1"]),
        ("Cookie: SID=old; a=1", ["a=1"]),
        ("Cookie: a=1;SID=old;b=2", ["a=1;b=2"]),
        ("Cookie: SID=old; SID=old", []),
        ("Cookie: SID=old; SID=new", ["SID=new"]),
        ("Cookie: SID=new; SID=old", ["SID=new"]),
        ("Cookie: SID=new\nCookie: SID=old", ["SID=new"]),
        ("Cookie: SID=old\nCookie: SID=new", ["SID=new"]),
        ("Cookie: a=1; SID=old\nCookie: SID=old; b=2\nCookie: SID=new", ["a=1", "b=2", "SID=new"]),
        ("Cookie: SID=; SID=old; SID=new", ["SID=; SID=new"]),
        ("Cookie: SID=\"\"; SID=old; SID=other", ["SID=\"\"; SID=other"]),
        ("Cookie: a=\"x; SID=old; y\"; SID=new", ["a=\"x; y\"; SID=new"]),
        ("Cookie: SID=old; SID=unseen; SID=new", ["SID=unseen; SID=new"]),
    ]

    @Test("2.1 a stale value never goes upstream, however it is written beside others")
    func spellings() {
        var world = world()
        issue(world, "SID=old; Path=/")
        world.restart()
        issue(world, "SID=new; Path=/")
        for (cookie, left) in Self.spellings {
            for line in ["GET /login HTTP/1.1", "POST /data HTTP/1.1"] {
                let text = line + "\n" + cookie
                let judgement = world.judge(text)
                switch judgement.verdict {
                case .ended:
                    #expect(line.hasPrefix("POST") && !left.joined().contains("new"), "\(text)")
                default: #expect(world.upstreamCookies(text) == left, "\(text)")
                }
            }
        }
    }

    @Test("2.1 what is only like the name is another cookie")
    func otherNames() {
        var world = world()
        issue(world, "SID=old; Path=/")
        world.restart()
        for cookie in [
            "sid=old", "SID2=old", "XSID=old", "SID", "=SID=old", "a=SID=old", "S ID=old",
        ] {
            #expect(name(world.get("Cookie: \(cookie)")) == "anonymous", "\(cookie)")
        }
        for line in ["sid=x", "SID", "=SID=x", "a=1; SID=x", "SIDx=1"] {
            issue(world, line)
            #expect(world.jar.statistics().sessions == 1, "\(line)")
        }
    }

    @Test("2.1 two living values both go on; an unknown one beside a stale one does not save it")
    func several() {
        var world = world()
        issue(world, "SID=root; Path=/")
        issue(world, "SID=app; Path=/app")
        let both = "GET /app HTTP/1.1\nCookie: SID=app; SID=root"
        #expect(name(world.judge(both)) == "live 1 backendCookie")
        #expect(world.upstreamCookies(both) == ["SID=app; SID=root"])
        world.restart()
        let stale = world.judge(both)
        #expect(name(stale) == "backend-restart expires 2")
        #expect(world.expired(stale).map { $0.contains("/app") } == [true, false])
        #expect(name(world.get("Cookie: SID=tossed; SID=root")) == "backend-restart")
        #expect(name(world.get("Cookie: SID=tossed")) == "unknownID")
    }

    @Test("2.1 more values than any client has are refused")
    func many() {
        let world = world()
        let some = (1...16).map { "SID=\($0)" }.joined(separator: "; ")
        #expect(name(world.get("Cookie: \(some)")) == "unknownID")
        #expect(name(world.get("Cookie: \(some)", "Cookie: SID=a")) == "refused tooManySessions")
    }

    @Test("2.2 attributes are said again in their known form, and odd ones not at all")
    func attributes() {
        let expires = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
        let long = String(repeating: "x", count: 600)
        let cases = [
            ("", "Path=/a"), ("Path=/b", "Path=/b"), ("path = /b ", "Path=/b"),
            ("Path=/b; Path=/c", "Path=/c"), ("Path=b", "Path=/a"), ("Path", "Path=/a"),
            ("Path=/\(long)", "Path=/"), ("Path=/ü", "Path=/"),
            ("Path=/b; Domain=a.example; Domain=.B.example", "Path=/b; Domain=b.example"),
            ("Path=/b; Domain=", "Path=/b"),
            ("Path=/b=c; SameSite=odd; Evil=1; Priority=High", "Path=/b=c"),
        ]
        for (said, wanted) in cases {
            var world = world()
            issue(world, "SID=x; \(said)", path: "/a/b")
            world.restart()
            let stale = world.get("Cookie: SID=x", path: "/elsewhere")
            #expect(world.expired(stale) == ["SID=; \(wanted)\(expires)"], "\(said)")
        }
        for path in ["/a;Domain=evil.example/b", "/a;Max-Age=9;/b", "/a;/b"] {
            var world = world()
            issue(world, "SID=x", path: path)
            world.restart()
            let stale = world.get("Cookie: SID=x", path: path)
            #expect(world.expired(stale) == ["SID=; Path=/\(expires)"], "\(path)")
        }
        var world = world()
        issue(world, "SID=y; Path=/; samesite=STRICT; SECURE; httponly; partitioned")
        world.restart()
        let flags = "; Secure; HttpOnly; SameSite=Strict; Partitioned"
        #expect(world.expired(world.get("Cookie: SID=y")) == ["SID=; Path=/\(expires)\(flags)"])
    }

    @Test("2.2 the name's promise is kept when it is expired")
    func prefixedName() {
        var world = World {
            $0.carrierCookie = "__Host-sid"
            $0.capture = []
        }
        let request = world.get("Cookie: __Host-sid=x")
        world.settle("HTTP/1.1 200 OK", to: request)
        world.restart()
        let line = world.expired(world.get("Cookie: __Host-sid=x")).first ?? ""
        #expect(line.hasPrefix("__Host-sid=; Path=/;"))
        #expect(line.hasSuffix("; Secure"))
        #expect(!line.contains("Domain"))
    }

    @Test("2.2 paths that clients choose fill no table")
    func defaultPaths() {
        var world = world()
        for index in 0..<1000 { issue(world, "SID=\(index)", path: "/\(index)/x") }
        for index in 0..<1000 { issue(world, "SID=p\(index); Path=/p\(index)") }
        world.restart()
        let known = world.expired(world.get("Cookie: SID=p7"))
        #expect(known.first?.hasPrefix("SID=; Path=/p7;") == true)
        let early = world.expired(world.get("Cookie: SID=7"))
        #expect(early.first?.hasPrefix("SID=; Path=/7;") == true)
        let late = world.expired(world.get("Cookie: SID=p999", path: "/p9"))
        #expect(late.first?.hasPrefix("SID=; Path=/p9;") == true)
        let none = world.expired(world.get("Cookie: SID=999", path: "/zzz"))
        #expect(none.first?.hasPrefix("SID=; Path=/;") == true)
    }

    @Test("2.2 made-up values push out nothing that the backend issued")
    func flood() {
        var jar = JarSettings()
        jar.capacity = 100
        jar.tombstones = 100
        var world = World(jar: jar) {
            $0.carrierCookie = "SID"
            $0.capture = []
        }
        issue(world, "SID=old; Path=/")
        world.restart()
        #expect(name(world.get("Cookie: SID=old")) == "backend-restart expires 1")
        issue(world, "SID=new; Path=/")
        for index in 0..<1000 {
            world.settle("HTTP/1.1 200 OK", to: world.get("Cookie: SID=made\(index)"))
        }
        #expect(name(world.get("Cookie: SID=old")) == "backend-restart")
        #expect(name(world.get("Cookie: SID=new")) == "live 2 backendCookie")
        for index in 0..<1000 {
            world.settle("HTTP/1.1 200 OK", to: world.get("Cookie: SID=\(index)"))
        }
        world.restart()
        for index in 0..<1000 { _ = world.get("Cookie: SID=\(index)") }
        #expect(name(world.get("Cookie: SID=new")).hasPrefix("backend-restart"))
    }
}
