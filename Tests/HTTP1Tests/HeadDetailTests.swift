import HTTP1
import HTTPModel
import Memory
import Testing

private func text(_ input: borrowing Buffer, _ range: ByteRange) -> String {
    let span = input.bytes
    var result = ""
    for place in range.start..<range.end {
        result.unicodeScalars.append(Unicode.Scalar(span[place]))
    }
    return result
}

private struct Request {
    var head: RequestHead
    var input: [UInt8]
    var result: HeadParse

    init(_ message: String, limits: HeadLimits = HeadLimits(), protected: [String] = []) {
        input = bytes(message)
        head = RequestHead(fieldCapacity: limits.headerCount)
        let parser = HeadParser(limits: limits, protected: protected.map { bytes($0) })
        result = parser.parseRequest(buffer(input), into: &head)
    }

    func text(_ range: ByteRange) -> String {
        HTTP1Tests.text(buffer(input), range)
    }

    /// The names of the fields that do not end here.
    var passedOn: [String] {
        (0..<head.fields.count).map { head.fields[$0] }
            .filter { !$0.isHopByHop }.map { text($0.name) }
    }
}

@Suite("What a sound request head is parsed into")
struct RequestHeadTests {
    @Test("7 names, order and duplicates of fields are kept, values trimmed")
    func fields() {
        let request = Request(
            "GET / HTTP/1.1\r\nHost: a\r\nX-b:  1 2 \t\r\nx-B:\r\nCookie: c=d\r\n\r\n"
        )
        let fields = request.head.fields
        #expect(request.result == .complete)
        #expect(fields.count == 4)
        #expect(
            (0..<4).map { request.text(fields[$0].name) } == ["Host", "X-b", "x-B", "Cookie"]
        )
        #expect((0..<4).map { request.text(fields[$0].value) } == ["a", "1 2", "", "c=d"])
        #expect((0..<4).map { fields[$0].id } == [.host, .other, .other, .cookie])
        #expect(request.head.byteCount == request.input.count)
    }

    @Test("origin-form: path, query, authority from Host")
    func originForm() {
        let request = Request("\r\nPOST /a/b?c=/d?e HTTP/1.1\r\nHost: example.org:80\r\n\r\nmore")
        let head = request.head
        #expect(request.result == .complete)
        #expect(head.method == .post)
        #expect(request.text(head.methodRange) == "POST")
        #expect(head.targetForm == .origin)
        #expect(request.text(head.target) == "/a/b?c=/d?e")
        #expect(request.text(head.pathAndQuery) == "/a/b?c=/d?e")
        #expect(request.text(head.path) == "/a/b")
        #expect(request.text(head.authority) == "example.org:80")
        #expect(head.byteCount == request.input.count - 4)
    }

    @Test(
        "absolute-form: authority, path, query",
        arguments: [
            ("http://a:80/b?c", "a:80", "/b?c", "/b"),
            ("https://a:80", "a:80", "", ""),
            ("HTTP://a:80?b/c", "a:80", "?b/c", ""),
            ("http://a:80/", "a:80", "/", "/"),
        ]
    )
    func absoluteForm(_ target: String, _ authority: String, _ rest: String, _ path: String) {
        let request = Request("GET \(target) HTTP/1.1\r\nHost: a:80\r\n\r\n")
        #expect(request.result == .complete)
        #expect(request.head.targetForm == .absolute)
        #expect(request.text(request.head.authority) == authority)
        #expect(request.text(request.head.pathAndQuery) == rest)
        #expect(request.text(request.head.path) == path)
    }

    @Test("a head leaves nothing of the one before it")
    func reuse() {
        var head = RequestHead(fieldCapacity: 100)
        let parser = HeadParser()
        let first = buffer(
            bytes(
                "POST http://a/b HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                    + "Upgrade: x\r\nConnection: upgrade, close\r\nContent-Length: 3\r\n\r\n"
            )
        )
        #expect(parser.parseRequest(first, into: &head) == .complete)
        #expect(head.expectsContinue && head.asksUpgrade && !head.isPersistent)
        #expect(head.framing == .length(3))
        let second = buffer(bytes("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"))
        #expect(parser.parseRequest(second, into: &head) == .complete)
        #expect(head.method == .get)
        #expect(head.authority.isEmpty)
        #expect(head.minorVersion == 0)
        #expect(head.fields.count == 1)
        #expect(head.framing == .none)
        #expect(head.targetForm == .origin)
        #expect(head.isPersistent && !head.expectsContinue && !head.asksUpgrade)
    }

    @Test(
        "methods",
        arguments: [
            ("GET", Method.get), ("HEAD", .head), ("POST", .post), ("PUT", .put),
            ("DELETE", .delete), ("OPTIONS", .options), ("TRACE", .trace), ("PATCH", .patch),
            ("Get", .other), ("GETS", .other), ("PURGE", .other), ("PROPFIND", .other),
        ]
    )
    func methods(_ name: String, _ method: Method) {
        let request = Request("\(name) / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(request.result == .complete)
        #expect(request.head.method == method)
    }

    @Test("expectations and upgrades mean nothing in HTTP/1.0")
    func oldVersion() {
        let request = Request(
            "POST / HTTP/1.0\r\nExpect: 100-continue\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
        )
        #expect(request.result == .complete)
        #expect(!request.head.expectsContinue && !request.head.asksUpgrade)
    }
}

