import Foundation
import Settings
import Testing
import YAML

/// What a text gives as a configuration, with an environment.
func load(
    _ text: String,
    _ environment: [String: String] = [:],
    overrides: Settings.Overrides = .init()
) -> Result<Settings, Settings.Problems> {
    Settings.load(
        yaml: Array(text.utf8),
        environment: { environment[$0] },
        overrides: overrides
    )
}

/// The problems of a text, one a line as they are printed, without the name of the file.
func problems(_ text: String, _ environment: [String: String] = [:]) -> [String] {
    switch load(text, environment) {
    case .success: []
    case .failure(let problems): problems.lines(file: "").map { String($0.dropFirst()) }
    }
}

/// The settings of a text that must be good; `upstream` is added.
func settings(_ text: String, _ environment: [String: String] = [:]) throws -> Settings {
    try load("upstream: http://127.0.0.1:8000\n" + text, environment).get()
}

/// The bytes of a file in `config`.
func configuration(_ name: String) throws -> [UInt8] { try file("config/" + name) }

/// The bytes of a file of the project.
func file(_ path: String) throws -> [UInt8] {
    let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return try Array(Data(contentsOf: root.appending(path: path)))
}

/// A case of a table: a text, and every problem that it has.
struct Bad: CustomTestStringConvertible, Sendable {
    var text = ""
    var problems: [String] = []
    var testDescription: String { text }

    /// The cases of a table: lines of text, then a line `=> LINE:COLUMN: message` for each problem.
    ///
    /// In a message `{NAME}` stands for the text that `expected` has under this name.
    static func cases(_ table: String, _ expected: [String: String] = [:]) -> [Bad] {
        var cases: [Bad] = []
        var isText = false
        for line in table.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("=> ") {
                var message = String(line.dropFirst(3))
                for (name, text) in expected {
                    message = message.replacing("{\(name)}", with: text)
                }
                cases[cases.count - 1].problems.append(message)
                isText = false
            } else {
                if isText {
                    cases[cases.count - 1].text += "\n"
                } else {
                    cases.append(Bad())
                    isText = true
                }
                cases[cases.count - 1].text += line
            }
        }
        return cases
    }
}
