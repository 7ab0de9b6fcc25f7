public import Instances
public import Time

/// Several instances side by side (contract 3.4).
///
/// A session gets a connection to its own instance and no other. To each instance one connection
/// is kept, its *tether*: it serves the next session without a search, and its end is how the
/// instance's end shows. Each worker keeps tethers of its own, since a connection cannot go from
/// one thread to another. Where one is missing, or all of an instance are in use, connections are
/// opened in rounds (`Search`); each goes to the first waiter that it fits, so all who wait share
/// them, and one that nobody needs is closed.
///
/// A request without a session takes the connection that was idle for longest, so that new
/// sessions spread over the instances.
extension Pool {
    /// Takes in which instances live.
    mutating func note(_ live: LiveInstances) {
        guard live.epoch != epochNoted else { return }
        epochNoted = live.epoch
        members = live.members
        beginSearch()
    }

    private mutating func beginSearch() {
        search.begin(among: members?.count ?? 0, probesMax: limits.probesMax)
    }

    // MARK: Counting

    /// A connection's instance is known, or known anew.
    mutating func count(_ place: Int, among instance: InstanceNumber) {
        let isNew = bindings.count(instance) == 0
        bindings.add(instance)
        uncount(place)
        connections[place].isCounted = true
        if isNew, isMember(instance) { beginSearch() }
    }

    /// A connection is gone, or counted elsewhere.
    mutating func uncount(_ place: Int) {
        guard connections[place].isCounted else { return }
        connections[place].isCounted = false
        let instance = connections[place].instance
        if bindings.remove(instance), isMember(instance) { beginSearch() }
    }

    private func isMember(_ instance: InstanceNumber) -> Bool {
        members?.contains(instance) ?? false
    }

    /// Whether a connection is the last one to an instance that lives among others.
    public func isLast(_ connection: ConnectionID) -> Bool {
        isSearching && isTether(known(connection))
    }

    /// Whether it is the last connection to an instance that lives among others.
    func isTether(_ place: Int) -> Bool {
        isSearching && isMember(connections[place].instance)
            && bindings.count(connections[place].instance) == 1
    }

    // MARK: Opening

    /// Two for each instance fit in any case, or tethers would leave no room for a search.
    var connectionsMaxAmongMany: Int {
        max(limits.connectionsMax, 2 * (members?.count ?? 0))
    }

    func connectionsToOpenAmongMany(now: MonotonicTime) -> Int {
        let demand = self.demand
        let direct = max(0, demand.any - tally.verifying)
        var probes = 0
        if demand.isSomeoneMissed, search.notBefore <= now {
            probes = max(0, min(search.left, limits.probesMax - tally.verifying - direct))
        }
        let room = min(connectionsMaxAmongMany - connections.count, openingsLeft)
        return max(0, min(direct + probes, room))
    }

    /// When more connections are to be opened, if nothing happens before.
    public var nextProbeTime: MonotonicTime {
        guard isSearching, !isDown, tally.verifying < min(limits.probesMax, openingsMax),
            demand.isSomeoneMissed, connections.count < connectionsMaxAmongMany || hasSpare
        else { return .distantFuture }
        return search.notBefore
    }

    /// Whether an idle connection could make room.
    private var hasSpare: Bool {
        var candidate = idle.last
        while let place = candidate {
            if !isTether(place) { return true }
            candidate = idle.place(before: place)
        }
        return false
    }

    /// Whether a connection is wanted that is not there.
    var isAnyoneMissed: Bool {
        let demand = self.demand
        return demand.any > 0 || demand.isSomeoneMissed
    }

    private struct Demand {
        /// Waiters that any connection serves.
        var any = 0
        /// Whether somebody waits for a certain instance, or a tether is missing.
        var isSomeoneMissed = false
    }

    private var demand: Demand {
        var demand = Demand()
        var owned = 0
        var candidate = queue.first
        while let place = candidate {
            candidate = queue.place(after: place)
            guard let own = own(waiters[place].session) else {
                demand.any += 1
                continue
            }
            // For as many as are being asked again the answer is on its way.
            owned += 1
            if owned > askedAgain.count(own) { demand.isSomeoneMissed = true }
        }
        if !demand.isSomeoneMissed, !isDraining, let members {
            demand.isSomeoneMissed = members.contains { bindings.count($0) == 0 }
        }
        return demand
    }

    /// The instance that a session has to go to, or nil if any will do.
    private func own(_ session: InstanceNumber?) -> InstanceNumber? {
        session.flatMap { isMember($0) ? $0 : nil }
    }

    /// Idle connections to be closed because somebody needs another one and there is no room.
    public mutating func makeRoom(now: MonotonicTime) -> [ConnectionID] {
        guard isSearching, connections.count >= connectionsMaxAmongMany, search.notBefore <= now,
            idle.count > 0, demand.isSomeoneMissed || queue.count > 0
        else { return [] }
        var closed: [ConnectionID] = []
        var candidate = idle.last
        while let place = candidate, closed.count < search.left {
            candidate = idle.place(before: place)
            if isTether(place) { continue }
            closed.append(connections[place].id)
            forget(place)
        }
        return closed
    }

    // MARK: Exchanges

