import HTTPModel
import Memory
import Sessions
import Settings
import Testing

/// Contract 2.1, 2.2: what clients may send themselves.
@Suite("2.1 Client policies")
struct ClientPolicyTests {
    @Test("2.1 client_header: strip leaves the field out, and the cookie counts")
    func strip() {
        var world = World {
            $0.clientHeader = .strip
            $0.required = [pattern("/data")]
        }
        let cookie = world.capture("s1")
        let both = world.get("X-Session-ID: other", "Cookie: lychgate=\(cookie)")
        #expect(name(both) == "live 1 cookie s1")
        #expect(both.dropsCarrier)
        let alone = world.get("X-Session-ID: s1")
        #expect(name(alone) == "anonymous")
        #expect(alone.dropsCarrier)
        #expect(name(world.get("X-Session-ID: s1", path: "/data")) == "missing")
        #expect(!world.get("Cookie: lychgate=\(cookie)").dropsCarrier)
        let twice = world.get("X-Session-ID: a", "X-Session-ID: b")
        #expect(name(twice) == "refused repeatedSession")
        #expect(name(world.get("X_Session_ID: a")) == "refused sessionAlias")
    }

    @Test("2.1 client_header: reject answers 400, whatever it holds")
    func reject() {
        var world = World {
            $0.clientHeader = .reject
            $0.exempt = [pattern("/health")]
        }
        let cookie = world.capture("s1")
        #expect(name(world.get("X-Session-ID: s1")) == "refused clientHeader")
        #expect(name(world.get("X-Session-ID:")) == "refused clientHeader")
        #expect(name(world.get("X-Session-ID: s1", path: "/health")) == "refused clientHeader")
        let both = world.get("X-Session-ID: s1", "Cookie: lychgate=\(cookie)")
        #expect(name(both) == "refused clientHeader")
        #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "live 1 cookie s1")
    }

    @Test("2.2 client_unknown: refuse answers what was never seen, and leaves it out of the exempt")
    func unknown() {
        var world = World {
            $0.clientUnknown = .refuse
            $0.exempt = [pattern("/health")]
        }
        let cookie = world.capture("s1")
        #expect(name(world.get("X-Session-ID: s1")) == "live 1 header")
        #expect(name(world.get("X-Session-ID: s2")) == "unknown")
        let exempt = world.get("X-Session-ID: s2", path: "/health")
        #expect(name(exempt) == "anonymous")
        #expect(exempt.dropsCarrier)
        world.restart()
        #expect(name(world.get("X-Session-ID: s1")) == "backend-restart")
        let both = world.get("X-Session-ID: s2", "Cookie: lychgate=\(cookie)")
        #expect(name(both) == "unknown expires")
    }
}

/// Contract 2.2: sessions that are captured from a cookie of the backend's.
@Suite("2.2 Cookie rules")
struct CookieRuleTests {
    private func captured(_ world: World, _ fields: String, to request: Judgement? = nil) -> String
    {
        let text = "HTTP/1.1 200 OK\n" + fields
        let plan = world.respond(text, to: request ?? world.get())
        let response = Response(text)
        let value = plan.captured.map { string(response.buffer, $0) } ?? "-"
        return plan.warning.map { "\(value) \($0)" } ?? value
    }

