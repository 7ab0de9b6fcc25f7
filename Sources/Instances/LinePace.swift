public import Time

/// Which of many log lines of a kind are written: some at once, then one a second.
///
/// The others are counted, which makes a line as well.
public struct LinePace: Equatable, Sendable {
    private static let burst = 32
    private static let pause: Duration = .seconds(1)

    private var left = Self.burst
    private var refilledAt = MonotonicTime.zero
    private var leftOut = 0

    /// Nothing was written yet.
    public init() {}

    /// Whether one more is to be written; if not, it is counted.
    public mutating func admits(now: MonotonicTime) -> Bool {
        refill(now)
        guard left > 0 else {
            leftOut += 1
            return false
        }
        left -= 1
        return true
    }

    /// How many were left out, where that is to be said now.
    public mutating func takeLeftOut(now: MonotonicTime) -> Int? {
        guard leftOut > 0 else { return nil }
        refill(now)
        guard left > 0 else { return nil }
        left -= 1
        defer { leftOut = 0 }
        return leftOut
    }

    private mutating func refill(_ now: MonotonicTime) {
        let count = (now - refilledAt).nanoseconds / Self.pause.nanoseconds
        guard count > 0 else { return }
        left = Int(min(Int64(Self.burst), Int64(left) + min(count, Int64(Self.burst))))
        refilledAt = now
    }
}
