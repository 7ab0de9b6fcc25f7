import Exchange
import HTTP1
import HTTPModel
import Memory
import Sessions
import Settings
import Testing

/// What passes of these trailers, behind a head with these field lines.
private func passed(
    _ trailers: String,
    behind fields: String = "",
    rules: SessionRules = rules()
) -> String {
    let input = received("POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
    var head = RequestHead(fieldCapacity: 100)
    #expect(HeadParser().parseRequest(input, into: &head) == .complete)
    let nominated = TrailerRewriter.nominations(head.fields, in: input)
    var out = Buffer()
    TrailerRewriter.write(
        trailers.utf8.count + 2,
        bytesOf: line("content" + trailers + "\r\nGET / HTTP/1.1\r\n"),
        from: 7,
        nominated: nominated,
        rules: rules,
        into: &out
    )
    return string(out)
}

@Suite("Trailers")
struct TrailerRewriterTests {
    @Test("RFC 9110 6.5 names, order, doubles and values stay as they were")
    func kept() {
        let trailers =
            "X-B:1\r\nx-a: 2 \t\r\nX-B: 3\r\nDigest: sha-256=\"a:b\"\r\nServer-Timing:\r\n"
        #expect(passed(trailers) == trailers)
        #expect(passed("Grpc-Status: 0\r\nETag: \"1\"\r\n") == "Grpc-Status: 0\r\nETag: \"1\"\r\n")
        #expect(passed("") == "")
    }

    static let forbiddenNames = [
        "Transfer-Encoding", "Content-Length", "Host", "Connection", "Keep-Alive", "TE", "Trailer",
        "Upgrade", "Proxy-Connection", "Proxy-Authorization", "HTTP2-Settings", "Cache-Control",
        "Cookie", "Set-Cookie", "Authorization", "WWW-Authenticate", "Content-Type",
        "Content-Encoding", "Content-Range", "Content-Disposition", "Content-Language",
        "Content-Location", "Content-Security-Policy", "Strict-Transport-Security", "Allow",
        "Accept", "Accept-Encoding", "Authentication-Control", "Clear-Site-Data", "Refresh", "Via",
        "Forwarded", "X-Forwarded-For",
        "X-Forwarded-Proto", "X-Forwarded-Port", "Expect", "Max-Forwards", "Range", "If-Match",
        "If-None-Match", "If-Range", "Pragma", "Age", "Date", "Expires", "Location", "Retry-After",
        "Vary", "Warning", "Origin", "Sec-Fetch-Site", "Access-Control-Allow-Origin",
        "X-Request-ID", "X-Session-ID",
    ]

    @Test("RFC 9110 6.5.1 what a recipient must not take from a trailer", arguments: forbiddenNames)
    func forbidden(_ name: String) {
        let alias = name.replacing("-", with: "_")
        for spelling in [name, name.lowercased(), name.uppercased(), alias] {
            #expect(passed("A: 1\r\n\(spelling): x\r\nB: 2\r\n") == "A: 1\r\nB: 2\r\n")
        }
        #expect(passed("X\(name): x\r\n") == "X\(name): x\r\n")
    }

    @Test("2.1 the session field that is configured, and its aliases")
    func carrier() {
        let gate = rules { $0.carrierHeader = "X-Gate_Key" }
        #expect(
            passed("x-gate-key: 1\r\nX_Gate_Key: 2\r\nX-Gate: 3\r\n", rules: gate)
                == "X-Gate: 3\r\n"
        )
    }

    @Test("a Connection of thousands of options leaves no list of them behind")
    func nominationsAreFew() {
        let many = String(repeating: "close,Keep-Alive,upgrade,", count: 1000)
        let input = received("POST / HTTP/1.1\r\nHost: a\r\nConnection: \(many)x-a\r\n\r\n")
        var head = RequestHead(fieldCapacity: 100)
        #expect(HeadParser().parseRequest(input, into: &head) == .complete)
        #expect(TrailerRewriter.nominations(head.fields, in: input) == [Array("x-a".utf8)])
    }

    @Test("RFC 9110 7.6.1 what Connection nominated ends here")
    func nominated() {
        let trailers = "X-One: 1\r\nx_two: 2\r\nX-Three: 3\r\nX-Four: 4\r\n"
        let fields = "Connection: close, X-One\r\nConnection: x-two,, x_four\r\n"
        #expect(passed(trailers, behind: fields) == "X-Three: 3\r\n")
        #expect(passed(trailers, behind: "Connection: close\r\n") == trailers)
    }
}
