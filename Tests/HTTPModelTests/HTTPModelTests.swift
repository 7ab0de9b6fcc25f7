import HTTPModel
import Memory
import Testing

private func bytes(_ text: String) -> [UInt8] {
    text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
}

private func text(_ bytes: [UInt8], _ range: ByteRange) -> String {
    String(decoding: bytes[range.start..<range.end], as: Unicode.UTF8.self)
}

private func whole(_ bytes: [UInt8]) -> ByteRange {
    ByteRange(offset: 0, count: bytes.count)
}

@Suite("Classes of bytes")
struct ByteClassTests {
    private func matches(_ pattern: (UInt8) -> Bool) -> [UInt8] {
        (0...255).map { UInt8($0) }.filter(pattern)
    }

    private let alphanumerics = Set(bytes("0123456789")).union(
        bytes("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    )

    @Test("token, RFC 9110 5.6.2")
    func token() {
        let expected = alphanumerics.union(bytes("!#$%&'*+-.^_`|~"))
        #expect(Set(matches(ByteClass.isToken)) == expected)
    }

    @Test("field value, RFC 9110 5.5")
    func fieldValue() {
        let expected = matches { $0 == 9 || ($0 >= 32 && $0 != 127) }
        #expect(matches(ByteClass.isFieldValue) == expected)
    }

    @Test("request target")
    func target() {
        let expected = matches { $0 > 32 && $0 < 127 && $0 != 35 }
        #expect(matches(ByteClass.isTarget) == expected)
    }

    @Test("registered name, RFC 3986 3.2.2")
    func registeredName() {
        let expected = alphanumerics.union(bytes("-._~!$&'()*+;="))
        #expect(Set(matches(ByteClass.isRegisteredName)) == expected)
    }

    @Test("digits")
    func digits() {
        for byte in UInt8.min...UInt8.max {
            let digit = UInt8(String(decoding: [byte], as: Unicode.UTF8.self), radix: 16)
            #expect(ByteClass.hexadecimalValue(byte) == digit ?? 16)
            #expect(ByteClass.isDigit(byte) == (digit.map { $0 < 10 } ?? false))
        }
    }

    /// The place of the first byte that a word class finds.
    private func first(_ word: UInt64) -> Int {
        word == 0 ? 8 : word.trailingZeroBitCount / 8
    }

    @Test("eight bytes at a time find the same as one, at each place")
    func words() {
        for byte in UInt8.min...UInt8.max {
            for other in [0x00, 0x1F, 0x20, 0x21, 0x2F, 0x3A, 0x41, 0x61, 0x7F, 0x80, 0xFF]
                as [UInt8]
            {
                for place in 0..<8 {
                    // Before it bytes that never stop, behind it some that may.
                    let row = (0..<8).map { $0 == place ? byte : $0 < place ? 0x61 : other }
                    let word = row.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                    func expected(_ runs: (UInt8) -> Bool) -> Int {
                        row.firstIndex { !runs($0) } ?? 8
                    }
                    #expect(
                        first(WordClass.controls(word))
                            == expected { $0 >= 32 && $0 != 127 }
                    )
                    #expect(
                        first(WordClass.targetStops(word))
                            == expected { ByteClass.isTarget($0) && $0 != 63 }
                    )
                    #expect(
                        first(WordClass.uncommonInNames(word))
                            == expected { alphanumerics.contains($0) || $0 == 45 }
                    )
                    #expect(
                        first(WordClass.uncommonInHosts(word))
                            == expected { alphanumerics.contains($0) || $0 == 45 || $0 == 46 }
                    )
                }
            }
        }
    }
}

@Suite("Words of eight bytes")
struct WordTests {
    @Test("small letters")
    func lowercase() {
        for byte in UInt8.min...UInt8.max {
            let expected = byte >= 65 && byte <= 90 ? byte + 32 : byte
            #expect(byte.lowercasedASCII == expected)
            let word = UInt64(byte) * 0x0101_0101_0101_0101
            #expect(word.lowercasedASCII == UInt64(expected) * 0x0101_0101_0101_0101)
        }
    }

    @Test("loads lie within the bytes")
    func loads() {
        let row = (0..<20).map { UInt8($0) }
        let span = row.span
        #expect(span.word(at: 0) == 0x0706_0504_0302_0100)
        #expect(span.word(at: 12) == 0x1312_1110_0F0E_0D0C)
        #expect(span.word(at: 13) == nil)
        #expect(span.word(at: -1) == nil)
        #expect(span.word(at: .min) == nil)
        #expect(span.word(at: .max) == nil)
        #expect(span.twoWords(at: 4)?.second == 0x1312_1110_0F0E_0D0C)
        #expect(span.twoWords(at: 5) == nil)
        #expect(span.twoWords(at: -8) == nil)
        #expect(span.extracting(0..<7).word(at: 0) == nil)
        #expect(UInt64(word: "") == 0)
        #expect(UInt64(word: "ab") == 0x6261)
    }

