import HTTPModel
import Sessions
import Settings
import Testing

/// Contract 2.5: other sites do not get a browser's session.
@Suite("2.5 Cross-site requests")
struct CrossSiteTests {
    private static let origins = ["https://app.example", "http://localhost:5173"]

    private func verdict(
        _ fields: [String],
        method: String = "POST",
        host: String = "gate.example",
        policy: SessionSettings.CrossSite = .refuse,
        upgrades: Bool = false
    ) -> String {
        var world = World(origins: Self.origins) { $0.crossSite = policy }
        let cookie = world.capture("s1")
        let lines = ["\(method) /x HTTP/1.1", "Host: \(host)", "Cookie: lychgate=\(cookie)"]
        var request = Request((lines + fields).joined(separator: "\n"))
        request.head.authority = request.head.fields[0].value
        request.head.asksUpgrade = upgrades
        let judgement = world.rules.judge(
            request.head,
            in: request.buffer,
            jar: world.jar,
            live: world.live,
            isSecure: false,
            now: world.now
        )
        return name(judgement)
    }

    private let live = "live 1 cookie s1"

    @Test("2.5 what Sec-Fetch-Site says counts, whatever Origin says")
    func fetchSite() {
        let own = "Origin: http://gate.example"
        let foreign = "Origin: http://evil.example"
        for site in ["cross-site", "same-site", "Cross-Site"] {
            #expect(verdict(["Sec-Fetch-Site: \(site)"]) == "crossSite")
            #expect(verdict(["Sec-Fetch-Site: \(site)", own]) == "crossSite")
            #expect(verdict([foreign, "Sec-Fetch-Site: \(site)"]) == "crossSite")
        }
        for site in ["same-origin", "none"] {
            #expect(verdict(["Sec-Fetch-Site: \(site)"]) == live)
            #expect(verdict(["Sec-Fetch-Site: \(site)", foreign]) == live)
        }
        #expect(
            verdict(["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"]) == "crossSite"
        )
        for odd in ["", "x", "same-origin, cross-site"] {
            #expect(verdict(["Sec-Fetch-Site: \(odd)", foreign]) == "crossSite")
            #expect(verdict(["Sec-Fetch-Site: \(odd)", own]) == live)
        }
    }

    @Test(
        "2.5 where it is absent, Origin is compared with Host",
        arguments: [
            ("http://gate.example", "gate.example", true),
            ("https://gate.example", "gate.example", true),
            ("HTTPS://Gate.Example", "gate.EXAMPLE", true),
            ("http://gate.example:80", "gate.example", true),
            ("http://gate.example", "gate.example:80", true),
            ("https://gate.example", "gate.example:443", true),
            ("http://gate.example:8080", "gate.example:8080", true),
            ("http://[::1]:8080", "[::1]:8080", true),
            ("http://gate.example:8080", "gate.example", false),
            ("http://gate.example", "gate.example:8080", false),
            ("https://gate.example:80", "gate.example", false),
            ("http://gate.example.evil", "gate.example", false),
            ("http://evil-gate.example", "gate.example", false),
            ("http://gate.example@evil", "gate.example", false),
            ("null", "gate.example", false), ("null", "null", false),
            ("gate.example", "gate.example", false), ("", "gate.example", false),
            ("http://", "gate.example", false), ("file://gate.example", "gate.example", false),
            ("http://gate.example/", "gate.example", false), ("http://", "", false),
            ("http://gate.example, http://evil", "gate.example", false),
        ]
    )
    func origin(origin: String, host: String, isOwn: Bool) {
        #expect(verdict(["Origin: \(origin)"], host: host) == (isOwn ? live : "crossSite"))
    }

    @Test("2.5 listed origins may, and only to the letter")
    func listed() {
        for origin in Self.origins {
            #expect(verdict(["Origin: \(origin)"]) == live)
            #expect(verdict(["Origin: \(origin)", "Sec-Fetch-Site: cross-site"]) == live)
            #expect(verdict(["Origin: \(origin)", "Origin: http://evil"]) == "crossSite")
            #expect(verdict(["Origin: \(origin).evil"]) == "crossSite")
        }
        #expect(verdict(["Origin: HTTPS://app.EXAMPLE"]) == live)
        #expect(verdict(["Origin: http://app.example"]) == "crossSite")
        #expect(verdict(["Origin: http://localhost:5174"]) == "crossSite")
    }

    @Test("2.5 safe methods may, unless they upgrade; no browser, no question")
    func methods() {
        let foreign = ["Origin: http://evil.example", "Sec-Fetch-Site: cross-site"]
        for method in ["GET", "HEAD"] {
            #expect(verdict(foreign, method: method) == live)
            #expect(verdict(foreign, method: method, upgrades: true) == "crossSite")
            #expect(verdict([foreign[0]], method: method, upgrades: true) == "crossSite")
        }
        for method in ["POST", "PUT", "DELETE", "PATCH", "get", "WHATEVER"] {
            #expect(verdict(foreign, method: method) == "crossSite")
            #expect(verdict([], method: method) == live)
        }
        #expect(verdict([], method: "GET", upgrades: true) == live)
    }

    @Test("2.5 only a session of the jar's is ambient, and allow switches it off")
    func scope() {
        #expect(verdict(["Sec-Fetch-Site: cross-site"], policy: .allow) == live)
        #expect(verdict(["Sec-Fetch-Site: cross-site", "X-Session-ID: s1"]) == "live 1 header")
        var world = World()
        let cookie = "Cookie: lychgate=\(world.capture("s1"))"
        let post = "POST /x HTTP/1.1\nSec-Fetch-Site: cross-site\n"
        #expect(name(world.judge(post)) == "anonymous")
        world.restart()
        #expect(name(world.judge(post + cookie)) == "backend-restart expires")
    }

    @Test("2.5 the log names the origin that is missing, and nothing else that a client sends")
    func missingOrigin() {
        let rules = World(origins: Self.origins).rules
        func missing(_ fields: String) -> String? {
            let request = Request("POST /x HTTP/1.1\n" + fields)
            return rules.missingOrigin(request.head, in: request.buffer)
        }
        #expect(missing("Origin: https://Evil.example:1") == "https://evil.example:1")
        #expect(missing("Origin: http://[::1]:5173") == "http://[::1]:5173")
        #expect(missing("Origin: https://app.example\nOrigin: http://b") == "http://b")
        for fields in [
            "", "Origin: null", "Origin: evil", "Origin: http://a b", "Origin: http://a\u{1b}[1m",
            "Origin: http://a\"", "Origin: http://a/b", "Origin: http://é",
            "Origin: http://" + String(repeating: "a", count: 300),
        ] {
            #expect(missing(fields) == nil, "\(fields)")
        }
    }
}
