/// A point on the machine's monotonic clock.
///
/// The core never reads a clock: the shell reads it once a loop turn and hands `now` in, so every
/// rule that depends on time can be tested with times that a test makes up.
@frozen
public struct MonotonicTime: Hashable, Comparable, Sendable {
    /// Nanoseconds since an arbitrary start, the same for the whole process.
    public let nanoseconds: Int64

    /// The start of the clock; earlier than any point that it is read at.
    public static let zero = Self(nanoseconds: 0)

    /// Later than any point that the clock reaches: "no deadline".
    @inlinable public static var distantFuture: Self { Self(nanoseconds: .max) }

    /// A point given in nanoseconds of the monotonic clock.
    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Whether `left` comes first.
    @inlinable
    public static func < (left: Self, right: Self) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The point `duration` after `time`; saturates at `distantFuture`.
    public static func + (time: Self, duration: Duration) -> Self {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(duration.nanoseconds)
        return overflow ? .distantFuture : Self(nanoseconds: sum)
    }

    /// The time from `earlier` to `later`; negative when they are the other way round.
    public static func - (later: Self, earlier: Self) -> Duration {
        .nanoseconds(later.nanoseconds.subtractingReportingOverflow(earlier.nanoseconds).0)
    }
}

extension Duration {
    /// The duration in whole nanoseconds; saturates at about 292 years.
    public var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflow || carry ? (seconds < 0 ? .min : .max) : sum
    }
}

/// A length of time in the form that is added to `now` at every request.
///
/// A `Duration` counts attoseconds in 128 bits; to turn one into nanoseconds costs 200
/// instructions, so it is done once.
public struct Nanoseconds: Hashable, Sendable {
    /// How many.
    public let count: Int64

    /// The same length as a duration; saturates at about 292 years.
    public init(_ duration: Duration) {
        count = duration.nanoseconds
    }
}

extension MonotonicTime {
    /// The point so long after `time`; saturates at `distantFuture`.
    @inlinable
    public static func + (time: Self, length: Nanoseconds) -> Self {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(length.count)
        return overflow ? .distantFuture : Self(nanoseconds: sum)
    }
}
