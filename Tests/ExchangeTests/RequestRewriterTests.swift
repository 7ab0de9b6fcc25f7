import Exchange
import Settings
import Testing

struct RequestRewriterTests {
    private let shop = Workshop()
    private let forwarded = [
        "X-Forwarded-For: 10.0.0.9", "X-Forwarded-Proto: http", "X-Forwarded-Host: a:81",
        "Via: 1.1 lychgate",
    ]

    @Test("7 names, order, duplicates and spacing stay; what is added stands behind")
    func transparency() {
        let kept = ["Host: a:81", "X-B:1", "x-a:  two  words ", "X-B: 3", "Empty:", "Cookie: c=d"]
        let sent = shop.request(["GET /a%2F?q=%00 HTTP/1.1"] + kept)
        #expect(sent == ["GET /a%2F?q=%00 HTTP/1.1"] + kept + forwarded)
    }

    @Test("7 hop-by-hop fields and what Connection nominates end here")
    func hopByHop() {
        let sent = shop.request([
            "GET / HTTP/1.1", "Connection: X-Mine, close", "Host: a:81", "Keep-Alive: 5",
            "X-Mine: 1", "TE: gzip", "Upgrade: h2c", "Proxy-Connection: x", "X-Kept: 1",
        ])
        #expect(sent == ["GET / HTTP/1.1", "Host: a:81", "X-Kept: 1"] + forwarded)
    }

    @Test("7 Connection takes neither the injected field away nor the client's own session")
    func nominatedSession() {
        let injected = shop.request(
            ["GET / HTTP/1.1", "Host: a:81", "Connection: X-Session-ID, Cookie, Host"]
        ) { $0.injected = Array("s1".utf8) }
        #expect(injected == ["GET / HTTP/1.1", "Host: a:81"] + forwarded + ["X-Session-ID: s1"])
        let held = shop.request([
            "GET / HTTP/1.1", "Host: a:81", "Connection: x-session-id", "X-Session-ID: mine",
        ])
        #expect(held == ["GET / HTTP/1.1", "Host: a:81", "X-Session-ID: mine"] + forwarded)
    }

    @Test("2.4 a stale session field is left out, that line alone")
    func droppedLine() {
        let sent = shop.request(
            ["GET / HTTP/1.1", "A: 1", "X-Session-ID: stale", "Host: a:81", "B: 2"]
        ) { $0.droppedLine = 1 }
        #expect(sent == ["GET / HTTP/1.1", "A: 1", "Host: a:81", "B: 2"] + forwarded)
    }

    @Test("2.1 the jar cookie is cut out of its line, the others pass")
    func jarCookie() {
        let sent = shop.request([
            "GET / HTTP/1.1", "Host: a:81", "Cookie: lychgate=AAAA",
            "cookie: a=b; lychgate=AAAA; c=d",
        ]) { $0.cutsJarCookie = true }
        #expect(sent == ["GET / HTTP/1.1", "Host: a:81", "cookie: a=b; c=d"] + forwarded)
    }

    @Test("7 what an untrusted client says of forwarding is replaced, Forwarded dropped")
    func untrusted() {
        let sent = shop.request([
            "GET / HTTP/1.1", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "Host: a:81",
            "X-Forwarded-Host: evil", "Forwarded: for=6.6.6.6", "Via: 1.0 first",
        ])
        #expect(sent == ["GET / HTTP/1.1", "Host: a:81", "Via: 1.0 first"] + forwarded)
    }

    @Test("7 what a trusted proxy says is believed and extended")
    func trusted() {
        let client = ClientFacts(ip: Array("10.0.0.9".utf8), isTrusted: true, isSecure: false)
        let sent = shop.request(
            [
                "GET / HTTP/1.1", "Host: a:81", "X-Forwarded-For: 1.1.1.1",
                "X-Forwarded-For: 2.2.2.2",
                "X-Forwarded-Proto: https", "X-Forwarded-Host: shop", "Forwarded: for=1.1.1.1",
            ],
            client: client
        )
        #expect(
            sent == [
                "GET / HTTP/1.1", "Host: a:81", "X-Forwarded-Proto: https",
                "X-Forwarded-Host: shop",
                "Forwarded: for=1.1.1.1", "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.0.0.9",
                "Via: 1.1 lychgate",
            ]
        )
    }

    @Test("7 Via can be switched off, and says HTTP/1.0 where it was")
    func via() {
        let off = Workshop { $0.via = nil }.request(["GET / HTTP/1.1", "Host: a:81"])
        #expect(off == ["GET / HTTP/1.1", "Host: a:81"] + forwarded.dropLast())
        let old = shop.request(["GET / HTTP/1.0", "Host: a:81"])
        #expect(old.last == "Via: 1.0 lychgate")
    }

    @Test("7 absolute-form becomes origin-form; OPTIONS without a path becomes *")
    func absoluteForm() {
        let cases = [
            ("GET http://a:81/x?y", "GET /x?y"), ("GET http://a:81", "GET /"),
            ("GET http://a:81?q", "GET /?q"), ("OPTIONS http://a:81", "OPTIONS *"),
            ("OPTIONS *", "OPTIONS *"),
        ]
        for (sent, expected) in cases {
            let lines = shop.request(["\(sent) HTTP/1.1", "Host: a:81"])
            #expect(lines == ["\(expected) HTTP/1.1", "Host: a:81"] + forwarded)
        }
    }

    @Test("7 an HTTP/1.0 request without Host gets the backend's")
    func missingHost() {
        let lines = shop.request(["GET / HTTP/1.0"])
        #expect(lines.prefix(2) == ["GET / HTTP/1.1", "Host: backend:8000"])
    }

    @Test("7 chunked is framed anew; 2.2 a rule that reads JSON asks for no coding")
    func framing() {
        let lines = shop.request([
            "POST / HTTP/1.1", "Host: a:81", "Transfer-Encoding: chunked", "Accept-Encoding: br",
        ]) { $0.asksIdentityCoding = true }
        #expect(
            lines.filter { $0.hasPrefix("Transfer-Encoding") } == ["Transfer-Encoding: chunked"]
        )
        #expect(lines.filter { $0.hasPrefix("Accept-Enc") } == ["Accept-Encoding: identity"])
    }
}
