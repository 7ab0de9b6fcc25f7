import Exchange
import HTTP1
import HTTPModel
import Memory
import Settings
import Testing

@Suite("access lines")
struct AccessWriterTests {
    private let client = Array("192.0.2.1".utf8)

    private func text(_ buffer: borrowing Buffer) -> String {
        String(decoding: buffer.copy(from: 0, count: buffer.count), as: UTF8.self)
    }

    private func buffer(_ text: String) -> Buffer {
        var buffer = Buffer()
        buffer.append(Array(text.utf8))
        return buffer
    }

    /// The line of a request with this head, or of one that is refused.
    private func line(
        _ format: LogSettings.Access,
        _ request: String,
        isMalformed: Bool = false,
        _ facts: (inout AccessFacts) -> Void = { _ in }
    ) -> String {
        let writer = AccessWriter(format)
        let input = buffer(request)
        var note = AccessNote()
        if isMalformed {
            writer.begin(malformed: input, into: &note)
        } else {
            var head = RequestHead(fieldCapacity: 100)
            let outcome = HeadParser().parseRequest(input, into: &head)
            #expect(outcome == .complete)
            var source = RequestIDs(seed: (0, 0))
            let id = source.next()
            writer.begin(head, from: input, requestID: id, of: source, into: &note)
        }
        let isOpen = note.isOpen
        #expect(isOpen)
        note.facts.status = 200
        note.facts.bytesOut = 150
        note.facts.headBytesOut = 100
        facts(&note.facts)
        var out = Buffer()
        writer.write(
            note,
            client: client,
            time: Array(
                (format == .json ? "2026-12-31T23:59:59" : "31/Dec/2026:23:59:59 +0100").utf8
            ),
            milliseconds: 7,
            instance: Array(#""abc…""#.utf8),
            into: &out
        )
        return text(out)
    }

    private let start = "192.0.2.1 - - [31/Dec/2026:23:59:59 +0100] "

    @Test("common and combined, as nginx writes them")
    func plain() {
        let request =
            "GET /a?b=%20 HTTP/1.1\r\nHost: h\r\nReferer: http://x/\r\nUser-Agent: U/1\r\n\r\n"
        #expect(line(.common, request) == start + "\"GET /a?b=%20 HTTP/1.1\" 200 50\n")
        #expect(
            line(.combined, request)
                == start + "\"GET /a?b=%20 HTTP/1.1\" 200 50 \"http://x/\" \"U/1\"\n"
        )
    }

    @Test("what is missing is a hyphen, what is empty is empty")
    func missing() {
        let bare = "HEAD / HTTP/1.0\r\n\r\n"
        #expect(line(.combined, bare) == start + "\"HEAD / HTTP/1.0\" 200 50 \"-\" \"-\"\n")
        let empty = "GET / HTTP/1.1\r\nHost: h\r\nReferer:\r\nUser-Agent: \r\n\r\n"
        #expect(line(.combined, empty) == start + "\"GET / HTTP/1.1\" 200 50 \"\" \"\"\n")
    }

