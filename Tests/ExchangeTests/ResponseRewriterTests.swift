import Exchange
import HTTP1
import HTTPModel
import Instances
import Memory
import Sessions
import Settings
import Testing
import Time

private let ok = "HTTP/1.1 200 OK\r\n"
private let length = "Content-Length: 5\r\n"

/// A jar cookie, as a response that issues a session brings it.
private func newCookie() -> JarCookie? {
    Jar(JarSettings(), session: SessionSettings(), key: (1, 2)).capture(
        Array("s-1".utf8),
        instance: InstanceNumber(rawValue: 1),
        live: LiveInstances(current: InstanceNumber(rawValue: 1), epoch: 1),
        request: Judgement(),
        random: (0, 0),
        now: MonotonicTime(nanoseconds: 1)
    )
}

/// The 22 characters of the cookie above.
private let value: String = {
    var out = Buffer()
    if let cookie = newCookie() {
        rules().appendSetCookie(cookie, isSecure: false, to: &out)
    }
    return String(string(out).dropFirst("lychgate=".count).prefix(22))
}()

/// The line that gives the client the cookie above, up to its age.
private let given = "Set-Cookie: lychgate=\(value); HttpOnly; SameSite=Lax; Path=/; "

private func edited(_ fields: String, _ change: (inout ResponseEdits) -> Void) -> String {
    rewrittenResponse(ok + fields + length + "\r\n") { _ in
        var edits = ResponseEdits()
        change(&edits)
        return edits
    }
}

