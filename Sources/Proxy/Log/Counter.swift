internal import Synchronization
internal import Time

/// A number that any thread may add to.
final class Counter: Sendable {
    private let value = Atomic<UInt64>(0)

    /// What was added so far.
    var current: UInt64 { value.load(ordering: .relaxed) }

    func add(_ amount: UInt64) {
        value.wrappingAdd(amount, ordering: .relaxed)
    }

    /// What was added since the last call.
    func takeAll() -> UInt64 {
        value.exchange(0, ordering: .relaxed)
    }
}

/// What came of clients' handshakes.
final class HandshakeCounts: Sendable {
    /// Those that led to a connection.
    let done = Counter()
    /// Those of them that went on from an earlier session.
    let resumed = Counter()
    let failed = Counter()
}

/// A count of things that live, from any thread, with a bound.
final class Gauge: Sendable {
    private let value = Atomic<Int>(0)
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    /// Counts one more, unless the limit is reached.
    func enter() -> Bool {
        if value.wrappingAdd(1, ordering: .relaxed).newValue <= limit { return true }
        value.wrappingSubtract(1, ordering: .relaxed)
        return false
    }

    func leave() {
        value.wrappingSubtract(1, ordering: .relaxed)
    }
}

/// The latest of the times that any thread gave.
final class LatestTime: Sendable {
    private let value = Atomic<Int64>(0)

    var current: MonotonicTime {
        MonotonicTime(nanoseconds: value.load(ordering: .acquiring))
    }

    func raise(to time: MonotonicTime) {
        value.max(time.nanoseconds, ordering: .acquiringAndReleasing)
    }
}
