import Testing

/// Each rule finds what it is there for: a check that cannot fail is none.
@Suite("the tidy rules bite")
struct RuleTests {
    private func text(_ text: String) -> SwiftText { SwiftText(path: "x.swift", text) }

    private let table = ImportTable(
        markdown: """
            | module | floor | may import |
            |---|---|---|
            | Up | shell | Wrap, Pure, Low |
            | Wrap | adapter | CWrap, Low, Glibc |
            | Pure | core | Low |
            | Low | ground | |

            | another | table | here |
            """
    )

    @Test("imports: in every spelling, and only those that are code")
    func imports() {
        let source = text(
            """
            // import Comment
            public import Wrap
            @testable internal import Pure
            import struct Low.Thing
            let text = "import Nothing"
            """
        )
        #expect(source.imports.map(\.module) == ["Wrap", "Pure", "Low"])
        #expect(table.forbiddenImports(in: source, of: "Up") == [])
        #expect(
            table.forbiddenImports(in: source, of: "Pure") == [
                "x.swift:2: Pure may not import Wrap", "x.swift:3: Pure may not import Pure",
            ]
        )
        #expect(!table.forbiddenImports(in: text("import Foundation"), of: "Up").isEmpty)
        #expect(!table.forbiddenImports(in: text(""), of: "Unknown").isEmpty)
    }

    @Test(
        "the table: up, sideways, in a circle, to nowhere",
        arguments: [
            "| Pure | core | Up |", "| Other | adapter | Wrap |", "| Pure | core | CWrap |",
            "| Low | ground | Pure |", "| Pure | core | Glibc |", "| Pure | core | Nowhere |",
            "| Pure | attic | Low |", "| Pure | core | Pure |",
        ]
    )
    func unsoundTables(row: String) {
        #expect(table.problems() == [])
        let rows = """
            | module | floor | may import |
            |---|---|---|
            | Up | shell | Wrap |
            | Wrap | adapter | CWrap, Low |
            | Low | ground | |

            """
        let added = rows.dropLast() + row
        #expect(!ImportTable(markdown: String(added)).problems().isEmpty)
    }

    @Test("the manifest: a dependency too many, one too few, a module that is missing")
    func manifests() {
        let manifest = """
            .executableTarget(
                name: "Up",
                dependencies: ["Wrap", "Pure", "Low"],
                swiftSettings: settings
            ),
            // module("Gone", []),
            module("Wrap", ["CWrap", "Low"]),
            module("Pure", ["Low"], extra: [.enableUpcomingFeature("X")]),
            module("Low"),
            """
        let right = targetDependencies(ofManifest: manifest)
        #expect(table.disagreements(with: right) == [])
        let more = manifest.replacing(#"("Pure", ["Low"]"#, with: #"("Pure", ["Low", "Wrap"]"#)
        let moreFound = table.disagreements(with: targetDependencies(ofManifest: more))
        #expect(moreFound == ["Pure: Wrap"])
        let fewer = manifest.replacing(#""Pure", "Low"],"#, with: #""Pure"],"#)
        let fewerFound = table.disagreements(with: targetDependencies(ofManifest: fewer))
        #expect(fewerFound == ["Up: Low"])
        let without = manifest.replacing(#"module("Low"),"#, with: "")
        let withoutFound = table.disagreements(with: targetDependencies(ofManifest: without))
        #expect(withoutFound == ["Low is in the table alone"])
    }

    @Test("unsafe code, but not in comments and strings")
    func unsafeCode() {
        let source = text(
            """
            /// unsafe in a comment
            let message = "unsafe \\(value, unsafe: 1)"
            let pointer = unsafe thing()
            var p: UnsafePointer<Int>
            let fine = makeunsafe
            """
        )
        #expect(
            Rules.unsafeCode(in: source).map { $0.prefix(9) } == [
                "x.swift:2", "x.swift:3", "x.swift:4",
            ]
        )
    }

    @Test(
        "what is forbidden",
        arguments: Rules.forbiddenEverywhere + Rules.forbiddenInSources + Rules.sleeps
    )
    func forbidden(word: String) {
        let all = Rules.forbiddenEverywhere + Rules.forbiddenInSources + Rules.sleeps
        let lines = "\(word)\n// \(word)\nlet a = \"\(word)\"\n/* \(word) */\n"
        #expect(Rules.occurrences(of: all, in: text(lines)).count == 1)
    }

    @Test("a line of 101 columns, of 100 not")
    func longLines() {
        let line = String(repeating: "ü", count: 100)
        #expect(Rules.longLines(in: text(line)) == [])
        #expect(Rules.longLines(in: text("a\n" + line + "x")) == ["x.swift:2: 101 columns"])
    }

    @Test("a file of 501 lines, of 500 not")
    func longFiles() {
        let lines = String(repeating: "a\n", count: 500)
        #expect(Rules.tooManyLines(in: text(lines)) == [])
        #expect(Rules.tooManyLines(in: text(lines + "b\n")) == ["x.swift: 501 lines"])
    }

    @Test("a function of 71 lines, of 70 not; strings and closures do not confuse it")
    func longFunctions() {
        let start = "protocol P { func f() }\nstruct S {\nfunc g(_ c: () -> Int = { 1 }) -> Int\n{"
        let fill = String(repeating: "let a = \"}\" // }\n", count: 67)
        let end = "if a { b() }\n}\n}\n"
        #expect(Rules.longFunctions(in: text(start + fill + end)) == [])
        let found = Rules.longFunctions(in: text(start + fill + "c()\n" + end))
        #expect(found == ["x.swift:3: g has 71 lines"])
        let initializer = "struct S { init() {\n\(String(repeating: "a()\n", count: 70))} }"
        #expect(Rules.longFunctions(in: text(initializer)) == ["x.swift:1: init has 72 lines"])
    }

    @Test("a test that asserts nothing, and one that asserts through a function")
    func emptyTests() {
        let source = text(
            """
            @Test func direct() { #expect(true) }
            @Test("named", arguments: [1]) func nothing(x: Int) throws { run("#expect") }
            @Test func through() { try helper(1) }
            func helper(_ x: Int) { inner { _ in } }
            func inner(_ x: (Int) -> Void) { #expect(true) }
            func run(_ text: String) {}
            """
        )
        let found = Rules.testsThatAssertNothing(in: [source])
        #expect(found == ["x.swift:2: nothing asserts nothing"])
    }

    @Test("a stray entry of the top level")
    func strayEntries() {
        let names = [".git", ".build-asan", "Sources", "notes.txt", ".env", "README.md"]
        #expect(Rules.strayEntries(among: names) == ["notes.txt", ".env"])
    }
}
