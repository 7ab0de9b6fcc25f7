import Settings
import Testing
import YAML

/// A tree as text: `key@line:column=value@line:column`, quoted scalars in quotes.
private func shown(_ node: Settings.Node) -> String {
    let place = "@\(node.place.line):\(node.place.column)"
    switch node.content {
    case .scalar(let text, let isQuoted): return (isQuoted ? "\"\(text)\"" : text) + place
    case .sequence(let nodes): return "[" + nodes.map(shown).joined(separator: " ") + "]" + place
    case .mapping(let entries):
        let all = entries.map { "\($0.key)@\($0.place.line):\($0.place.column)=\(shown($0.value))" }
        return "{" + all.joined(separator: " ") + "}" + place
    case .refused: return "!" + place
    }
}

private func read(_ text: String) -> (tree: String?, problems: [String]) {
    read(bytes: Array(text.utf8))
}

private func read(bytes: [UInt8]) -> (tree: String?, problems: [String]) {
    let document = YAMLReader.read(bytes)
    let problems = document.problems.map { "\($0.line):\($0.column): \($0.message)" }
    return (document.root.map(shown), problems)
}

/// Files that are no YAML.
private let syntaxCases = #"""
    listen: [::1]:8080
    => 1:10: did not find expected node content (while parsing a flow node); \#
    an IPv6 address needs quotes: "[::1]:8080"
    a:
    \#t- b
    => 2:1: found character that cannot start any token (while scanning for the next token); \#
    a tab cannot indent, use blanks
    a: "b
    => 1:6: found unexpected end of stream (while scanning a quoted scalar that begins at 1:4)
    a: { b: c
    d: e
    => 2:2: did not find expected ',' or '}' (while parsing a flow mapping that begins at 1:4)
    a: 1
     b: 2
    => 2:3: mapping values are not allowed in this context
    a: 1
    b
    => 2:1: could not find expected ':' after this word
    a: @b
    => 1:4: found character that cannot start any token (while scanning for the next token)
    a: %b
    => 1:4: found character that cannot start any token (while scanning for the next token)
    a: "\q"
    => 1:5: found unknown escape character (while parsing a quoted scalar that begins at 1:4)
    a: *
    => 1:5: did not find expected alphabetic or numeric character (while scanning an alias \#
    that begins at 1:4)
    %YAML 2.0
    --- a
    => 1:1: found incompatible YAML document
    a: b: c
    => 1:5: mapping values are not allowed in this context
    - a
    b: c
    => 2:1: did not find expected '-' indicator (while parsing a block collection \#
    that begins at 1:1)
    """#

@Suite("9 YAML becomes nodes with places, or is refused")
struct YAMLReaderTests {
    @Test("every value knows where it begins")
    func places() {
        let text = """
            a: 1
            "b c":   'x'
            d:
              - y
              - { e: [ f, "g" ], h: }
            i:
            j: |
              two
              lines
            """
        let (tree, problems) = read(text)
        #expect(problems == [])
        #expect(
            tree
                == "{a@1:1=1@1:4 b c@2:1=\"x\"@2:10 "
                + "d@3:1=[y@4:5 {e@5:7=[f@5:12 \"g\"@5:15]@5:10 h@5:22=@5:25}@5:5]@4:3 "
                + "i@6:1=@6:3 j@7:1=\"two\nlines\"@7:4}@1:1"
        )
    }

    @Test("columns count characters, not bytes")
    func characters() {
        #expect(read("ä€😀: ü").tree == "{ä€😀@1:1=ü@1:6}@1:1")
    }

    @Test(
        "nothing is a document without a root",
        arguments: ["", "\n\n", "# only this", "---\n...\n"]
    )
    func empty(_ text: String) {
        #expect(read(text).problems == [])
        #expect(["@1:4", "@2:1", nil].contains(read(text).tree))
    }

    @Test("line ends of other systems, and a byte-order mark, do not matter")
    func lineEnds() {
        #expect(read("a: 1\r\nb: 2\r\n").tree == "{a@1:1=1@1:4 b@2:1=2@2:4}@1:1")
        #expect(read("\u{FEFF}a: 1\n").problems == [])
        #expect(read("? a").tree == "{a@1:3=@1:4}@1:1")
        #expect(problems("\u{FEFF}upstream: http://a\r\nlog: 5\r\n").count == 1)
    }

    @Test(
        "aliases, anchors and tags are refused where they stand, and the reading goes on",
        arguments: [
            ("a: &x 1\nb: *x\n", ["1:4", "2:4"]),
            ("a: &x [ 1, { b: &y c } ]\n", ["1:17", "1:4"]),
            ("&k a: 1\n", ["1:1"]),
            ("<<: *x\n", []),
            ("a: !!str 1\nb: !local { c: d }\nc: ! e\n", ["1:4", "2:4", "3:4"]),
            ("!!map { a: 1 }", ["1:1"]),
        ]
    )
    func marks(_ text: String, _ places: [String]) {
        let found = read(text).problems
        if places.isEmpty {
            #expect(found.count == 1)
        } else {
            #expect(found.map { $0.split(separator: ": ")[0].description } == places)
            #expect(found.allSatisfy { $0.contains("not supported") })
        }
    }

    @Test("an alias bomb is as small as it is written")
    func aliasBomb() {
        var text = "a0: &a0 [ x, x, x, x, x, x, x, x, x, x ]\n"
        for level in 1...9 {
            let aliases = [String](repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [ \(aliases) ]\n"
        }
        let found = read(text).problems
        #expect(found.count == 100)
        #expect(found.first?.hasPrefix("1:5: anchors and aliases") ?? false)
        let all = problems(text)
        #expect(all.count == 110 + 1)
    }

    @Test("a key that stands twice is refused, and the first counts")
    func duplicates() {
        let (tree, problems) = read("a: 1\nb: { c: 2, c: 3 }\n\"a\": 4\n")
        #expect(tree == "{a@1:1=1@1:4 b@2:1={c@2:6=2@2:9}@2:4}@1:1")
        #expect(
            problems == [
                "2:12: the key 'c' stands already on line 2",
                "3:1: the key 'a' stands already on line 1",
            ]
        )
    }

    @Test("a key is a word", arguments: ["? [ a, b ]\n: c\n", "{ a: b }: c\n", "? { a }\n: c"])
    func keys(_ text: String) {
        #expect(read(text).problems.count == 1)
        #expect(read(text).problems[0].hasSuffix("a key must be a single word"))
    }

    @Test("a second document is refused")
    func documents() {
        let refused = ": a second document begins; a configuration is one document"
        #expect(read("a: 1\n---\nb: 2\n").problems == ["2:1" + refused])
        #expect(read("--- a\n--- b\n").problems == ["2:1" + refused])
        #expect(read("a: 1\n...\nb: 2\n").problems.count == 1)
        #expect(read("---\na: 1\n...\n").problems == [])
    }

    @Test("32 levels are read, 33 are not, and a million do not matter")
    func depth() {
        func flow(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(read(flow(32)).problems == [])
        #expect(read(flow(33)).problems == ["1:33: nested more than 32 levels deep"])
        let deep = String(repeating: "[", count: 1 << 20)
        #expect(read(deep).problems == ["1:33: nested more than 32 levels deep"])
        let maps = String(repeating: "{a: ", count: 1 << 18)
        #expect(read(maps).problems == ["1:126: nested more than 32 levels deep"])
        let indents = (0..<40).map { String(repeating: " ", count: $0) + "a:" }
        #expect(read(indents.joined(separator: "\n")).problems.count == 1)
        let dashes = String(repeating: "- ", count: 1 << 18)
        #expect(read(dashes).problems == ["1:65: nested more than 32 levels deep"])
    }

    @Test("bytes that are no text are refused with their place")
    func bytes() {
        func check(_ tail: [UInt8], _ message: String, at place: String) {
            let found = read(bytes: Array("a: 1\nb: ü".utf8) + tail).problems
            #expect(found == ["\(place): \(message)"])
        }
        check([0], "control characters are not allowed", at: "2:5")
        check([0x1B], "control characters are not allowed", at: "2:5")
        check([0x7F], "control characters are not allowed", at: "2:5")
        check([0xFF], "invalid leading UTF-8 octet", at: "2:5")
        check([0x80], "invalid leading UTF-8 octet", at: "2:5")
        check([0xC3], "incomplete UTF-8 octet sequence", at: "2:5")
        check([0xC3, 0x28], "invalid trailing UTF-8 octet", at: "2:6")
        check([0xC0, 0x80], "invalid length of a UTF-8 sequence", at: "2:5")
        check([0xED, 0xA0, 0x80], "invalid Unicode character", at: "2:5")
        check([0xF5, 0x80, 0x80, 0x80], "invalid Unicode character", at: "2:5")
        check(Array("\nc\n".utf8) + [0xFF], "invalid leading UTF-8 octet", at: "4:1")
        // UTF-16 with its byte-order mark is not guessed at.
        #expect(read(bytes: [0xFF, 0xFE, 0x61, 0x00]).problems.count == 1)
        #expect(read(bytes: [0xFE, 0xFF, 0x00, 0x61]).problems.count == 1)
    }

    @Test("a NUL that is written as an escape is a character like others, and no value has it")
    func escapedNUL() {
        #expect(read("a: \"x\\0y\"").tree == "{a@1:1=\"x\0y\"@1:4}@1:1")
        #expect(problems("upstream: \"unix:/a\\0b\"").count == 1)
        #expect(problems("upstream: \"http://a\\0b\"").count == 1)
        #expect(problems("upstream: http://a\nidentity: { path: \"/\\0\" }").count == 1)
    }

    @Test("a file of 1 MiB is read, a greater one is not")
    func sizes() {
        let scalar = String(repeating: "x", count: (1 << 20) - 3)
        #expect(read("a: " + scalar).problems == [])
        #expect(read("a: x" + scalar).problems == ["1:1: the file is larger than 1MiB"])
        // A huge value is shown shortened.
        let found = problems("upstream: http://a\nvia: " + String(repeating: "x", count: 100_000))
        #expect(found.count == 1)
        #expect(found[0].utf8.count < 300)
        // A huge key, and a great many keys, are refused without comparing each with all.
        #expect(problems(String(repeating: "k", count: 1000) + ": 1").count == 2)
        let same = read("{" + String(repeating: "a,", count: 200_000) + "}")
        #expect(same.problems.count == 1000)
        let many = (0..<60_000).map { "key\($0): 1\n" }.joined()
        #expect(problems(many).count == 1000)
    }

    @Test("syntax errors have libyaml's words and place", arguments: Bad.cases(syntaxCases))
    func syntax(_ bad: Bad) {
        #expect(read(bad.text).problems == bad.problems)
        #expect(read(bad.text).tree == nil)
    }
}