@Suite("Fields that end here, and fields that cannot be made to")
struct HopByHopTests {
    @Test("7 connection fields and nominated ones end here")
    func nominated() {
        let request = Request(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, x-One , ,Foo\r\nKeep-Alive: 5\r\n"
                + "X-One: 1\r\nX-Two: 2\r\nfoo: 3\r\nFOO: 4\r\nTE: trailers\r\nTrailer: x\r\n"
                + "Upgrade: h2c\r\nHTTP2-Settings: x\r\nProxy-Connection: close\r\n"
                + "Proxy-Authorization: x\r\nAccept: y\r\n\r\n"
        )
        #expect(request.result == .complete)
        #expect(request.passedOn == ["Host", "X-Two", "Trailer", "Accept"])
        #expect(request.head.isPersistent)
    }

    @Test("7 a client cannot remove an injected field through Connection")
    func protected() {
        let names = [
            "Host", "Content-Length", "Content-Type", "Cookie", "Set-Cookie", "Authorization",
            "Cache-Control", "Via", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host",
            "X-Forwarded-Proto", "X-Forwarded-Prefix", "Origin", "Max-Forwards", "Date",
            "X-Session-ID",
        ]
        let values = ["a", "5"] + Array(repeating: "x", count: names.count - 2)
        let lines = zip(names, values).map { "\($0): \($1)\r\n" }.joined()
        let request = Request(
            "POST / HTTP/1.1\r\n\(lines)Connection: \(names.joined(separator: ", "))\r\n\r\n",
            protected: ["x-session-id"]
        )
        #expect(request.result == .complete)
        #expect(request.passedOn == names)
    }

    @Test("an element of Connection that is no token nominates nothing and ends the connection")
    func malformedOption() {
        let request = Request(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: \"x, y\", z;q\r\nX: 1\r\nY: 2\r\n\r\n"
        )
        #expect(request.result == .complete)
        #expect(request.passedOn == ["Host", "X", "Y"])
        #expect(!request.head.isPersistent)
    }

    @Test("a length in a 204 is not sent on")
    func lengthOf204() {
        var head = ResponseHead(fieldCapacity: 10)
        let input = buffer(bytes("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nX: y\r\n\r\n"))
        #expect(HeadParser().parseResponse(input, to: .get, into: &head) == .complete)
        #expect(head.fields[0].isHopByHop && !head.fields[1].isHopByHop)
        let other = buffer(bytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: y\r\n\r\n"))
        #expect(HeadParser().parseResponse(other, to: .get, into: &head) == .complete)
        #expect(!head.fields[0].isHopByHop)
    }

    @Test("status, reason, version and interim responses")
    func statusLine() {
        var head = ResponseHead(fieldCapacity: 10)
        let input = buffer(bytes("HTTP/1.0 404 Not\tFound\r\n\r\n"))
        #expect(HeadParser().parseResponse(input, to: .get, into: &head) == .complete)
        #expect(head.status == 404)
        #expect(text(input, head.reason) == "Not\tFound")
        #expect(head.minorVersion == 0)
        #expect(!head.isInterim)
        #expect(head.byteCount == input.count)
        let interim = buffer(bytes("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200"))
        #expect(HeadParser().parseResponse(interim, to: .get, into: &head) == .complete)
        #expect(head.isInterim)
        #expect(head.byteCount == interim.count - 12)
    }
}

@Suite("Limits of a head")
struct HeadLimitTests {
    private let limits = HeadLimits(headerBytes: 100, headerCount: 3, targetBytes: 10)

