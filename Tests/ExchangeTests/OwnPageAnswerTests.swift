import Exchange
import HTTP1
import HTTPModel
import Memory
import Sessions
import Settings
import Testing

private func written(
    _ answer: Answer,
    isHead: Bool = false,
    closes: Bool = false
) -> String {
    var frame = AnswerFrame()
    frame.isHead = isHead
    frame.closes = closes
    var out = Buffer()
    AnswerWriter(settings: Settings()).write(
        answer,
        frame: frame,
        date: line("Date: now\r\n"),
        rules: rules(),
        into: &out
    )
    return string(out)
}

private func hasGuard(_ fields: String) -> Bool? {
    let input = received("GET /guard.js HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
    var head = RequestHead(fieldCapacity: 10)
    guard HeadParser().parseRequest(input, into: &head) == .complete else { return nil }
    return AnswerWriter.hasGuard(head, in: input)
}

private let json =
    "Date: now\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nVary: Origin\r\n"

@Suite("5 Lychgate's own pages")
struct OwnPageAnswerTests {
    @Test("5 a session that lives")
    func live() {
        let state = SessionState(
            instanceID: Array("a\"b".utf8),
            since: "2026-01-02T03:04:05.678Z",
            isKnown: true
        )
        let content =
            #"{"valid":true,"instanceId":"a\"b","since":"2026-01-02T03:04:05.678Z"}"#
        let head = "HTTP/1.1 200 OK\r\n\(json)Content-Length: \(content.utf8.count)\r\n\r\n"
        #expect(written(.sessionState(state)) == head + content)
        #expect(written(.sessionState(state), isHead: true) == head)
    }

    @Test("5 a session that only the backend can know, of a backend that tells no ID")
    func unknown() {
        let state = SessionState(instanceID: [], since: nil, isKnown: false)
        #expect(written(.sessionState(state)).hasSuffix(#"{"valid":true,"known":false}"#))
    }

    @Test("5 no session: the answer of 4.1, and who the backend is")
    func none() {
        let bare = #"{"valid":false,"reason":"NO_SESSION_ID","message":"No session ID provided""#
        let challenge = "WWW-Authenticate: Session realm=\"lychgate\"\r\n"
        #expect(
            written(.noSession(instanceID: []))
                == "HTTP/1.1 401 Unauthorized\r\n\(json)\(challenge)"
                + "Content-Length: \(bare.utf8.count + 1)\r\n\r\n\(bare)}"
        )
        #expect(written(.noSession(instanceID: [0x41])).hasSuffix(bare + #","instanceId":"A"}"#))
    }

    @Test("5 a session that was to be forgotten: the cookie is expired")
    func forgotten() {
        let end = SessionEnd(reason: .expired, expiresCookie: true)
        let text = written(.sessionForgotten(end))
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(
            text.contains("Set-Cookie: lychgate=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0\r\n")
        )
        #expect(!text.contains("X-Session-Cleared"))
        #expect(text.hasSuffix(#"{"valid":false}"#))
        let none = SessionEnd(reason: .expired, expiresCookie: false)
        #expect(!written(.sessionForgotten(none)).contains("Set-Cookie"))
    }

    @Test("5 guard.js: under 4 KB, revalidated, and never taken for something else")
    func guardModule() throws {
        let text = written(.guardModule(isKnown: false))
        let gap = try #require(text.firstRange(of: "\r\n\r\n"))
        let head = String(text[..<gap.lowerBound])
        let content = String(text[gap.upperBound...])
        #expect(content.utf8.count < 4096)
        #expect(content.contains("MDLH_BACKEND_INSTANCE_ID"))
        #expect(head.contains("Content-Type: text/javascript; charset=utf-8"))
        #expect(head.contains("X-Content-Type-Options: nosniff"))
        #expect(head.contains("Cache-Control: no-cache"))
        #expect(head.contains("Content-Length: \(content.utf8.count)"))
        let tag = try #require(head.split(separator: "\r\n").first { $0.hasPrefix("ETag: ") })
        let value = tag.dropFirst(6)
        #expect(hasGuard("If-None-Match: \(value)\r\n") == true)
        #expect(hasGuard("If-None-Match: \"x\", W/\(value)\r\n") == true)
        #expect(hasGuard("if-none-match: *\r\n") == true)
        #expect(hasGuard("If-None-Match: \"x\"\r\n") == false)
        #expect(hasGuard("") == false)
    }

    @Test("5 guard.js that the client has: the head alone, without a length")
    func notModified() {
        let text = written(.guardModule(isKnown: true))
        #expect(text.hasPrefix("HTTP/1.1 304 Not Modified\r\n"))
        #expect(text.contains("\r\nETag: \""))
        #expect(text.hasSuffix("\r\n\r\n"))
        #expect(!text.contains("\r\nContent-"))
        let head = written(.guardModule(isKnown: false), isHead: true)
        #expect(head.hasSuffix("\r\n\r\n"))
    }

    @Test("5 a stream of events: a head without a length, and its framing")
    func stream() {
        let start =
            "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Type: text/event-stream\r\n"
            + "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\nVary: Origin\r\n"
            + "Connection: close\r\n"
        #expect(
            written(.eventStream(isChunked: true), closes: true)
                == start + "Transfer-Encoding: chunked\r\n\r\n"
        )
        #expect(written(.eventStream(isChunked: false), closes: true) == start + "\r\n")
    }

    @Test("5 what is not there, and what is not done there")
    func missing() {
        #expect(written(.notFound).hasPrefix("HTTP/1.1 404 Not Found\r\n\(json)"))
        let text = written(.methodNotAllowed(StaticText("GET, HEAD")))
        #expect(text.hasPrefix("HTTP/1.1 405 Method Not Allowed\r\n\(json)Allow: GET, HEAD\r\n"))
        #expect(text.hasSuffix("\"}"))
    }
}
