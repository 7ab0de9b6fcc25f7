public import Instances

/// Names a jar cookie value without being one: its keyed digest, and the shard that it points to.
public struct CookieKey: Hashable, Sendable {
    let digest: Digest
    private let shardNumber: UInt8

    init(digest: Digest, shard: Int) {
        self.digest = digest
        shardNumber = UInt8(truncatingIfNeeded: shard)
    }

    /// There are sixteen at most; one byte of it, because every request copies a few of these.
    var shard: Int { Int(shardNumber) }
}

/// The session that a request carries, for as long as its exchange lasts.
public struct CarriedSession: Sendable {
    /// Where the request had it.
    public enum Carrier: Sendable {
        /// Lychgate holds the session and injects its ID.
        case jarCookie
        /// The client holds the session; its field is passed on as it is.
        case header
        /// The client holds the session in the backend's own cookie, which is passed on as it is.
        case backendCookie
    }

    /// What the backend knows the session by; empty when the client's own field is passed on.
    public let sessionID: [UInt8]
    /// The instance that issued it.
    ///
    /// Of a session that the jar does not know (`isBound` is false): the instance that was live
    /// when the request came, which is the newest that can have issued it.
    public let instance: InstanceNumber
    /// Where the request had it.
    public let carrier: Carrier
    /// Whether the jar knows it.
    public let isBound: Bool
    /// Names the session to the jar.
    let key: Digest
    /// The jar cookie that the request had, even if the field went before it.
    let cookie: CookieKey?
}

/// A session that has ended: the request is answered 401 (contract 4.1).
public struct SessionEnd: Hashable, Sendable {
    /// What `X-Session-Cleared` says.
    public var reason: ClearedReason
    /// Whether the answer expires the jar cookie (`SessionRules.appendExpiredCookie`).
    public var expiresCookie: Bool
    /// The cookies of the backend's own that it expires (`appendExpiredCarrier`).
    public var scopes: [CookieScope] = []
    /// Whether a browser navigates, and is to be sent to the page of `stale.pages`.
    public var isNavigation = false

    /// An ending from its parts.
    public init(reason: ClearedReason, expiresCookie: Bool) {
        self.reason = reason
        self.expiresCookie = expiresCookie
    }
}

/// A new jar cookie value, on its way to the one client that may know it.
public struct JarCookie: Sendable {
    /// 22 characters of base64url: 128 random bits and, in the four that are left, the shard.
    let text: [UInt8]

    init(_ random: (UInt64, UInt64), shard: Int) {
        var text: [UInt8] = []
        text.reserveCapacity(22)
        for index in 0..<22 {
            let bit = index * 6
            let value: UInt64
            if bit + 6 <= 64 {
                value = random.0 >> UInt64(58 - bit)
            } else if bit < 64 {
                value = random.0 << UInt64(bit - 58) | random.1 >> UInt64(122 - bit)
            } else if bit + 6 <= 128 {
                value = random.1 >> UInt64(122 - bit)
            } else {
                value = random.1 << 4 | UInt64(shard & 15)
            }
            text.append(Base64URL.digit(UInt8(value & 63)))
        }
        self.text = text
    }
}

/// The alphabet of RFC 4648 §5.
enum Base64URL {
    /// The character for six bits.
    static func digit(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: 0x41 + value
        case 26..<52: 0x61 + (value - 26)
        case 52..<62: 0x30 + (value - 52)
        case 62: 0x2D
        default: 0x5F
        }
    }

    /// The six bits of a character, or nil.
    static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x41...0x5A: digit - 0x41
        case 0x61...0x7A: digit - 0x61 + 26
        case 0x30...0x39: digit - 0x30 + 52
        case 0x2D: 62
        case 0x5F: 63
        default: nil
        }
    }
}
