import TestSupport
import Testing

/// Every seed of the fuzz targets holds what the fuzzer checks.
@Suite("fuzz targets, seeds alone")
struct SeedTests {
    private static func seeds(_ target: String) -> [[UInt8]] {
        Place.text(Place.root + "/Tests/Fuzz/seeds-\(target).txt").split(separator: "\n")
            .map { bytes(of: Array($0.utf8)) }
    }

    /// What `printf %b` makes of a line: `\r`, `\n`, `\t` and `\xHH` alone stand in the files.
    private static func bytes(of line: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = line[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let kind = rest.popFirst() else {
                result.append(byte)
                continue
            }
            switch kind {
            case UInt8(ascii: "r"): result.append(13)
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "t"): result.append(9)
            case UInt8(ascii: "x"):
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                result.append(UInt8(digits, radix: 16) ?? 0)
                rest = rest.dropFirst(2)
            default: result += [byte, kind]
            }
        }
        return result
    }

    private func run(_ name: String, _ body: () -> Void) {
        Findings.$record.withValue({ Issue.record("\(name): \($0)") }, operation: body)
    }

    @Test("messages", arguments: ["request", "response", "content", "frames", "metric"])
    func messages(target: String) {
        let seeds = Self.seeds(target)
        #expect(seeds.count > 3)
        for (index, seed) in seeds.enumerated() {
            for choice in 0..<8 as Range<UInt8> {
                run("\(target) \(index + 1), \(choice)") {
                    fuzzParser(target, seed, choice: choice)
                }
            }
        }
    }

    @Test("conversations, in each configuration, with each kind of backend, and in pieces")
    func conversations() {
        let seeds = Self.seeds("connection")
        #expect(seeds.count > 30)
        for (index, seed) in seeds.enumerated() {
            for choice in [0, 1, 2, 3, 4, 10, 15, 33] as [UInt8] {
                run("connection \(index + 1), \(choice)") { fuzzConnection(seed, choice: choice) }
            }
        }
    }
}
