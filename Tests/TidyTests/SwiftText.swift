/// A Swift file's text, and the same text with comments and the insides of strings blanked.
struct SwiftText {
    let path: String
    let lines: [String]
    /// As many lines, without what is no code.
    let code: [String]

    init(path: String, _ text: String) {
        self.path = path
        lines = Self.split(Array(text.utf8))
        var blanker = Blanker(text)
        code = Self.split(blanker.blanked())
    }

    private static func split(_ bytes: [UInt8]) -> [String] {
        bytes.split(separator: 0x0a, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// The modules that the file imports, each with its line number.
    var imports: [(line: Int, module: String)] {
        code.enumerated().compactMap { index, line in
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard let at = words.firstIndex(of: "import"), at + 1 < words.count else { return nil }
            let kinds = ["struct", "class", "enum", "func", "protocol", "typealias", "var", "let"]
            let isScoped = kinds.contains(String(words[at + 1])) && at + 2 < words.count
            let path = words[isScoped ? at + 2 : at + 1]
            return (index + 1, String(path.split(separator: ".")[0]))
        }
    }
}

/// Replaces comments and the insides of string literals by spaces; line ends stay.
private struct Blanker {
    private let bytes: [UInt8]
    private var output: [UInt8] = []
    private var position = 0

    init(_ text: String) {
        bytes = Array(text.utf8)
        output.reserveCapacity(bytes.count)
    }

    mutating func blanked() -> [UInt8] {
        code(untilParenthesis: false)
        return output
    }

    private func at(_ text: StaticString, _ offset: Int = 0) -> Bool {
        let wanted = Array("\(text)".utf8)
        let start = position + offset
        return start + wanted.count <= bytes.count
            && bytes[start..<(start + wanted.count)].elementsEqual(wanted)
    }

    private mutating func keep() {
        output.append(bytes[position])
        position += 1
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where position < bytes.count {
            output.append(bytes[position] == 0x0a ? 0x0a : 0x20)
            position += 1
        }
    }

    private mutating func code(untilParenthesis: Bool) {
        var depth = 0
        while position < bytes.count {
            if at("//") {
                while position < bytes.count, bytes[position] != 0x0a { blank() }
            } else if at("/*") {
                comment()
            } else if at("\"") || at("#\"") || at("##\"") {
                string()
            } else {
                if bytes[position] == 0x28 { depth += 1 }
                if bytes[position] == 0x29 { depth -= 1 }
                keep()
                if untilParenthesis, depth == 0 { return }
            }
        }
    }

    private mutating func comment() {
        var depth = 0
        repeat {
            if at("/*") {
                depth += 1
                blank(2)
            } else if at("*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && position < bytes.count
    }

    private mutating func string() {
        var hashes = 0
        while at("#") {
            hashes += 1
            keep()
        }
        let quotes = at("\"\"\"") ? 3 : 1
        for _ in 0..<quotes { keep() }
        let marks = [UInt8](repeating: 0x23, count: hashes)
        let close = [UInt8](repeating: 0x22, count: quotes) + marks
        let escape = [0x5c] + marks
        while position < bytes.count {
            let rest = bytes[position...]
            if rest.starts(with: close) {
                for _ in close { keep() }
                return
            }
            if rest.starts(with: escape) {
                blank(escape.count)
                if at("(") {
                    code(untilParenthesis: true)
                } else {
                    blank()
                }
            } else {
                blank()
            }
        }
    }
}