    @Test("quotes, backslashes, control bytes and bytes above ASCII are escaped")
    func escaping() {
        let request = "GET /\"x\\ HTTP/1.1\r\nHost: h\r\nUser-Agent: a\"\\\u{FC}\tb~\r\n\r\n"
        #expect(
            line(.combined, request)
                == start + #""GET /\x22x\x5C HTTP/1.1" 200 50 "-" "a\x22\x5C\xC3\xBC\x09b~""# + "\n"
        )
    }

    @Test(
        "the user of basic authentication",
        arguments: [
            ("Basic dXNlcjpwYXNz", "user"), ("basic dXNlcjpwYXNz", "user"),
            ("Basic dTwiPjpwYXNz", #"u<\x22>"#), ("Basic OnBhc3M=", "-"),
            ("Basic bm9jb2xvbg==", "-"), ("Basic", "-"), ("Basic !!!!", "-"), ("Bearer abcd", "-"),
            ("Basic ", "-"), ("Basicx dXNlcjpwYXNz", "-"),
            // It stands there without quotes: a space would let a name pass for more fields.
            ("Basic YSBbYl0gImM6eA==", #"a\x20[b]\x20\x22c"#),
        ]
    )
    func user(credentials: String, name: String) {
        let request = "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: \(credentials)\r\n\r\n"
        #expect(line(.common, request).hasPrefix("192.0.2.1 - \(name) ["))
    }

    @Test("of what is no request, what may be a method and a target")
    func malformed() {
        #expect(
            line(.combined, "GET /a\u{16}\"b X-Session-ID: secret\r\nx", isMalformed: true)
                == start + #""GET /a\x16\x22b" 200 50 "-" "-""# + "\n"
        )
        #expect(line(.common, "\r\n\r\n", isMalformed: true) == start + "\"-\" 200 50\n")
        #expect(line(.common, "", isMalformed: true) == start + "\"-\" 200 50\n")
        let long = "GET /" + String(repeating: "a", count: 9000)
        #expect(line(.common, long, isMalformed: true).utf8.count < 8400)
    }

    @Test(
        "a field line where a request should begin is not shown: it may be a session",
        arguments: [
            "X-Session-ID: secret\r\n", "\r\n \tCookie: a=secret", "x-session-id:secret", "secret",
            "\u{16}\u{3}secret\r\n", "secret\r\nGET / HTTP/1.1",
        ]
    )
    func astray(text: String) {
        #expect(line(.common, text, isMalformed: true) == start + "\"-\" 200 50\n")
        #expect(line(.json, text, isMalformed: true).contains(#""request":null,"#))
    }

    @Test("JSON: every member, and null for what there was none of")
    func json() {
        let request = "GET /x HTTP/1.1\r\nHost: h\r\nUser-Agent: a\"\\\u{FC}\tb\r\n\r\n"
        let expected =
            #"{"time":"2026-12-31T23:59:59.007Z","client":"192.0.2.1","method":"GET","#
            + #""target":"/x","protocol":"HTTP/1.1","referer":null,"#
            + #""user_agent":"a\"\\\u00c3\u00bc\u0009b","#
            + #""request_id":"0000000000000000000000009e3779b1","status":200,"bytes_in":77,"#
            + #""bytes_out":150,"body_bytes_out":50,"complete":true,"total_ms":1234.567,"#
            + #""wait_ms":0.001,"verify_ms":0.020,"first_byte_ms":3.000,"reused":true,"#
            + #""instance":"abc…","verdict":"live"}"# + "\n"
        let written = line(.json, request) { facts in
            facts.isWhole = true
            facts.verdict = "live"
            facts.bytesIn = 77
            facts.total = 1_234_567_899
            facts.wait = 1999
            facts.verify = 20_000
            facts.firstByte = 3_000_000
            facts.isReused = true
        }
        #expect(written == expected)
        let bare = line(.json, "x y\r\n", isMalformed: true) { $0.status = 400 }
        #expect(bare.contains(#""method":null,"target":null,"protocol":null,"request":"x y","#))
        #expect(bare.contains(#""wait_ms":null,"verify_ms":null,"first_byte_ms":null,"#))
        #expect(bare.contains(#""reused":null"#))
    }

    @Test("JSON: the request's own ID, if it is passed on")
    func ownID() {
        let request = "GET / HTTP/1.1\r\nHost: h\r\nX-Request-ID: a\"b\r\n\r\n"
        #expect(line(.json, request).contains(#""request_id":"a\"b","#))
    }

    @Test("no field that carries a session is written")
    func secrets() {
        let request =
            "GET / HTTP/1.1\r\nHost: h\r\nX-Session-ID: secret-1\r\n"
            + "Cookie: lychgate=secret-2\r\nAuthorization: Basic dTpzZWNyZXQ=\r\n\r\n"
        for format in [LogSettings.Access.common, .combined, .json] {
            #expect(!line(format, request).contains("secret"))
        }
    }

    @Test("a note can be used again")
    func again() {
        let writer = AccessWriter(.common)
        var note = AccessNote()
        let first = buffer("first one")
        writer.begin(malformed: first, into: &note)
        _ = note.close()
        let isOpen = note.isOpen
        #expect(!isOpen)
        let second = buffer("second one")
        writer.begin(malformed: second, into: &note)
        let noted = text(note.text)
        #expect(noted == "-second one")
    }
}
