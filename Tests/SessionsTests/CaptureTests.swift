import HTTPModel
import Instances
import Memory
import Sessions
import Settings
import Testing

@Suite struct CaptureTests {
    private let json = "HTTP/1.1 200 OK\nContent-Type: application/json"

    private func captured(_ text: String, to request: Judgement, in world: World) -> String? {
        let response = Response(text)
        let plan = world.rules.judgeResponse(
            response.head,
            in: response.buffer,
            request: request,
            jar: world.jar
        )
        return plan.captured.map { string(response.buffer, $0) }
    }

    @Test("2.2 a header rule captures the field, whatever the status")
    func header() {
        let world = World()
        for status in [200, 201, 302, 401, 500] {
            let text = "HTTP/1.1 \(status) X\nx-session-ID:  new \nA: b"
            #expect(captured(text, to: world.get(), in: world) == "new")
        }
        #expect(captured("HTTP/1.1 200 OK\nX_Session_ID: a", to: world.get(), in: world) == nil)
        #expect(captured("HTTP/1.1 200 OK\nX-Session-IDs: a", to: world.get(), in: world) == nil)
    }

    @Test("2.2 what could split a field, is empty or too long is ignored with a warning")
    func invalidValues() {
        let world = World()
        func plan(_ value: String) -> ResponsePlan {
            world.respond("HTTP/1.1 200 OK\nX-Session-ID: \(value)", to: world.get())
        }
        for value in [
            "a b", "a\tb", "a\rb", "a\u{0}b", "é", "a\u{7F}", String(repeating: "a", count: 4097),
        ] {
            #expect(plan(value).captured == nil)
            #expect(plan(value).warning == .invalidValue)
        }
        #expect(plan("").captured == nil)
        #expect(plan("").warning == nil)
        for value in ["!", "~", "a;b,c=d", String(repeating: "a", count: 4096)] {
            #expect(plan(value).captured != nil)
            #expect(plan(value).warning == nil)
        }
    }

    @Test("2.2 values out of JSON are held to the same")
    func validity() {
        #expect(!SessionRules.isValid([]))
        #expect(SessionRules.isValid([0x21]))
        #expect(SessionRules.isValid([UInt8](repeating: 0x7E, count: 4096)))
        #expect(!SessionRules.isValid([UInt8](repeating: 0x7E, count: 4097)))
        for byte in UInt8.min...UInt8.max {
            #expect(SessionRules.isValid([0x61, byte]) == (0x21...0x7E).contains(byte))
        }
    }

    @Test("2.2 the field twice: the same is one, different values are none")
    func ambiguous() {
        let world = World()
        let same = "HTTP/1.1 200 OK\nX-Session-ID: a\nX-Session-ID: a"
        #expect(captured(same, to: world.get(), in: world) == "a")
        let different = "HTTP/1.1 200 OK\nX-Session-ID: a\nX-Session-ID: b"
        #expect(captured(different, to: world.get(), in: world) == nil)
        #expect(world.respond(different, to: world.get()).warning == .ambiguousField)
    }

    @Test("2.2 an echo of what the request carried is not issued anew")
    func echo() {
        var world = World()
        let cookie = world.capture("s-1")
        let text = "HTTP/1.1 200 OK\nX-Session-ID: s-1"
        let byCookie = world.get("Cookie: lychgate=\(cookie)")
        let byHeader = world.get("X-Session-ID: s-1")
        let unknown = world.get("X-Session-ID: s-9")
        #expect(captured(text, to: byCookie, in: world) == nil)
        #expect(captured(text, to: byHeader, in: world) == nil)
        #expect(captured(text, to: world.get(), in: world) == "s-1")
        #expect(captured(text, to: unknown, in: world) == "s-1")
        #expect(captured("HTTP/1.1 200 OK\nX-Session-ID: s-9", to: unknown, in: world) == nil)
        #expect(world.rules.isEcho(Array("s-1".utf8), of: byCookie, jar: world.jar))
        #expect(!world.rules.isEcho(Array("s-2".utf8), of: byCookie, jar: world.jar))
        #expect(!world.rules.isEcho(Array("s-1".utf8), of: world.get(), jar: world.jar))
    }