    @Test("constants")
    func constants() {
        let row = bytes("xContent-Length: 5")
        let span = row.span
        #expect(span.matchesIgnoringCase(at: 1, "content-length") == true)
        #expect(span.matches(at: 1, "content-length") == false)
        #expect(span.matches(at: 1, "Content-Length") == true)
        #expect(span.matchesIgnoringCase(at: 0, "content-length") == false)
        #expect(span.matchesIgnoringCase(at: 5, "content-length") == false)
        #expect(span.matchesIgnoringCase(at: -1, "c") == false)
        #expect(span.matches(at: .max, "c") == false)
        #expect(span.matches(at: 18, "") == true)
    }
}

@Suite("Names")
struct NameTests {
    static let known: [(String, FieldID)] = [
        ("Accept", .accept), ("Accept-Encoding", .acceptEncoding),
        ("Authorization", .authorization), ("Cache-Control", .cacheControl),
        ("Connection", .connection), ("Content-Encoding", .contentEncoding),
        ("Content-Length", .contentLength), ("Content_Length", .framingAlias),
        ("Transfer_Encoding", .framingAlias), ("Content-Type", .contentType), ("Cookie", .cookie),
        ("Date", .date), ("Max-Forwards", .maxForwards),
        ("Expect", .expect), ("Forwarded", .forwarded), ("Host", .host),
        ("HTTP2-Settings", .http2Settings), ("Keep-Alive", .keepAlive), ("Origin", .origin),
        ("Proxy-Authenticate", .proxyAuthenticate),
        ("Proxy-Authentication-Info", .proxyAuthenticationInfo),
        ("Proxy-Authorization", .proxyAuthorization), ("Proxy-Connection", .proxyConnection),
        ("Sec-Fetch-Dest", .secFetchDest), ("Sec-Fetch-Site", .secFetchSite),
        ("Set-Cookie", .setCookie), ("TE", .te), ("Trailer", .trailer),
        ("Transfer-Encoding", .transferEncoding), ("Upgrade", .upgrade), ("Vary", .vary),
        ("Via", .via), ("X-Forwarded-For", .xForwardedFor), ("X-Forwarded-Host", .xForwardedHost),
        ("X-Forwarded-Proto", .xForwardedProto), ("X-Request-ID", .xRequestID),
        ("X-Client-Cert-Subject", .xClientCertSubject),
    ]

    private func recognise(_ name: String, before: String = "", behind: String = "") -> FieldID {
        let row = bytes(before + name + behind)
        let range = ByteRange(offset: bytes(before).count, count: name.utf8.count)
        return FieldID.recognise(row.span, range)
    }

    @Test("every known field is recognised, in any case and at any place")
    func recognition() {
        #expect(Set(Self.known.map(\.1)).count == FieldID.allCases.count - 1)
        for (name, id) in Self.known {
            for spelling in [name, name.lowercased(), name.uppercased()] {
                #expect(recognise(spelling) == id)
                #expect(recognise(spelling, behind: ": value of eight") == id)
                #expect(recognise(spelling, before: "\r\n", behind: ":") == id)
            }
        }
    }

    @Test("a name that differs in one byte is another")
    func others() {
        let aliases = Self.known.filter { $0.1 == .framingAlias }.map { bytes($0.0) }
        for (name, _) in Self.known {
            let row = bytes(name)
            for place in row.indices {
                for byte in bytes("x_.~!9") where row[place] | 0x20 != byte {
                    var other = row
                    other[place] = byte
                    guard !aliases.contains(other) else { continue }
                    #expect(FieldID.recognise(other.span, whole(other)) == .other)
                }
            }
            #expect(recognise(name + "s") == .other)
            #expect(recognise(String(name.dropLast())) == .other)
        }
        #expect(recognise("") == .other)
        #expect(recognise("X-Session-ID") == .other)
        #expect(FieldID.recognise(bytes("ho").span, ByteRange(offset: 0, count: 4)) == .other)
    }

