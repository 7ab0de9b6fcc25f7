/// The Prometheus text format, as far as one metric's value has to be found in it (contract 3.1).
///
/// A line of it is `name value`, `name{label="…",…} value`, either with a time behind, or a comment
/// that begins with `#`. Only lines of the name that is wanted are read; what others say, and
/// whether they are well formed, does not matter.
public enum MetricText {
    /// What was found of a metric.
    public enum Finding: Equatable, Sendable {
        /// Its value, in the one form that equal numbers have.
        case value([UInt8])
        /// There is no sample of that name.
        case absent
        /// A line of that name cannot be read.
        case malformed
        /// It is NaN or infinite, or zero, which is what a value that is not known is set to.
        case noNumber
        /// Several samples, with labels that tell them apart, and other values.
        case ambiguous
    }

    /// Finds the value of a metric in a whole text.
    ///
    /// Its labels are not looked at. Where it has several samples, all must have one value.
    public static func value(of name: Span<UInt8>, in text: Span<UInt8>) -> Finding {
        var finding = Finding.absent
        var start = 0
        while start < text.count {
            var end = start
            while end < text.count, text[end] != Byte.lineFeed { end += 1 }
            var line = MetricLine(place: start, end: end)
            start = end + 1
            guard line.skipName(name, in: text) else { continue }
            let sample = line.sample(in: text)
            guard case .value = sample, finding == .absent || finding == sample else {
                return finding == .absent || sample == .malformed ? sample : .ambiguous
            }
            finding = sample
        }
        return finding
    }

    /// Whether a text is the name of a metric (`[a-zA-Z_:][a-zA-Z0-9_:]*`).
    public static func isName(_ text: Span<UInt8>) -> Bool {
        guard !text.isEmpty, !Byte.isDigit(text[0]) else { return false }
        for index in text.indices where !Byte.isOfName(text[index]) { return false }
        return true
    }
}

/// A place in a line of the text, which moves on.
private struct MetricLine {
    var place: Int
    let end: Int

    private func byte(_ text: Span<UInt8>) -> UInt8? { place < end ? text[place] : nil }

    private mutating func skipBlanks(_ text: Span<UInt8>) {
        while let byte = byte(text), Byte.isBlank(byte) { place += 1 }
    }

    /// Passes over the name at the front of the line, if it is this one.
    mutating func skipName(_ name: Span<UInt8>, in text: Span<UInt8>) -> Bool {
        skipBlanks(text)
        guard name.count > 0, end - place >= name.count else { return false }
        for index in name.indices where text[place + index] != name[index] { return false }
        place += name.count
        guard let next = byte(text) else { return true }
        return !Byte.isOfName(next)
    }

    /// What follows the name: labels, the value, perhaps a time and an exemplar.
    mutating func sample(in text: Span<UInt8>) -> MetricText.Finding {
        let afterName = place
        skipBlanks(text)
        if byte(text) == UInt8(ascii: "{") {
            guard skipLabels(text) else { return .malformed }
            skipBlanks(text)
        } else if place == afterName {
            return .malformed
        }
        let value = place
        skipWord(text)
        let valueEnd = place
        skipBlanks(text)
        // A time, in milliseconds, or in OpenMetrics in seconds.
        let time = place
        if byte(text) != UInt8(ascii: "#") { skipWord(text) }
        let timeEnd = place
        skipBlanks(text)
        guard byte(text) == nil || byte(text) == UInt8(ascii: "#"),
            time == timeEnd || MetricNumber(text, time, timeEnd) != nil
        else { return .malformed }
        if MetricNumber.isNotFinite(text, value, valueEnd) { return .noNumber }
        guard let number = MetricNumber(text, value, valueEnd) else { return .malformed }
        return number.isZero ? .noNumber : .value(number.text)
    }

    private mutating func skipWord(_ text: Span<UInt8>) {
        while let byte = byte(text), !Byte.isBlank(byte) { place += 1 }
    }

    /// `{name="value",…}`, where the last comma may stand alone.
    private mutating func skipLabels(_ text: Span<UInt8>) -> Bool {
        place += 1
        while true {
            skipBlanks(text)
            if byte(text) == UInt8(ascii: "}") {
                place += 1
                return true
            }
            let name = place
            while let byte = byte(text), Byte.isOfName(byte) { place += 1 }
            guard place > name else { return false }
            skipBlanks(text)
            guard byte(text) == UInt8(ascii: "=") else { return false }
            place += 1
            skipBlanks(text)
            guard skipQuoted(text) else { return false }
            skipBlanks(text)
            switch byte(text) {
            case UInt8(ascii: ","): place += 1
            case UInt8(ascii: "}"): break
            default: return false
            }
        }
    }

