import Settings
import Testing
import YAML

/// Random numbers that are the same in every run (SplitMix64).
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// What files are broken with: YAML's own characters, and words that mean something to a reader.
private let fragments: [[UInt8]] =
    [
        ":", ": ", "- ", "\n", "\n  ", "\t", "\r", "\r\n", " ", "#", "{", "}", "[", "]", ",", "\"",
        "'", "&a ", "*a", "!x ", "? ", "|\n", ">\n", "%", "@", "`", "---\n", "...\n", "<<: ", "~",
        "${A}", "${A:-b}", "${", "null", "off", "auto", "json:/", "unix:/", "[::1]:1", "10.0.0.0/8",
        "999999999999999999999", "5s", "\\0", "\u{85}", "\u{2028}", "\u{FEFF}", "é", "😀",
    ].map { Array($0.utf8) } + [[0], [0x1B], [0xFF], [0xC3], [0xED, 0xA0, 0x80]]

/// One place of the bytes changed.
private func mutate(_ bytes: inout [UInt8], _ random: inout Seeded) {
    let at = Int.random(in: 0...bytes.count, using: &random)
    let end = min(bytes.count, at + Int.random(in: 0...12, using: &random))
    switch Int.random(in: 0..<6, using: &random) {
    case 0: bytes.removeSubrange(at..<end)
    case 1: bytes.insert(contentsOf: fragments.randomElement(using: &random) ?? [], at: at)
    case 2:
        bytes.replaceSubrange(at..<end, with: fragments.randomElement(using: &random) ?? [])
    case 3:
        if at < bytes.count {
            bytes[at] = UInt8.random(in: 0...255, using: &random)
        }
    case 4:
        // A piece from elsewhere: keys and values change their places.
        let from = Int.random(in: 0...bytes.count, using: &random)
        let piece = bytes[from..<min(bytes.count, from + 30)]
        bytes.insert(contentsOf: Array(piece), at: at)
    default: bytes.removeSubrange(at...)
    }
}

/// How many characters each line has, where lines end as YAML says: LF, CR, CR LF, NEL, LS, PS.
private func lineLengths(_ bytes: [UInt8]) -> [Int] {
    var lengths = [0]
    var before: Unicode.Scalar = " "
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
        switch scalar {
        case "\n" where before == "\r": break
        case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": lengths.append(0)
        default: lengths[lengths.count - 1] += 1
        }
        before = scalar
    }
    return lengths
}

@Suite("9 Broken files")
struct MutationTests {
    @Test("9 any file gives settings, or problems that lie inside of it", arguments: 0..<4)
    func mutations(_ seed: Int) throws {
        var random = Seeded(state: UInt64(seed))
        let whole = try configuration("lychgate.yaml")
        // Most runs are without the comments: more of the changes then mean something.
        let bare = Array(
            String(decoding: whole, as: UTF8.self).split(separator: "\n")
                .map { $0.split(separator: "#", omittingEmptySubsequences: false)[0] }
                .filter { $0.contains { $0 != " " } }
                .joined(separator: "\n").utf8
        )
        var goodCount = 0
        for round in 0..<5000 {
            var bytes = round % 10 == 0 ? whole : bare
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                mutate(&bytes, &random)
            }
            switch Settings.load(yaml: bytes, environment: { $0 == "A" ? "x" : nil }) {
            case .success(let settings):
                goodCount += 1
                #expect(!settings.listen.isEmpty)
            case .failure(let problems):
                try check(problems.all, in: bytes)
            }
        }
        // The mutations are neither all harmless nor all fatal.
        #expect((200..<4800).contains(goodCount))
    }

    private func check(_ problems: [Settings.Problem], in bytes: [UInt8]) throws {
        let lengths = lineLengths(bytes)
        try #require(!problems.isEmpty)
        var last = Settings.Place.none
        for problem in problems {
            let isInside =
                (1...lengths.count).contains(problem.line)
                && problem.column >= 1
                // Broken bytes at the end of a line may count as one character or as several.
                && problem.column <= lengths[problem.line - 1] + 3
            if !isInside || problem.place < last || problem.message.isEmpty
                || problem.message.unicodeScalars.contains(where: { $0.value < 0x20 })
            {
                let text = String(decoding: bytes, as: UTF8.self)
                Issue.record("\(problem) in \(text.debugDescription)")
                return
            }
            last = problem.place
        }
    }
}
