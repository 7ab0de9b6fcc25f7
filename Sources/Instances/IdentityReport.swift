/// What one question for the identity came to, whoever asked.
public enum IdentityReport: Equatable, Sendable {
    /// The answer held this instance ID.
    case id([UInt8])
    /// There was an answer without a usable ID in it.
    case none(NoIdentityCause)
    /// There was no whole answer.
    case failed(NoAnswerCause)

    /// Bytes of an instance ID; a longer one counts as none.
    public static let idBytesMax = 256

    /// The report of an answer whose source yielded `id`.
    ///
    /// An ID that is empty, too long, or has a control byte in it counts as none: it goes into
    /// logs and comparisons, and no backend means such a value.
    public static func read(_ id: [UInt8]) -> Self {
        isUsable(id) ? .id(id) : .none(.unusable)
    }

    static func isUsable(_ id: [UInt8]) -> Bool {
        !id.isEmpty && id.count <= idBytesMax && !id.contains { $0 < 0x20 || $0 == 0x7F }
    }
}

/// Why an answer to the identity question gave no ID.
public enum NoIdentityCause: Equatable, Sendable {
    /// None of the sources yielded a value.
    case absent
    /// The answer is not what the sources can read: not JSON, for example.
    case malformed
    /// The answer is larger than what is read of it.
    case tooLarge
    /// The value is longer than an ID may be, or has control bytes in it.
    case unusable
    /// The content is compressed, though that was not asked for.
    case encoded
    /// The line of the metric cannot be read.
    case malformedMetric
    /// The metric is zero, or no number.
    case noNumber
    /// It is told several times, and not the same.
    case ambiguous
}

/// Why there was no whole answer to the identity question.
public enum NoAnswerCause: Equatable, Sendable {
    /// Nobody listens there, or the way there is barred.
    case refused
    /// No name server knows the host.
    case unresolved
    /// It took longer than `identity.timeout`.
    case timedOut
    /// The connection ended before the answer did.
    case dropped
    /// What came back is not HTTP.
    case malformed
    /// Something else, in words.
    case other(String)
}
