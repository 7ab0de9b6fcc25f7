public import Time

/// When the watcher asks, and when the backend counts as up or down (contract 3.3).
///
/// One question is under way at a time. Asked again: every `interval` ±10 % while the backend
/// answers; with a back-off from 10 ms that doubles up to `interval` while it does not; at once
/// when a connection is lost, though never sooner than 10 ms after the last question, so that a
/// thousand lost connections are one question.
///
/// A refused connection tells something only while the backend counts as up. While it is down, the
/// back-off goes on, or the traffic's own attempts would turn it into a hundred questions a second.
public struct WatcherSchedule: Equatable, Sendable {
    /// What to do now.
    public enum WakeAction: Equatable, Sendable {
        /// Ask, and hand the outcome to `answered`.
        case ask
        /// Nothing; wake again then, or at the next event.
        case wait(until: MonotonicTime)
        /// Nothing; a question is under way, and has its own time limit.
        case waitForAnswer
    }

    /// How an upstream connection came to its end.
    public enum Loss: Equatable, Sendable {
        /// It was open, and the peer ended it.
        case lost
        /// It could not be opened.
        case refused
    }

    /// What became of a question.
    public enum Outcome: Equatable, Sendable {
        /// There was an answer, with whatever status.
        case answered
        /// There was none.
        case failed(NoAnswerCause)
    }

    /// What an outcome says that was not known before.
    public enum Transition: Equatable, Sendable {
        case backendUp
        case backendDown(NoAnswerCause)
    }

    private enum State: Equatable {
        case waiting(until: MonotonicTime)
        case asking(isToAskAgain: Bool)
    }

    /// Between two questions at the least, whatever happens.
    public static let pauseMin: Duration = .milliseconds(10)

    private let interval: Duration
    private var state = State.waiting(until: .zero)
    private var askedAt: MonotonicTime?
    private var backOff: Duration = Self.pauseMin
    private var lookAround: LookAroundPace
    /// Whether the backend answered the last question; nil before the first outcome.
    public private(set) var isUp: Bool?

    /// A schedule whose first question is due at once.
    public init(interval: Duration) {
        self.interval = max(interval, Self.pauseMin)
        lookAround = LookAroundPace(interval: self.interval)
    }

    /// Whether each connection seems to report an instance ID of its own.
    public var isIDPerConnection: Bool { lookAround.isIDPerConnection }

    /// Time has passed, or something happened: what is to be done.
    public mutating func wake(now: MonotonicTime) -> WakeAction {
        switch state {
        case .asking:
            return .waitForAnswer
        case .waiting(let until) where now < due(until):
            return .wait(until: due(until))
        case .waiting:
            askedAt = now
            lookAround.asks(now: now)
            state = .asking(isToAskAgain: false)
            return .ask
        }
    }

    /// An upstream connection was lost, or could not be opened.
    public mutating func connectionLost(_ loss: Loss, now: MonotonicTime) {
        if loss == .refused, isUp == false {
            return
        }
        switch state {
        case .asking:
            // The answer may have left the backend before it died.
            state = .asking(isToAskAgain: true)
        case .waiting(let until):
            backOff = Self.pauseMin
            state = .waiting(until: min(until, soonest(now)))
        }
    }

    /// Whether there are several instances is to be found out: some questions follow at once, or
    /// if that was done a moment ago after a pause.
    public mutating func lookAround(questions: Int) {
        lookAround.want(questions: questions)
    }

    /// The question came to an end, maybe with an instance ID never seen before; `random` is any
    /// word, which spreads the next one in time.
    public mutating func answered(
        _ outcome: Outcome,
        isNew: Bool = false,
        random: UInt64,
        now: MonotonicTime
    ) -> Transition? {
        let wasUp = isUp
        var isToAskAgain = false
        if case .asking(true) = state {
            isToAskAgain = true
        }
        switch outcome {
        case .answered:
            isUp = true
            backOff = Self.pauseMin
            let regular = lookAround.left > 0 ? now : (askedAt ?? now) + jittered(random)
            lookAround.answered(isNew: isNew, now: now)
            state = .waiting(until: max(soonest(now), isToAskAgain ? now : regular))
            return wasUp == true ? nil : .backendUp
        case .failed(let cause):
            isUp = false
            if isToAskAgain {
                backOff = Self.pauseMin
            }
            state = .waiting(until: now + backOff)
            backOff = min(backOff * 2, interval)
            return wasUp == false ? nil : .backendDown(cause)
        }
    }

    /// When the next question is due, which otherwise is at `until`.
    private func due(_ until: MonotonicTime) -> MonotonicTime {
        guard isUp != false, let due = lookAround.due else { return until }
        return min(until, soonest(due))
    }

    private func soonest(_ now: MonotonicTime) -> MonotonicTime {
        askedAt.map { max(now, $0 + Self.pauseMin) } ?? now
    }

    /// The interval, less or more by up to a tenth.
    private func jittered(_ random: UInt64) -> Duration {
        let tenth = UInt64(max(0, interval.nanoseconds / 10))
        let spread = Int64(random % (2 * tenth + 1))
        return interval + .nanoseconds(spread - Int64(tenth))
    }
}
