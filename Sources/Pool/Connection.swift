internal import Instances
internal import Time

/// What the pool knows of one connection.
struct Connection {
    enum Phase {
        /// Being established.
        case opening
        /// An established asker whose carrier the shell has not reported yet.
        case lacksCarrier
        /// An established asker whose carrier is being established.
        case awaitsCarrier
        /// An established carrier whose asker is being asked.
        case standingBy
        /// The first identity answer is due.
        case asking
        /// Another identity answer is due on a connection that has been ready before.
        case askingAgain
        case idle
        case leased
    }

    enum Role {
        /// Asks, and then carries requests itself if it persists.
        case single
        /// Carries one request, vouched for by its asker.
        case carrier
    }

    let id: ConnectionID
    let role: Role
    var phase = Phase.opening
    /// The place of the other connection of a pair, while both are here.
    var partner: Int?
    var instance = InstanceNumber.unverified
    /// The epoch of the last identity answer.
    var epoch: UInt32 = 0
    /// When the last identity answer came.
    var verifiedAt = MonotonicTime.zero
    /// When it became idle.
    var since = MonotonicTime.zero
    var stamp = PairingWindow.Stamp()
    /// Whose it was when it was last asked again.
    var instanceAsked = InstanceNumber.unverified
    /// Whether it is counted among the connections of its instance.
    var isCounted = false

    init(id: ConnectionID, role: Role) {
        self.id = id
        self.role = role
    }

    /// Whether it may carry requests at all: its process is not known to be gone.
    func isUsable(_ live: LiveInstances) -> Bool {
        instance == .unverified || live.isLive(instance)
    }

    /// Whether a request may be written to it without asking again.
    ///
    /// As long as one instance lives at a time, whose session it is does not matter here: it is
    /// stale unless it is that instance's, which the verdict finds before anything is written.
    /// Where several live side by side, a session goes to its own instance, one without to any.
    /// With a session the last answer must be of this epoch and have given an ID. So a connection
    /// without ID asks once more for each such request: no interval has to be chosen, the first
    /// request after the backend reports its ID again finds out, and the cost is one short
    /// question for a request that would otherwise be answered 503.
    ///
    /// `since` is for an exchange whose first connection was lost: it takes one that was verified
    /// after that, with a session or without.
    func fits(session: InstanceNumber?, since: MonotonicTime, live: LiveInstances) -> Bool {
        guard verifiedAt >= since else { return false }
        guard let session else { return isUsable(live) }
        guard epoch == live.epoch && live.isLive(instance) else { return false }
        return !live.areMany || instance == session || !live.isOwn(session)
    }
}

/// Connections by what they are doing, where it is not the length of a list.
struct Tally {
    /// Identity answers that are due.
    var asking = 0
    var leased = 0
    /// Connections that are on their way to serve a waiter; of a pair, one.
    var verifying = 0
    /// Singles that are not asked yet and would need a carrier in pairing mode.
    var carriersOwed = 0
}
