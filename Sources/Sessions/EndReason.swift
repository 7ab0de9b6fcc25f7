/// Why a session ended.
public enum EndReason: UInt8, Sendable, CaseIterable {
    /// The instance that issued it is gone.
    case restart
    /// Unused for `session.idle_timeout`.
    case idle
    /// Older than `session.max_age`.
    case age
    /// The least recently used in a full jar.
    case capacity
    /// The backend issued another one in its place.
    case replaced
    /// A rule of `session.end`.
    case endRule
    /// The backend said that it does not know it.
    case backend

    /// What `X-Session-Cleared` says of it.
    public var cleared: ClearedReason { self == .restart ? .backendRestart : .expired }
}

/// What `X-Session-Cleared` says (contract 4.1).
public enum ClearedReason: Sendable {
    case backendRestart
    case unknown
    case expired

    /// The value of the field.
    public var text: StaticString {
        switch self {
        case .backendRestart: "backend-restart"
        case .unknown: "unknown"
        case .expired: "expired"
        }
    }
}

/// How many sessions ended, by reason.
public struct EndCounts: Hashable, Sendable {
    private var counts: [Int]

    /// None of any.
    public init() {
        counts = [Int](repeating: 0, count: EndReason.allCases.count)
    }

    /// How many ended for a reason.
    public subscript(reason: EndReason) -> Int {
        get { counts[Int(reason.rawValue)] }
        set { counts[Int(reason.rawValue)] = newValue }
    }

    /// How many ended in all.
    public var total: Int { counts.reduce(0, +) }

    /// Adds those of another count.
    public static func += (left: inout Self, right: Self) {
        for reason in EndReason.allCases { left[reason] += right[reason] }
    }
}
