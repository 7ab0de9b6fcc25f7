internal import Foundation
internal import Glibc
internal import Memory

/// What the clients of a restart storm and the one who restarts know of each other.
public final class StormWeather: Sendable {
    private struct State {
        var answers = 0
        var served = 0
        var kills = 0
        var instance: String
        var isOver = false
    }

    private let state: Locked<State>
    private let changed = NSCondition()

    /// Before the first restart.
    public init(_ instance: String) {
        state = Locked(State(instance: instance))
    }

    /// How many times the backend was killed; counted before the signal is sent.
    public var kills: Int { state.withLock { $0.kills } }

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

    /// The backend is about to be killed.
    public func beforeKill() { state.withLock { $0.kills += 1 } }

    /// The next instance listens.
    public func afterStart(_ instance: String) { state.withLock { $0.instance = instance } }

    /// The storm is over.
    public func end() { state.withLock { $0.isOver = true } }

    /// What a client does before it tries again: nothing, for a moment.
    public func pause() { poll(nil, 0, 5) }
}
