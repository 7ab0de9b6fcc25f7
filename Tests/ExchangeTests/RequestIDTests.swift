import Exchange
import HTTP1
import HTTPModel
import Memory
import Sessions
import Settings
import Testing

@Suite("request IDs")
struct RequestIDTests {
    /// Gives the first ID, and nothing else.
    private var source: RequestIDs {
        RequestIDs(seed: (0x0123_4567_89AB_CDEF, 0xFEDC_BA98_0000_0000))
    }
    private let madeText = "0123456789abcdeffedcba989e3779b1"

    /// The lines for the backend of a request with these lines.
    private func rewritten(_ lines: [String]) -> [String] {
        let settings = Settings()
        let text = (["GET / HTTP/1.1", "Host: a"] + lines).joined(separator: "\r\n") + "\r\n\r\n"
        var input = Buffer()
        input.append(Array(text.utf8))
        var head = RequestHead(fieldCapacity: 100)
        let outcome = HeadParser().parseRequest(input, into: &head)
        #expect(outcome == .complete)
        var out = Buffer()
        var source = source
        RequestRewriter(settings: settings, defaultHost: []).write(
            head,
            from: input,
            client: ClientFacts(ip: Array("192.0.2.1".utf8), isTrusted: false, isSecure: false),
            edits: RequestEdits(),
            requestID: source.next(),
            of: source,
            rules: SessionRules(settings.session),
            into: &out
        )
        let whole = String(decoding: out.copy(from: 0, count: out.count), as: UTF8.self)
        return whole.split(separator: "\r\n").map(String.init)
    }

    private func requestIDs(_ lines: [String]) -> [String] {
        rewritten(lines).filter { $0.lowercased().hasPrefix("x-request-id:") }
    }

    @Test("a request without one gets one")
    func added() {
        #expect(requestIDs([]) == ["X-Request-ID: \(madeText)"])
    }

    @Test(
        "a sound one passes as it is, name and spaces too",
        arguments: [
            "X-Request-ID: abc", "x-request-id:  7d1f-~!\"{}  ",
            "X-REQUEST-ID: " + String(repeating: "z", count: 128),
        ]
    )
    func passed(line: String) {
        #expect(requestIDs([line]) == [line])
    }

    @Test(
        "one that is not is replaced",
        arguments: [
            "X-Request-ID:", "X-Request-ID: a b", "X-Request-ID: a\tb", "X-Request-ID: \u{FC}",
            "X-Request-ID: " + String(repeating: "z", count: 129),
        ]
    )
    func replaced(line: String) {
        #expect(requestIDs([line]) == ["X-Request-ID: \(madeText)"])
    }

    @Test("of several the first sound one passes, alone")
    func several() {
        #expect(requestIDs(["X-Request-ID: a", "x-request-id: b"]) == ["X-Request-ID: a"])
        #expect(requestIDs(["X-Request-ID: a b", "x-request-id: b"]) == ["x-request-id: b"])
        #expect(requestIDs(["X-Request-ID:", "x-request-id: b c"]).count == 1)
    }

    @Test("one that Connection nominates is for this hop, and replaced")
    func nominated() {
        let lines = ["X-Request-ID: a", "Connection: X-Request-ID"]
        #expect(requestIDs(lines) == ["X-Request-ID: \(madeText)"])
    }

    @Test("what stands around it stays in its place")
    func around() {
        let lines = rewritten(["A: 1", "X-Request-ID: a b", "B: 2", "traceparent: 00-x", "C: 3"])
        #expect(Array(lines[1...5]) == ["Host: a", "A: 1", "B: 2", "traceparent: 00-x", "C: 3"])
    }

    @Test("no two are equal, whatever the seed")
    func distinct() {
        for seed in [(0, 0), (1, 0), (0, 1), (UInt64.max, 7)] as [(UInt64, UInt64)] {
            var source = RequestIDs(seed: seed)
            var seen: Set<String> = []
            for _ in 0..<1000 {
                var text = Buffer()
                source.append(source.next(), to: &text)
                seen.insert(String(decoding: text.copy(from: 0, count: text.count), as: UTF8.self))
            }
            #expect(seen.count == 1000)
            #expect(seen.allSatisfy { $0.utf8.count == 32 && $0.allSatisfy(\.isHexDigit) })
        }
    }
}