    @Test("2.2 a real change of value drops the old entry and its cookie")
    func rotation() {
        var world = World()
        let old = world.capture("s-1")
        let new = world.capture("s-2", for: world.get("Cookie: lychgate=\(old)"))
        #expect(old != new)
        #expect(name(world.get("Cookie: lychgate=\(new)")) == "live 1 cookie s-2")
        // A late request of the same client must not take the new cookie away (4.1).
        #expect(name(world.get("Cookie: lychgate=\(old)")) == "expired")
        #expect(name(world.get("X-Session-ID: s-1")) == "expired")
        world.wait(.seconds(10))
        #expect(name(world.get("Cookie: lychgate=\(old)")) == "expired expires")
        #expect(world.jar.statistics().ended[.replaced] == 1)
        #expect(world.jar.statistics().sessions == 1)
    }

    @Test("2.2 a client-held session that changes drops the old one")
    func rotationByHeader() {
        var world = World()
        let old = world.capture("s-1")
        _ = world.capture("s-2", for: world.get("X-Session-ID: s-1", "Cookie: lychgate=\(old)"))
        #expect(name(world.get("X-Session-ID: s-1")) == "expired")
        #expect(name(world.get("X-Session-ID: s-2")) == "live 1 header")
        #expect(name(world.get("Cookie: lychgate=\(old)")) == "expired")
    }

    @Test("2.2 one session of two clients: the one that changes leaves the other its session")
    func sharedSession() {
        var world = World()
        let mine = world.capture("s-1")
        let yours = world.capture("s-1")
        #expect(mine != yours)
        _ = world.capture("s-2", for: world.get("Cookie: lychgate=\(mine)"))
        #expect(name(world.get("Cookie: lychgate=\(mine)")) == "expired")
        #expect(name(world.get("Cookie: lychgate=\(yours)")) == "live 1 cookie s-1")
    }

    @Test("2.2 the same ID from another instance does not open it to the old cookie")
    func sameIDOfAnotherInstance() {
        var world = World()
        let old = world.capture("s-1")
        world.restart()
        let new = world.capture("s-1")
        #expect(name(world.get("Cookie: lychgate=\(old)")) == "backend-restart expires")
        #expect(name(world.get("Cookie: lychgate=\(new)")) == "live 2 cookie s-1")
        #expect(name(world.get("X-Session-ID: s-1")) == "live 2 header")
    }

    @Test("2.2 a captured ID that had ended lives again")
    func revived() {
        var world = World()
        _ = world.capture("s-1")
        world.restart()
        #expect(name(world.get("X-Session-ID: s-1")) == "backend-restart")
        _ = world.capture("s-1")
        #expect(name(world.get("X-Session-ID: s-1")) == "live 2 header")
        #expect(world.jar.statistics().endedSessions == 0)
    }

    @Test("3.2 a session issued while no instance was known is stale once one appears")
    func boundToNone() {
        var world = World()
        world.live.current = .none
        let cookie = world.capture("s-1")
        #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "live 0 cookie s-1")
        world.restart()
        #expect(name(world.get("Cookie: lychgate=\(cookie)")) == "backend-restart expires")
    }

    @Test("2.2 many cookies of one session do not grow without end")
    func manyCookies() {
        var world = World()
        let first = world.capture("s-1")
        for _ in 0..<1000 { _ = world.capture("s-1") }
        #expect(world.jar.statistics().cookies <= 64)
        #expect(name(world.get("Cookie: lychgate=\(first)")) == "expired expires")
    }

    // MARK: - JSON rules

    private func jsonWorld(_ rules: [CaptureRule]) -> World {
        World { $0.capture = rules }
    }

