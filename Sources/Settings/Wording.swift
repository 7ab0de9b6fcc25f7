/// Why a text is not the value that was expected.
enum Mistake: Error, Equatable {
    /// The reason, for the end of the message; nil where what was expected says enough.
    case because(String?)
    /// The contract has it, but it does not exist yet.
    case notYet(String)
}

/// How values of the file and the command line are shown to people.
public enum Wording {
    /// The text in quotes, shortened, and with nothing in it that would disturb a terminal.
    public static func quoted(_ text: String) -> String {
        "'\(plain(text))'"
    }

    /// The same without quotes.
    static func plain(_ text: String) -> String {
        var shown = ""
        for scalar in text.unicodeScalars.prefix(60) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
                shown += "\\u{" + String(scalar.value, radix: 16) + "}"
            default:
                shown.unicodeScalars.append(scalar)
            }
        }
        return text.unicodeScalars.count > 60 ? shown + "…" : shown
    }

    /// `a, b or c`.
    static func alternatives(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }

    /// A duration as it stands in the file, in the greatest unit that has no remainder.
    static func duration(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        if attoseconds != 0 {
            return "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms"
        }
        let units: [(Int64, String)] = [(86_400, "d"), (3600, "h"), (60, "m")]
        for (length, unit) in units where seconds >= length && seconds % length == 0 {
            return "\(seconds / length)\(unit)"
        }
        return "\(seconds)s"
    }

    /// A size as it stands in the file, in the greatest unit that has no remainder.
    static func size(_ byteCount: Int) -> String {
        let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
        for (length, unit) in units where byteCount >= length && byteCount % length == 0 {
            return "\(byteCount / length)\(unit)"
        }
        return "\(byteCount)"
    }
}

/// What was probably meant by a misspelt word.
enum Nearest {
    /// The nearest of some words, if one is near enough to be worth naming.
    static func word(to word: String, among words: [String]) -> String? {
        guard !word.isEmpty, word.utf8.count <= 40 else { return nil }
        let tolerance = max(1, word.utf8.count / 3)
        var best: (word: String, distance: Int)?
        for candidate in words {
            var distance = distance(word, candidate)
            if word.utf8.count >= 3 && candidate.hasPrefix(word) {
                distance = min(distance, tolerance)
            }
            if distance <= tolerance && distance < best?.distance ?? .max {
                best = (candidate, distance)
            }
        }
        return best?.word
    }

    /// How many letters must be inserted, removed, replaced or swapped with their neighbour.
    ///
    /// Upper and lower case are the same, and so are `-` and `_`.
    static func distance(_ left: String, _ right: String) -> Int {
        let left = folded(left)
        let right = folded(right)
        var twoAbove = [Int](repeating: 0, count: right.count + 1)
        var above = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1] + [Int](repeating: 0, count: right.count)
            for column in right.indices {
                let replaced = above[column] + (left[row] == right[column] ? 0 : 1)
                var least = min(replaced, above[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1],
                    left[row - 1] == right[column]
                {
                    least = min(least, twoAbove[column - 1] + 1)
                }
                current[column + 1] = least
            }
            twoAbove = above
            above = current
        }
        return above[right.count]
    }

    private static func folded(_ word: String) -> [UInt8] {
        word.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
            case UInt8(ascii: "-"): UInt8(ascii: "_")
            default: byte
            }
        }
    }
}
