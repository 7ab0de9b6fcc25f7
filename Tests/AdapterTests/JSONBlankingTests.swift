import JSON
import Testing

/// Contract 2.2, `redact`: the value goes, every other byte stays.
@Suite("2.2 Blanking JSON")
struct JSONBlankingTests {
    private func blanked(_ text: String, _ pointers: String...) -> String? {
        let found = pointers.compactMap { JSONPointer($0) }
        return JSONBlanking.blank(found, in: Array(text.utf8)).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    @Test("2.2 strings, numbers, true and false become an empty string")
    func scalars() {
        #expect(blanked(#"{"id":"secret"}"#, "/id") == #"{"id":""}"#)
        #expect(blanked(#"{"id":""}"#, "/id") == #"{"id":""}"#)
        #expect(blanked(#"{"id":-1.5e3}"#, "/id") == #"{"id":""}"#)
        #expect(blanked(#"{"a":[true,false]}"#, "/a/1") == #"{"a":[true,""]}"#)
        #expect(blanked(#""whole""#, "") == #""""#)
        #expect(blanked("12 ", "") == "\"\" ")
    }

    @Test("2.2 what is none of these, or not there, stays")
    func others() {
        for text in [
            #"{"id":null}"#, #"{"id":{}}"#, #"{"id":[1]}"#, "{}", "[]", #""id""#, "1", "",
            #"{"x":{"id":1}}"#, #"{"ID":1}"#, #"{"i\\d":1}"#, #"["id",1]"#,
        ] {
            #expect(blanked(text, "/id") == nil, "\(text)")
        }
        #expect(blanked("[1,2]", "/2") == nil)
        #expect(blanked("[1,2]", "/01") == nil)
    }

    @Test("2.2 every other byte stays, and names are found however they are written")
    func places() {
        let text = "\t{ \"a\" : [ {\"x\\\"}\":\"id\", \"\\u0069d\" :\r\n\"q\\\\\\\"]}\" } , 2 ]\n}"
        let wanted = "\t{ \"a\" : [ {\"x\\\"}\":\"id\", \"\\u0069d\" :\r\n\"\" } , 2 ]\n}"
        #expect(blanked(text, "/a/0/id") == wanted)
        #expect(blanked(#"{"\ud83d\ude00":1,"/~":2}"#, "/😀") == #"{"\ud83d\ude00":"","/~":2}"#)
        #expect(blanked(#"{"\ud83d\ude00":1,"/~":2}"#, "/~1~0") == #"{"\ud83d\ude00":1,"/~":""}"#)
        #expect(blanked(#"{"\t\n\b\f\r\/":1}"#, "/\t\n\u{8}\u{c}\r~1") == #"{"\t\n\b\f\r\/":""}"#)
        #expect(blanked(#"{"":{"":1}}"#, "//") == #"{"":{"":""}}"#)
        #expect(blanked(#"{"a":1,"b":2,"c":3}"#, "/a", "/c", "/a") == #"{"a":"","b":2,"c":""}"#)
    }

    @Test("2.2 where the parser finds a value, blanking finds it, in every nesting")
    func agreesWithTheParser() throws {
        var text = #"{"v":"x"}"#
        var pointer = "/v"
        for depth in 0..<60 {
            text = depth.isMultiple(of: 2) ? "[1, \(text) ]" : #"{"a":[{}],"k\u0065y":\#(text)}"#
            pointer = (depth.isMultiple(of: 2) ? "/1" : "/key") + pointer
            let document = try JSONDocument(Array(text.utf8))
            let place = try #require(JSONPointer(pointer))
            #expect(document.value(at: place) == Array("x".utf8))
            let after = try #require(JSONBlanking.blank([place], in: Array(text.utf8)))
            #expect(try JSONDocument(after).value(at: place) == [])
            #expect(after.count == text.utf8.count - 1)
        }
    }

    @Test("2.2 what is cut anywhere is walked through without a trap")
    func cut() {
        let text = Array(#" {"a":[{"id":"x\u00e9\\"},1e5,{"b":{"id":"y"}}],"id":"z"} "#.utf8)
        let pointers = ["/a/0/id", "/a/2/b/id", "/id", "/a/9"].compactMap { JSONPointer($0) }
        for end in 0...text.count {
            let found = JSONBlanking.blank(pointers, in: Array(text[..<end]))
            #expect(found == nil || end > 12)
        }
    }
}
