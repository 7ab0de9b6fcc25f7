public import Memory

/// Whether a run of bytes equals a lower-case name, ignoring the case of ASCII letters.
public func equalsIgnoringCase(
    _ bytes: Span<UInt8>,
    _ range: ByteRange,
    _ lowercase: [UInt8]
) -> Bool {
    guard range.count == lowercase.count, range.end <= bytes.count else { return false }
    var place = range.start
    for expected in lowercase {
        if bytes[place].lowercasedASCII != expected { return false }
        place &+= 1
    }
    return true
}

/// Whether a run of bytes equals a lower-case constant, ignoring the case of ASCII letters.
@inlinable
@inline(__always)
public func equalsIgnoringCase(
    _ bytes: Span<UInt8>,
    _ range: ByteRange,
    _ lowercase: StaticString
) -> Bool {
    range.count == lowercase.utf8CodeUnitCount
        && bytes.matchesIgnoringCase(at: range.start, lowercase)
}

/// Whether two runs of the same bytes are equal, ignoring the case of ASCII letters.
public func equalsIgnoringCase(
    _ bytes: Span<UInt8>,
    _ first: ByteRange,
    _ second: ByteRange
) -> Bool {
    guard first.count == second.count, max(first.end, second.end) <= bytes.count else {
        return false
    }
    var index = 0
    while index < Int(first.count) {
        let one = bytes[first.start &+ index].lowercasedASCII
        if one != bytes[second.start &+ index].lowercasedASCII { return false }
        index &+= 1
    }
    return true
}

/// How a field name compares with one that the proxy injects.
public enum FieldNameMatch: Sendable {
    /// Another name.
    case none
    /// The same name, ignoring case.
    case exact
    /// Another name that becomes the same when `_` is read as `-`.
    ///
    /// CGI and WSGI servers do so: `X_Session_ID` and `X-Session-ID` both become
    /// `HTTP_X_SESSION_ID`, so whoever can send the one can forge the other.
    case alias
}

/// Finds a field name and the aliases that some servers take for the same.
public struct FieldNameMatcher: Sendable, Hashable {
    /// The name in lower case.
    public let lowercase: [UInt8]

    /// A matcher for a name in any case.
    public init(_ name: [UInt8]) {
        lowercase = name.map { $0.lowercasedASCII }
    }

    /// Compares a name.
    public func match(_ bytes: Span<UInt8>, _ name: ByteRange) -> FieldNameMatch {
        guard name.count == lowercase.count, name.end <= bytes.count else { return .none }
        var isAlias = false
        var place = name.start
        for expected in lowercase {
            let found = bytes[place].lowercasedASCII
            if found != expected {
                guard Self.isHyphenOrUnderscore(found), Self.isHyphenOrUnderscore(expected) else {
                    return .none
                }
                isAlias = true
            }
            place &+= 1
        }
        return isAlias ? .alias : .exact
    }

    private static func isHyphenOrUnderscore(_ byte: UInt8) -> Bool {
        byte == 0x2D || byte == 0x5F
    }
}
