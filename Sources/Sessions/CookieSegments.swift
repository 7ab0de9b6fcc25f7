internal import HTTPModel
internal import Memory

/// Walks through what stands between the semicolons of a `Cookie` value, white space included.
///
/// Browsers send kilobytes of cookies, and all that is asked here of most of them is where they
/// end, so this looks at eight bytes at once and leaves names to `jarCookie`.
struct CookieSegments {
    private var place: Int
    private let end: Int

    init(_ value: ByteRange) {
        place = value.start
        end = value.end
    }

    /// The next segment, which may be empty; nil behind the last.
    mutating func next(_ bytes: Span<UInt8>) -> ByteRange? {
        guard place <= end else { return nil }
        let start = place
        var stop = start
        while stop &+ 8 <= end, let found = bytes.word(at: stop) {
            let word = found ^ 0x3B3B_3B3B_3B3B_3B3B
            let zeros = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
            if zeros != 0 {
                stop &+= zeros.trailingZeroBitCount &>> 3
                place = stop &+ 1
                return ByteRange(offset: start, count: stop &- start)
            }
            stop &+= 8
        }
        while stop < end, bytes[stop] != 0x3B { stop &+= 1 }
        place = stop &+ 1
        return ByteRange(offset: start, count: stop &- start)
    }
}

extension CookieSegments {
    /// The value that a segment gives a cookie, if it is the one of this name.
    ///
    /// White space around name and value means nothing, names are compared to the letter, the first
    /// "=" ends the name: as browsers and RFC 6265bis read cookies.
    static func value(_ bytes: Span<UInt8>, _ segment: ByteRange, of name: [UInt8]) -> ByteRange? {
        var place = segment.start
        while place < segment.end, ByteClass.isBlank(bytes[place]) { place &+= 1 }
        guard begins(bytes, place, segment.end, name) else { return nil }
        place &+= name.count
        while place < segment.end, ByteClass.isBlank(bytes[place]) { place &+= 1 }
        guard place < segment.end, bytes[place] == 0x3D else { return nil }
        return bytes.trimmed(place &+ 1, segment.end)
    }

    /// A value without a pair of quotes around it: some clients send it with them, some without,
    /// and some servers take both for the same.
    static func unquoted(_ bytes: Span<UInt8>, _ value: ByteRange) -> ByteRange {
        guard value.count >= 2, bytes[value.start] == 0x22, bytes[value.end &- 1] == 0x22 else {
            return value
        }
        return ByteRange(offset: value.start &+ 1, count: Int(value.count) &- 2)
    }

    static func begins(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ name: [UInt8]) -> Bool {
        guard end &- start >= name.count else { return false }
        var place = start
        for expected in name {
            if bytes[place] != expected { return false }
            place &+= 1
        }
        return true
    }
}

/// A jar cookie as it stands in a `Cookie` field.
struct FoundCookie {
    /// The value without the white space around it.
    var value: ByteRange
    /// Whether the name has the `__Host-` prefix.
    var isPrefixed: Bool
}

extension SessionRules {
    /// Whether a segment is a jar cookie, with either name; read as `CookieSegments.value` does.
    func jarCookie(_ bytes: Span<UInt8>, _ segment: ByteRange) -> FoundCookie? {
        var place = segment.start
        while place < segment.end, ByteClass.isBlank(bytes[place]) { place &+= 1 }
        guard place < segment.end else { return nil }
        let end = segment.end
        let isPrefixed =
            bytes[place] == 0x5F && CookieSegments.begins(bytes, place, end, hostCookieName)
        guard isPrefixed || CookieSegments.begins(bytes, place, end, cookieName) else {
            return nil
        }
        place &+= isPrefixed ? hostCookieName.count : cookieName.count
        while place < segment.end, ByteClass.isBlank(bytes[place]) { place &+= 1 }
        guard place < segment.end, bytes[place] == 0x3D else { return nil }
        let value = bytes.trimmed(place &+ 1, segment.end)
        return FoundCookie(value: value, isPrefixed: isPrefixed)
    }
}
