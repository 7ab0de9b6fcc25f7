public import HTTPModel

/// Why a response that seemed to issue a session did not; for the log.
public enum CaptureWarning: Sendable, Equatable {
    /// The value is not 1 to 4,096 visible ASCII bytes.
    case invalidValue
    /// The field stands in the head with different values.
    case ambiguousField
    /// A JSON rule matches the request, but the content is compressed.
    case encodedContent
    /// A JSON rule matches the request, but the content is longer than 64 KiB.
    case contentTooLong
}

/// What a response head says about the session, and what is still to be read in the content.
public struct ResponsePlan: Sendable {
    /// For what the content is collected, before the head is passed on.
    public enum Content: Sendable, Equatable {
        /// It is not: it streams.
        case stream
        /// The JSON rules of `Judgement.jsonRules` look for a session ID (`jsonPointers`).
        case capture
        /// A rule has found its session already, but what another one finds must not be seen.
        case redaction
        /// The `reason` of the backend's own 401 may end the session (`endsSession(reason:)`).
        case reason
        /// A health answer is completed (`augments`), and nothing else is done with it.
        case health
    }

    /// A session ID in a field of the head, valid and not the one that the request carried.
    ///
    /// With `content == .capture` what the content gives goes before it.
    public var captured: ByteRange?
    /// Whether and for what the content is to be collected, at most `contentBytesMax`.
    public var content = Content.stream
    /// Whether an end rule fires: unless a session is captured, `Jar.end` with `endRule`.
    public var ends = false
    /// Whether the backend has accepted an ID that the jar does not know: `Jar.bind`.
    public var binds = false
    /// Whether the health answer gains what it lacks, whatever else it is collected for.
    public var augments = false
    /// What went wrong.
    public var warning: CaptureWarning?

    /// More is not collected, and passes unread (contract 2.2).
    public static let contentBytesMax = 64 * 1024

    /// A plan for a response that does nothing to the session.
    public init() {}
}

extension ResponsePlan.Content {
    /// Whether a capture rule wants it, so that it is worth a warning when it cannot be had.
    public var isOfRule: Bool { self == .capture || self == .redaction }
}
