import Exchange
import HTTPModel
import Settings
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

struct RequestRewriterTests {
    @Test("7 names, order, duplicates and spacing stay; what is added stands behind")
    func kept() {
        let head =
            "GET /a?b HTTP/1.1\r\nhOsT: a\r\nX-A:1\r\nx-a:  2 \t\r\nAccept: */*\r\nX-A:\r\n"
        #expect(rewritten(head + "\r\n") == head + forwarding + via + "\r\n")
    }

    @Test("7 the version is our own, and Via says the client's")
    func version() {
        #expect(
            rewritten("GET / HTTP/1.0\r\nHost: a\r\n\r\n")
                == "GET / HTTP/1.1\r\nHost: a\r\n" + forwarding + "Via: 1.0 lychgate\r\n\r\n"
        )
    }

    @Test("7 Via with another name, or none; one that is there stays")
    func viaSettings() {
        var settings = Settings()
        let head = "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 other\r\n"
        settings.via = "gate.example"
        #expect(
            rewritten(head + "\r\n", settings: settings)
                == head + forwarding + "Via: 1.1 gate.example\r\n\r\n"
        )
        settings.via = nil
        #expect(rewritten(head + "\r\n", settings: settings) == head + forwarding + "\r\n")
    }

    @Test("7 hop-by-hop fields and those that Connection nominates go, first, middle and last")
    func hopByHop() {
        let head =
            "GET / HTTP/1.1\r\nConnection: x-gone, keep-alive\r\nHost: a\r\nKeep-Alive: 5\r\n"
            + "X-Stays: 1\r\nX-Gone: 2\r\nProxy-Connection: close\r\nTE: trailers\r\n"
            + "Upgrade: h2c\r\nx-GONE: 3\r\nX-Too: 4\r\nConnection: close\r\n\r\n"
        #expect(
            rewritten(head)
                == "GET / HTTP/1.1\r\nHost: a\r\nX-Stays: 1\r\nX-Too: 4\r\n"
                + "TE: trailers\r\nConnection: TE\r\n" + forwarding + via + "\r\n"
        )
    }

    @Test("7 what Connection nominates cannot take an injected or needed field away")
    func nominations() {
        let fields = "Host: a\r\nX-Session-ID: client\r\nCookie: a=1\r\nAuthorization: b\r\n"
        let head =
            "GET / HTTP/1.1\r\n" + fields
            + "Connection: X-Session-ID, X-Forwarded-For, Via, Host, Cookie, Authorization\r\n\r\n"
        #expect(rewritten(head) == "GET / HTTP/1.1\r\n" + fields + forwarding + via + "\r\n")
        let injecting =
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Session-ID\r\nConnection: x-session-id\r\n"
        let written = rewritten(injecting + "\r\n") { _ in
            var edits = RequestEdits()
            edits.injected = bytes("secret")
            return edits
        }
        #expect(
            written
                == "GET / HTTP/1.1\r\nHost: a\r\n" + forwarding + via
                + "X-Session-ID: secret\r\n\r\n"
        )
    }

    @Test("2.1 the session is injected under the configured name")
    func carrierName() {
        var settings = Settings()
        settings.session.carrierHeader = "X-Gate"
        let written = rewritten("GET / HTTP/1.1\r\nHost: a\r\n\r\n", settings: settings) { _ in
            var edits = RequestEdits()
            edits.injected = bytes("s-1")
            edits.asksIdentityCoding = true
            return edits
        }
        #expect(
            written
                == "GET / HTTP/1.1\r\nHost: a\r\n" + forwarding + via
                + "Accept-Encoding: identity\r\nX-Gate: s-1\r\n\r\n"
        )
    }

    @Test("2.2 Accept-Encoding is replaced where a rule reads the answer")
    func identityCoding() {
        let head =
            "GET / HTTP/1.1\r\nAccept-Encoding: gzip\r\nHost: a\r\naccept-encoding: br\r\n\r\n"
        let written = rewritten(head) { _ in
            var edits = RequestEdits()
            edits.asksIdentityCoding = true
            return edits
        }
        #expect(
            written
                == "GET / HTTP/1.1\r\nHost: a\r\n" + forwarding + via
                + "Accept-Encoding: identity\r\n\r\n"
        )
    }

    @Test("7 X-Forwarded-* of a client that is not trusted are replaced, Forwarded dropped")
    func untrusted() {
        let head =
            "GET / HTTP/1.1\r\nX-Forwarded-For: 1.1.1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\n"
            + "X-Forwarded-Host: evil\r\nForwarded: for=1.1.1.1\r\nX-Forwarded-Port: 1\r\n\r\n"
        #expect(
            rewritten(head)
                == "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Port: 1\r\n" + forwarding + via
                + "\r\n"
        )
        #expect(
            rewritten("GET / HTTP/1.1\r\nHost: a\r\n\r\n", client: client(isSecure: true))
                == "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\n"
                + "X-Forwarded-Proto: https\r\nX-Forwarded-Host: a\r\n" + via + "\r\n"
        )
    }

    @Test("7 X-Forwarded-* of a trusted client are extended, and the rest is kept")
    func trusted() {
        let head =
            "GET / HTTP/1.1\r\nX-Forwarded-For: 1.1.1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\n"
            + "Forwarded: for=1.1.1.1\r\nX-Forwarded-For:\r\nX-Forwarded-For: 2.2.2.2, 3.3.3.3\r\n"
            + "X-Forwarded-Host: front\r\n\r\n"
        #expect(
            rewritten(head, client: client(isTrusted: true))
                == "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\n"
                + "Forwarded: for=1.1.1.1\r\nX-Forwarded-Host: front\r\n"
                + "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, 192.0.2.7\r\n" + via + "\r\n"
        )
        let bare = "GET / HTTP/1.1\r\nHost: a\r\n"
        #expect(
            rewritten(bare + "\r\n", client: client(isTrusted: true))
                == bare + forwarding + via + "\r\n"
        )
    }

    @Test("RFC 9112 3.2.4 absolute-form becomes origin-form")
    func absoluteForm() {
        let cases = [
            ("GET http://a/b?c", "GET /b?c"), ("GET http://a", "GET /"),
            ("GET http://a?q", "GET /?q"), ("OPTIONS http://a", "OPTIONS *"),
            ("OPTIONS http://a/", "OPTIONS /"), ("OPTIONS http://a?q", "OPTIONS /?q"),
            ("OPTIONS *", "OPTIONS *"), ("FOO /a%20b", "FOO /a%20b"),
        ]
        for (line, expected) in cases {
            #expect(
                rewritten("\(line) HTTP/1.1\r\nHost: a\r\n\r\n")
                    == "\(expected) HTTP/1.1\r\nHost: a\r\n" + forwarding + via + "\r\n"
            )
        }
    }

    @Test("RFC 9112 3.2.2 the authority of an absolute target takes the place of Host")
    func absoluteHost() {
        #expect(
            rewritten("GET http://b:81/x HTTP/1.1\r\nX: 1\r\nHost: a\r\nY: 2\r\n\r\n")
                == "GET /x HTTP/1.1\r\nX: 1\r\nHost: b:81\r\nY: 2\r\nX-Forwarded-For: 192.0.2.7\r\n"
                + "X-Forwarded-Proto: http\r\nX-Forwarded-Host: b:81\r\n" + via + "\r\n"
        )
    }

    @Test("RFC 9110 10.1.1 what a client of HTTP/1.0 expects is ignored")
    func oldExpectation() {
        for (version, line) in [("1.0", ""), ("1.1", "Expect: 100-continue\r\n")] {
            let head = "POST / HTTP/\(version)\r\nHost: a\r\nExpect: 100-continue\r\n"
            let found = rewritten(head + "Content-Length: 1\r\n\r\n")
            #expect(
                found.hasPrefix("POST / HTTP/1.1\r\nHost: a\r\n\(line)Content-Length: 1\r\n")
            )
        }
    }

    @Test("7 Host is kept; without one it is the target's, else the backend's")
    func host() {
        let rest = "Via: 1.0 lychgate\r\n\r\n"
        #expect(
            rewritten("GET / HTTP/1.0\r\n\r\n")
                == "GET / HTTP/1.1\r\nHost: backend:8000\r\nX-Forwarded-For: 192.0.2.7\r\n"
                + "X-Forwarded-Proto: http\r\n" + rest
        )
        #expect(
            rewritten("GET http://a:81/x HTTP/1.0\r\nX: 1\r\n\r\n")
                == "GET /x HTTP/1.1\r\nX: 1\r\nHost: a:81\r\nX-Forwarded-For: 192.0.2.7\r\n"
                + "X-Forwarded-Proto: http\r\nX-Forwarded-Host: a:81\r\n" + rest
        )
    }

    @Test("2.1 the jar cookie is cut out of Cookie, and the field goes when nothing is left")
    func cookie() {
        func cut(_ fields: String) -> String {
            rewritten("GET / HTTP/1.1\r\n\(fields)Host: a\r\n\r\n") { _ in
                var edits = RequestEdits()
                edits.cutsJarCookie = true
                return edits
            }
        }
        let jar = "lychgate=0123456789012345678901"
        let cases = [
            ("Cookie: \(jar)\r\n", ""),
            ("cookie: a=1; \(jar); b=2\r\n", "cookie: a=1; b=2\r\n"),
            ("Cookie: \(jar); b=2\r\n", "Cookie: b=2\r\n"),
            ("Cookie: a=1; __Host-\(jar)\r\n", "Cookie: a=1\r\n"),
            ("Cookie: \(jar)\r\nX: 1\r\nCookie: c=\"3\"\r\n", "X: 1\r\nCookie: c=\"3\"\r\n"),
        ]
        for (fields, expected) in cases {
            #expect(
                cut(fields)
                    == "GET / HTTP/1.1\r\n\(expected)Host: a\r\n" + forwarding + via + "\r\n"
            )
        }
        let untouched = "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1; \(jar)\r\n"
        #expect(rewritten(untouched + "\r\n") == untouched + forwarding + via + "\r\n")
    }

    @Test("2.1 a session field that does not count is left out, wherever it stands")
    func droppedLine() {
        let carrier = "X-Session-ID: old\r\n"
        for (before, after) in [
            ("", "Host: a\r\n"), ("Host: a\r\n", ""), ("A: 1\r\n", "Host: a\r\n"),
        ] {
            let index = before.isEmpty ? 0 : 1
            let text = "GET / HTTP/1.1\r\n" + before + carrier + after + "\r\n"
            let written = rewritten(text) { _ in
                var edits = RequestEdits()
                edits.droppedLine = index
                edits.injected = bytes("new")
                return edits
            }
            #expect(
                written
                    == "GET / HTTP/1.1\r\n" + before + after + forwarding + via
                    + "X-Session-ID: new\r\n\r\n"
            )
        }
    }

    @Test("7 content: chunked is said anew, a length is kept")
    func framing() {
        #expect(
            rewritten(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nTrailer: X\r\n\r\n"
            )
                == "POST / HTTP/1.1\r\nHost: a\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\n"
                + forwarding + via + "\r\n"
        )
        let length = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n"
        #expect(
            rewritten(length + "Connection: Content-Length\r\n\r\n")
                == length + forwarding + via + "\r\n"
        )
    }

    @Test("7 empty lines before the request are not passed on")
    func leadingLines() {
        let head = "GET / HTTP/1.1\r\nHost: a\r\n"
        #expect(rewritten("\r\n" + head + "\r\n") == head + forwarding + via + "\r\n")
    }

    @Test("7 whether the client's connection is secure, and who is believed about it")
    func security() {
        let https = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: HTTPS\r\n\r\n"
        let plain = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: http\r\n\r\n"
        let silent = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(isSecure(https, client(isTrusted: true)) == true)
        #expect(isSecure(plain, client(isTrusted: true)) == false)
        #expect(isSecure(silent, client(isTrusted: true)) == false)
        #expect(isSecure(https, client()) == false)
        #expect(isSecure(plain, client(isTrusted: true, isSecure: true)) == true)
        #expect(isSecure(silent, client(isSecure: true)) == true)
    }
}
