internal import EventLoop
internal import Exchange
internal import Instances
internal import Linux
internal import Memory
internal import Pool
internal import Sessions
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

    /// The live instances changed: connections to those that are gone are of no use.
    mutating func retireIdle() {
        let live = liveInstances()
        unsaidClosing.keep(live)
        dismissWitnesses(unlessLive: live)
        for connection in pool.retire(live: live) {
            discardUpstream(SlabToken(connection))
        }
        endStale()
        guard live.areMany else { return }
        for exchange in pool.dismissStale(live: live) { dismissStale(SlabToken(exchange)) }
        for index in 0..<upstreams.placeCount {
            guard let token = upstreams.token(at: index), upstreams[token].phase == .idle else {
                continue
            }
            setDeadline(ofUpstream: token, now + patience.tetherRest)
        }
    }

    /// Whether a session may go over a connection, by what is known now.
    mutating func verdict(
        on session: CarriedSession,
        over connection: SlabToken
    ) -> WriteVerdict {
        let live = liveInstances()
        // Of several instances, the one that a carrier ends in need not be the one that its asker
        // ended in.
        let isGuess = live.areMany && upstreams[connection].isCarrier
        return mayWrite(
            session,
            to: isGuess ? .unverified : upstreams[connection].instance ?? .unverified,
            live: live,
            policy: shared.settings.identity.unverified
        )
    }

    /// The instance of an exchange's session is gone, as was found while it waited.
    mutating func dismissStale(_ exchange: SlabToken) {
        guard exchanges[exchange].judgement.session != nil else { return }
        guard exchanges[exchange].judgement.isExempt else {
            let end = shared.jar.refuse(exchanges[exchange].judgement, now: now)
            fail(exchange, with: .sessionEnded(end))
            return
        }
        leaveOutSession(exchange)
        lease(exchange, verifiedSince: .zero)
    }

    /// An exempt request goes on without its stale session.
    mutating func leaveOutSession(_ exchange: SlabToken) {
        exchanges[exchange].leaveOutSession()
        if access.isOn { noteVerdict(exchange, "left-out") }
    }
}