    mutating func leaseAmongMany(
        _ waiter: Waiter,
        live: LiveInstances,
        now: MonotonicTime
    ) -> LeaseAction {
        let own = own(waiter.session)
        // A session takes the connection that is surely warm.
        var candidate = own == nil ? idle.last : idle.first
        while let place = candidate {
            if fits(place, waiter, live) {
                idle.remove(place)
                connections[place].phase = .leased
                tally.leased += 1
                return .use(connections[place].id)
            }
            candidate = own == nil ? idle.place(before: place) : idle.place(after: place)
        }
        wait(waiter, now: now)
        candidate = idle.first
        while let place = candidate {
            if mayFit(place, waiter) {
                idle.remove(place)
                askAgain(place)
                return .askAgain(connections[place].id)
            }
            candidate = idle.place(after: place)
        }
        search.hurry(now: now)
        return .wait
    }

    mutating func releaseAmongMany(
        _ place: Int,
        live: LiveInstances,
        now: MonotonicTime
    ) -> ReleaseAction {
        if let waiter = firstWaiter(where: { fits(place, $0, live) }) {
            let exchange = waiters[waiter].exchange
            dequeue(waiter)
            return .grant(exchange)
        }
        if isDraining {
            forget(place)
            return .close
        }
        tally.leased -= 1
        if firstWaiter(where: { mayFit(place, $0) }) != nil {
            askAgain(place)
            return .askAgain
        }
        becomeIdle(place, now: now)
        return .idle
    }

    mutating func readyAmongMany(
        _ place: Int,
        instance: InstanceNumber,
        persists: Bool,
        closing: ConnectionID?,
        live: LiveInstances,
        now: MonotonicTime
    ) -> ReadyAction {
        let isKnown = connections[place].phase == .askingAgain
        verified(place, instance: instance, live: live, now: now)
        guard persists, connections[place].isUsable(live) else {
            forget(place)
            return .close(closing: closing)
        }
        if let waiter = firstWaiter(where: { fits(place, $0, live) }) {
            answered(place)
            if own(waiters[waiter].session) != nil { beginSearch() }
            let exchange = grant(place, to: waiter)
            return .grant(exchange, on: connections[place].id, closing: closing)
        }
        guard !isDraining, isKnown || isMember(instance) && !hasIdle(instance) else {
            forget(place)
            return .close(closing: closing)
        }
        answered(place)
        becomeIdle(place, now: now)
        return .idle(closing: closing)
    }

    mutating func failAmongMany(_ failure: OpeningFailure, _ action: inout LossAction) {
        if failure == .refused {
            // Nobody listens any more; who still has connections goes on serving over them.
            while let waiter = firstWaiter(where: { !$0.isHeld && isLost($0) }) {
                fail(waiter, in: &action)
            }
            return
        }
        // Who waits for a certain instance does not wait for this connection.
        guard demand.any > tally.verifying else { return }
        if let waiter = firstWaiter(where: { !$0.isHeld && own($0.session) == nil }) {
            fail(waiter, in: &action)
        }
    }

    private func isLost(_ waiter: Waiter) -> Bool {
        own(waiter.session).map { bindings.count($0) == 0 } ?? true
    }

    /// The exchanges that wait with a session whose instance is gone; they are out of the queue.
    public mutating func dismissStale(live: LiveInstances) -> [ExchangeID] {
        var dismissed: [ExchangeID] = []
        guard live.areMany else { return dismissed }
        while let waiter = firstWaiter(where: { isStale($0.session, live) }) {
            dismissed.append(waiters[waiter].exchange)
            dequeue(waiter)
        }
        return dismissed
    }

    private func isStale(_ session: InstanceNumber?, _ live: LiveInstances) -> Bool {
        guard let session, session != .none else { return false }
        return !live.isLive(session)
    }

    func firstWaiter(where isWanted: (Waiter) -> Bool) -> Int? {
        var candidate = queue.first
        while let place = candidate {
            if isWanted(waiters[place]) { return place }
            candidate = queue.place(after: place)
        }
        return nil
    }

    /// Whether a connection, as verified, serves a waiter.
    private func fits(_ place: Int, _ waiter: Waiter, _ live: LiveInstances) -> Bool {
        let connection = connections[place]
        let session = waiter.session
        if connection.fits(session: session, since: waiter.verifiedSince, live: live) {
            return true
        }
        // Just asked, and it does not say whose it is: the verdict on what may be written to any.
        return connection.instance == .unverified && connection.epoch == live.epoch
            && (connection.phase == .asking || connection.phase == .askingAgain)
            && (limits.trustsUnverified || own(session) == nil)
    }

    /// Whether a connection may serve a waiter once it is asked again.
    private func mayFit(_ place: Int, _ waiter: Waiter) -> Bool {
        let instance = connections[place].instance
        return own(waiter.session).map { $0 == instance || instance == .unverified } ?? true
    }

    // MARK: Tethers

    private func hasIdle(_ instance: InstanceNumber) -> Bool {
        var candidate = idle.first
        while let place = candidate {
            if connections[place].instance == instance { return true }
            candidate = idle.place(after: place)
        }
        return false
    }

    /// An idle connection has rested for a while: whether it is to be asked again, so that the
    /// backend keeps it.
    ///
    /// One of each instance is: the one that was used last.
    public mutating func refresh(_ connection: ConnectionID, now: MonotonicTime) -> Bool {
        let place = known(connection)
        guard isSearching, !isDraining, connections[place].phase == .idle,
            isMember(connections[place].instance),
            connections[place].since + limits.tetherRest <= now
        else { return false }
        var candidate = idle.place(before: place)
        while let other = candidate {
            if connections[other].instance == connections[place].instance { return false }
            candidate = idle.place(before: other)
        }
        idle.remove(place)
        askAgain(place)
        return true
    }
}
