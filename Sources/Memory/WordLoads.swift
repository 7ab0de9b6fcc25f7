/// Loads of eight bytes at once, and comparison with constants: what a parser over a `Span` needs
/// from below the checked subscript, which the compiler does not merge into one load.
///
/// Every access is checked against the span's bounds, so that the core may use them.
extension Span<UInt8> {
    /// The eight bytes from `offset` on; the first is the lowest byte of the word.
    ///
    /// - Precondition: eight bytes are there.
    @inlinable
    @inline(__always)
    public func word(at offset: Int) -> UInt64 {
        // Safe because the load itself checks that all eight bytes lie within the span.
        let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
        return UInt64(littleEndian: word)
    }

    /// Whether the bytes from `offset` on are those of a lower-case constant, ignoring the case
    /// of ASCII letters.
    ///
    /// False where fewer bytes are there.
    @inlinable
    @inline(__always)
    public func matchesIgnoringCase(at offset: Int, _ lowercase: StaticString) -> Bool {
        let length = lowercase.utf8CodeUnitCount
        guard offset >= 0, count >= length, offset <= count &- length else { return false }
        // Safe because a literal of ASCII letters has `length` bytes that live for ever, and
        // every index below is less than `length`.
        let constant = unsafe UnsafeRawPointer(lowercase.utf8Start)
        var index = 0
        while index &+ 8 <= length {
            let expected = unsafe constant.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let found = word(at: offset &+ index).lowercasedASCII
            if found != UInt64(littleEndian: expected) { return false }
            index &+= 8
        }
        while index < length {
            let expected = unsafe constant.load(fromByteOffset: index, as: UInt8.self)
            if self[offset &+ index].lowercasedASCII != expected { return false }
            index &+= 1
        }
        return true
    }
}

extension UInt64 {
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
