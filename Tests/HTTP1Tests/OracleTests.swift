import Foundation
import HTTP1
import HTTPModel
import Testing

@Suite("The corpus under other people's parsers")
struct OracleTests {
    private static var root: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }

    /// The interpreter that has h11 and httptools; `make test` makes it.
    private static var python: String {
        ProcessInfo.processInfo.environment["LYCHGATE_PYTHON"]
            ?? root.appending(path: ".build/venv/bin/python").path
    }

    private func line(_ fields: [String: String]) -> Data {
        // A JSON object of strings: there is nothing in it that cannot be written.
        let data =
            (try? JSONSerialization.data(withJSONObject: fields, options: .sortedKeys)) ?? Data()
        return data + Data("\n".utf8)
    }

    private func text(_ framing: Framing) -> String {
        switch framing {
        case .none: "none"
        case .length(let count): "length \(count)"
        case .chunked: "chunked"
        case .untilClose: "untilClose"
        }
    }

    private func line(_ head: HeadCase, kind: String) -> Data {
        var fields = [
            "name": head.name, "kind": kind,
            "message": Data(head.message).base64EncodedString(),
            "method": "\(head.method)".uppercased(),
        ]
        switch head.verdict {
        case .accepted(let framing, _):
            fields["verdict"] = "accepted"
            fields["framing"] = text(framing)
        case .incomplete: fields["verdict"] = "incomplete"
        case .refused: fields["verdict"] = "refused"
        }
        return line(fields)
    }

    private func line(_ content: ContentCase) -> Data {
        let verdict =
            switch content.end {
            case .finished: "accepted"
            case .unfinished: "incomplete"
            case .failed: "refused"
            }
        return line([
            "name": content.name, "kind": "content", "verdict": verdict,
            "message": Data(content.input).base64EncodedString(),
            "content": Data(content.content).base64EncodedString(),
        ])
    }

    @Test("7 h11 and httptools agree, but for what is known and justified")
    func oracles() throws {
        var corpus = Data()
        for head in RequestCorpus.all + SmugglingCorpus.all {
            corpus += line(head, kind: "request")
        }
        for head in ResponseCorpus.all {
            corpus += line(head, kind: "response")
        }
        for content in ContentCorpus.all where content.framing == .chunked {
            corpus += line(content)
        }
        // Through a file: a pipe might fill up on either side.
        let file = FileManager.default.temporaryDirectory
            .appending(path: "lychgate-corpus-\(UUID().uuidString).jsonl")
        try corpus.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }

        let process = Process()
        process.executableURL = URL(filePath: Self.python)
        process.arguments = [Self.root.appending(path: "Tests/HTTP1Tests/oracle.py").path]
        process.standardInput = try FileHandle(forReadingFrom: file)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        // Where the interpreter is missing this throws: the test fails, it is never skipped.
        try process.run()
        let report = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(String(decoding: report, as: UTF8.self))")
    }
}
