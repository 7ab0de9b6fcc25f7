internal import Time

/// How eagerly connections are opened to find an instance among several.
///
/// Where a connection lands cannot be chosen, so finding one means to open some and see. They go
/// out in rounds of a few for each instance: at once while that finds someone, then at growing
/// distances, since an instance that accepts nothing (it is busy, or drains) would have its
/// siblings flooded.
struct Search {
    private static var firstPause: Duration { .milliseconds(10) }
    private static var longPause: Duration { .milliseconds(250) }
    private static var longestPause: Duration { .seconds(2) }
    /// So many rounds until an instance that is gone is sure to be known as such.
    private static var eagerRounds: Int { 20 }

    /// How many connections a round has.
    private var size = 1
    private var round = 0
    /// What is left of the present round.
    private(set) var left = 1
    /// When it may begin.
    private(set) var notBefore = MonotonicTime.zero

    /// Other instances live, or one was found or lost: the search begins anew.
    mutating func begin(among memberCount: Int, probesMax: Int) {
        size = max(1, min(probesMax, 2 * memberCount + 2))
        round = 0
        left = size
        notBefore = .zero
    }

    /// A connection was opened.
    mutating func opened(now: MonotonicTime) {
        guard left > 0 else { return }
        left -= 1
        guard left == 0 else { return }
        left = size
        notBefore = now + pause
        round += 1
    }

    /// Someone new waits: the next round comes soon.
    mutating func hurry(now: MonotonicTime) {
        notBefore = min(notBefore, now + Self.longPause)
    }

    private var pause: Duration {
        if round >= Self.eagerRounds { return Self.longestPause }
        return min(Self.longPause, Self.firstPause * (1 << min(round, 8)))
    }
}
