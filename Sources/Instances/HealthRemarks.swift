/// Something odd about a health answer, for the log.
public enum HealthRemark: Equatable, Sendable {
    /// While the backend is down: for another reason than was said.
    case noAnswer(NoAnswerCause)
    /// While no ID is reported: for another reason than was said.
    case noIdentity(NoIdentityCause)
    /// The status is none of success.
    case status(UInt16)
    /// It took so long, which each new connection waits for.
    case slow(Duration)
    /// Each connection reports an instance ID of its own.
    case idPerConnection
}

/// Which oddities of the watcher's answers are news: each is said once until it is over.
///
/// That the backend is down, or reports no ID any more, is said elsewhere, with the first cause.
public struct HealthRemarks: Sendable {
    private let slowMin: Duration
    private var failures: [NoAnswerCause] = []
    private var flaws: [NoIdentityCause] = []
    private var statuses: [UInt16] = []
    private var isSlow = false

    /// Nothing was said yet; `timeout` is that of a question.
    public init(timeout: Duration) {
        slowMin = min(.seconds(1), timeout / 2)
    }

    /// The first cause was said with these.
    public mutating func said(_ changes: [InstanceChange]) {
        for change in changes {
            switch change {
            case .oldBackend(let cause), .stoppedReporting(let cause):
                if !flaws.contains(cause) { flaws.append(cause) }
            default: break
            }
        }
    }

    /// Takes in what a question came to, how long it took, and what of it was said already.
    public mutating func note(
        _ report: IdentityReport,
        status: UInt16,
        took: Duration,
        said changes: [InstanceChange]
    ) -> [HealthRemark] {
        said(changes)
        if case .failed(let cause) = report {
            guard !failures.contains(cause) else { return [] }
            defer { failures.append(cause) }
            return failures.isEmpty ? [] : [.noAnswer(cause)]
        }
        failures = []
        var remarks: [HealthRemark] = []
        switch report {
        case .none(let cause) where !flaws.contains(cause):
            // A worker may have found the first one, of which the word is on its way.
            if !flaws.isEmpty { remarks.append(.noIdentity(cause)) }
            flaws.append(cause)
        case .id: flaws = []
        case .none, .failed: break
        }
        if status < 300 {
            statuses = []
        } else if !statuses.contains(status) {
            statuses.append(status)
            remarks.append(.status(status))
        }
        let wasSlow = isSlow
        isSlow = took >= slowMin
        if isSlow, !wasSlow { remarks.append(.slow(took)) }
        return remarks
    }
}
