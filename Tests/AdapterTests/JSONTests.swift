import JSON
import Testing

private func value(_ pointer: String, in text: String) throws -> String? {
    let document = try JSONDocument(Array(text.utf8))
    return document.value(at: try #require(JSONPointer(pointer)))
        .map { String(decoding: $0, as: UTF8.self) }
}

private func error(_ bytes: [UInt8]) -> JSONError? {
    do throws(JSONError) {
        _ = try JSONDocument(bytes)
        return nil
    } catch {
        return error
    }
}

struct JSONPointerTests {
    /// The document of RFC 6901 §5, with scalars in place of what is not one.
    private let example = #"""
        { "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5,
          "k\"l": 6, " ": 7, "m~n": 8 }
        """#

    @Test(
        "RFC 6901 §5: the examples",
        arguments: [
            ("/foo/0", "bar"), ("/foo/1", "baz"), ("/", "0"), ("/a~1b", "1"), ("/c%d", "2"),
            ("/e^f", "3"), ("/g|h", "4"), ("/i\\j", "5"), ("/k\"l", "6"), ("/ ", "7"),
            ("/m~0n", "8"),
        ]
    )
    func examples(_ pointer: String, _ expected: String) throws {
        #expect(try value(pointer, in: example) == expected)
    }

    @Test(
        "what is not there, or is no scalar, is nil",
        arguments: [
            "", "/foo", "/foo/2", "/foo/-", "/foo/00", "/foo/01", "/foo/+1", "/foo/-1", "/foo/1e0",
            "/foo/", "/foo/0/x", "/foo/18446744073709551616", "/foo/999999999", "/bar", "//",
            "/ /0", "/FOO/0",
        ]
    )
    func absent(_ pointer: String) throws {
        #expect(try value(pointer, in: example) == nil)
    }

    @Test(
        "RFC 6901 §3: what is no pointer",
        arguments: ["foo", " /foo", "~", "/~", "/~2", "/a~", "/a~x/b", "#/foo", "/a/~"]
    )
    func noPointer(_ text: String) {
        #expect(JSONPointer(text) == nil)
    }

    @Test("RFC 6901 §4: ~01 is ~1, not a slash")
    func escapeOrder() throws {
        #expect(try value("/~01", in: #"{"~1": "tilde", "/": "slash"}"#) == "tilde")
    }

    @Test("the whole document can be a scalar")
    func whole() throws {
        #expect(try value("", in: #""abc""#) == "abc")
        #expect(try value("", in: " 42 ") == "42")
        #expect(try value("/0", in: #""abc""#) == nil)
        #expect(try value("", in: "null") == nil)
    }
}

struct JSONDocumentTests {
    @Test(
        "numbers come out as they are written",
        arguments: [
            "0", "-0", "1", "-1", "9223372036854775807", "9223372036854775808",
            "18446744073709551615", "-9223372036854775809",
            "123456789012345678901234567890123456789012345678901234567890", "1.0", "1.50",
            "1733490000.123456789123456789", "1e400", "1E+400", "-1e-400", "0.1e1", "0e0",
        ]
    )
    func numbers(_ text: String) throws {
        #expect(try value("/id", in: "{\"id\": \(text)}") == text)
        #expect(try value("/1", in: "[\(text),\(text),\(text)]") == text)
        #expect(try value("", in: text) == text)
    }

    @Test(
        "RFC 8259 §6: what is no number",
        arguments: [
            "-", "01", "-01", "1.", ".1", "1.e1", "1e", "1e+", "+1", "--1", "0x10", "1_0", "NaN",
            "Infinity", "-Infinity", "1e1.0", "1a", "1-1", "1 1",
        ]
    )
    func noNumbers(_ text: String) {
        #expect(error(Array(text.utf8)) == .malformed)
        #expect(error(Array("{\"id\":\(text)}".utf8)) == .malformed)
    }

    @Test(
        "a number is no member name",
        arguments: [#"{1:2}"#, #"{1 : 2}"#, "{\"a\":1,2\n:3}", #"{1"a":2}"#, #"{"a"1:2}"#]
    )
    func numberAsName(_ text: String) {
        #expect(error(Array(text.utf8)) == .malformed)
    }

    @Test("strings, true and false")
    func scalars() throws {
        let text =
            #"{"s":"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00","t":true,"f":false,"n":null,"e":""}"#
        #expect(try value("/s", in: text) == "a\"\\/\u{8}\u{c}\n\r\té😀")
        #expect(try value("/t", in: text) == "true")
        #expect(try value("/f", in: text) == "false")
        #expect(try value("/n", in: text) == nil)
        #expect(try value("/e", in: text) == "")
    }

    @Test("what looks like a number in a string is left alone")
    func numbersInStrings() throws {
        let text = #"{"a\"1": "-1e \" 01 [[{{ \\", "2": "x"}"#
        #expect(try value("/a\"1", in: text) == #"-1e " 01 [[{{ \"#)
        #expect(try value("/2", in: text) == "x")
    }

    @Test("a NUL in a string ends nothing")
    func nul() throws {
        let document = try JSONDocument(Array(#"{"id":"a\u0000b"}"#.utf8))
        let pointer = try #require(JSONPointer("/id"))
        #expect(document.value(at: pointer) == [0x61, 0, 0x62])
        let longer = try #require(JSONPointer("/id\u{0}"))
        #expect(document.value(at: longer) == nil)
    }

    @Test(
        "what is no document",
        arguments: [
            "", " ", "{", "}", "[", "]", "{]", "[}", "{}{}", "[1,]", "{\"a\":1,}", "{\"a\"}",
            "{a:1}", "{'a':1}", "\"", "\"\\", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"",
            "\"\n\"", "\"\t\"", "tru", "TRUE", "nul", "[1 2]", "// x\n1", "/**/1", "\u{FEFF}{}",
            "<html></html>", "{\"id\":\"a\u{0}b\"}", "{}\u{0}", "{\"\\u0000\":1}",
        ]
    )
    func malformed(_ text: String) {
        #expect(error(Array(text.utf8)) == .malformed)
    }

    @Test(
        "invalid UTF-8 is no document",
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xE2, 0x82, 0x22], [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], [0x22, 0xC3],
            [0xEF, 0xBB, 0xBF, 0x7B, 0x7D], [0xFF, 0xFE, 0x7B, 0x00, 0x7D, 0x00],
        ] as [[UInt8]]
    )
    func invalidUTF8(_ bytes: [UInt8]) {
        #expect(error(bytes) == .malformed)
    }

    @Test(
        "two members of one name are no document",
        arguments: [
            #"{"id":"a","id":"b"}"#, #"{"id":1,"id":1}"#, #"{"id":"a","\u0069d":"b"}"#,
            #"{"x":{"id":1,"y":2,"id":3}}"#,
        ]
    )
    func duplicates(_ text: String) {
        #expect(error(Array(text.utf8)) == .malformed)
    }

    @Test("nesting is bounded", arguments: ["[", "{\"a\":"])
    func nesting(_ opening: String) throws {
        let closing = opening == "[" ? "]" : "}"
        func nested(_ depth: Int) -> [UInt8] {
            let text =
                String(repeating: opening, count: depth) + "1"
                + String(repeating: closing, count: depth)
            return Array(text.utf8)
        }
        #expect(error(nested(64)) == nil)
        #expect(error(nested(65)) == .tooDeep)
        #expect(error(nested(30_000)) == .tooDeep)
        #expect(error(Array(String(repeating: opening, count: 60_000).utf8)) == .tooDeep)
        #expect(error(Array(String(repeating: closing, count: 60_000).utf8)) == .malformed)
        // Wide is not deep.
        #expect(error(Array(("[" + String(repeating: "[],", count: 9000) + "[]]").utf8)) == nil)
    }

    @Test("a document cut at every place is refused, never a trap")
    func cut() {
        let text = Array(#"{"a":[1,-2.5e+3,"x\u00e9\n"],"b":{"c":true,"d":null},"id":"z"}"#.utf8)
        #expect(error(text) == nil)
        for end in 0..<text.count {
            #expect(error(Array(text[..<end])) == .malformed)
        }
    }

    @Test("every byte changed to every other is a document or none, never a trap")
    func mutated() throws {
        let text = Array(#"{"a":[1,-2.5e+3,"x\u00e9"],"id":"z"}"#.utf8)
        let pointers = try ["/id", "/a/1", "/a/2", ""].map { try #require(JSONPointer($0)) }
        var accepted = 0
        for index in text.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = text
                changed[index] = byte
                guard let document = try? JSONDocument(changed) else { continue }
                accepted += 1
                for pointer in pointers {
                    _ = document.value(at: pointer)
                }
            }
        }
        #expect(accepted > text.count)
    }
}
