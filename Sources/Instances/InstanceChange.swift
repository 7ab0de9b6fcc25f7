/// What an observation changed, or showed for the first time: a line in the log, an event.
///
/// The IDs are with the registry (`id(of:)`), so that a change is small and never holds one whole.
public enum InstanceChange: Equatable, Sendable {
    /// The first instance ID since this process started.
    case first(InstanceNumber)
    /// A new instance took the place of the old one, whose sessions are stale from now on.
    case replaced(old: InstanceNumber, new: InstanceNumber)
    /// An ID that had been replaced is reported again by a connection opened after that, which no
    /// restart can cause: several instances answer in turn. It has a new number: the sessions that
    /// it issued before stay stale.
    case returned(old: InstanceNumber, new: InstanceNumber)
    /// The same under `instances: auto`: from now on both live, each with the sessions that it
    /// issued and that were not answered 401 yet.
    case several(returned: InstanceNumber, besides: InstanceNumber)
    /// Beside others, one more instance lives: a new one, or one that was taken for gone.
    case joined(InstanceNumber)
    /// One of several is gone, and its sessions alone are stale.
    case gone(InstanceNumber)
    /// Under `instances: auto`, one has been alone for so long that the next new ID replaces it.
    case alone(InstanceNumber)
    /// The backend has never reported an ID: requests are forwarded, nothing is invalidated.
    case oldBackend(NoIdentityCause)
    /// The backend reported an ID before, and gives none now.
    case stoppedReporting(NoIdentityCause)
    /// After `stoppedReporting`, the same instance reports its ID again.
    case reportsAgain(InstanceNumber)
    /// Two IDs for two questions on the first connection: an ID for each request, which is none.
    case idPerRequest
    /// A connection reported another ID than before: its end is not the backend process (a layer-7
    /// balancer, a router process), so what one request learns says nothing of the next.
    case twoIDsOnOneConnection(earlier: InstanceNumber, now: InstanceNumber)

    /// Whether the promise of the contract is weaker from now on, or something is wrong.
    public var isWarning: Bool {
        switch self {
        case .first, .replaced, .joined, .gone, .alone, .reportsAgain: false
        case .returned, .several, .oldBackend, .stoppedReporting, .idPerRequest,
            .twoIDsOnOneConnection:
            true
        }
    }

    /// Whether it may come with every connection, so that not each is worth a line of the log.
    public var comesOften: Bool {
        switch self {
        case .replaced, .returned, .joined, .gone: true
        default: false
        }
    }
}

/// What the registry made of a report.
public struct Observation: Equatable, Sendable {
    /// What the connection that asked is bound to from now on.
    ///
    /// An instance, live or not; `none` where no ID was ever reported; `unverified` where one was
    /// reported before and this connection gave none.
    public var instance: InstanceNumber
    /// Which instances live now.
    public var live: LiveInstances
    /// What to say about it, mostly nothing; each once for each time that it comes to be.
    public var changes: [InstanceChange]

    /// An observation from its parts.
    public init(instance: InstanceNumber, live: LiveInstances, changes: [InstanceChange] = []) {
        self.instance = instance
        self.live = live
        self.changes = changes
    }
}