    private func plan(_ head: String, framing: Framing = .length(10)) -> ResponsePlan {
        let world = jsonWorld([.json(pointer: "/sessionId", on: pattern("POST /api/connect"))])
        let request = world.judge("POST /api/connect?x=1 HTTP/1.1\nHost: a")
        #expect(request.captureJSON == 0)
        #expect(world.rules.jsonPointers(request) == ["/sessionId"])
        return world.respond(head, to: request, framing: framing)
    }

    @Test("2.2 a JSON rule asks for the content of a 2xx answer in JSON of at most 64 KiB")
    func jsonContent() {
        #expect(plan(json).content == .capture)
        #expect(plan(json, framing: .chunked).content == .capture)
        #expect(plan(json, framing: .untilClose).content == .capture)
        #expect(plan(json, framing: .length(65536)).content == .capture)
        #expect(plan(json, framing: .length(65537)).content == .stream)
        #expect(plan(json, framing: .length(65537)).warning == .contentTooLong)
        #expect(plan(json, framing: .none).content == .stream)
        #expect(plan("HTTP/1.1 200 OK").content == .stream)
        #expect(plan("HTTP/1.1 400 X\nContent-Type: application/json").content == .stream)
        #expect(plan("HTTP/1.1 302 X\nContent-Type: application/json").content == .stream)
        #expect(plan(json + "\nContent-Encoding: gzip").content == .stream)
        #expect(plan(json + "\nContent-Encoding: gzip").warning == .encodedContent)
        #expect(plan(json + "\nContent-Encoding: Identity").content == .capture)
    }

    @Test(
        "2.2 what is JSON",
        arguments: [
            ("application/json", true), ("Application/JSON; charset=utf-8", true),
            ("application/json;a=b", true), ("application/problem+json", true),
            ("application/vnd.api+JSON ;x", true), ("text/json", false), ("text/html", false),
            ("application/json-seq", false), ("application/jsonx", false), ("+json", false),
            ("", false), (";application/json", false), ("application/xml;a=+json", false),
        ]
    )
    func contentTypes(type: String, isJSON: Bool) {
        let head = "HTTP/1.1 200 OK\nContent-Type: \(type)"
        #expect((plan(head).content == .capture) == isJSON)
    }

    @Test("2.2 a JSON rule is for its requests alone")
    func jsonRequests() {
        let world = jsonWorld([.json(pointer: "/id", on: pattern("POST /api/connect"))])
        for line in [
            "GET /api/connect", "POST /api/connect/", "POST /api/connec", "post /api/connect",
        ] {
            #expect(world.judge("\(line) HTTP/1.1").captureJSON == nil)
        }
        #expect(world.respond(json, to: world.get()).content == .stream)
    }

    @Test("2.2 the first rule that matches wins")
    func order() {
        let rule = CaptureRule.json(pointer: "/id", on: pattern("/api/*"))
        let second = CaptureRule.json(pointer: "/session/id", on: pattern("GET /api/data"))
        let header = CaptureRule.header(name: "X-Session-ID")
        let both = json + "\nX-Session-ID: a"

        let headerFirst = jsonWorld([header, rule])
        #expect(headerFirst.respond(both, to: headerFirst.get()).content == .stream)
        #expect(headerFirst.respond(both, to: headerFirst.get()).captured != nil)
        #expect(headerFirst.respond(json, to: headerFirst.get()).content == .capture)

        // Whether the content has a value is known only when it is there; else the field counts.
        let jsonFirst = jsonWorld([rule, header, second])
        let plan = jsonFirst.respond(both, to: jsonFirst.get())
        #expect(plan.content == .capture)
        #expect(plan.captured != nil)
        #expect(jsonFirst.rules.jsonPointers(jsonFirst.get()) == ["/id", "/session/id"])
        #expect(jsonFirst.get().captureJSON == 0)
        #expect(jsonWorld([header, second]).get().captureJSON == 1)
    }
}
