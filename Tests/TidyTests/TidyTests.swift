import TestSupport
import Testing

/// Holds the tree to the rules of the house.
@Suite("the tree is tidy")
struct TidyTests {
    /// Tables, which may be longer than other files; each with the reason in its name.
    private static let tables: [String] = []

    private static let sources = swiftFiles(below: "Sources")
    private static let tests = swiftFiles(below: "Tests")
    private static let table = ImportTable(markdown: read("Sources/README.md"))

    private static func read(_ path: String) -> String { Place.text(Place.root + "/" + path) }

    private static func swiftFiles(below directory: String) -> [SwiftText] {
        Place.files(below: Place.root + "/" + directory).filter { $0.hasSuffix(".swift") }.map {
            SwiftText(path: directory + "/" + $0, read(directory + "/" + $0))
        }
    }

    private static func module(of text: SwiftText) -> String {
        String(text.path.split(separator: "/")[1])
    }

    @Test("the table's imports go down only, and never in a circle")
    func tableIsSound() {
        #expect(Self.table.rows.count > 10)
        #expect(Self.table.problems() == [])
    }

    @Test("Package.swift says the same as the table")
    func manifestAgrees() {
        let manifest = targetDependencies(ofManifest: Self.read("Package.swift"))
        #expect(manifest.count > 10)
        #expect(Self.table.disagreements(with: manifest) == [])
    }

    @Test("each import line is allowed by the table")
    func imports() {
        #expect(Self.sources.count > 30)
        let findings = Self.sources.flatMap {
            Self.table.forbiddenImports(in: $0, of: Self.module(of: $0))
        }
        #expect(findings == [])
    }

    @Test("unsafe code in adapters and Memory alone")
    func unsafeCode() {
        let findings = Self.sources.filter { text in
            let module = Self.module(of: text)
            return module != "Memory" && Self.table.rows[module]?.floor != .adapter
        }.flatMap { Rules.unsafeCode(in: $0) }
        #expect(findings == [])
    }

    @Test("nothing that switches a check off")
    func forbidden() {
        let everywhere = (Self.sources + Self.tests).flatMap {
            Rules.occurrences(of: Rules.forbiddenEverywhere, in: $0)
        }
        #expect(everywhere == [])
        let inSources = Self.sources.flatMap {
            Rules.occurrences(of: Rules.forbiddenInSources, in: $0)
        }
        #expect(inSources == [])
    }

    @Test("lines, files and functions can be read")
    func sizes() {
        let all = Self.sources + Self.tests
        #expect(all.flatMap { Rules.longLines(in: $0) } == [])
        #expect(all.flatMap { Rules.longFunctions(in: $0) } == [])
        let files = all.filter { !Self.tables.contains($0.path) }
        #expect(files.flatMap { Rules.tooManyLines(in: $0) } == [])
        let gone = Self.tables.filter { path in !all.contains { $0.path == path } }
        #expect(gone == [], "exempt, but not there any more")
    }

    @Test("the top level has what the layout knows, and nothing else")
    func topLevel() {
        #expect(Rules.strayEntries(among: Place.names(in: Place.root)) == [])
    }

    @Test("each test asserts something")
    func testsAssert() {
        let targets = Dictionary(grouping: Self.tests) { Self.module(of: $0) }
        #expect(targets.count > 5)
        #expect(targets.values.flatMap { Rules.testsThatAssertNothing(in: $0) } == [])
    }

    @Test("no test sleeps")
    func sleeps() {
        let findings = Self.tests.flatMap { Rules.occurrences(of: Rules.sleeps, in: $0) }
        #expect(findings == [])
    }
}
