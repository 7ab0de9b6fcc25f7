import Exchange
import Foundation
import Sessions
import Settings
import Testing

struct ResponseRewriterTests {
    private let shop = Workshop()

    @Test("7 names, order and duplicates stay; hop-by-hop fields end here")
    func transparency() {
        let lines = shop.response([
            "HTTP/1.1 200 Fine", "x-a: 1", "Connection: x-mine", "X-Mine: 2", "X-A: 3",
            "Keep-Alive: timeout=5", "Content-Length: 4", "Set-Cookie: a=b", "Set-Cookie: c=d",
        ])
        #expect(
            lines == [
                "HTTP/1.1 200 Fine", "x-a: 1", "X-A: 3", "Content-Length: 4", "Set-Cookie: a=b",
                "Set-Cookie: c=d",
            ]
        )
    }

    @Test("7 how the content travels: as received, chunked anew, or until the end")
    func framing() {
        let chunked = ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"]
        #expect(shop.response(chunked) == ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"])
        let endless = ["HTTP/1.1 200 OK"]
        #expect(shop.response(endless) == ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"])
        let old = shop.response(chunked) {
            $0.framing = .untilClose
            $0.closes = true
        }
        #expect(old == ["HTTP/1.1 200 OK", "Connection: close"])
        let kept = shop.response(["HTTP/1.1 200 OK", "Content-Length: 1"]) {
            $0.saysKeepAlive = true
        }
        #expect(kept == ["HTTP/1.1 200 OK", "Content-Length: 1", "Connection: keep-alive"])
    }

    @Test("2.2 a captured session: the cookie, and no shared cache")
    func captured() {
        let cookie = shop.cookie()
        func lines(_ cacheControl: [String]) -> [String] {
            shop.response(["HTTP/1.1 200 OK", "Content-Length: 0"] + cacheControl) {
                $0.newCookie = cookie
            }
        }
        let plain = lines([])
        #expect(plain.count == 4)
        #expect(plain[2].hasPrefix("Set-Cookie: lychgate="))
        #expect(plain[2].hasSuffix("; HttpOnly; SameSite=Lax; Path=/; Max-Age=604800"))
        #expect(plain[3] == "Cache-Control: private")
        #expect(!lines(["Cache-Control: no-store"]).contains("Cache-Control: private"))
        let shared = lines(["Cache-Control: public, max-age=60"])
        #expect(shared.filter { $0.hasPrefix("Cache-Control") } == ["Cache-Control: private"])
    }

    @Test("2.2 Vary: Cookie, unless it is there")
    func vary() {
        let added = shop.response(["HTTP/1.1 204 No", "Vary: Accept"]) { $0.variesByCookie = true }
        #expect(added == ["HTTP/1.1 204 No", "Vary: Accept", "Vary: Cookie"])
        let there = shop.response(["HTTP/1.1 204 No", "vary: x, COOKIE"]) {
            $0.variesByCookie = true
        }
        #expect(there == ["HTTP/1.1 204 No", "vary: x, COOKIE"])
    }

    @Test("7 an interim response passes with its fields")
    func interim() {
        let lines = shop.response(["HTTP/1.1 103 Early Hints", "Link: </a>", "Connection: x"])
        #expect(lines == ["HTTP/1.1 103 Early Hints", "Link: </a>"])
    }
}

struct AnswerWriterTests {
    private let shop = Workshop()

    private static let all: [Answer] = [
        .sessionEnded(SessionEnd(reason: .backendRestart, expiresCookie: true)),
        .sessionEnded(SessionEnd(reason: .unknown, expiresCookie: false)), .sessionMissing,
        .sessionKept(repeatIsHarmless: true), .sessionKept(repeatIsHarmless: false), .unreachable,
        .timeout, .badResponse, .overloaded,
        .refused(status: 400, reason: StaticText("malformed")),
    ]

    @Test("4.1 the one clean 401, to the letter")
    func stale() {
        let end = SessionEnd(reason: .backendRestart, expiresCookie: true)
        let content =
            #"{"valid":false,"reason":"SESSION_NOT_FOUND","#
            + #""message":"Session not found - please reconnect"}"#
        let expected = [
            "HTTP/1.1 401 Unauthorized", "Content-Type: application/json",
            "Cache-Control: no-store", "WWW-Authenticate: Session realm=\"lychgate\"",
            "X-Session-Cleared: backend-restart",
            "Set-Cookie: lychgate=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0",
            "Content-Length: \(content.utf8.count)", "", content,
        ]
        #expect(shop.answer(.sessionEnded(end)) == expected.joined(separator: "\r\n"))
    }

    @Test("4.1 every answer: JSON of the length that it says, no-store", arguments: all)
    func sound(answer: Answer) throws {
        let text = shop.answer(answer)
        let parts = try #require(text.range(of: "\r\n\r\n"))
        let head = text[..<parts.lowerBound]
        let content = text[parts.upperBound...]
        #expect(head.contains("\r\nContent-Type: application/json"))
        #expect(head.contains("\r\nCache-Control: no-store"))
        #expect(head.contains("\r\nContent-Length: \(content.utf8.count)"))
        let object = try JSONSerialization.jsonObject(with: Data(content.utf8))
        #expect((object as? [String: Any])?["reason"] is String)
        let headOnly = shop.answer(answer) { $0.isHead = true }
        #expect(headOnly == text[..<parts.upperBound])
        let closing = shop.answer(answer) { $0.closes = true }
        #expect(closing.contains("\r\nConnection: close\r\n"))
    }

    @Test("4.1 Retry-After only where a repeat is harmless")
    func retryAfter() {
        #expect(shop.answer(.sessionKept(repeatIsHarmless: true)).contains("Retry-After: 1\r\n"))
        #expect(!shop.answer(.sessionKept(repeatIsHarmless: false)).contains("Retry-After"))
        #expect(!shop.answer(.unreachable).contains("Retry-After"))
    }

    @Test("4.1 status, reason and message are configurable, and escaped as JSON")
    func configured() throws {
        let shop = Workshop {
            $0.stale.status = 440
            $0.stale.reason = "A\"B\\C"
            $0.stale.message = "Sitzung beendet – bitte neu anmelden"
        }
        let text = shop.answer(
            .sessionEnded(SessionEnd(reason: .expired, expiresCookie: false))
        )
        #expect(text.hasPrefix("HTTP/1.1 440 "))
        #expect(!text.contains("WWW-Authenticate"), "that belongs to a 401")
        let content = try #require(text.range(of: "\r\n\r\n")).upperBound
        let object = try JSONSerialization.jsonObject(with: Data(text[content...].utf8))
        let members = try #require(object as? [String: Any])
        #expect(members["reason"] as? String == "A\"B\\C")
        #expect(members["message"] as? String == "Sitzung beendet – bitte neu anmelden")
    }

    @Test("control characters in a JSON string are escaped (RFC 8259 §7)")
    func controlCharacters() {
        #expect(AnswerWriter.jsonString("a\u{1}\n\"") == #""a\u0001\n\"""#)
    }
}
