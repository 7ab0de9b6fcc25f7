/// Loads of eight bytes at once, and comparison with constants: what a parser over a `Span` needs
/// from below the checked subscript, which the compiler does not merge into one load.
///
/// Every access is checked against the span's bounds, so that the core may use them.
extension Span<UInt8> {
    /// The eight bytes from `offset` on, the first in the lowest byte; nil where fewer are there.
    ///
    /// A loop of the form `while let word = bytes.word(at: place)` has this check alone.
    @inlinable
    @inline(__always)
    public func word(at offset: Int) -> UInt64? {
        guard count >= 8, UInt(bitPattern: offset) <= UInt(bitPattern: count &- 8) else {
            return nil
        }
        // Safe because all eight bytes lie within the span.
        let word = unsafe bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: offset,
            as: UInt64.self
        )
        return UInt64(littleEndian: word)
    }

    /// The sixteen bytes from `offset` on as two words; nil where fewer are there.
    @inlinable
    @inline(__always)
    public func twoWords(at offset: Int) -> (first: UInt64, second: UInt64)? {
        guard count >= 16, UInt(bitPattern: offset) <= UInt(bitPattern: count &- 16) else {
            return nil
        }
        // Safe because all sixteen bytes lie within the span.
        let first = unsafe bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: offset,
            as: UInt64.self
        )
        let second = unsafe bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: offset &+ 8,
            as: UInt64.self
        )
        return (UInt64(littleEndian: first), UInt64(littleEndian: second))
    }

    /// Whether the bytes from `offset` on are those of a constant.
    ///
    /// False where fewer bytes are there.
    @inlinable
    @inline(__always)
    public func matches(at offset: Int, _ constant: StaticString) -> Bool {
        matches(at: offset, constant, isLowercased: false)
    }

    /// Whether the bytes from `offset` on are those of a lower-case constant, ignoring the case
    /// of ASCII letters.
    ///
    /// False where fewer bytes are there.
    @inlinable
    @inline(__always)
    public func matchesIgnoringCase(at offset: Int, _ lowercase: StaticString) -> Bool {
        matches(at: offset, lowercase, isLowercased: true)
    }

    @inlinable
    @inline(__always)
    func matches(at offset: Int, _ constant: StaticString, isLowercased: Bool) -> Bool {
        let length = constant.utf8CodeUnitCount
        guard offset >= 0, count >= length, offset <= count &- length else { return false }
        // Safe because a literal has `length` bytes that live for ever, and every index below is
        // less than `length`.
        let expected = unsafe UnsafeRawPointer(constant.utf8Start)
        var index = 0
        while index &+ 8 <= length {
            let wanted = unsafe expected.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            guard let found = word(at: offset &+ index) else { return false }
            if (isLowercased ? found.lowercasedASCII : found) != UInt64(littleEndian: wanted) {
                return false
            }
            index &+= 8
        }
        while index < length {
            let wanted = unsafe expected.load(fromByteOffset: index, as: UInt8.self)
            let found = self[offset &+ index]
            if (isLowercased ? found.lowercasedASCII : found) != wanted { return false }
            index &+= 1
        }
        return true
    }
}

extension UInt64 {
    /// The bytes of a constant of at most eight, with zeros behind them; the first is the lowest.
    ///
    /// In an optimised build this is a number in the code.
    @inlinable
    @inline(__always)
    public init(word constant: StaticString) {
        let length = constant.utf8CodeUnitCount
        precondition(length <= 8)
        self = 0
        var index = 0
        while index < length {
            // Safe because a literal has `length` bytes that live for ever.
            let byte = unsafe constant.utf8Start[index]
            self |= UInt64(byte) &<< UInt64(truncatingIfNeeded: index &* 8)
            index &+= 1
        }
    }

    /// The same eight bytes with ASCII capitals made small; all others as they are.
    @inlinable
    @inline(__always)
    public var lowercasedASCII: UInt64 {
        let low = self & 0x7F7F_7F7F_7F7F_7F7F
        let fromA = low &+ 0x3F3F_3F3F_3F3F_3F3F
        let pastZ = low &+ 0x2525_2525_2525_2525
        let capitals = fromA & ~pastZ & ~self & 0x8080_8080_8080_8080
        return self | capitals >> 2
    }
}

extension UInt8 {
    /// The same byte, a small letter for an ASCII capital.
    @inlinable
    @inline(__always)
    public var lowercasedASCII: UInt8 {
        self &- 0x41 < 26 ? self | 0x20 : self
    }
}
