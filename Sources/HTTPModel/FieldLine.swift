/// The fields that some rule of the proxy looks at; recognised once, while a head is parsed.
public enum FieldID: UInt8, Sendable, CaseIterable {
    /// Any field that no rule names.
    case other
    case accept
    case acceptEncoding
    case authorization
    case cacheControl
    case connection
    case contentEncoding
    case contentLength
    case contentType
    case cookie
    case date
    case expect
    case forwarded
    /// `Content_Length` or `Transfer_Encoding`: what reads "_" as "-" takes it for framing.
    case framingAlias
    case host
    case http2Settings
    case keepAlive
    case maxForwards
    case origin
    case proxyAuthenticate
    case proxyAuthenticationInfo
    case proxyAuthorization
    case proxyConnection
    case secFetchDest
    case secFetchSite
    case setCookie
    case te
    case trailer
    case transferEncoding
    case upgrade
    case vary
    case via
    case xClientCertSubject
    case xForwardedFor
    case xForwardedHost
    case xForwardedProto
    case xRequestID
}

/// One field line of a head (RFC 9110 §5.2), as ranges over the bytes it was parsed from.
public struct FieldLine: Hashable, Sendable {
    /// The field name, as spelt.
    public var name: ByteRange
    /// The field value without the white space around it.
    public var value: ByteRange
    /// Which known field it is.
    public var id: FieldID
    /// Whether it ends at this hop (RFC 9110 §7.6.1).
    ///
    /// A connection field, or one that `Connection` nominates. What must not be nominated away
    /// (Host, Content-Length, Cookie, …) never is.
    public var isHopByHop: Bool

    /// A field line.
    public init(name: ByteRange, value: ByteRange, id: FieldID, isHopByHop: Bool = false) {
        self.name = name
        self.value = value
        self.id = id
        self.isHopByHop = isHopByHop
    }
}

/// The field lines of a head in their order; its memory is made once and used for every head.
public struct FieldLines: Sendable {
    @usableFromInline var lines: ContiguousArray<FieldLine>
    /// How many lines there are.
    public private(set) var count = 0

    /// An empty table for at most `capacity` lines.
    public init(capacity: Int) {
        let none = FieldLine(name: .empty, value: .empty, id: .other)
        lines = ContiguousArray(repeating: none, count: capacity)
    }

    /// How many lines fit.
    public var capacity: Int { lines.count }

    /// Forgets all lines, keeps the memory.
    public mutating func removeAll() {
        count = 0
    }

    /// Adds a line; false when the table is full.
    public mutating func append(_ line: FieldLine) -> Bool {
        guard count < lines.count else { return false }
        lines[count] = line
        count += 1
        return true
    }

    /// Writes all lines anew: `body` gets every place and returns how many it filled from the
    /// first on.
    ///
    /// A parser that has many lines to write does not pay for each one's way into the array.
    @inlinable
    @inline(__always)
    public mutating func fill(_ body: (inout MutableSpan<FieldLine>) -> Int) {
        var span = lines.mutableSpan
        setCount(body(&span))
    }

    @usableFromInline
    mutating func setCount(_ filled: Int) {
        precondition(filled >= 0 && filled <= lines.count)
        count = filled
    }

    /// The line at a place.
    ///
    /// - Precondition: `index` is less than `count`.
    public subscript(index: Int) -> FieldLine {
        get {
            precondition(index < count)
            return lines[index]
        }
        set {
            precondition(index < count)
            lines[index] = newValue
        }
    }
}
