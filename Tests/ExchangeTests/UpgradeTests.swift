import Exchange
import HTTP1
import HTTPModel
import Testing

private let get = "GET / HTTP/1.1\r\nHost: a\r\n"

/// Whether a request offers an upgrade, and whether a response with this `Upgrade` accepts it.
private func verdict(_ request: String, _ response: String) -> (offered: Bool, answered: Bool) {
    let input = received(request)
    var head = RequestHead(fieldCapacity: 100)
    #expect(HeadParser().parseRequest(input, into: &head) == .complete)
    let answer = received(response)
    var answerHead = ResponseHead(fieldCapacity: 100)
    #expect(HeadParser().parseResponse(answer, to: .get, into: &answerHead) == .complete)
    return (
        Upgrade.isOffered(by: head, in: input),
        Upgrade.isAnswered(by: answerHead, in: answer, to: head, in: input)
    )
}

private func answer(_ value: String) -> String {
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: \(value)\r\n\r\n"
}

@Suite("Upgrades")
struct UpgradeTests {
    @Test("RFC 9110 7.8 an offer passes as it was sent, without h2c")
    func offer() {
        for (offer, expected) in [
            ("Upgrade: WebSocket\r\n", "WebSocket"), ("Upgrade: x/1.0,Y\r\n", "x/1.0, Y"),
            ("Upgrade: h2c, websocket\r\nHTTP2-Settings: AA\r\n", "websocket"),
            ("Upgrade: a\r\nA: 1\r\nUpgrade: H2C\r\nUpgrade: b\r\n", "a, b"),
        ] {
            let fields = offer.contains("A: 1") ? "A: 1\r\n" : ""
            #expect(
                rewritten(get + offer + "Connection: upgrade, HTTP2-Settings\r\n\r\n")
                    == get + fields + "Upgrade: \(expected)\r\nConnection: Upgrade\r\n"
                    + forwarding + via + "\r\n"
            )
        }
    }

    @Test(
        "RFC 9110 7.8 what is no offer is left out",
        arguments: [
            get + "Upgrade: websocket\r\n", get + "Connection: upgrade\r\n",
            get + "Connection: upgrade\r\nUpgrade: h2c\r\n",
            get + "Connection: upgrade\r\nUpgrade: h2c/1, H2, h3, HTTP/2.0, tls/1.2, TLS, http\r\n",
            get + "Connection: upgrade\r\nUpgrade: a b, /x, \"h\", a/, c/d/e\r\n",
            get + "Connection: upgrade\r\nUpgrade:\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n"
                + "Content-Length: 1\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n"
                + "Transfer-Encoding: chunked\r\n",
            "GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n",
        ]
    )
    func noOffer(_ request: String) {
        let written = rewritten(request + "\r\n")
        #expect(!written.contains("Upgrade:") && !written.contains("Connection:"))
        #expect(verdict(request + "\r\n", answer("x")) == (false, false))
    }

    @Test("a 101 agrees to what was offered, and to nothing else")
    func answers() {
        let request = get + "Connection: Upgrade\r\nUpgrade: websocket, x/1\r\nUpgrade: h2c\r\n\r\n"
        for (value, isAnswer) in [
            ("websocket", true), ("WebSocket", true), ("x/1", true), ("websocket, x/1", true),
            ("x", false), ("x/2", false), ("h2c", false), ("websocket, h2c", false), ("", false),
            ("websockets", false), ("web", false),
        ] {
            #expect(verdict(request, answer(value)) == (true, isAnswer), "\(value)")
        }
        let bare = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n"
        #expect(verdict(request, bare) == (true, false))
        let old = answer("websocket").replacing("HTTP/1.1", with: "HTTP/1.0")
        #expect(verdict(request, old) == (true, false))
    }

    @Test("RFC 9110 10.1.4 TE says that trailers are welcome, and nothing else of it passes")
    func trailersWelcome() {
        for (field, isWelcome) in [
            ("TE: trailers\r\n", true), ("te: gzip;q=1, Trailers\r\n", true),
            ("TE: gzip\r\nTE: trailers\r\n", true), ("TE: gzip\r\n", false), ("TE:\r\n", false),
            ("TE: trailers;q=0\r\n", false),
        ] {
            let own = isWelcome ? "TE: trailers\r\nConnection: TE\r\n" : ""
            #expect(
                rewritten(get + field + "Connection: TE\r\n\r\n")
                    == get + own + forwarding + via + "\r\n"
            )
        }
        #expect(
            rewritten(get + "TE: trailers\r\nConnection: TE, upgrade\r\nUpgrade: x\r\n\r\n")
                == get + "TE: trailers\r\nUpgrade: x\r\nConnection: Upgrade, TE\r\n" + forwarding
                + via + "\r\n"
        )
        let old = rewritten("GET / HTTP/1.0\r\nTE: trailers\r\n\r\n")
        #expect(!old.contains("TE:") && !old.contains("Connection:"))
    }
}

@Suite("Max-Forwards")
struct MaxForwardsTests {
    private func read(_ method: String, _ fields: String) -> MaxForwards {
        var head = RequestHead(fieldCapacity: 100)
        let target = method == "OPTIONS" ? "*" : "/"
        let text = "\(method) \(target) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
        let whole = received(text)
        #expect(HeadParser().parseRequest(whole, into: &head) == .complete)
        return MaxForwards(head, in: whole)
    }

    @Test("RFC 9110 7.6.2 it counts in OPTIONS, and is one number")
    func values() {
        for (value, expected) in [
            ("0", MaxForwards.none), ("000", .none), ("1", .hops(1)), ("010", .hops(10)),
            ("", .malformed), ("-1", .malformed), ("+1", .malformed), ("1 2", .malformed),
            ("1, 2", .malformed), ("1.0", .malformed), ("a", .malformed),
        ] {
            #expect(read("OPTIONS", "Max-Forwards: \(value)\r\n") == expected, "\(value)")
            #expect(read("GET", "Max-Forwards: \(value)\r\n") == .unlimited)
        }
        #expect(read("OPTIONS", "") == .unlimited)
        #expect(read("OPTIONS", "Max-Forwards: 1\r\nmax-forwards: 1\r\n") == .malformed)
        let many = read("OPTIONS", "Max-Forwards: 99999999999999999999999999\r\n")
        guard case .hops(let count) = many else {
            Issue.record("\(many)")
            return
        }
        #expect(count > 1 << 32)
    }

    @Test("RFC 9110 7.6.2 one less is passed on, where the field stood")
    func decremented() {
        let rest = "Host: a\r\nX: 1\r\n"
        #expect(
            rewritten("OPTIONS / HTTP/1.1\r\nmax-FORWARDS:  010\r\n\(rest)\r\n")
                == "OPTIONS / HTTP/1.1\r\nmax-FORWARDS: 9\r\n\(rest)" + forwarding + via + "\r\n"
        )
        #expect(
            rewritten("GET / HTTP/1.1\r\nMax-Forwards: 0\r\n\(rest)\r\n")
                == "GET / HTTP/1.1\r\nMax-Forwards: 0\r\n\(rest)" + forwarding + via + "\r\n"
        )
    }
}