    private mutating func skipQuoted(_ text: Span<UInt8>) -> Bool {
        guard byte(text) == UInt8(ascii: "\"") else { return false }
        place += 1
        while let byte = byte(text) {
            place += 1
            if byte == UInt8(ascii: "\"") { return true }
            // Whatever is escaped, it is one byte, or the first of one character.
            if byte == UInt8(ascii: "\\") { place += 1 }
        }
        return false
    }
}

/// A decimal number: `digits` without zeros at either end, as many tenfold as `exponent` says.
private struct MetricNumber {
    private static let digitsMax = 64
    private static let exponentMax = 9999

    private var digits: [UInt8] = []
    private var exponent = 0
    private var isNegative = false

    var isZero: Bool { digits.isEmpty }

    /// `-1.25e+9` and the like; nil for anything else, and for what no clock or counter says.
    init?(_ text: Span<UInt8>, _ start: Int, _ end: Int) {
        var place = start
        if place < end, Byte.isSign(text[place]) {
            isNegative = text[place] == UInt8(ascii: "-")
            place += 1
        }
        var digitCount = 0
        var isFraction = false
        while place < end, Byte.isDigit(text[place]) || text[place] == UInt8(ascii: ".") {
            let byte = text[place]
            place += 1
            if byte == UInt8(ascii: ".") {
                guard !isFraction else { return nil }
                isFraction = true
                continue
            }
            digitCount += 1
            guard digitCount <= Self.exponentMax else { return nil }
            if isFraction { exponent -= 1 }
            if byte != UInt8(ascii: "0") || !digits.isEmpty { digits.append(byte) }
        }
        guard digitCount > 0 else { return nil }
        if place < end, text[place] | 0x20 == UInt8(ascii: "e") {
            guard let power = Self.power(text, place + 1, end) else { return nil }
            exponent += power
        } else if place != end {
            return nil
        }
        while digits.last == UInt8(ascii: "0") {
            digits.removeLast()
            exponent += 1
        }
        guard digits.count <= Self.digitsMax else { return nil }
    }

    private static func power(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
        var place = start
        var sign = 1
        if place < end, Byte.isSign(text[place]) {
            sign = text[place] == UInt8(ascii: "-") ? -1 : 1
            place += 1
        }
        guard place < end else { return nil }
        var power = 0
        while place < end {
            guard Byte.isDigit(text[place]) else { return nil }
            power = power * 10 + Int(text[place] - UInt8(ascii: "0"))
            guard power <= exponentMax else { return nil }
            place += 1
        }
        return sign * power
    }

    /// The number as plain people write it, or where that were long with an exponent.
    var text: [UInt8] {
        let sign: [UInt8] = isNegative ? [UInt8(ascii: "-")] : []
        let zeros = [UInt8](repeating: UInt8(ascii: "0"), count: min(20, abs(exponent)))
        let point = digits.count + exponent
        if exponent >= 0, exponent <= 20 { return sign + digits + zeros }
        if exponent < 0, point > 0 {
            return sign + digits[..<point] + [UInt8(ascii: ".")] + digits[point...]
        }
        return sign + digits + Array("e\(exponent)".utf8)
    }

    /// NaN, or without an end: numbers to Prometheus, but nobody's start.
    static func isNotFinite(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        var word: [UInt8] = []
        for place in start..<min(end, start + 16) { word.append(text[place] | 0x20) }
        // Both signs have the bit of lower case set.
        if let sign = word.first, Byte.isSign(sign) { word.removeFirst() }
        return ["nan", "inf", "infinity"].contains { word.elementsEqual($0.utf8) }
    }
}

/// Bytes of the format by their kind.
private enum Byte {
    static let lineFeed = UInt8(ascii: "\n")

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

    static func isSign(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    static func isOfName(_ byte: UInt8) -> Bool {
        let lower = byte | 0x20
        return (lower >= 0x61 && lower <= 0x7A) || isDigit(byte) || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: ":")
    }
}
