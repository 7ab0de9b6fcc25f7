internal import Instances

// What is said of health answers, for the log.

extension NoAnswerCause {
    /// For the log.
    var text: String {
        switch self {
        case .refused: "connection refused"
        case .unresolved: "its name has no address"
        case .timedOut: "no answer in time"
        case .dropped: "the connection was closed before the end of the answer"
        case .malformed: "the answer is not HTTP"
        case .other(let words): words
        }
    }
}

extension NoIdentityCause {
    /// For the log.
    var text: String {
        switch self {
        case .absent: "not in the health answer"
        case .malformed: "the health answer is not JSON"
        case .tooLarge: "the health answer is too large"
        case .unusable: "it is too long or has control characters"
        case .encoded: "the health answer is compressed, though that was not asked for"
        case .malformedMetric: "the line of the metric cannot be read"
        case .noNumber: "the metric is 0 or no number"
        case .ambiguous: "the health answer tells several"
        }
    }
}

extension HealthRemark {
    /// For the log.
    var text: String {
        switch self {
        case .noAnswer(let cause): "the backend is still down: \(cause.text)"
        case .noIdentity(let cause): "the backend still reports no instance ID: \(cause.text)"
        case .status(let status) where status < 400:
            "the health answer has status \(status): where it redirects to is not asked, "
                + "which identity.path would have to name"
        case .status(let status):
            "the health answer has status \(status); if there is an ID in it, it counts"
        case .slow(let time):
            "the health answer took \(time.milliseconds) ms, which each new connection to the "
                + "backend waits for"
        }
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
