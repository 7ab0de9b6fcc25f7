internal import Foundation
internal import Glibc
internal import Memory

/// What the clients of a restart storm and the one who restarts know of each other.
public final class StormWeather: Sendable {
    private struct State {
        var answers = 0
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
    public func answered() {
        changed.lock()
        state.withLock { $0.answers += 1 }
        changed.broadcast()
        changed.unlock()
    }

    /// Waits until the clients have had so many more answers, or ten seconds.
    public func waitForAnswers(_ count: Int) {
        let deadline = Date(timeIntervalSinceNow: 10)
        changed.lock()
        let target = state.withLock { $0.answers } + count
        while state.withLock({ $0.answers }) < target {
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
