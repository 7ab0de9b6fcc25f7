internal import Time

/// Which cookie values that the jar does not know were answered 401 in the last ten seconds.
///
/// A table of fixed size, apart from everything that must be remembered: a flood of made-up values
/// overwrites only other values of this table, the oldest of four. What a flood can reach is that
/// an unknown cookie is expired twice within ten seconds; it cannot choose whose, since the hash is
/// keyed. The memory is taken at the first use.
struct RefusedCookies {
    private struct Cell {
        var fingerprint: UInt64 = 0
        var time = MonotonicTime.neverClaimed
    }

    private static let setCount = 1024
    private static let wayCount = 4

    private var cells: ContiguousArray<Cell> = []

    /// True for the first within ten seconds that asks for a value: it sends the expired cookie.
    mutating func claim(_ digest: Digest, now: MonotonicTime) -> Bool {
        let cell = place(digest)
        let isFirst =
            cells[cell].fingerprint != digest.high || cells[cell].time.allowsClaim(now)
        if isFirst {
            cells[cell] = Cell(fingerprint: digest.high, time: now)
        }
        return isFirst
    }

    /// Lets nobody claim the value for ten seconds.
    mutating func setClaimed(_ digest: Digest, now: MonotonicTime) {
        cells[place(digest)] = Cell(fingerprint: digest.high, time: now)
    }

    /// The cell of the value, or the one to overwrite.
    private mutating func place(_ digest: Digest) -> Int {
        if cells.isEmpty {
            cells = ContiguousArray(repeating: Cell(), count: Self.setCount * Self.wayCount)
        }
        let start = Int(truncatingIfNeeded: digest.low) & (Self.setCount - 1)
        let places = start * Self.wayCount..<(start + 1) * Self.wayCount
        var oldest = places.lowerBound
        for place in places {
            if cells[place].fingerprint == digest.high { return place }
            if cells[place].time < cells[oldest].time { oldest = place }
        }
        return oldest
    }
}