struct ResponseRewriterTests {
    @Test("7 names, order, duplicates and spacing stay; the status line is ours")
    func kept() {
        let fields = "sErVer: a\r\nX-A:1\r\nX-A:  2 \t\r\n" + length + "X-A:\r\n"
        #expect(rewrittenResponse(ok + fields + "\r\n") == ok + fields + "\r\n")
        let cases = [
            ("HTTP/1.0 200 OK", "HTTP/1.1 200 OK"), ("HTTP/1.1 200", "HTTP/1.1 200 "),
            ("HTTP/1.1 299 Odd  thing", "HTTP/1.1 299 Odd  thing"),
        ]
        for (line, expected) in cases {
            #expect(
                rewrittenResponse("\(line)\r\n\(length)\r\n") == "\(expected)\r\n\(length)\r\n"
            )
        }
        #expect(rewrittenResponse("HTTP/1.1 304 Not Modified\r\n\r\n").hasSuffix("ed\r\n\r\n"))
    }

    @Test("7 hop-by-hop fields and those that Connection nominates go")
    func hopByHop() {
        let fields =
            "Connection: x-gone\r\nKeep-Alive: 5\r\nX-Stays: 1\r\nX-Gone: 2\r\n" + length
            + "Proxy-Connection: close\r\nUpgrade: h2c\r\nX-GONE: 3\r\n"
        #expect(rewrittenResponse(ok + fields + "\r\n") == ok + "X-Stays: 1\r\n" + length + "\r\n")
    }

    @Test("7 the framing for the client")
    func framing() {
        let framings: [(Framing, UInt8, DownstreamFraming)] = [
            (.none, 1, .asReceived), (.none, 0, .asReceived), (.length(5), 1, .asReceived),
            (.length(5), 0, .asReceived), (.chunked, 1, .chunked), (.chunked, 0, .untilClose),
            (.untilClose, 1, .chunked), (.untilClose, 0, .untilClose),
        ]
        for (framing, version, expected) in framings {
            #expect(DownstreamFraming(framing, clientMinorVersion: version) == expected)
        }
        func framed(_ fields: String, minorVersion: UInt8) -> String {
            rewrittenResponse(ok + fields + "\r\n") { head in
                var edits = ResponseEdits()
                edits.framing = DownstreamFraming(head.framing, clientMinorVersion: minorVersion)
                edits.closes = edits.framing == .untilClose
                return edits
            }
        }
        let chunked = "Transfer-Encoding: chunked\r\n"
        #expect(framed(chunked + "A: 1\r\n", minorVersion: 1) == ok + "A: 1\r\n" + chunked + "\r\n")
        #expect(framed("A: 1\r\n", minorVersion: 1) == ok + "A: 1\r\n" + chunked + "\r\n")
        let closed = ok + "A: 1\r\nConnection: close\r\n\r\n"
        #expect(framed("A: 1\r\n" + chunked, minorVersion: 0) == closed)
        #expect(framed("A: 1\r\n", minorVersion: 0) == closed)
        #expect(framed(length, minorVersion: 0) == ok + length + "\r\n")
    }

    @Test("7 the length of an answer to HEAD stays, that of a 204 goes")
    func lengths() {
        #expect(rewrittenResponse(ok + length + "\r\n", to: .head) == ok + length + "\r\n")
        #expect(
            rewrittenResponse("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nA: 1\r\n\r\n")
                == "HTTP/1.1 204 No Content\r\nA: 1\r\n\r\n"
        )
    }

    @Test("7 the connection: close wins over keep-alive")
    func connection() {
        #expect(edited("") { $0.closes = true } == ok + length + "Connection: close\r\n\r\n")
        let kept = ok + length + "Connection: keep-alive\r\n\r\n"
        #expect(edited("Connection: close\r\n") { $0.saysKeepAlive = true } == kept)
        let both = edited("") {
            $0.closes = true
            $0.saysKeepAlive = true
        }
        #expect(both == ok + length + "Connection: close\r\n\r\n")
    }

    @Test("2.2 a new session: its cookie, beside the backend's own, and private")
    func issued() {
        let fields = "Set-Cookie: a=1\r\nX-Session-ID: s-1\r\n"
        #expect(
            edited(fields) { $0.newCookie = newCookie() }
                == ok + fields + length + given
                + "Max-Age=604800\r\nCache-Control: private\r\n\r\n"
        )
        let secure = edited("") {
            $0.newCookie = newCookie()
            $0.isSecure = true
            $0.expiresCookie = true
        }
        #expect(
            secure
                == ok + length + "Set-Cookie: __Host-lychgate=\(value); HttpOnly; "
                + "SameSite=Lax; Path=/; Max-Age=604800; Secure\r\nCache-Control: private\r\n\r\n"
        )
    }

    @Test("2.2 Cache-Control of a response that gives a cookie")
    func cacheControl() {
        let cookie = given + "Max-Age=604800\r\n"
        let added = "Cache-Control: private\r\n"
        let cases = [
            ("Cache-Control: no-store\r\n", true, false),
            ("Cache-Control: max-age=5, Private\r\n", true, false),
            ("Cache-Control: max-age=5\r\n", true, true),
            ("Cache-Control: private=\"Set-Cookie\"\r\n", true, true),
            ("Cache-Control: public, max-age=5\r\n", false, true),
            ("cache-control: s-maxage=5\r\n", false, true),
        ]
        for (line, isKept, isAdded) in cases {
            #expect(
                edited(line) { $0.newCookie = newCookie() }
                    == ok + (isKept ? line : "") + length + cookie + (isAdded ? added : "") + "\r\n"
            )
            #expect(edited(line) { _ in } == ok + line + length + "\r\n")
            #expect(
                edited(line) { $0.issuesHeldSession = true }
                    == ok + (isKept ? line : "") + length + (isAdded ? added : "") + "\r\n"
            )
        }
    }

    @Test("2.3 the cookie of an ended session is expired")
    func expired() {
        #expect(
            edited("") { $0.expiresCookie = true }
                == ok + length
                + "Set-Cookie: lychgate=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0\r\n\r\n"
        )
    }

    @Test("2.2 Vary: Cookie, unless it is said already")
    func vary() {
        let cases = [
            ("", true), ("Vary: Accept\r\n", true), ("Vary: cookies\r\n", true),
            ("Vary: Accept, cookie\r\n", false), ("Vary: *\r\n", false),
        ]
        for (fields, isAdded) in cases {
            #expect(
                edited(fields) { $0.variesByCookie = true }
                    == ok + fields + length + (isAdded ? "Vary: Cookie\r\n" : "") + "\r\n"
            )
        }
    }

    @Test("7 interim responses pass, without hop-by-hop fields")
    func interim() {
        #expect(
            rewrittenResponse("HTTP/1.1 100 Continue\r\n\r\n", isInterim: true)
                == "HTTP/1.1 100 Continue\r\n\r\n"
        )
        let hints =
            "HTTP/1.1 103 Early Hints\r\nConnection: x-gone\r\nLink: </a>\r\nX-Gone: 1\r\n"
            + "Link:  </b> \r\n\r\n"
        #expect(
            rewrittenResponse(hints, isInterim: true)
                == "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink:  </b> \r\n\r\n"
        )
    }

    @Test("RFC 9110 7.8 what a 101 agrees to, and a 426 asks for, is said anew")
    func upgrade() {
        let fields = "Upgrade: WebSocket\r\nConnection: upgrade, x-gone\r\nX-Gone: 1\r\nA: 1\r\n"
        let kept = "A: 1\r\nUpgrade: WebSocket\r\nConnection: Upgrade"
        for line in ["HTTP/1.1 101 Switching Protocols\r\n", "HTTP/1.1 426 Upgrade Required\r\n"] {
            let text = line + fields + "\r\n"
            #expect(rewrittenResponse(text) == line + kept + "\r\n\r\n")
            #expect(
                rewrittenResponse(text) { _ in
                    var edits = ResponseEdits()
                    edits.closes = true
                    return edits
                } == line + kept + ", close\r\n\r\n"
            )
            #expect(
                rewrittenResponse(text) { _ in
                    var edits = ResponseEdits()
                    edits.saysKeepAlive = true
                    return edits
                } == line + kept + ", keep-alive\r\n\r\n"
            )
        }
        let bare = "HTTP/1.1 426 Upgrade Required\r\nA: 1\r\n\r\n"
        #expect(rewrittenResponse(bare) == bare)
        let ordinary = ok + length
        #expect(rewrittenResponse(ok + "Upgrade: h2c\r\n" + length + "\r\n") == ordinary + "\r\n")
    }

    @Test("RFC 9110 6.6.1 Date is added where there is none")
    func date() {
        let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        #expect(
            rewrittenResponse(ok + length + "\r\n", date: date) == ok + length + date + "\r\n"
        )
        let own = "dAtE: yesterday\r\nConnection: date\r\n" + length
        #expect(
            rewrittenResponse(ok + own + "\r\n", date: date)
                == ok + "dAtE: yesterday\r\n" + length + "\r\n"
        )
    }

    @Test("RFC 9110 6.6.2 Trailer is said where there are trailers")
    func trailer() {
        let text = ok + "Trailer: X\r\nA: 1\r\n" + length + "\r\n"
        #expect(rewrittenResponse(text) == text)
        let input = received(text)
        var head = ResponseHead(fieldCapacity: 10)
        #expect(HeadParser().parseResponse(input, to: .get, into: &head) == .complete)
        head.endTrailersHere()
        var out = Buffer()
        ResponseRewriter.write(
            head,
            from: input,
            edits: ResponseEdits(),
            date: Buffer(),
            rules: rules(),
            into: &out
        )
        #expect(string(out) == ok + "A: 1\r\n" + length + "\r\n")
    }
}
