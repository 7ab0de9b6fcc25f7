// The target metric: each input is a whole text in the Prometheus format.

import Instances
import Memory

func fuzzMetric(_ bytes: [UInt8], choice: UInt8) {
    let name = Array((choice & 1 == 0 ? "m" : "process_start_time_seconds").utf8)
    func find(_ text: [UInt8]) -> MetricText.Finding {
        MetricText.value(of: name.span, in: text.span)
    }
    let found = find(bytes)
    // Other lines around it change nothing, nor does a second time the same.
    let around = Array("# m 5\nother 1\n".utf8)
    check(find(around + bytes + [10] + around) == found, "depends on other lines")
    check(find(bytes + [10] + bytes) == found, "not the same twice")
    let lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
    let reversed = find(Array(lines.reversed().joined(separator: [10])))
    check((reversed == .absent) == (found == .absent), "depends on the order")
    guard case .value(let value) = found else { return }
    check(reversed == found, "another value from behind")
    check(find(name + [32] + value) == found, "another value, written plainly")
    check(!value.isEmpty && value.count < 100, "its length")
    check(value.allSatisfy { "0123456789-.e".utf8.contains($0) }, "not a number")
    // Nothing that is not there is found: without the lines of the name there is none.
    let others = lines.filter { line in
        let start = line.drop { $0 == 32 || $0 == 9 || $0 == 13 }
        return !start.starts(with: name)
    }
    check(find(Array(others.joined(separator: [10]))) == .absent, "found in another line")
}
