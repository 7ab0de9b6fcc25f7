import Foundation
import HTTP1
import HTTPModel
import Testing

@Suite("Generated requests under other people's parsers")
struct DifferentialTests {
    private static let count = 100_000

    @Test("7 of 100,000 nearly valid heads none is taken for something that others do not see")
    func heads() throws {
        var generator = NearValidRequests(seed: 9112)
        let parser = HeadParser(limits: HeadLimits(), protected: [])
        var head = RequestHead(fieldCapacity: HeadLimits().headerCount)
        var lines = Data()
        for _ in 0..<Self.count {
            let message = generator.next()
            let words: String
            switch parser.parseRequest(buffer(message), into: &head) {
            case .complete: words = "accepted \(text(head.framing)) "
            case .incomplete: words = "incomplete - "
            case .refused(let refusal): words = "refused \(refusal.cause) "
            }
            lines += Data(words.utf8) + Data(message).base64EncodedData() + Data("\n".utf8)
        }
        let (status, report) = try Oracle.ask("differential.py", lines)
        #expect(status == 0, "\(report)")
    }

    private func text(_ framing: Framing) -> String {
        switch framing {
        case .none: "none"
        case .length(let count): "length:\(count)"
        case .chunked: "chunked"
        case .untilClose: "untilClose"
        }
    }
}
