/// Where a message's content ends (RFC 9112 §6.3).
public enum Framing: Hashable, Sendable {
    /// There is no content.
    case none
    /// Exactly so many bytes, at least one.
    case length(UInt64)
    /// The chunked transfer coding.
    case chunked
    /// All that comes until the connection is closed; in responses only.
    case untilClose
}

/// The methods that some rule of the proxy looks at.
public enum Method: UInt8, Sendable {
    case get
    case head
    case post
    case put
    case delete
    case connect
    case options
    case trace
    case patch
    /// Any other token; passed on as it is.
    case other

    /// RFC 9110 §9.2.1: asks for nothing to be changed.
    public var isSafe: Bool {
        switch self {
        case .get, .head, .options, .trace: true
        case .post, .put, .delete, .connect, .patch, .other: false
        }
    }

    /// RFC 9110 §9.2.2: doing it twice is doing it once.
    public var isIdempotent: Bool {
        switch self {
        case .get, .head, .options, .trace, .put, .delete: true
        case .post, .connect, .patch, .other: false
        }
    }
}

/// The form of a request target (RFC 9112 §3.2).
public enum TargetForm: UInt8, Sendable {
    case origin
    case absolute
    case authority
    case asterisk
}

/// A parsed request head: ranges over the bytes that it was parsed from, and what they mean.
///
/// One value is made for a worker and filled anew for each request.
public struct RequestHead: Sendable {
    /// Which method it is.
    public var method = Method.other
    /// The method as spelt.
    public var methodRange = ByteRange.empty
    /// The whole request target as spelt.
    public var target = ByteRange.empty
    /// The form of the target.
    public var targetForm = TargetForm.origin
    /// The part of the target that starts with the path: the whole of an origin-form, what
    /// follows the authority in an absolute-form (empty when there is nothing, meaning "/").
    public var pathAndQuery = ByteRange.empty
    /// The path without the query.
    public var path = ByteRange.empty
    /// The authority of an absolute-form target, else the value of Host; empty in HTTP/1.0
    /// requests without either.
    public var authority = ByteRange.empty
    /// The minor version: 0, or 1 for every higher one.
    public var minorVersion: UInt8 = 1
    /// The field lines, in their order.
    public var fields: FieldLines
    /// Where the content ends.
    public var framing = Framing.none
    /// Whether the client lets the connection live on after this exchange (RFC 9112 §9.3).
    public var isPersistent = true
    /// Whether `Expect: 100-continue` was sent, in HTTP/1.1.
    public var expectsContinue = false
    /// Whether an `Upgrade` was asked for and nominated by `Connection`, in HTTP/1.1.
    public var asksUpgrade = false
    /// How many bytes the head has, leading empty lines and the last empty line included.
    public var byteCount = 0

    /// An empty head with room for so many field lines.
    public init(fieldCapacity: Int) {
        fields = FieldLines(capacity: fieldCapacity)
    }
}

/// A parsed response head: ranges over the bytes that it was parsed from, and what they mean.
public struct ResponseHead: Sendable {
    /// 100 to 999.
    public var status: UInt16 = 0
    /// The reason phrase; may be empty.
    public var reason = ByteRange.empty
    /// The minor version: 0 or 1.
    public var minorVersion: UInt8 = 1
    /// The field lines, in their order.
    public var fields: FieldLines
    /// Where the content ends, given the request's method and the status.
    public var framing = Framing.none
    /// Whether the server lets the connection live on after this exchange.
    public var isPersistent = true
    /// Whether it says when it was made.
    public var hasDate = false
    /// How many bytes the head has, the last empty line included.
    public var byteCount = 0

    /// Whether more heads follow for the same request (RFC 9110 §15.2); 101 is not among them.
    public var isInterim: Bool { status < 200 && status != 101 }

    /// An empty head with room for so many field lines.
    public init(fieldCapacity: Int) {
        fields = FieldLines(capacity: fieldCapacity)
    }
}
