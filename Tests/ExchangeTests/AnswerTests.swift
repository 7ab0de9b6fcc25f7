import Exchange
import Foundation
import Memory
import Sessions
import Settings
import Testing

private let json =
    "Content-Type: application/json\r\nCache-Control: no-store\r\nVary: Origin\r\n"
private let challenge = "WWW-Authenticate: Session realm=\"lychgate\"\r\n"
private let notFound =
    #"{"valid":false,"reason":"SESSION_NOT_FOUND","#
    + #""message":"Session not found - please reconnect"}"#
private let expired =
    "Set-Cookie: lychgate=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0\r\n"

private let ends: [Answer] = [ClearedReason.backendRestart, .unknown, .expired].flatMap { reason in
    [true, false].map { .sessionEnded(SessionEnd(reason: reason, expiresCookie: $0)) }
}

private let refusals: [Answer] = [400, 408, 413, 414, 417, 431, 501, 505, 499].map {
    .refused(status: $0, reason: StaticText("bare line feed"))
}

private let all: [Answer] =
    ends + refusals + [
        .sessionMissing, .sessionKept(repeatIsHarmless: true),
        .sessionKept(repeatIsHarmless: false), .unreachable, .timeout, .badResponse, .overloaded,
    ]

private func written(
    _ answer: Answer,
    date: String = "",
    rules: SessionRules = rules(),
    frame: (inout AnswerFrame) -> Void = { _ in },
    stale: (inout StaleSettings) -> Void = { _ in }
) -> String {
    var settings = Settings()
    stale(&settings.stale)
    var described = AnswerFrame()
    frame(&described)
    var out = Buffer()
    AnswerWriter(settings: settings).write(
        answer,
        frame: described,
        date: line(date),
        rules: rules,
        into: &out
    )
    return string(out)
}

/// Head and content.
private func parts(_ text: String) throws -> (head: String, content: String) {
    let gap = try #require(text.firstRange(of: "\r\n\r\n"))
    return (String(text[..<gap.upperBound]), String(text[gap.upperBound...]))
}

private func members(_ content: String) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(content.utf8))
    return try #require(object as? [String: Any])
}

