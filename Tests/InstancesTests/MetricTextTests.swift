import Instances
import Testing

/// A line of the format, and what is found of the metric `m` in it.
private struct Case: CustomTestStringConvertible, Sendable {
    let text: String
    let found: MetricText.Finding
    var testDescription: String { text }

    init(_ text: String, _ value: String) {
        self.text = text
        found = .value(Array(value.utf8))
    }

    init(_ text: String, _ found: MetricText.Finding) {
        self.text = text
        self.found = found
    }
}

@Suite("3.1 metric:NAME, the Prometheus text format")
struct MetricTextTests {
    private func find(_ text: String, _ name: String = "m") -> MetricText.Finding {
        let (name, text) = (Array(name.utf8), Array(text.utf8))
        return MetricText.value(of: name.span, in: text.span)
    }

    private static let numbers: [Case] = [
        Case("m 1", "1"), Case("m 1\n", "1"), Case("m 1\r\n", "1"), Case("\tm \t 1 \t\n", "1"),
        Case("m +1", "1"), Case("m -1", "-1"), Case("m 1.", "1"), Case("m .5", "5e-1"),
        Case("m 1700000000", "1700000000"), Case("m 1.7e9", "1700000000"),
        Case("m 1.7E+09", "1700000000"), Case("m 17000000e2", "1700000000"),
        Case("m 0001700000000.000", "1700000000"), Case("m 170000000000e-2", "1700000000"),
        Case("m 1700000000.25", "1700000000.25"), Case("m 1.70000000025e+09", "1700000000.25"),
        Case("m 1.70000000025e9 1700000001000", "1700000000.25"),
        Case("m 0.001", "1e-3"), Case("m 1e-3", "1e-3"), Case("m 10.50", "10.5"),
        Case("m 1e20", "100000000000000000000"), Case("m 1e21", "1e21"), Case("m 12e-4", "12e-4"),
        Case("m 9007199254740993", "9007199254740993"),
    ]

    private static let samples: [Case] = [
        Case("m{} 2", "2"), Case("m{a=\"b\"} 2", "2"), Case("m { a = \"b\" , } 2", "2"),
        Case("m{a=\"b\",c=\"d\",}2", "2"), Case(#"m{a="}",b="\"} 3",c="\\"} 2"#, "2"),
        Case("m{a=\"# {\"} 2 # {trace=\"x\"} 0.5 1.0", "2"), Case("m 2 1.5 # {} 1", "2"),
        Case("# m 1\n# HELP m 1\n# TYPE m gauge\nm 2\n# EOF\n", "2"),
        Case("mm 1\nm_ 1\nm:x 1\nxm 1\nm1 1\nm 2", "2"), Case("broken {\nm 2\n\n{}}\n", "2"),
        Case("m 2\nm 2.0\nm{a=\"b\"} 2e0\n", "2"), Case("m{a=\"ä→\"} 2", "2"),
    ]

    private static let none: [Case] = [
        Case("", .absent), Case("\n\n", .absent), Case("mm 1", .absent), Case("#m 1", .absent),
        Case("<html>m 1</html>", .absent), Case("M 1", .absent), Case("x{m=\"1\"} 1", .absent),
        Case("m NaN", .noNumber), Case("m nan 1", .noNumber), Case("m +Inf", .noNumber),
        Case("m -inf", .noNumber), Case("m Infinity", .noNumber), Case("m 0", .noNumber),
        Case("m -0.0e7", .noNumber), Case("m{a=\"b\"} 0.000", .noNumber),
        Case("m", .malformed), Case("m ", .malformed), Case("m{", .malformed),
        Case("m{}", .malformed), Case("m{a} 1", .malformed), Case("m{a=} 1", .malformed),
        Case("m{a=b} 1", .malformed), Case("m{a=\"b} 1", .malformed),
        Case("m{a=\"b\\", .malformed), Case("m{a=\"b\\\"} 1", .malformed),
        Case("m{a=\"b\" c=\"d\"} 1", .malformed), Case("m{,} 1", .malformed),
        Case("m{\"m\"} 1", .malformed), Case("m x", .malformed), Case("m 1x", .malformed),
        Case("m 0x1p3", .malformed), Case("m 1_000", .malformed), Case("m 1.2.3", .malformed),
        Case("m e5", .malformed), Case("m 1e", .malformed), Case("m 1e+", .malformed),
        Case("m 1e5.5", .malformed), Case("m 1e10000", .malformed), Case("m -", .malformed),
        Case("m .", .malformed), Case("m +-1", .malformed), Case("m 1 x", .malformed),
        Case("m 1 2 3", .malformed), Case("m.x 1", .malformed), Case("m\u{0} 1", .malformed),
        Case("m 1e99999999999999999999", .malformed), Case("m infinit", .malformed),
        Case("m 1\nm 2", .ambiguous), Case("m{a=\"1\"} 1\nm{a=\"2\"} NaN", .ambiguous),
        Case("m 1\nm x", .malformed), Case("m NaN\nm 1", .noNumber),
    ]

    @Test("3.1 one number has one text, however it is written", arguments: numbers)
    private func number(_ one: Case) {
        #expect(find(one.text) == one.found)
    }

    @Test("3.1 labels, comments, other metrics, times and exemplars", arguments: samples)
    private func sample(_ one: Case) {
        #expect(find(one.text) == one.found)
    }

    @Test("3.1 what yields none", arguments: none)
    private func nothing(_ one: Case) {
        #expect(find(one.text) == one.found)
    }

    @Test("3.1 very long numbers are none, and no trap")
    func long() {
        let digits = String(repeating: "9", count: 65)
        #expect(find("m \(digits)") == .malformed)
        #expect(find("m 0.\(digits)") == .malformed)
        let zeros = String(repeating: "0", count: 9000)
        #expect(find("m \(zeros)1") == .value([0x31]))
        #expect(find("m 1\(zeros)") == .value(Array("1e9000".utf8)))
        #expect(find("m \(zeros)\(zeros)1") == .malformed)
        #expect(find("m 1\(zeros)e9999") == .value(Array("1e18999".utf8)))
    }

    @Test("3.1 every text is cut anywhere without a trap, and what is whole is found in the middle")
    func cuts() {
        let name = [UInt8(ascii: "m")]
        for one in Self.numbers + Self.samples + Self.none {
            let bytes = Array(one.text.utf8)
            for end in 0...bytes.count {
                let part = Array(bytes[..<end])
                _ = MetricText.value(of: name.span, in: part.span)
            }
            #expect(find("a 1\n" + one.text + "\nb 2\n") == one.found)
        }
    }

    @Test("3.1 names")
    func names() {
        func isName(_ text: String) -> Bool {
            let bytes = Array(text.utf8)
            return MetricText.isName(bytes.span)
        }
        for name in ["a", "_", ":", "process_start_time_seconds", "A9:b"] {
            let isOne = isName(name)
            #expect(isOne)
        }
        for name in ["", "9a", "a-b", "a b", "a{", "ä"] {
            let isOne = isName(name)
            #expect(!isOne)
        }
        #expect(find("m 1", "") == .absent)
    }
}
