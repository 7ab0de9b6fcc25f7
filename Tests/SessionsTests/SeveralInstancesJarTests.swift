import Instances
import Sessions
import Settings
import Testing

private let first = InstanceNumber(rawValue: 1)
private let second = InstanceNumber(rawValue: 2)
private let third = InstanceNumber(rawValue: 3)

extension World {
    fileprivate mutating func lives(_ members: InstanceNumber...) {
        live = LiveInstances(
            current: members.last ?? .none,
            epoch: live.epoch + 1,
            members: members
        )
    }
}

private func cookieWorld() -> World {
    World {
        $0.carrierCookie = "SID"
        $0.capture = []
    }
}

/// Contract 3.4: what the jar keeps where several instances live.
@Suite("3.4 A jar of several instances' sessions")
struct SeveralInstancesJarTests {
    @Test("each instance's sessions live as long as it does, and end alone")
    func sideBySide() {
        var world = World()
        world.lives(first, second)
        let one = world.capture("a", from: first)
        let two = world.capture("b", from: second)
        world.lives(first, second, third)
        #expect(name(world.get("Cookie: lychgate=\(one)")) == "live 1 cookie a")
        world.lives(second, third)
        #expect(name(world.get("Cookie: lychgate=\(one)")) == "backend-restart expires")
        #expect(name(world.get("Cookie: lychgate=\(two)")) == "live 2 cookie b")
    }

    @Test("4.1 one that lives is not late: the ID that it gives out is its own from now on")
    func sameIDOfAnother() {
        var world = World()
        world.lives(first, second)
        let one = world.capture("7", from: second)
        let two = world.capture("7", from: first)
        #expect(name(world.get("Cookie: lychgate=\(two)")) == "live 1 cookie 7")
        // No instance has gone: it does not say so.
        #expect(name(world.get("Cookie: lychgate=\(one)")) == "expired expires")
    }

    @Test("4.1 one that is gone is late, whichever of the others has issued the ID")
    func lateAmongMany() {
        var world = World()
        world.lives(first, second, third)
        let cookie = world.capture("7", from: second)
        world.lives(second, third)
        #expect(world.capture("7", from: first).isEmpty)
        #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "live 2 cookie 7")
    }

    @Test("4.1 a late answer of a gone instance ends no backend cookie of the same value")
    func lateBackendCookie() {
        var world = cookieWorld()
        world.restart()
        world.settle("HTTP/1.1 200 OK\nSet-Cookie: SID=7", to: world.get())
        world.settle("HTTP/1.1 200 OK\nSet-Cookie: SID=7", to: world.get(), from: first)
        #expect(name(world.get("Cookie: SID=7")) == "live 2 backendCookie")
    }

    @Test("4.1 of two backend cookies of living instances one goes on, and neither ends")
    func backendCookies() {
        var world = cookieWorld()
        world.lives(first, second)
        world.settle("HTTP/1.1 200 OK\nSet-Cookie: SID=a; Path=/x", to: world.get(), from: first)
        world.settle("HTTP/1.1 200 OK\nSet-Cookie: SID=b; Path=/", to: world.get(), from: second)
        let both = world.get("Cookie: SID=a; SID=b")
        #expect(name(both) == "live 1 backendCookie")
        #expect(both.cutCookies == 2)
        #expect(name(world.get("Cookie: SID=b")) == "live 2 backendCookie")
        world.lives(second)
        #expect(name(world.get("Cookie: SID=a; SID=b")) == "live 2 backendCookie")
        // Found out when it was to be written: the one that waited has ended, the other one not.
        let end = world.jar.refuse(both, now: world.now)
        #expect(end.reason == .backendRestart)
        #expect(world.lines(end.scopes).map { $0.prefix(13) } == ["SID=; Path=/x"])
        #expect(name(world.get("Cookie: SID=b")) == "live 2 backendCookie")
    }

    @Test("2.4 an exempt request whose backend cookie is stale went on without it")
    func leftOut() {
        var world = World {
            $0.carrierCookie = "SID"
            $0.capture = []
            $0.exempt = [pattern("/login")]
        }
        world.settle("HTTP/1.1 200 OK\nSet-Cookie: SID=7", to: world.get())
        #expect(!world.get("Cookie: SID=7", path: "/login").isSessionLeftOut)
        world.restart()
        #expect(world.get("Cookie: SID=7", path: "/login").isSessionLeftOut)
        #expect(!world.get("Cookie: SID=8", path: "/login").isSessionLeftOut)
    }
}
