internal import HTTPModel
internal import Memory

/// A `Set-Cookie` line of the backend's for a cookie of a certain name, read as browsers read it.
///
/// RFC 6265bis §5.6: the first ";" ends the pair, white space around names and values means
/// nothing, of attributes that stand there twice the last one counts.
struct SetCookieLine {
    private static let attributeBytesMax = 512

    /// The value, without a pair of quotes around it.
    var value: ByteRange
    /// Whether it takes the cookie away.
    var isDeletion: Bool
    private var path = ByteRange.empty
    private var domain = ByteRange.empty
    private var isSecure = false
    private var isHTTPOnly = false
    private var isPartitioned = false
    private var sameSite: StaticString = ""

    /// Reads a line; nil for another cookie.
    init?(_ bytes: Span<UInt8>, _ line: ByteRange, name: [UInt8]) {
        var segments = CookieSegments(line)
        guard let pair = segments.next(bytes),
            let value = CookieSegments.value(bytes, pair, of: name)
        else { return nil }
        self.value = CookieSegments.unquoted(bytes, value)
        isDeletion = self.value.isEmpty
        var maxAge: Bool?
        var expires = false
        while let segment = segments.next(bytes) {
            var end = segment.start
            while end < segment.end, bytes[end] != 0x3D { end &+= 1 }
            let name = bytes.trimmed(segment.start, end)
            let value = bytes.trimmed(min(end &+ 1, segment.end), segment.end)
            if equalsIgnoringCase(bytes, name, "path") {
                path = value
            } else if equalsIgnoringCase(bytes, name, "domain") {
                domain = value
            } else if equalsIgnoringCase(bytes, name, "max-age") {
                maxAge = Self.isOver(bytes, maxAge: value) ?? maxAge
            } else if equalsIgnoringCase(bytes, name, "expires") {
                expires = Self.isOver(bytes, expires: value)
            } else {
                note(bytes, name, value)
            }
        }
        isDeletion = isDeletion || maxAge ?? expires
    }

    private mutating func note(_ bytes: Span<UInt8>, _ name: ByteRange, _ value: ByteRange) {
        if equalsIgnoringCase(bytes, name, "secure") {
            isSecure = true
        } else if equalsIgnoringCase(bytes, name, "httponly") {
            isHTTPOnly = true
        } else if equalsIgnoringCase(bytes, name, "partitioned") {
            isPartitioned = true
        } else if equalsIgnoringCase(bytes, name, "samesite") {
            if equalsIgnoringCase(bytes, value, "none") {
                sameSite = "; SameSite=None"
            } else if equalsIgnoringCase(bytes, value, "lax") {
                sameSite = "; SameSite=Lax"
            } else if equalsIgnoringCase(bytes, value, "strict") {
                sameSite = "; SameSite=Strict"
            } else {
                sameSite = ""
            }
        }
    }

    /// RFC 6265bis §5.6.2: what is no number is ignored; what is not positive is over.
    private static func isOver(_ bytes: Span<UInt8>, maxAge value: ByteRange) -> Bool? {
        guard !value.isEmpty else { return nil }
        let isNegative = bytes[value.start] == 0x2D
        var isZero = true
        for place in value.start + (isNegative ? 1 : 0)..<value.end {
            guard bytes[place] >= 0x30, bytes[place] <= 0x39 else { return nil }
            if bytes[place] != 0x30 { isZero = false }
        }
        return isNegative || isZero
    }

    /// Whether the date is in the last century, which is how a cookie is deleted where its age is
    /// not said; the core has no calendar.
    private static func isOver(_ bytes: Span<UInt8>, expires value: ByteRange) -> Bool {
        var place = value.start
        while place &+ 4 <= value.end {
            if bytes[place] == 0x31, bytes[place &+ 1] == 0x39,
                isDigit(bytes[place &+ 2]), isDigit(bytes[place &+ 3]),
                place == value.start || !isDigit(bytes[place &- 1])
            {
                return place &+ 4 == value.end || !isDigit(bytes[place &+ 4])
            }
            place &+= 1
        }
        return false
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    /// The scope to expire it with; nil where an attribute is too long or odd to be said again.
    ///
    /// `requestPath` is that of the request that is answered, for a line without a path.
    func scope(_ bytes: Span<UInt8>, requestPath: [UInt8]) -> CookieScope? {
        let hasPath = !self.path.isEmpty && bytes[self.path.start] == 0x2F
        let path = hasPath ? Self.copy(bytes, self.path) : Self.defaultPath(requestPath)
        var domain = Self.copy(bytes, self.domain).map(\.lowercasedASCII)
        if domain.first == 0x2E { domain.removeFirst() }
        guard Self.isPlain(path), Self.isPlain(domain) else { return nil }
        var attributes: [UInt8] = []
        if isHTTPOnly { attributes += Array("; HttpOnly".utf8) }
        attributes += Array(sameSite.description.utf8)
        if isPartitioned { attributes += Array("; Partitioned".utf8) }
        return CookieScope(
            path: path,
            domain: domain,
            isSecure: isSecure,
            hasDefaultPath: !hasPath,
            attributes: attributes
        )
    }

    /// A path that a client chose may have a semicolon, behind which another attribute would begin.
    private static func isPlain(_ attribute: [UInt8]) -> Bool {
        attribute.count <= attributeBytesMax
            && attribute.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != 0x3B }
    }

    private static func copy(_ bytes: Span<UInt8>, _ range: ByteRange) -> [UInt8] {
        (range.start..<range.end).map { bytes[$0] }
    }

    /// RFC 6265 §5.1.4: up to the last slash, without it.
    private static func defaultPath(_ requestPath: [UInt8]) -> [UInt8] {
        guard requestPath.first == 0x2F, let slash = requestPath.lastIndex(of: 0x2F), slash > 0
        else { return [0x2F] }
        return Array(requestPath[..<slash])
    }
}
