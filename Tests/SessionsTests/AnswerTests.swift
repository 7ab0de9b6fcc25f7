import HTTPModel
import Instances
import Memory
import Sessions
import Settings
import Testing
import Time

@Suite struct AnswerTests {
    @Test("4.1 a stale session is answered 401 once with the expired cookie, then without for 10 s")
    func lateAnswers() {
        var world = World()
        let cookie = world.capture("s-1")
        world.restart()
        #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "backend-restart expires")
        for _ in 0..<4 {
            #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "backend-restart")
        }
        world.wait(.milliseconds(9999))
        #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "backend-restart")
        world.wait(.milliseconds(1))
        #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "backend-restart expires")
        #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "backend-restart")
    }

    @Test("4.1 the same for a cookie that the jar does not know")
    func unknownCookies() {
        var world = World()
        #expect(name(world.get("Cookie: lychgate=nobody")) == "unknown expires")
        #expect(name(world.get("Cookie: lychgate=nobody")) == "unknown")
        #expect(name(world.get("Cookie: lychgate=somebody")) == "unknown expires")
        world.wait(.seconds(10))
        #expect(name(world.get("Cookie: lychgate=nobody")) == "unknown expires")
    }

    @Test("4.1 header and cookie of one dead session get one 401 for both")
    func bothCarriers() {
        var world = World()
        let cookie = world.capture("s-1")
        let other = world.capture("s-2")
        world.restart()
        let lines = ["X-Session-ID: s-1", "Cookie: lychgate=\(cookie)"]
        #expect(name(world.get(lines[0], lines[1])) == "backend-restart expires")
        #expect(name(world.get(lines[0], lines[1])) == "backend-restart")
        #expect(name(world.get("X-Session-ID: s-2")) == "backend-restart")
        #expect(name(world.get("Cookie: lychgate=\(other)")) == "backend-restart expires")
    }

    @Test("4.1 a dead header does not take a living cookie of another session away")
    func livingCookie() {
        var world = World()
        _ = world.capture("s-1")
        world.restart()
        let cookie = world.capture("s-2")
        let judgement = world.get("X-Session-ID: s-1", "Cookie: lychgate=\(cookie)")
        #expect(name(judgement) == "backend-restart")
        #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "live 2 cookie s-2")
    }

