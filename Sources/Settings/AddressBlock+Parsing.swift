extension AddressBlock {
    /// What a block looks like, for messages.
    static let expected = "an address or a CIDR block (such as 10.0.0.0/8 or fd00::/8)"

    /// `10.1.2.3`, `10.0.0.0/8`, `::1` or `fd00::/8`.
    init(parsing text: String) throws(Mistake) {
        let literal = text.prefix { $0 != "/" }
        let isIPv4 = !literal.contains(":")
        guard let address = Self.parseLiteral(literal) else { throw .because(nil) }
        self = address
        guard literal.endIndex < text.endIndex else { return }
        let digits = text[literal.endIndex...].dropFirst()
        let bitCount = isIPv4 ? 32 : 128
        guard (1...3).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = Int(digits), length <= bitCount
        else {
            throw .because("the length of the prefix is a number from 0 to \(bitCount)")
        }
        prefixLength = isIPv4 ? 96 + length : length
        guard high & ~Self.mask(prefixLength) == 0,
            low & ~Self.mask(prefixLength - 64) == 0
        else {
            throw .because("bits behind the prefix are set, so another block may be meant")
        }
    }

    /// A single address of either family.
    static func parseLiteral(_ text: Substring) -> AddressBlock? {
        if text.contains(":") {
            guard let (high, low) = parseIPv6(text) else { return nil }
            return AddressBlock(high: high, low: low, prefixLength: 128)
        }
        guard let address = parseIPv4(text) else { return nil }
        let low = 0xFFFF_0000_0000 | UInt64(address)
        return AddressBlock(high: 0, low: low, prefixLength: 128)
    }

    /// Four decimal numbers without leading zeros, which some read as octal.
    static func parseIPv4(_ text: Substring) -> UInt32? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count),
                part.count == 1 || part.first != UInt8(ascii: "0")
            else { return nil }
            var number: UInt32 = 0
            for byte in part {
                guard (0x30...0x39).contains(byte) else { return nil }
                number = number * 10 + UInt32(byte - 0x30)
            }
            guard number <= 255 else { return nil }
            address = address << 8 | number
        }
        return address
    }

    /// The text forms of RFC 4291 section 2.2: groups, one `::`, an IPv4 address at the end.
    static func parseIPv6(_ text: Substring) -> (high: UInt64, low: UInt64)? {
        guard text.utf8.count <= 45 else { return nil }
        var front: [UInt16] = []
        var back: [UInt16] = []
        if let gap = text.firstDoubleColon {
            let before = text[..<gap]
            let after = text[gap...].dropFirst(2)
            guard appendGroups(before, to: &front, mayEndInIPv4: false),
                appendGroups(after, to: &back, mayEndInIPv4: true),
                front.count + back.count <= 7
            else { return nil }
        } else {
            guard !text.isEmpty, appendGroups(text, to: &front, mayEndInIPv4: true),
                front.count == 8
            else { return nil }
        }
        front += [UInt16](repeating: 0, count: 8 - front.count - back.count) + back
        let high = front.prefix(4).reduce(0) { $0 << 16 | UInt64($1) }
        let low = front.suffix(4).reduce(0) { $0 << 16 | UInt64($1) }
        return (high, low)
    }

    private static func appendGroups(
        _ text: Substring,
        to groups: inout [UInt16],
        mayEndInIPv4: Bool
    ) -> Bool {
        guard !text.isEmpty else { return true }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (offset, part) in parts.enumerated() {
            if part.contains(".") {
                guard mayEndInIPv4, offset == parts.count - 1, let address = parseIPv4(part) else {
                    return false
                }
                groups.append(UInt16(truncatingIfNeeded: address >> 16))
                groups.append(UInt16(truncatingIfNeeded: address))
            } else {
                guard (1...4).contains(part.utf8.count), !part.hasPrefix("+"),
                    let group = UInt16(part, radix: 16)
                else { return false }
                groups.append(group)
            }
        }
        return groups.count <= 8
    }

    /// The leading bits of a 64-bit half.
    private static func mask(_ bitCount: Int) -> UInt64 {
        if bitCount <= 0 { return 0 }
        return bitCount >= 64 ? .max : ~(UInt64.max >> UInt64(bitCount))
    }

    /// Whether it is `0.0.0.0` or `::`.
    var isUnspecified: Bool {
        high == 0 && (low == 0 || low == 0xFFFF_0000_0000)
    }

    /// Whether it is in `127.0.0.0/8`, or `::1`.
    var isLoopback: Bool {
        high == 0 && (low == 1 || low >> 24 == 0xFFFF_7F)
    }
}

extension Substring {
    fileprivate var firstDoubleColon: Index? {
        var from = startIndex
        while let colon = self[from...].firstIndex(of: ":") {
            let next = index(after: colon)
            if next < endIndex && self[next] == ":" { return colon }
            from = next
        }
        return nil
    }
}
