import Exchange
import Memory
import Settings
import Testing

@testable import Sessions

private let backendCookie = rules {
    $0.carrierCookie = "SID"
    $0.capture = []
}

private let scope = CookieScope(
    path: Array("/app".utf8),
    domain: Array("a.example".utf8),
    isSecure: true,
    hasDefaultPath: false,
    attributes: Array("; HttpOnly".utf8)
)
private let expiry =
    "Set-Cookie: SID=; Path=/app; Domain=a.example; Max-Age=0; "
    + "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; HttpOnly\r\n"

private func answered(
    _ answer: Answer,
    pages: StaleSettings.Pages = .pass,
    isHead: Bool = false
) -> String {
    var settings = Settings()
    settings.stale.pages = pages
    var frame = AnswerFrame()
    frame.isHead = isHead
    var out = Buffer()
    AnswerWriter(settings: settings).write(
        answer,
        frame: frame,
        date: line("Date: x\r\n"),
        rules: backendCookie,
        into: &out
    )
    return string(out)
}

/// Contract 2: how what the session rules decide is written.
struct CarrierWritingTests {
    @Test("2.1 a 401 expires the backend's cookies with the path and domain they were set with")
    func expiredScopes() {
        var end = SessionEnd(reason: .backendRestart, expiresCookie: false)
        end.scopes = [scope, .root]
        let text = answered(.sessionEnded(end))
        #expect(text.contains("X-Session-Cleared: backend-restart\r\n" + expiry))
        #expect(text.contains(expiry + "Set-Cookie: SID=; Path=/; Max-Age=0; "))
    }

    @Test("2.4 a navigation is sent to the page of stale.pages: every byte")
    func redirect() {
        var end = SessionEnd(reason: .expired, expiresCookie: true)
        end.isNavigation = true
        let start =
            "HTTP/1.1 303 See Other\r\nDate: x\r\nCache-Control: no-store\r\n"
            + "Vary: Origin\r\n"
        let cookie = "Set-Cookie: lychgate=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0\r\n"
        let place = "Location: /login?gone=1\r\n"
        let rest = "Content-Length: 0\r\n\r\n"
        let pages = StaleSettings.Pages.redirect(to: "/login?gone=1")
        for isHead in [true, false] {
            #expect(
                answered(.sessionEnded(end), pages: pages, isHead: isHead)
                    == start + "X-Session-Cleared: expired\r\n" + place + cookie + rest
            )
            #expect(answered(.loginNeeded, pages: pages, isHead: isHead) == start + place + rest)
        }
        end.isNavigation = false
        #expect(answered(.sessionEnded(end), pages: pages).hasPrefix("HTTP/1.1 401 "))
    }

    @Test("2.5 a cross-site request: every byte")
    func crossSite() {
        let content = #"{"reason":"CROSS_ORIGIN","message":"Another site made this request"}"#
        #expect(
            answered(.crossSite)
                == "HTTP/1.1 403 Forbidden\r\nDate: x\r\nContent-Type: application/json\r\n"
                + "Cache-Control: no-store\r\nVary: Origin\r\n"
                + "Content-Length: \(content.utf8.count)\r\n\r\n"
                + content
        )
    }

    @Test("2.1 stale values of the backend's cookie are cut out, wherever they stand")
    func cutCookies() {
        let head =
            "GET / HTTP/1.1\r\nCookie: SID=1; a=1\r\nHost: a\r\ncookie: SID=2\r\n"
            + "Cookie: b=2;SID=3 ; SID=4\r\n\r\n"
        func cut(_ bits: UInt64) -> String {
            rewritten(head, rules: backendCookie) { _ in
                var edits = RequestEdits()
                edits.cutCookies = bits
                return edits
            }
        }
        let end = forwarding + via + "\r\n"
        #expect(cut(0) == head.dropLast() + end)
        #expect(
            cut(0b0110)
                == "GET / HTTP/1.1\r\nCookie: SID=1; a=1\r\nHost: a\r\nCookie: b=2; SID=4\r\n" + end
        )
        #expect(
            cut(0b1001)
                == "GET / HTTP/1.1\r\nCookie: a=1\r\nHost: a\r\ncookie: SID=2\r\n"
                + "Cookie: b=2;SID=3 \r\n" + end
        )
        #expect(cut(.max) == "GET / HTTP/1.1\r\nCookie: a=1\r\nHost: a\r\nCookie: b=2\r\n" + end)
    }

    @Test("2.2 a cookie that is captured does not go to the client, in early hints neither")
    func hiddenCookies() {
        let hiding = rules { $0.capture = [.cookie(name: "S"), .cookie(name: "K", keep: true)] }
        let fields = "Set-Cookie: a=1\r\nSet-Cookie: S=secret; Path=/\r\nset-cookie: K=2\r\n"
        let left = "Set-Cookie: a=1\r\nset-cookie: K=2\r\n"
        let text = "HTTP/1.1 200 OK\r\n" + fields + "Content-Length: 2\r\n\r\n"
        #expect(
            rewrittenResponse(text, date: "Date: x\r\n", rules: hiding)
                == "HTTP/1.1 200 OK\r\n" + left + "Content-Length: 2\r\nDate: x\r\n\r\n"
        )
        let early = "HTTP/1.1 103 Early Hints\r\n" + fields + "\r\n"
        #expect(
            rewrittenResponse(early, isInterim: true, rules: hiding)
                == "HTTP/1.1 103 Early Hints\r\n" + left + "\r\n"
        )
        #expect(rewrittenResponse(early, isInterim: true) == early)
    }

    @Test("2.2 redacted content has its own length, and nothing vouches for the old")
    func redacted() {
        let text =
            "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 30\r\nX: 1\r\nContent-MD5: a\r\n"
            + "Content-Digest: a\r\nrepr-digest: a\r\nDigest: a\r\nAccept-Ranges: bytes\r\n\r\n"
        let written = rewrittenResponse(text, date: "Date: x\r\n", rules: backendCookie) { _ in
            var edits = ResponseEdits()
            edits.isRedacted = true
            edits.contentLength = 12
            edits.expiredScopes = [scope]
            return edits
        }
        #expect(
            written.replacing(expiry, with: "")
                == "HTTP/1.1 200 OK\r\nX: 1\r\nDate: x\r\nContent-Length: 12\r\n\r\n"
        )
        #expect(written.contains(expiry))
    }
}
