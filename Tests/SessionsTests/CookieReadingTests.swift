import HTTPModel
import Memory
import Sessions
import Testing

@Suite struct CookieReadingTests {
    @Test("2.2 two different jar cookies are none; the same twice is one")
    func tossing() {
        var world = World()
        let cookie = world.capture("s-1")
        let other = world.capture("s-2")
        let same = world.get("Cookie: lychgate=\(cookie); lychgate=\(cookie)")
        #expect(name(same) == "live 1 cookie s-1")
        let two = world.get("Cookie: lychgate=\(cookie); lychgate=\(other)")
        #expect(name(two) == "anonymous")
        #expect(two.hasJarCookie)
        #expect(two.cookie == nil)
        let lines = world.get("Cookie: lychgate=\(cookie)", "Cookie: lychgate=\(other)")
        #expect(name(lines) == "anonymous")
        let three = "lychgate=\(cookie); lychgate=\(other); lychgate=\(cookie)"
        #expect(name(world.get("Cookie: \(three)")) == "anonymous")
        #expect(name(world.get("Cookie: lychgate=\(cookie)", "Cookie: a=b")) == "live 1 cookie s-1")
    }

    @Test("2.2 an empty jar cookie counts for nothing, but the backend does not see it")
    func empty() {
        var world = World()
        let cookie = world.capture("s-1")
        let empty = world.get("Cookie: lychgate=")
        #expect(name(empty) == "anonymous")
        #expect(empty.hasJarCookie)
        #expect(name(world.get("Cookie: lychgate=; lychgate=\(cookie)")) == "live 1 cookie s-1")
    }

    @Test(
        "2.1 names that are not the jar cookie's",
        arguments: [
            "Lychgate=v", "lychgates=v", "lychgat=v", "lychgate", "=lychgate", "xlychgate=v",
            "__host-lychgate=v", "__Host-=v", "a=lychgate=v", "a=\"b, lychgate=v\"", "", ";;;",
            "=", "lychgate\u{1}=v",
        ]
    )
    func otherNames(cookie: String) {
        let judgement = World().get("Cookie: \(cookie)")
        #expect(!judgement.hasJarCookie)
        #expect(name(judgement) == "anonymous")
    }

    @Test("2.1 white space and odd bytes around the jar cookie do not hide it")
    func oddBytes() {
        var world = World()
        let cookie = world.capture("s-1")
        let values = [
            "lychgate=\(cookie)", ";lychgate=\(cookie);", " ; \tlychgate\t= \(cookie) \t; ",
            "a=\"x; lychgate=\(cookie); y\"", "é=ü;lychgate=\(cookie);=;==;",
            "\u{7F};lychgate=\(cookie)",
        ]
        for value in values {
            #expect(name(world.get("Cookie: \(value)")) == "live 1 cookie s-1", "\(value)")
        }
    }

    @Test("2.1 a value that is not quite the cookie's is unknown")
    func nearValues() {
        var world = World()
        let cookie = world.capture("s-1")
        for end in cookie.indices {
            #expect(name(world.get("Cookie: lychgate=\(cookie[..<end])")) != "live 1 cookie s-1")
        }
        let near = [
            cookie + "A", cookie + "=", "\"\(cookie)\"", cookie.lowercased() + "-",
            cookie + "\u{0}", cookie + "=lychgate", "%\(cookie)",
        ]
        for value in near {
            #expect(name(world.get("Cookie: lychgate=\(value)")) == "unknown expires", "\(value)")
        }
        // The four bits of the last character that are not random are a part of the value.
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        for last in alphabet where last != cookie.last {
            let value = cookie.dropLast() + String(last)
            #expect(name(world.get("Cookie: lychgate=\(value)")) == "unknown expires")
        }
    }

    private func cut(_ value: String) -> String? {
        let request = Request("GET / HTTP/1.1\nCookie: \(value)")
        var out = Buffer()
        out.append("Cookie: ")
        let isAnyLeft = World().rules.appendCookieWithoutJar(
            request.head.fields[0].value,
            in: request.buffer,
            to: &out
        )
        let text = string(out)
        #expect(text.hasPrefix("Cookie: "))
        return isAnyLeft ? String(text.dropFirst(8)) : (text == "Cookie: " ? nil : text)
    }

    @Test(
        "2.1 the jar cookie is cut out, every other byte stays",
        arguments: [
            ("lychgate=v", nil), ("a=b; lychgate=v; c=d", "a=b; c=d"), ("lychgate=v; a=b", "a=b"),
            ("a=b; lychgate=v", "a=b"), ("a=b;lychgate=v;c=d", "a=b;c=d"),
            ("__Host-lychgate=v; a=b; lychgate=w", "a=b"), ("a=b", "a=b"),
            ("lychgate=v; lychgate=w", nil), ("lychgate=v;", nil), ("lychgate=v; ; ;", nil),
            ("a=b;  c=\"d e\" ;;f ; lychgate=v", "a=b;  c=\"d e\" ;;f "),
            ("lychgate=v;a=b;;", "a=b;;"), (" lychgate = v ; x", "x"),
            ("lychgate", "lychgate"), ("Lychgate=1; lychgate=2", "Lychgate=1"),
            ("a=\"1; lychgate=2; 3\"", "a=\"1; 3\""), ("é=ü; lychgate=v; \u{1}", "é=ü; \u{1}"),
            ("a=lychgate=v", "a=lychgate=v"), ("lychgate==; b", "b"),
        ] as [(String, String?)]
    )
    func cutting(value: String, expected: String?) {
        #expect(cut(value) == expected)
    }

    @Test("2.1 whatever the bytes, no jar cookie is left and the rest is untouched")
    func cuttingRandomly() {
        var random = SeededRandom(seed: 7)
        let parts = [
            "lychgate=v", "__Host-lychgate=w", "a=b", " ", ";", "; ", "=", "\t", "\"", "é", "x",
        ]
        for _ in 0..<5000 {
            let value = (0..<Int.random(in: 1...12, using: &random))
                .map { _ in parts[Int.random(in: 0..<parts.count, using: &random)] }.joined()
            let left = cut(value)
            let judgement = World().get("Cookie: \(left ?? "")")
            #expect(!judgement.hasJarCookie, "\(value) left \(left ?? "nothing")")
            let kept = value.split(separator: ";", omittingEmptySubsequences: true)
                .filter { !World().get("Cookie: \($0)").hasJarCookie }
                .map { $0.filter { $0 != " " && $0 != "\t" } }.filter { !$0.isEmpty }
            let found = (left ?? "").split(separator: ";")
                .map { $0.filter { $0 != " " && $0 != "\t" } }.filter { !$0.isEmpty }
            #expect(found == kept, "\(value)")
        }
    }
}

/// SplitMix64: the same numbers at every run.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}