    @Test(
        "4.1 a session whose instance is gone at the moment of writing is refused once with cookie"
    )
    func refusedAtWriting() {
        var world = World()
        let cookie = world.capture("s-1")
        let requests = (0..<5).map { _ in world.get("Cookie: lychgate=\(cookie)") }
        world.restart()
        var expiring = 0
        for session in requests.compactMap(\.session) {
            #expect(
                mayWrite(session, to: world.live.current, live: world.live, policy: .refuse)
                    == .stale
            )
            let end = world.jar.refuse(session, now: world.now)
            #expect(end.reason == .backendRestart)
            expiring += end.expiresCookie ? 1 : 0
        }
        #expect(expiring == 1)
        #expect(name(world.get("X-Session-ID: s-1")) == "backend-restart")
    }

    @Test("2.2 an unknown ID that came before a restart is refused, and stays so")
    func unknownAcrossRestart() {
        var world = World()
        guard let session = world.get("X-Session-ID: old").session else { return }
        world.restart()
        #expect(
            mayWrite(session, to: world.live.current, live: world.live, policy: .refuse) == .stale
        )
        #expect(world.jar.refuse(session, now: world.now).reason == .backendRestart)
        #expect(name(world.get("X-Session-ID: old")) == "backend-restart")
    }

    @Test("3.2 where a session may be written")
    func writing() throws {
        var world = World()
        let one = InstanceNumber(rawValue: 1)
        let two = InstanceNumber(rawValue: 2)
        _ = world.capture("s-1")
        let bound = try #require(world.get("X-Session-ID: s-1").session)
        let unknown = try #require(world.get("X-Session-ID: s-2").session)
        func verdict(
            _ session: CarriedSession,
            _ connection: InstanceNumber,
            _ live: InstanceNumber,
            _ policy: IdentitySettings.Unverified = .refuse
        ) -> WriteVerdict {
            let live = LiveInstances(current: live, epoch: 9)
            return mayWrite(session, to: connection, live: live, policy: policy)
        }
        for session in [bound, unknown] {
            #expect(verdict(session, one, one) == .write)
            #expect(verdict(session, two, one) == .otherInstance)
            #expect(verdict(session, .none, one) == .otherInstance)
            #expect(verdict(session, one, two) == .stale)
            #expect(verdict(session, two, two) == .stale)
            #expect(verdict(session, .unverified, two) == .stale)
            #expect(verdict(session, .unverified, one) == .unverified)
            #expect(verdict(session, .unverified, one, .forward) == .write)
            #expect(verdict(session, .unverified, two, .forward) == .stale)
        }
        world.live.current = .none
        let early = try #require(world.get("X-Session-ID: s-3").session)
        #expect(verdict(early, .none, .none) == .write)
        #expect(verdict(early, one, one) == .write)
        #expect(verdict(early, one, two) == .otherInstance)
        #expect(verdict(early, .unverified, one) == .unverified)
        _ = world.capture("s-4")
        let boundToNone = try #require(world.get("X-Session-ID: s-4").session)
        #expect(verdict(boundToNone, .none, .none) == .write)
        #expect(verdict(boundToNone, one, one) == .stale)
        #expect(verdict(boundToNone, .none, one) == .stale)
    }

    @Test("3.4 where a session may be written when several instances live")
    func writingAmongMany() throws {
        var world = World()
        let (one, two, three) = (number(1), number(2), number(3))
        _ = world.capture("s-1")
        let bound = try #require(world.get("X-Session-ID: s-1").session)
        world.live.current = two
        let unknown = try #require(world.get("X-Session-ID: s-2").session)
        func verdict(
            _ session: CarriedSession,
            _ connection: InstanceNumber,
            _ members: [InstanceNumber],
            _ policy: IdentitySettings.Unverified = .refuse
        ) -> WriteVerdict {
            let live = LiveInstances(current: members.last ?? .none, epoch: 9, members: members)
            return mayWrite(session, to: connection, live: live, policy: policy)
        }
        #expect(verdict(bound, one, [one, two]) == .write)
        #expect(verdict(bound, two, [one, two]) == .otherInstance)
        #expect(verdict(bound, .unverified, [one, two]) == .unverified)
        #expect(verdict(bound, .unverified, [one, two], .forward) == .write)
        #expect(verdict(bound, two, [two, three]) == .stale)
        #expect(verdict(bound, .unverified, [two], .forward) == .stale)
        // Any instance that lived when the request came may have issued it, no later one.
        #expect(verdict(unknown, one, [one, two, three]) == .write)
        #expect(verdict(unknown, two, [one, two, three]) == .write)
        #expect(verdict(unknown, three, [one, two, three]) == .otherInstance)
        #expect(verdict(unknown, one, [two, three]) == .otherInstance)
        #expect(verdict(unknown, three, [three]) == .stale)
        #expect(verdict(unknown, .unverified, [one]) == .unverified)
        #expect(verdict(unknown, .unverified, [three]) == .stale)
    }

    private func number(_ rawValue: UInt32) -> InstanceNumber { InstanceNumber(rawValue: rawValue) }

    @Test("3.2 who issued a session on a connection that does not say whose it is")
    func issuers() {
        let world = World()
        let current = world.live.current
        #expect(issuer(on: current, live: world.live, policy: .refuse) == current)
        #expect(issuer(on: .unverified, live: world.live, policy: .refuse) == .unverified)
        #expect(issuer(on: .unverified, live: world.live, policy: .forward) == current)
        #expect(issuer(on: .none, live: world.live, policy: .forward) == .none)
    }

    private func setCookie(_ world: World, isSecure: Bool = false) -> String {
        guard
            let cookie = world.jar.capture(
                [0x61],
                instance: world.live.current,
                live: world.live,
                request: Judgement(),
                random: (0x0102_0304_0506_0708, 0x090A_0B0C_0D0E_0F10),
                now: world.now
            )
        else { return "" }
        var out = Buffer()
        world.rules.appendSetCookie(cookie, isSecure: isSecure, to: &out)
        return string(out)
    }

    @Test("2.2 the jar cookie: 128 random bits in base64url and its attributes")
    func cookieText() {
        // Sixteen bytes give 22 characters; the last has two of their bits, and the shard.
        let value = "AQIDBAUGBwgJCgsMDQ4PE"
        let text = setCookie(World())
        #expect(text.hasPrefix("lychgate=" + value.prefix(20)))
        #expect(text.dropFirst(9 + 22) == "; HttpOnly; SameSite=Lax; Path=/; Max-Age=604800")
        let secure = setCookie(World(), isSecure: true)
        #expect(secure.hasPrefix("__Host-lychgate=" + value.prefix(20)))
        #expect(secure.hasSuffix("; HttpOnly; SameSite=Lax; Path=/; Max-Age=604800; Secure"))
        let strict = World {
            $0.cookie.sameSite = .strict
            $0.cookie.name = "sid"
            $0.maxAge = .seconds(60)
        }
        #expect(setCookie(strict).hasPrefix("sid="))
        #expect(setCookie(strict).hasSuffix("; SameSite=Strict; Path=/; Max-Age=60"))
        #expect(setCookie(World { $0.cookie.sameSite = .none }).contains("SameSite=None"))
    }

    @Test("2.2 every bit of the random source is in the cookie")
    func cookieBits() throws {
        var world = World()
        world.now = .zero
        var seen: Set<String> = []
        for bit in 0..<128 {
            let random: (UInt64, UInt64) =
                bit < 64 ? (1 << UInt64(bit), 0) : (0, 1 << UInt64(bit - 64))
            let cookie = try #require(
                world.jar.capture(
                    [0x61],
                    instance: world.live.current,
                    live: world.live,
                    request: Judgement(),
                    random: random,
                    now: world.now
                )
            )
            var out = Buffer()
            world.rules.appendSetCookie(cookie, isSecure: false, to: &out)
            let value = String(string(out).dropFirst(9).prefix(22))
            #expect(value.utf8.allSatisfy { $0.isBase64URL })
            seen.insert(value)
        }
        #expect(seen.count == 128)
    }

    @Test("4.1 the expired cookie")
    func expiredCookie() {
        var out = Buffer()
        World().rules.appendExpiredCookie(isSecure: false, to: &out)
        #expect(string(out) == "lychgate=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0")
        out.removeAll()
        World().rules.appendExpiredCookie(isSecure: true, to: &out)
        #expect(
            string(out) == "__Host-lychgate=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0; Secure"
        )
    }

    @Test(
        "2.2 Cache-Control: private, unless it is stricter already",
        arguments: [
            ("A: b", true, false), ("Cache-Control: private", false, false),
            ("Cache-Control: no-store", false, false), ("Cache-Control: max-age=5", true, false),
            ("Cache-Control: PRIVATE, max-age=5", false, false),
            ("Cache-Control: public, max-age=5", true, true),
            ("Cache-Control: max-age=5, s-maxage=9", true, true),
            ("Cache-Control: public, private", true, true),
            ("Cache-Control: public\nCache-Control: no-store", false, true),
            ("Cache-Control: private=\"Set-Cookie\"", true, false),
            ("Cache-Control: no-cache", true, false), ("Cache-Control:", true, false),
            ("Cache-Control: x=\"public, s-maxage\"", true, false),
            ("Cache-Control: Public", true, true), ("Cache-Control: S-MaxAge = 5", true, true),
        ]
    )
    func cacheControl(fields: String, adds: Bool, drops: Bool) {
        let response = Response("HTTP/1.1 200 OK\n\(fields)")
        let privacy = CachePrivacy(response.head, in: response.buffer)
        #expect(privacy.addsPrivate == adds)
        #expect(privacy.dropsSharedLines == drops)
        let isShared = CachePrivacy.isShared(response.head.fields[0].value, in: response.buffer)
        #expect(!drops || isShared)
    }

    @Test(
        "2.2 Vary: Cookie, unless it is there",
        arguments: [
            ("A: b", true), ("Vary: Accept", true), ("Vary: accept, COOKIE", false),
            ("Vary: *", false), ("Vary: A\nVary: Cookie", false), ("Vary: X-Cookie, Cookies", true),
        ]
    )
    func vary(fields: String, needs: Bool) {
        let response = Response("HTTP/1.1 200 OK\n\(fields)")
        #expect(CachePrivacy.needsVaryCookie(response.head, in: response.buffer) == needs)
    }
}

extension UInt8 {
    fileprivate var isBase64URL: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
        default: false
        }
    }
}
