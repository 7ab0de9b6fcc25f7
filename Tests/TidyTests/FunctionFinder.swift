/// A function or initializer with its body.
struct FoundFunction {
    var name: String
    /// Where the signature begins, counted from 1.
    var line: Int
    /// Lines from the signature to the closing brace.
    var lineCount: Int
    /// Whether `@Test` stands before it.
    var isTest: Bool
    /// The code between signature and closing brace.
    var body: String
}

/// Finds functions and initializers in code whose comments and strings are blanked.
struct FunctionFinder {
    private let bytes: [UInt8]

    init(_ text: SwiftText) {
        bytes = Array(text.code.joined(separator: "\n").utf8)
    }

    /// All of them, nested ones too.
    func all() -> [FoundFunction] {
        var found: [FoundFunction] = []
        var line = 1
        var testSeen = false
        var index = 0
        while index < bytes.count {
            if bytes[index] == 0x0a {
                line += 1
                index += 1
                continue
            }
            guard isWordStart(index) else {
                index += 1
                continue
            }
            let word = self.word(at: index)
            if word == "Test", index > 0, bytes[index - 1] == 0x40 {
                testSeen = true
            }
            let isCall = index > 0 && bytes[index - 1] == 0x2e
            if word == "func" || word == "init" && !isCall {
                if let function = function(word, at: index, line, isTest: testSeen) {
                    found.append(function)
                }
                testSeen = false
            }
            index += max(1, word.utf8.count)
        }
        return found
    }

    private func isWord(_ byte: UInt8) -> Bool {
        byte == 0x5f || byte >= 0x80 || (0x30...0x39).contains(byte)
            || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }

    private func isWordStart(_ index: Int) -> Bool {
        isWord(bytes[index]) && (index == 0 || !isWord(bytes[index - 1]))
    }

    private func word(at index: Int) -> String {
        String(decoding: bytes[index...].prefix { isWord($0) }, as: UTF8.self)
    }

    private func function(
        _ keyword: String,
        at start: Int,
        _ line: Int,
        isTest: Bool
    ) -> FoundFunction? {
        guard let open = bodyStart(after: start + 4), let close = end(ofBlockAt: open) else {
            return nil
        }
        let rest = bytes[(start + 4)...].drop { $0 == 0x20 || $0 == 0x60 }
        let name = keyword == "init" ? "init" : word(at: rest.startIndex)
        return FoundFunction(
            name: name,
            line: line,
            lineCount: bytes[start...close].count { $0 == 0x0a } + 1,
            isTest: isTest,
            body: String(decoding: bytes[open...close], as: UTF8.self)
        )
    }

    /// The brace that opens the body, or nil for a requirement of a protocol.
    private func bodyStart(after start: Int) -> Int? {
        var depth = 0
        for index in start..<bytes.count {
            switch bytes[index] {
            case 0x28, 0x5b: depth += 1
            case 0x29, 0x5d: depth -= 1
            case 0x7b where depth == 0: return index
            case 0x7d where depth == 0: return nil
            default:
                let ends = ["func", "init", "var", "let", "case", "struct", "static", "mutating"]
                if depth == 0, isWordStart(index), ends.contains(word(at: index)) { return nil }
            }
            if depth < 0 { return nil }
        }
        return nil
    }

    private func end(ofBlockAt open: Int) -> Int? {
        var depth = 0
        for index in open..<bytes.count {
            if bytes[index] == 0x7b { depth += 1 }
            if bytes[index] == 0x7d { depth -= 1 }
            if depth == 0 { return index }
        }
        return nil
    }
}
