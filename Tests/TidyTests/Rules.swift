/// The house rules that can be read off a file's text; each gives what it found, with the place.
enum Rules {
    static let columnsMax = 100
    static let fileLinesMax = 500
    static let functionLinesMax = 70

    /// Forbidden anywhere, tests included.
    static let forbiddenEverywhere = ["@unchecked Sendable", "nonisolated(unsafe)"]

    /// Forbidden in the program.
    static let forbiddenInSources = ["fatalError(", "try!", "as!", "import Foundation"]

    /// Sleeping instead of waiting for what is expected.
    static let sleeps = ["usleep(", "nanosleep(", "Task.sleep", "Thread.sleep", " sleep("]

    static func occurrences(of words: [String], in text: SwiftText) -> [String] {
        text.code.enumerated().flatMap { index, line in
            words.filter { (" " + line).contains($0) }.map { "\(text.path):\(index + 1): \($0)" }
        }
    }

    /// The word `unsafe`, in any spelling that Swift has for it.
    static func unsafeCode(in text: SwiftText) -> [String] {
        text.code.enumerated().filter { $0.element.contains(/\b[uU]nsafe/) }.map {
            "\(text.path):\($0.offset + 1): unsafe"
        }
    }

    static func longLines(in text: SwiftText) -> [String] {
        text.lines.enumerated().filter { $0.element.count > columnsMax }.map {
            "\(text.path):\($0.offset + 1): \($0.element.count) columns"
        }
    }

    static func tooManyLines(in text: SwiftText) -> [String] {
        let count = text.lines.count - (text.lines.last == "" ? 1 : 0)
        return count > fileLinesMax ? ["\(text.path): \(count) lines"] : []
    }

    static func longFunctions(in text: SwiftText) -> [String] {
        FunctionFinder(text).all().filter { $0.lineCount > functionLinesMax }.map {
            "\(text.path):\($0.line): \($0.name) has \($0.lineCount) lines"
        }
    }

    /// Tests that assert nothing, neither themselves nor through a function of their target.
    static func testsThatAssertNothing(in target: [SwiftText]) -> [String] {
        let functions = target.map { text in (text, FunctionFinder(text).all()) }
        let asserting = assertingNames(among: functions.flatMap { $0.1 })
        return functions.flatMap { text, found in
            found.filter { $0.isTest && !asserts($0, through: asserting) }.map {
                "\(text.path):\($0.line): \($0.name) asserts nothing"
            }
        }
    }

    private static func asserts(_ function: FoundFunction, through names: Set<String>) -> Bool {
        let own = ["#expect", "#require", "Issue.record", "confirmation("]
        if own.contains(where: { function.body.contains($0) }) { return true }
        return function.body.matches(of: /(\w+)\s*[(<{]/).contains {
            names.contains(String($0.output.1))
        }
    }

    private static func assertingNames(among functions: [FoundFunction]) -> Set<String> {
        var names: Set<String> = []
        while true {
            let more = functions.filter { !$0.isTest && asserts($0, through: names) }.map(\.name)
            if names.isSuperset(of: more) { return names }
            names.formUnion(more)
        }
    }

    /// Entries of the top level beyond what the layout knows.
    static func strayEntries(among names: [String]) -> [String] {
        let known = [
            "Package.swift", "Package.resolved", "Sources", "Tests", "config", "README.md",
            "Makefile", "LICENSE", ".ci", ".swift-format", ".gitignore", "Benchmarks", "Examples",
            ".git", ".swiftpm",
        ]
        return names.filter { !known.contains($0) && !$0.hasPrefix(".build") }
    }
}
