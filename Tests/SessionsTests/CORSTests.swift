import HTTPModel
import Memory
import Sessions
import Settings
import Testing

/// Contract 4.4: which pages may read our own answers.
@Suite("4.4 CORS")
struct CORSTests {
    private static let origins = ["http://localhost:5173", "https://app.example"]
    private static let exposed =
        "Access-Control-Expose-Headers: X-Session-Cleared, Retry-After\r\n"
    private let world = World(origins: origins, answersPreflights: true)

    /// The field lines for a request with these.
    private func lines(_ fields: String, method: String = "GET") -> String {
        var out = Buffer()
        let request = world.judge("\(method) /x HTTP/1.1\n" + fields)
        world.rules.appendCORS(request.origin, to: &out)
        return string(out)
    }

    /// What a preflight with these field lines is answered; nil where it is not answered here.
    private func preflight(_ fields: String, method: String = "OPTIONS") -> String? {
        let request = Request("\(method) /x HTTP/1.1\n" + fields)
        guard let preflight = world.rules.preflight(request.head, in: request.buffer) else {
            return nil
        }
        var out = Buffer()
        world.rules.appendCORS(preflight, to: &out)
        return string(out)
    }

    @Test("4.4 a listed origin may read, with credentials; no other, null neither")
    func listed() {
        for origin in Self.origins {
            let wanted =
                "Vary: Origin\r\nAccess-Control-Allow-Origin: \(origin)\r\n"
                + "Access-Control-Allow-Credentials: true\r\n" + Self.exposed
            #expect(lines("Origin: \(origin)") == wanted)
            #expect(lines("Origin: \(origin.uppercased())") == wanted)
            #expect(lines("Origin: \(origin)\nOrigin: \(origin)") == wanted)
        }
        for fields in [
            "", "Origin:", "Origin: null", "Origin: *", "Origin: http://localhost:5174",
            "Origin: https://localhost:5173", "Origin: http://app.example",
            "Origin: https://app.example.evil", "Origin: https://app.example, null",
            "Origin: https://app.example\nOrigin: null", "X-Origin: https://app.example",
            "Origin: https://app.example\nOrigin: http://localhost:5173",
            "Origin: https://app.example/", "Origin: https://app.example:443",
        ] {
            #expect(lines(fields) == "Vary: Origin\r\n", "\(fields)")
        }
    }

    @Test("4.4 what is refused for its form is told to a listed page, too")
    func refused() {
        let request = world.judge(
            "GET /x HTTP/1.1\nOrigin: https://app.example\nX-Session-ID: a\nX-Session-ID: b"
        )
        #expect(name(request) == "refused repeatedSession")
        #expect(request.origin != nil)
        let none = World().judge("GET /x HTTP/1.1\nOrigin: https://app.example")
        #expect(none.origin == nil)
    }