struct AnswerTests {
    @Test("4.1 a session that has ended: every byte")
    func ended() {
        let restart = SessionEnd(reason: .backendRestart, expiresCookie: true)
        #expect(
            written(.sessionEnded(restart))
                == "HTTP/1.1 401 Unauthorized\r\n" + json + challenge
                + "X-Session-Cleared: backend-restart\r\n" + expired
                + "Content-Length: 93\r\n\r\n" + notFound
        )
        let unknown = SessionEnd(reason: .unknown, expiresCookie: false)
        #expect(
            written(.sessionEnded(unknown))
                == "HTTP/1.1 401 Unauthorized\r\n" + json + challenge
                + "X-Session-Cleared: unknown\r\n" + "Content-Length: 93\r\n\r\n" + notFound
        )
        let old = SessionEnd(reason: .expired, expiresCookie: true)
        #expect(
            written(.sessionEnded(old)) { $0.isSecure = true }
                == "HTTP/1.1 401 Unauthorized\r\n" + json + challenge
                + "X-Session-Cleared: expired\r\n"
                + "Set-Cookie: __Host-lychgate=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0; Secure"
                + "\r\nContent-Length: 93\r\n\r\n" + notFound
        )
    }

    @Test("4.1 no session on a path that needs one: every byte")
    func missing() {
        let content =
            #"{"valid":false,"reason":"NO_SESSION_ID","message":"No session ID provided"}"#
        #expect(
            written(.sessionMissing)
                == "HTTP/1.1 401 Unauthorized\r\n" + json + challenge
                + "Content-Length: \(content.utf8.count)\r\n\r\n" + content
        )
    }

    @Test("4.1 the backend cannot be asked: every byte, Retry-After where it is harmless")
    func kept() {
        let content =
            #"{"valid":true,"reason":"backend-unreachable","#
            + #""message":"The backend cannot be reached - try again later"}"#
        let start = "HTTP/1.1 503 Service Unavailable\r\n" + json
        let rest = "Content-Length: \(content.utf8.count)\r\n\r\n" + content
        #expect(
            written(.sessionKept(repeatIsHarmless: true)) == start + "Retry-After: 1\r\n" + rest
        )
        #expect(written(.sessionKept(repeatIsHarmless: false)) == start + rest)
    }

    @Test("4.1 without a session: every byte")
    func withoutSession() {
        let unreachable =
            #"{"reason":"backend-unreachable","message":"The backend cannot be reached"}"#
        let late = #"{"reason":"timeout","message":"The backend did not answer in time"}"#
        let bad = #"{"reason":"bad-response","message":"The backend's answer is malformed"}"#
        let many = #"{"reason":"overloaded","message":"Too many requests at once"}"#
        func expected(_ status: String, _ content: String, _ more: String = "") -> String {
            "HTTP/1.1 \(status)\r\n\(json)\(more)"
                + "Content-Length: \(content.utf8.count)\r\n\r\n\(content)"
        }
        #expect(written(.unreachable) == expected("502 Bad Gateway", unreachable))
        #expect(written(.timeout) == expected("504 Gateway Timeout", late))
        #expect(written(.badResponse) == expected("502 Bad Gateway", bad))
        let retry = "Retry-After: 1\r\n"
        #expect(written(.overloaded) == expected("503 Service Unavailable", many, retry))
    }

    @Test("7 a refusal names its reason and closes")
    func refused() {
        let content = #"{"reason":"bad-request","message":"bare CR"}"#
        #expect(
            written(.refused(status: 400, reason: StaticText("bare CR"))) { $0.closes = true }
                == "HTTP/1.1 400 Bad Request\r\n" + json + "Connection: close\r\n"
                + "Content-Length: \(content.utf8.count)\r\n\r\n" + content
        )
    }

    @Test("4.1 each answer: its status, its length, JSON, and the head alone for HEAD")
    func each() throws {
        let writer = AnswerWriter(settings: Settings())
        for answer in all {
            let text = written(answer)
            let (head, content) = try parts(text)
            #expect(head.hasPrefix("HTTP/1.1 \(writer.status(of: answer)) "))
            #expect(head.contains("\r\nContent-Length: \(content.utf8.count)\r\n"))
            #expect(head.contains("\r\n" + json))
            #expect(!head.contains("Connection:"))
            let found = try members(content)
            #expect(found["reason"] is String)
            #expect(found["message"] is String)
            #expect(head.contains("WWW-Authenticate") == (writer.status(of: answer) == 401))
            #expect(written(answer) { $0.isHead = true } == head)
        }
    }

    @Test("7 the connection: close, or keep-alive for a client of HTTP/1.0, never both")
    func connection() throws {
        for answer in all {
            let (plain, content) = try parts(written(answer))
            let length = "Content-Length: \(content.utf8.count)\r\n"
            let start = plain.replacing(length + "\r\n", with: "")
            let closed = written(answer) { $0.closes = true }
            #expect(closed == start + "Connection: close\r\n" + length + "\r\n" + content)
            let kept = written(answer) { $0.saysKeepAlive = true }
            #expect(kept == start + "Connection: keep-alive\r\n" + length + "\r\n" + content)
            let both = written(answer) {
                $0.closes = true
                $0.saysKeepAlive = true
            }
            #expect(both == closed)
        }
    }

    @Test("4.1 the expired cookie is the one that the client has")
    func cookieSettings() {
        let rules = rules {
            $0.cookie.name = "gate"
            $0.cookie.secure = .always
            $0.cookie.sameSite = .strict
        }
        let end = SessionEnd(reason: .unknown, expiresCookie: true)
        let text = written(.sessionEnded(end), rules: rules)
        let cookie = "__Host-gate=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0; Secure"
        #expect(text.contains("\r\nSet-Cookie: \(cookie)\r\n"))
    }

    @Test(
        "4.1 configured status, reason and message",
        arguments: [
            ("quote \" and \\ back", "a\nb\r\tc\u{1}\u{1F}"),
            ("", ""),
            ("gr\u{FC}\u{DF}e", "\u{1F6AA} \u{2028} \u{7F}/</script>"),
        ]
    )
    func configured(_ reason: String, _ message: String) throws {
        let end = SessionEnd(reason: .backendRestart, expiresCookie: false)
        let text = written(
            .sessionEnded(end),
            stale: {
                $0.status = 440
                $0.reason = reason
                $0.message = message
            }
        )
        let (head, content) = try parts(text)
        #expect(head.hasPrefix("HTTP/1.1 440 Session Expired\r\n"))
        #expect(!head.contains("WWW-Authenticate"))
        #expect(head.contains("\r\nContent-Length: \(content.utf8.count)\r\n"))
        #expect(!content.utf8.contains { $0 < 0x20 })
        let found = try members(content)
        #expect(found["valid"] as? Bool == false)
        #expect(found["reason"] as? String == reason)
        #expect(found["message"] as? String == message)
    }

    @Test("4.1 stale.format: json-rpc is an error that Model Context Protocol clients read")
    func jsonRPC() {
        let end = SessionEnd(reason: .backendRestart, expiresCookie: false)
        let text = written(
            .sessionEnded(end),
            stale: {
                $0.status = 404
                $0.format = .jsonRPC
                $0.message = "gone \"x\""
            }
        )
        let content =
            #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"gone \"x\"","#
            + #""data":{"reason":"SESSION_NOT_FOUND"}}}"#
        #expect(
            text == "HTTP/1.1 404 Not Found\r\n" + json + "X-Session-Cleared: backend-restart\r\n"
                + "Content-Length: \(content.utf8.count)\r\n\r\n" + content
        )
    }

    @Test("RFC 8259 string literals")
    func jsonString() {
        #expect(AnswerWriter.jsonString("") == #""""#)
        #expect(AnswerWriter.jsonString("a\"b\\c\nd") == #""a\"b\\c\nd""#)
        #expect(AnswerWriter.jsonString("\0\r\u{1F} ") == #""\u0000\u000d\u001f ""#)
        // One Character of two scalars, both to be looked at.
        #expect(AnswerWriter.jsonString("\r\n\"\u{301}") == "\"\\u000d\\n\\\"\u{301}\"")
    }

    @Test("an answer is appended, the way that pipelined ones are")
    func appended() {
        var out = Buffer()
        let writer = AnswerWriter(settings: Settings())
        let rules = rules()
        for answer in [Answer.timeout, .sessionMissing] {
            writer.write(
                answer,
                frame: AnswerFrame(),
                date: Buffer(),
                rules: rules,
                into: &out
            )
        }
        #expect(string(out) == written(.timeout) + written(.sessionMissing))
    }

    @Test("RFC 9110 7.6.2, 9.3.7 OPTIONS that ends here is answered without content")
    func ownOptions() {
        #expect(
            written(.ownOptions)
                == "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nVary: Origin\r\n"
                + "Content-Length: 0\r\n\r\n"
        )
    }

    @Test("RFC 9110 6.6.1 every answer has its date")
    func date() throws {
        let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        for answer in all + [.ownOptions] {
            let text = written(answer, date: date)
            let first = try #require(text.firstRange(of: "\r\n"))
            #expect(text[first.upperBound...].hasPrefix(date))
            #expect(text.replacing(date, with: "", maxReplacements: 1) == written(answer))
        }
    }
}
