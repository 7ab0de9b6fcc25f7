internal import EventLoop
internal import Instances
internal import Linux
internal import Memory
internal import Pool
internal import Settings
internal import Time

/// Several instances side by side (contract 3.4), as a worker meets them.
extension Worker {
    /// Which instances live, as of now; without a lock.
    mutating func liveInstances() -> LiveInstances {
        shared.registry.live(knowing: &liveAmongMany)
    }

    /// A connection ends in this instance, or is closed.
    mutating func bind(_ token: SlabToken, to instance: InstanceNumber?) {
        let held = upstreams[token].held
        // One that does not say so any more still ends where it ended.
        guard held != instance, instance != .unverified || held == nil else { return }
        upstreams[token].held = instance
        if shared.registry.rebind(held, to: instance, now: now) {
            shared.control.send(.instanceLost)
        }
    }

    /// Whether a question was put to one of several instances that is known to be there: that it
    /// takes its time says that it is busy, not that it is gone.
    func isBusy(_ token: SlabToken) -> Bool {
        pool.isSearching && upstreams[token].held != nil
    }

    /// Nobody has used an idle connection for a while.
    mutating func rest(_ token: SlabToken) {
        if now >= asksNotBefore, pool.refresh(ConnectionID(rawValue: token.bits), now: now) {
            ask(token)
        } else {
            setDeadline(ofUpstream: token, now + .seconds(1))
        }
    }

    /// Whether connections that last for one answer could end in any of several instances.
    ///
    /// Then the answer on one says nothing of the next, and no session can be sent (contract 3.2).
    mutating func cannotTellApart(_ live: LiveInstances) -> Bool {
        guard live.areMany else { return false }
        if !saidCannotTellApart {
            saidCannotTellApart = true
            shared.control.send(.cannotTellApart)
        }
        return shared.settings.identity.unverified == .refuse
    }
}