    private func verdict(_ message: String) -> HeadParse {
        Request(message, limits: limits).result
    }

    @Test("414: a target that is too long, as soon as it is")
    func target() {
        let refused = HeadParse.refused(Refusal(status: 414, cause: .targetTooLong))
        #expect(verdict("GET /123456789 HTTP/1.0\r\n\r\n") == .complete)
        #expect(verdict("GET /1234567890 HTTP/1.0\r\n\r\n") == refused)
        #expect(verdict("GET /123456789") == .incomplete)
        #expect(verdict("GET /123456789?") == refused)
        #expect(verdict("GET /12345678?a") == refused)
        #expect(verdict("GET /1234567890") == refused)
        #expect(verdict("GET /1234567890123456789\u{0}") == refused)
        #expect(
            verdict("GET /123456789\u{0}") == .refused(Refusal(status: 400, cause: .badTarget))
        )
    }

    @Test("431: too many fields")
    func count() {
        let refused = HeadParse.refused(Refusal(status: 431, cause: .tooManyFields))
        #expect(verdict("GET / HTTP/1.0\r\na: b\r\na: b\r\na: b\r\n\r\n") == .complete)
        #expect(verdict("GET / HTTP/1.0\r\na: b\r\na: b\r\na: b\r\na") == refused)
    }

    @Test("431: too many bytes, whatever lies behind the limit")
    func byteCount() {
        let refused = HeadParse.refused(Refusal(status: 431, cause: .headTooLarge))
        let start = "GET / HTTP/1.0\r\na: "
        let fits = start + String(repeating: "x", count: 100 - 19 - 4) + "\r\n\r\n"
        #expect(fits.unicodeScalars.count == 100)
        #expect(verdict(fits) == .complete)
        #expect(verdict(fits + "more") == .complete)
        let tooLong = start + String(repeating: "x", count: 100 - 19 - 3) + "\r\n\r\n"
        #expect(verdict(tooLong) == refused)
        #expect(verdict(start + String(repeating: "x", count: 81)) == refused)
        #expect(verdict(start + String(repeating: "x", count: 81) + "\u{0}") == refused)
        #expect(verdict(start + String(repeating: "x", count: 80)) == .incomplete)
    }

    @Test("a table of fields that is smaller than the limit is a limit too")
    func capacity() {
        var head = RequestHead(fieldCapacity: 1)
        let input = buffer(bytes("GET / HTTP/1.0\r\na: b\r\nc: d\r\n\r\n"))
        #expect(
            HeadParser().parseRequest(input, into: &head)
                == .refused(Refusal(status: 431, cause: .tooManyFields))
        )
    }

    @Test("502: a response head that is too large")
    func response() {
        var head = ResponseHead(fieldCapacity: 10)
        let input = buffer(bytes("HTTP/1.1 200 OK\r\na: " + String(repeating: "x", count: 90)))
        #expect(
            HeadParser(limits: limits).parseResponse(input, to: .get, into: &head)
                == .refused(Refusal(status: 502, cause: .headTooLarge))
        )
    }

    @Test("known fields fit into the bits of one word")
    func fieldBits() {
        #expect(FieldID.allCases.allSatisfy { $0.rawValue < 64 })
    }

    @Test("every cause has a description and a status")
    func causes() {
        for cause in RefusalCause.allCases {
            #expect(cause.description.utf8CodeUnitCount > 0)
            #expect([400, 413, 414, 417, 431, 501, 505].contains(cause.requestStatus))
        }
    }

    @Test("the long way through tabs, obs-text and words of eight bytes")
    func runs() {
        for length in 0..<40 {
            for place in 0..<max(1, length) {
                for odd in ["\t", "\u{80}", "\u{FF}", " ", "~"] {
                    var value = Array(repeating: "x", count: length)
                    if length > 0 { value[place] = odd }
                    let message = "GET / HTTP/1.0\r\nA: |\(value.joined())|\r\n\r\n"
                    let request = Request(message)
                    #expect(request.result == .complete)
                    #expect(request.text(request.head.fields[0].value) == "|\(value.joined())|")
                }
            }
        }
    }
}
