import JSON
import Testing

/// Contract section 5, `identity.augment`: members are added, every other byte stays.
@Suite("5 Extending JSON")
struct JSONExtendingTests {
    private func extended(_ text: String) throws -> String? {
        let members = [("id", #""x""#), ("at", "1")]
        return try JSONExtending.add(members, to: Array(text.utf8)).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    @Test("5 what is missing comes last")
    func missing() throws {
        #expect(try extended("{}") == #"{"id":"x","at":1}"#)
        #expect(try extended(" { \n} ") == " {\"id\":\"x\",\"at\":1 \n} ")
        #expect(try extended(#"{"a":{}}"#) == #"{"a":{},"id":"x","at":1}"#)
        #expect(
            try extended("{\"a\": \"}\"\r\n}\n") == "{\"a\": \"}\",\"id\":\"x\",\"at\":1\r\n}\n"
        )
    }

    @Test("5 what is there stays, whatever it holds")
    func present() throws {
        for value in ["null", "\"\"", "{}", "[1]", "false", "12345678901234567890.5"] {
            #expect(try extended("{\"id\":\(value)}") == "{\"id\":\(value),\"at\":1}")
        }
        #expect(try extended(#"{"\u0069d":1}"#) == #"{"\u0069d":1,"at":1}"#)
        #expect(try extended(#"{"at":0,"id":1}"#) == nil)
    }

    @Test("5 only the outermost object counts, and names are compared to the letter")
    func nested() throws {
        #expect(
            try extended(#"{"a":{"id":1,"at":2}}"#) == #"{"a":{"id":1,"at":2},"id":"x","at":1}"#
        )
        #expect(try extended(#"{"ID":1,"at ":2}"#) == #"{"ID":1,"at ":2,"id":"x","at":1}"#)
        #expect(try extended(#"{"a":"id"}"#) == #"{"a":"id","id":"x","at":1}"#)
    }

    @Test("5 what is no object stays, and what is no JSON is said to be none")
    func others() throws {
        for text in ["[]", "[{}]", "1", "null", #""{}""#] {
            #expect(try extended(text) == nil, "\(text)")
        }
        for text in ["", "{", "{}{}", #"{"id":1,"id":2}"#, #"{"a":1,}"#, "{'a':1}"] {
            #expect(throws: JSONError.malformed, "\(text)") { try extended(text) }
        }
    }
}
