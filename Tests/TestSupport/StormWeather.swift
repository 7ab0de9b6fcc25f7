internal import Foundation
internal import Glibc
internal import Memory

/// What the clients of a restart storm and the one who restarts know of each other.
///
/// What is going to happen is noted before it happens, and what has happened after it has: whoever
/// compares what it saw with this never takes an ending for undue that was on its way.
public final class StormWeather: Sendable {
    /// How things stand when a request begins.
    public struct Glimpse: Sendable {
        /// How many processes have been killed, or are about to be.
        public var kills: Int
        /// How many are dead.
        public var deaths: Int
        /// Whether one of them has not been started again yet.
        public var isDown: Bool
    }

    private struct State {
        var answers = 0
        var served = 0
        var kills = 0
        var deaths = 0
        var isDown = false
        var killedAt: [String: ContinuousClock.Instant] = [:]
        /// When all were there again, and how often that has come about.
        var upAt = ContinuousClock.now
        var generation = 0
        var isOver = false
    }

    private let state = Locked(State())
    private let changed = NSCondition()

    /// Before the first restart.
    public init() {}

    /// How things stand.
    public var glimpse: Glimpse {
        state.withLock { Glimpse(kills: $0.kills, deaths: $0.deaths, isDown: $0.isDown) }
    }

    /// Whether a process was down at some time since then.
    public func wasDown(since start: Glimpse) -> Bool {
        start.isDown || state.withLock { $0.kills != start.kills }
    }

    /// Whether a process died since then, so that what it was asked may be in flight.
    public func isInFlight(since start: Glimpse) -> Bool {
        state.withLock { $0.kills != start.deaths }
    }

    /// When an instance was killed, if it was.
    public func killed(_ instance: String) -> ContinuousClock.Instant? {
        state.withLock { $0.killedAt[instance] }
    }

    /// Since when all have been there again, and for which time that is; nil while one is down.
    public var up: (generation: Int, since: ContinuousClock.Instant)? {
        state.withLock { $0.isDown ? nil : ($0.generation, $0.upAt) }
    }

    /// Whether clients should stop.
    public var isOver: Bool { state.withLock { $0.isOver } }

    /// A client has an answer, or knows that it gets none.
    public func answered(_ isServed: Bool) {
        changed.lock()
        state.withLock {
            $0.answers += 1
            $0.served += isServed ? 1 : 0
        }
        changed.broadcast()
        changed.unlock()
    }

    /// Waits until the clients have had so many more answers of any kind, or ten seconds.
    public func waitForAnswers(_ count: Int) {
        let target = state.withLock { $0.answers } + count
        wait { $0.answers >= target }
    }

    /// Waits until so many more requests have been served by the backend, or ten seconds.
    public func waitForServed(_ count: Int) {
        let target = state.withLock { $0.served } + count
        wait { $0.served >= target }
    }

    private func wait(until condition: (borrowing State) -> Bool) {
        let deadline = Date(timeIntervalSinceNow: 10)
        changed.lock()
        while !state.withLock({ condition($0) }) {
            guard changed.wait(until: deadline) else { break }
        }
        changed.unlock()
    }

    /// An instance is about to be killed.
    public func beforeKill(_ instance: String) {
        state.withLock {
            $0.kills += 1
            $0.isDown = true
            $0.killedAt[instance] = .now
        }
    }

    /// It is dead.
    public func afterKill() { state.withLock { $0.deaths += 1 } }

    /// All that were killed have successors, which listen.
    public func afterStart() {
        state.withLock {
            $0.isDown = false
            $0.upAt = .now
            $0.generation += 1
        }
    }

    /// The storm is over.
    public func end() { state.withLock { $0.isOver = true } }

    /// What a client does before it tries again: nothing, for a moment.
    public func pause() { poll(nil, 0, 5) }
}
