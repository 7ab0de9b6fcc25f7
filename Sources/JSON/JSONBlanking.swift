/// Finds where a value stands in a JSON text, to blank it there and leave every other byte alone.
///
/// jansson does not say where anything stood, so this walks through the text itself. It must be
/// one that `JSONDocument` takes: what is not JSON is not found to be so here.
public enum JSONBlanking {
    /// The text with an empty string in place of each string, number, `true` or `false` that a
    /// pointer leads to, or nil if none leads to any.
    public static func blank(_ pointers: [JSONPointer], in text: [UInt8]) -> [UInt8]? {
        var blanked: [UInt8]?
        for pointer in pointers {
            let present = blanked ?? text
            guard let range = range(of: pointer, in: present.span) else { continue }
            blanked = present[..<range.lowerBound] + [0x22, 0x22] + present[range.upperBound...]
        }
        return blanked
    }

    /// Where the scalar stands that a pointer leads to; nil for `null`, arrays and objects too.
    static func range(of pointer: JSONPointer, in text: Span<UInt8>) -> Range<Int>? {
        var place = skipSpace(text, 0)
        for token in pointer.tokens {
            guard place < text.count else { return nil }
            let found: Int? =
                switch text[place] {
                case UInt8(ascii: "{"): member(token, text, place)
                case UInt8(ascii: "["):
                    JSONPointer.arrayIndex(token).flatMap {
                        element($0, text, place)
                    }
                default: nil
                }
            guard let found else { return nil }
            place = found
        }
        guard place < text.count else { return nil }
        switch text[place] {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "n"): return nil
        default: return place..<endOfValue(text, place)
        }
    }

    /// The place of a member's value.
    private static func member(_ name: [UInt8], _ text: Span<UInt8>, _ object: Int) -> Int? {
        var place = skipSpace(text, object + 1)
        while place < text.count, text[place] == UInt8(ascii: "\"") {
            let end = endOfValue(text, place)
            let isSought = unescaped(text, place + 1..<max(place + 1, end - 1)) == name
            // The colon stands between.
            place = skipSpace(text, skipSpace(text, end) + 1)
            if isSought { return place }
            // And a comma, or the closing brace, behind which no string follows.
            place = skipSpace(text, endOfValue(text, place))
            guard place < text.count, text[place] == UInt8(ascii: ",") else { return nil }
            place = skipSpace(text, place + 1)
        }
        return nil
    }

    /// The place of an element.
    private static func element(_ index: Int, _ text: Span<UInt8>, _ array: Int) -> Int? {
        var place = skipSpace(text, array + 1)
        var rest = index
        while place < text.count, text[place] != UInt8(ascii: "]") {
            if rest == 0 { return place }
            rest -= 1
            place = skipSpace(text, endOfValue(text, place))
            guard place < text.count, text[place] == UInt8(ascii: ",") else { return nil }
            place = skipSpace(text, place + 1)
        }
        return nil
    }

    private static func skipSpace(_ text: Span<UInt8>, _ start: Int) -> Int {
        var place = start
        while place < text.count {
            switch text[place] {
            case 0x20, 0x09, 0x0A, 0x0D: place += 1
            default: return place
            }
        }
        return place
    }

    /// The place behind a value.
    private static func endOfValue(_ text: Span<UInt8>, _ start: Int) -> Int {
        var place = start
        var depth = 0
        while place < text.count {
            switch text[place] {
            case UInt8(ascii: "\""):
                place = endOfString(text, place)
                if depth == 0 { return place }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return place }
                depth -= 1
                if depth == 0 { return place + 1 }
            case UInt8(ascii: ","), 0x20, 0x09, 0x0A, 0x0D:
                if depth == 0 { return place }
            default: break
            }
            place += 1
        }
        return place
    }

    private static func endOfString(_ text: Span<UInt8>, _ start: Int) -> Int {
        var place = start + 1
        while place < text.count, text[place] != UInt8(ascii: "\"") {
            place += text[place] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(place + 1, text.count)
    }

    /// What a string says (RFC 8259 §7).
    private static func unescaped(_ text: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        var name: [UInt8] = []
        var units: [UInt16] = []
        var place = range.lowerBound
        while place < range.upperBound {
            let isEscape = text[place] == UInt8(ascii: "\\") && place + 1 < range.upperBound
            if isEscape, text[place + 1] == UInt8(ascii: "u"), place + 6 <= range.upperBound {
                units.append(hexadecimal(text, place + 2))
                place += 6
                continue
            }
            name += Array(String(decoding: units, as: UTF16.self).utf8)
            units = []
            name.append(isEscape ? escaped(text[place + 1]) : text[place])
            place += isEscape ? 2 : 1
        }
        return name + Array(String(decoding: units, as: UTF16.self).utf8)
    }

    private static func escaped(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: byte
        }
    }

    private static func hexadecimal(_ text: Span<UInt8>, _ start: Int) -> UInt16 {
        var value: UInt16 = 0
        for place in start..<start + 4 {
            let digit = text[place]
            switch digit {
            case 0x30...0x39: value = value << 4 | UInt16(digit - 0x30)
            case 0x41...0x46: value = value << 4 | UInt16(digit - 0x37)
            case 0x61...0x66: value = value << 4 | UInt16(digit - 0x57)
            default: value <<= 4
            }
        }
        return value
    }
}
