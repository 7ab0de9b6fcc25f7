public import Time

/// When a loop has to look at its connections' deadlines next.
///
/// Each connection holds its own deadline in a field; this holds only the earliest one that may be
/// due. Setting a deadline is one comparison; moving one later is free, and costs one sweep in
/// vain. A sweep over all connections happens at most every `granularity`: with 10,000 of them
/// that is well under 0.1 % of a core, and an idle loop sleeps.
public struct Deadlines: Sendable {
    /// The shortest time between two sweeps, and how late a deadline may be noticed.
    public static let granularity: Duration = .milliseconds(50)

    private var next = MonotonicTime.distantFuture
    private var notBefore = MonotonicTime.zero

    /// Nothing is due.
    public init() {}

    /// A connection's deadline was set.
    public mutating func note(_ deadline: MonotonicTime) {
        if deadline < next { next = deadline }
    }

    /// When to wake up for a sweep, or nil when nothing is due ever.
    public var wakeTime: MonotonicTime? {
        next == .distantFuture ? nil : max(next, notBefore)
    }

    /// Whether to sweep now; if so, the caller notes every deadline that remains.
    public mutating func beginSweep(now: MonotonicTime) -> Bool {
        guard next <= now, notBefore <= now else { return false }
        next = .distantFuture
        notBefore = now + Self.granularity
        return true
    }
}
