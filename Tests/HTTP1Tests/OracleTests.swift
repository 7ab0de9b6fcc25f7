import Foundation
import HTTP1
import HTTPModel
import Testing

@Suite("The corpus under other people's parsers")
struct OracleTests {
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
        let (status, report) = try Oracle.ask("oracle.py", corpus)
        #expect(status == 0, "\(report)")
    }
}