    @Test("2.2 the value of a Set-Cookie of the name; the last one counts, a deletion is none")
    func values() {
        let world = World { $0.capture = [.cookie(name: "SESSION")] }
        let cases = [
            ("Set-Cookie: SESSION=abc; Path=/", "abc"), ("set-cookie:  SESSION = abc ", "abc"),
            ("Set-Cookie: SESSION=\"abc\"", "abc"), ("Set-Cookie: session=abc", "-"),
            ("Set-Cookie: a=SESSION=abc", "-"), ("Set-Cookie: a=1; SESSION=abc", "-"),
            ("Set-Cookie: SESSION=a=b==", "a=b=="),
            ("Set-Cookie: SESSION=a\nSet-Cookie: x=1\nSet-Cookie: SESSION=b", "b"),
            ("Set-Cookie: SESSION=; Max-Age=0\nSet-Cookie: SESSION=b", "b"),
            ("Set-Cookie: SESSION=a\nSet-Cookie: SESSION=x; Max-Age=0", "-"),
            ("Set-Cookie: SESSION=two words", "- invalidValue"),
            ("Set-Cookie: SESSION=\u{e9}", "- invalidValue"),
            ("Set-Cookie: SESSION=a\u{7}", "- invalidValue"),
            ("Set-Cookie: SESSION=" + String(repeating: "x", count: 4097), "- invalidValue"),
            ("Set-Cookie: SESSION=", "-"), ("Set-Cookie: SESSION", "-"),
        ]
        for (fields, wanted) in cases { #expect(captured(world, fields) == wanted, "\(fields)") }
    }

    @Test("2.2 an echo is not issued anew; the first rule that matches wins")
    func order() {
        var world = World {
            $0.capture = [
                .cookie(name: "A", keep: true), .header(name: "X-B"), .cookie(name: "C"),
            ]
        }
        let cookie = world.capture("one")
        let request = world.get("Cookie: lychgate=\(cookie)")
        #expect(captured(world, "Set-Cookie: A=one\nX-B: two", to: request) == "-")
        #expect(captured(world, "Set-Cookie: C=c\nX-B: b\nSet-Cookie: A=a") == "a")
        #expect(captured(world, "Set-Cookie: C=c\nX-B: b") == "b")
        #expect(captured(world, "Set-Cookie: C=c\nX-B: b b\nSet-Cookie: A=") == "c invalidValue")
    }

    @Test("2.2 the client does not see it, unless keep")
    func hiding() {
        let world = World {
            $0.capture = [.cookie(name: "A", keep: true), .cookie(name: "C")]
        }
        func isHidden(_ value: String) -> Bool {
            let response = Response("HTTP/1.1 200 OK\nSet-Cookie: \(value)")
            return world.rules.isHidden(response.head.fields[0].value, in: response.buffer)
        }
        for value in ["C=1", "C=", " C =x; Path=/", "C=two words", "C=x; Max-Age=0"] {
            #expect(isHidden(value), "\(value)")
        }
        for value in ["A=1", "c=1", "CC=1", "X=C=1", "X=1; C=2", "C"] {
            #expect(!isHidden(value), "\(value)")
        }
    }

    @Test("2.2 redact looks into the content even if another rule has found the session")
    func redaction() {
        let on = pattern("POST /api/connect")
        let world = World {
            $0.capture = [
                .header(name: "X-Session-ID"), .json(pointer: "/id", on: on, redact: true),
                .json(pointer: "/other", on: on),
            ]
        }
        let request = world.judge("POST /api/connect HTTP/1.1")
        let json = "HTTP/1.1 200 OK\nContent-Type: application/json"
        #expect(world.respond(json, to: request).content == .capture)
        let both = world.respond(json + "\nX-Session-ID: s", to: request)
        #expect(both.content == .redaction)
        #expect(both.captured != nil)
        #expect(world.rules.redactedPointers(request) == ["/id"])
        #expect(world.rules.redactedPointers(world.get()) == [])
        let coded = json + "\nX-Session-ID: s\nContent-Encoding: gzip"
        #expect(world.respond(coded, to: request).warning == .encodedContent)
        let failed = "HTTP/1.1 500 No\nContent-Type: application/json"
        #expect(world.respond(failed, to: request).content == .stream)
    }
}

/// Contract 2.4: `stale.pages`.
@Suite("2.4 Pages")
struct PageTests {
    private static let document = ["Sec-Fetch-Dest: document", "Accept: text/html,*/*"]

    private func stale(_ pages: StaleSettings.Pages) -> (World, String) {
        var world = World(pages: pages) { $0.exempt = [pattern("/health")] }
        let cookie = "Cookie: lychgate=\(world.capture("s1"))"
        world.restart()
        return (world, cookie)
    }

    @Test("2.4 answer: a page is answered like anything else")
    func answer() {
        let (world, cookie) = stale(.answer)
        #expect(name(world.get("Sec-Fetch-Dest: image", cookie)) == "backend-restart expires")
        for field in Self.document {
            #expect(name(world.get(field, cookie)) == "backend-restart")
        }
        #expect(name(world.get(Self.document[0], cookie, path: "/health")) == "anonymous")
    }

    @Test("2.4 a path: navigations are sent there, the rest of a page passes")
    func redirect() {
        let (world, cookie) = stale(.redirect(to: "/login?stale=1"))
        for field in ["Sec-Fetch-Dest: image", "Sec-Fetch-Dest: script", "sec-fetch-dest: style"] {
            #expect(name(world.get(field, cookie)) == "anonymous", "\(field)")
        }
        #expect(name(world.get(Self.document[0], cookie, path: "/login")) == "anonymous")
        #expect(name(world.get(Self.document[1], cookie, path: "/login?x")) == "anonymous")
        #expect(name(world.get(Self.document[1], cookie, path: "/health")) == "anonymous")
        #expect(name(world.get(cookie)) == "backend-restart expires")
        #expect(name(world.get(Self.document[0], cookie)) == "backend-restart navigation")
        #expect(name(world.get(Self.document[1], cookie)) == "backend-restart navigation")
        #expect(name(world.get("Sec-Fetch-Dest: iframe", cookie)) == "backend-restart navigation")
        let form = "POST /order HTTP/1.1\n\(Self.document[0])\n\(cookie)"
        #expect(name(world.judge(form)) == "backend-restart navigation")
        let fetch = "GET /x HTTP/1.1\nSec-Fetch-Dest: empty\nAccept: text/html\n\(cookie)"
        #expect(name(world.judge(fetch)) == "backend-restart")
        #expect(name(world.get(cookie, path: "/login/")) == "backend-restart")
    }

    @Test("2.4 a navigation without a session to where one is required is one too")
    func required() {
        let world = World(pages: .redirect(to: "/login")) { $0.required = [pattern("/*")] }
        let page = world.get(Self.document[0])
        #expect(name(page) == "missing")
        #expect(page.isNavigation)
        #expect(name(world.get(Self.document[0], path: "/login")) == "anonymous")
        #expect(!world.get().isNavigation)
    }

    @Test("2.4 found stale when it was to be written, a navigation is one still")
    func later() {
        var world = World(pages: .redirect(to: "/login"))
        let cookie = "Cookie: lychgate=\(world.capture("s1"))"
        let request = world.get(Self.document[0], cookie)
        world.restart()
        let end = world.jar.refuse(request, now: world.now)
        #expect(end.isNavigation)
        #expect(end.expiresCookie)
    }
}