    @Test("4.4 a preflight's answer repeats what was asked")
    func answered() {
        let start =
            "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n"
            + "Access-Control-Allow-Origin: https://app.example\r\n"
            + "Access-Control-Allow-Credentials: true\r\n"
        let asked = "Origin: https://app.example\nAccess-Control-Request-Method: "
        let age = "Access-Control-Max-Age: 600\r\n"
        let methods = "Access-Control-Allow-Methods: "
        #expect(preflight(asked + "PATCH") == start + methods + "PATCH\r\n" + age)
        #expect(
            preflight(asked + "POST\naccess-control-request-headers: x-session-id,content-type")
                == start + methods + "POST\r\n"
                + "Access-Control-Allow-Headers: x-session-id, content-type\r\n" + age
        )
        #expect(
            preflight(
                asked + "PUT\nAccess-Control-Request-Headers: a ,,b\n"
                    + "Access-Control-Request-Headers: c\n"
                    + "Access-Control-Request-Private-Network: true"
            ) == start + methods + "PUT\r\nAccess-Control-Allow-Headers: a, b, c\r\n"
                + "Access-Control-Allow-Private-Network: true\r\n" + age
        )
    }

    @Test("4.4 what is no token, or too much, is allowed nothing")
    func hostile() {
        let asked = "Origin: https://app.example\nAccess-Control-Request-Method: "
        let long = String(repeating: "x", count: 33)
        for method in [
            "", "a b", "a\u{1}", "GET, POST", long, "GET\nACCESS-Control-Request-Method: A",
        ] {
            let answer = preflight(asked + method) ?? ""
            #expect(answer.contains("Allow-Origin"), "\(method)")
            #expect(!answer.contains("Allow-Methods"), "\(method)")
        }
        let many = (0..<65).map { "x\($0)" }.joined(separator: ",")
        let longNames = (0..<40).map { "\($0)" + String(repeating: "x", count: 60) }
        for names in [
            "a b", "a\"b\"", "a, b\u{7F}", "é", many, longNames.joined(separator: ","), "",
            "a\nAccess-Control-Request-Headers: b:c",
        ] {
            let answer = preflight(asked + "GET\nAccess-Control-Request-Headers: \(names)") ?? ""
            #expect(answer.contains("Allow-Methods: GET"), "\(names)")
            #expect(!answer.contains("Allow-Headers"), "\(names)")
        }
        let right = (0..<64).map { "x\($0)" }.joined(separator: ",")
        let answer = preflight(asked + "GET\nAccess-Control-Request-Headers: \(right)")
        #expect(answer?.contains("x62, x63\r\n") == true)
    }

    @Test("4.4 everything else goes to the backend")
    func passes() {
        let method = "Access-Control-Request-Method: GET"
        #expect(preflight("Origin: https://app.example") == nil)
        #expect(preflight(method) == nil)
        #expect(preflight("Origin: null\n" + method) == nil)
        #expect(preflight("Origin: https://evil.example\n" + method) == nil)
        #expect(preflight("Origin: https://app.example\n" + method, method: "GET") == nil)
        #expect(!World(origins: Self.origins).rules.answersPreflights)
        #expect(!World(answersPreflights: true).rules.answersPreflights)
    }

    @Test("4.4 a preflight has no session, so none is asked of it")
    func exempt() {
        let world = World { $0.required = [pattern("/api/*")] }
        let asked = "Origin: http://a\nAccess-Control-Request-Method: GET"
        #expect(name(world.judge("OPTIONS /api/x HTTP/1.1\n" + asked)) == "anonymous")
        #expect(name(world.judge("OPTIONS /api/x HTTP/1.1\nOrigin: http://a")) == "missing")
        #expect(name(world.judge("GET /api/x HTTP/1.1\n" + asked)) == "missing")
    }

    @Test("4.4 the hint names a foreign origin that is not listed, and no other")
    func hint() {
        func hidden(_ fields: String, upgrades: Bool = false) -> String? {
            var request = Request("GET /x HTTP/1.1\nHost: localhost:8080\n" + fields)
            request.head.authority = request.head.fields[0].value
            request.head.asksUpgrade = upgrades
            return world.rules.hiddenFrom(request.head, in: request.buffer)
        }
        #expect(hidden("Origin: http://localhost:3000") == "http://localhost:3000")
        #expect(
            hidden("Sec-Fetch-Site: same-site\nOrigin: http://localhost:3000")
                == "http://localhost:3000"
        )
        for fields in [
            "", "Origin: null", "Origin: http://localhost:8080", "Origin: http://localhost:5173",
            "Origin: http://a\"]}", "Origin: http://a\u{1B}[m", "Origin: chrome-extension://abc",
            "Origin: http://" + String(repeating: "a", count: 300), "Origin: http://a/b",
            "Sec-Fetch-Site: same-origin\nOrigin: https://public.example",
        ] {
            #expect(hidden(fields) == nil, "\(fields)")
        }
        #expect(hidden("Origin: http://localhost:3000", upgrades: true) == nil)
    }
}