    @Test("equal but for case")
    func equality() {
        let row = bytes("X-Session-ID: x-SESSION-id")
        let name = ByteRange(offset: 0, count: 12)
        let value = ByteRange(offset: 14, count: 12)
        #expect(equalsIgnoringCase(row.span, name, bytes("x-session-id")) == true)
        #expect(equalsIgnoringCase(row.span, name, bytes("x-session-ie")) == false)
        #expect(equalsIgnoringCase(row.span, name, bytes("x-session-i")) == false)
        #expect(equalsIgnoringCase(row.span, name, "x-session-id") == true)
        #expect(equalsIgnoringCase(row.span, name, "x-session") == false)
        #expect(equalsIgnoringCase(row.span, name, value) == true)
        #expect(equalsIgnoringCase(row.span, name, ByteRange(offset: 13, count: 12)) == false)
        #expect(equalsIgnoringCase(row.span, name, ByteRange(offset: 20, count: 12)) == false)
        #expect(equalsIgnoringCase(row.span, ByteRange(offset: 20, count: 12), bytes("x")) == false)
    }

    @Test(
        "2.1 a name that equals an injected one when _ is read as -",
        arguments: [
            ("X-Session-ID", FieldNameMatch.exact), ("x-session-id", .exact),
            ("X_Session_ID", .alias), ("X-Session_ID", .alias), ("x_session-id", .alias),
            ("X.Session.ID", .none), ("X-Session-IE", .none), ("X-Session-I", .none),
            ("X--Session-ID", .none), ("XX-Session-I", .none), ("", .none),
        ]
    )
    func aliases(_ name: String, _ expected: FieldNameMatch) {
        let row = bytes(name)
        #expect(FieldNameMatcher(bytes("X-Session-ID")).match(row.span, whole(row)) == expected)
        let underscored = FieldNameMatcher(bytes("X_SESSION_ID")).match(row.span, whole(row))
        #expect((underscored == .none) == (expected == .none))
    }
}

@Suite("Lists and cookies")
struct CursorTests {
    private func elements(_ value: String) -> ([String], Int) {
        let row = bytes("|" + value + "|")
        var cursor = ListCursor(ByteRange(offset: 1, count: row.count - 2))
        var found: [String] = []
        while let element = cursor.next(row.span) {
            found.append(text(row, element))
        }
        let behind = cursor.next(row.span)
        #expect(behind == nil)
        return (found, cursor.emptyCount)
    }

    @Test(
        "lists, RFC 9110 5.6.1",
        arguments: [
            ("", [], 1), ("a", ["a"], 0), ("a,b", ["a", "b"], 0), (" a ,\tb c ", ["a", "b c"], 0),
            (",", [], 2), ("a,", ["a"], 1), (",a", ["a"], 1), ("a, ,b", ["a", "b"], 1),
            ("\"a,b\",c", ["\"a,b\"", "c"], 0), ("a=\"\\\",\",b", ["a=\"\\\",\"", "b"], 0),
            ("\"a,b", ["\"a,b"], 0), ("a\"\\", ["a\"\\"], 0), ("\\,a", ["\\", "a"], 0),
        ]
    )
    func lists(_ value: String, _ expected: [String], _ empty: Int) {
        let (found, count) = elements(value)
        #expect(found == expected)
        #expect(count == empty)
    }

    @Test("no bytes make a cursor trap or reach beyond its value")
    func anyBytes() {
        var state: UInt64 = 42
        let alphabet = bytes(";=, \t\"\\ab\u{0}\u{FF}")
        for _ in 0..<20_000 {
            var row: [UInt8] = []
            for _ in 0..<12 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                row.append(alphabet[Int(state >> 33) % alphabet.count])
            }
            let count = Int(state >> 40) % 15
            // The range may even be longer than what is there.
            let value = ByteRange(offset: 0, count: count)
            let limit = min(count, row.count)
            var list = ListCursor(value)
            while let element = list.next(row.span) {
                #expect(element.count > 0 && element.end <= limit)
            }
        }
    }

    @Test("tokens")
    func tokens() {
        let row = bytes("ab c")
        #expect(row.span.isToken(ByteRange(offset: 0, count: 2)) == true)
        #expect(row.span.isToken(ByteRange(offset: 0, count: 3)) == false)
        #expect(row.span.isToken(ByteRange(offset: 0, count: 0)) == false)
        #expect(row.span.isToken(ByteRange(offset: 3, count: 2)) == false)
    }
}

@Suite("Tables of field lines")
struct FieldLinesTests {
    @Test("appending to the brim, and writing anew")
    func fill() {
        var lines = FieldLines(capacity: 2)
        let line = FieldLine(name: .empty, value: .empty, id: .host)
        let fits = [lines.append(line), lines.append(line), lines.append(line)]
        #expect(fits == [true, true, false])
        #expect(lines.count == 2)
        lines.fill { span in
            span[0].id = .via
            return 1
        }
        #expect(lines.count == 1)
        #expect(lines[0].id == .via)
        lines.removeAll()
        #expect(lines.count == 0)
        #expect(lines.capacity == 2)
    }
}
