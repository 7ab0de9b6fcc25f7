/// A pass over the text before the parser gets it, for two things that jansson cannot be told.
///
/// - **Depth**: jansson descends by recursion, 2,048 levels; this bounds it to `depthMax`, so that
///   a thread with a small stack is safe.
/// - **Numbers**: jansson holds 64-bit integers and doubles, refuses a document with a larger one,
///   and would round an ID of many digits, so that two instances could look like one. So numbers
///   are checked here and handed over as strings of the same text: they come out as they stand.
///
/// Everything else, strings included, is passed on and judged by jansson.
struct JSONText {
    /// Arrays and objects inside one another.
    static let depthMax = 64

    private(set) var text: [UInt8] = []

    init(_ bytes: Span<UInt8>) throws(JSONError) {
        text.reserveCapacity(bytes.count + 64)
        var depth = 0
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""):
                index = copyString(bytes, from: index)
                continue
            case UInt8(ascii: "-"), 0x30...0x39:
                index = try quoteNumber(bytes, from: index)
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                guard depth <= Self.depthMax else { throw .tooDeep }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
            default:
                break
            }
            text.append(byte)
            index += 1
        }
    }

    /// Copies to the closing quote, or to the end where there is none.
    private mutating func copyString(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var index = start + 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        let end = min(index + 1, bytes.count)
        for position in start..<end {
            text.append(bytes[position])
        }
        return end
    }

    /// RFC 8259 §6: `-` and digits without a leading zero, a fraction, an exponent.
    private mutating func quoteNumber(
        _ bytes: Span<UInt8>,
        from start: Int
    ) throws(JSONError) -> Int {
        var index = start
        skip(bytes, &index, UInt8(ascii: "-"))
        if !skip(bytes, &index, UInt8(ascii: "0")) {
            try skipDigits(bytes, &index)
        }
        if skip(bytes, &index, UInt8(ascii: ".")) {
            try skipDigits(bytes, &index)
        }
        if skip(bytes, &index, UInt8(ascii: "e")) || skip(bytes, &index, UInt8(ascii: "E")) {
            _ = skip(bytes, &index, UInt8(ascii: "+")) || skip(bytes, &index, UInt8(ascii: "-"))
            try skipDigits(bytes, &index)
        }
        text.append(UInt8(ascii: "\""))
        for position in start..<index {
            text.append(bytes[position])
        }
        text.append(UInt8(ascii: "\""))
        // The one place where a string may stand and a number may not: before a colon.
        var next = index
        while next < bytes.count, Self.isSpace(bytes[next]) {
            next += 1
        }
        if next < bytes.count, bytes[next] == UInt8(ascii: ":") {
            throw .malformed
        }
        return index
    }

    @discardableResult
    private func skip(_ bytes: Span<UInt8>, _ index: inout Int, _ byte: UInt8) -> Bool {
        guard index < bytes.count, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    private func skipDigits(_ bytes: Span<UInt8>, _ index: inout Int) throws(JSONError) {
        let start = index
        while index < bytes.count, bytes[index] >= 0x30, bytes[index] <= 0x39 {
            index += 1
        }
        guard index > start else { throw .malformed }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }
}
