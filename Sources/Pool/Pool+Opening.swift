public import Instances
public import Time

extension Pool {
    /// How many connections to open now.
    public mutating func connectionsToOpen(now: MonotonicTime) -> Int {
        if isDown { return connectionsToRetry(now: now) }
        if isSearching { return connectionsToOpenAmongMany(now: now) }
        let wanted = queue.count + (wantsReserve(now: now) ? 1 : 0) - tally.verifying
        return wanted <= 0 ? 0 : min(wanted, room, openingsLeft)
    }

    func wantsReserve(now: MonotonicTime) -> Bool {
        idle.count == 0 && mode != .pairing && limits.asks && !isPaused && !isDraining
            && reserveNotBefore <= now
    }

    var room: Int {
        switch mode {
        case .unknown:
            return max(0, min(1 - tally.verifying, limits.connectionsMax - connections.count))
        case .persistent:
            return max(0, limits.connectionsMax - connections.count)
        case .pairing:
            let pairs = (pairingConnectionsMax - connections.count - tally.carriersOwed) / 2
            return max(0, min(pairs, window.limit - tally.verifying))
        }
    }

    private var pairingConnectionsMax: Int { max(2, limits.connectionsMax) }

    /// A connection is being opened because `connectionsToOpen` said so.
    public mutating func opening(_ connection: ConnectionID, now: MonotonicTime) {
        var single = Connection(id: connection, role: .single)
        single.stamp = window.stamp
        _ = connections.insert(single, for: connection.rawValue)
        tally.verifying += 1
        tally.carriersOwed += 1
        if tally.verifying > queue.count { reserveNotBefore = now + Self.reservePace }
        search.opened(now: now)
    }

    /// The carrier of an asker is being opened because `connected` said so.
    public mutating func openingCarrier(_ carrier: ConnectionID, for asker: ConnectionID) {
        let askerPlace = known(asker)
        precondition(connections[askerPlace].phase == .lacksCarrier, "no carrier was asked for")
        let place = connections.insert(
            Connection(id: carrier, role: .carrier),
            for: carrier.rawValue
        )
        connections[place].partner = askerPlace
        connections[askerPlace].partner = place
        connections[askerPlace].phase = .awaitsCarrier
        tally.carriersOwed -= 1
    }

    /// A connection is established, its TLS handshake included.
    public mutating func connected(_ connection: ConnectionID) -> ConnectedAction {
        let place = known(connection)
        precondition(connections[place].phase == .opening, "connected twice")
        if let asker = connections[place].partner {
            connections[place].phase = .standingBy
            connections[asker].phase = .asking
            tally.asking += 1
            return .ask(on: connections[asker].id)
        }
        guard mode == .pairing else {
            connections[place].phase = .asking
            tally.asking += 1
            tally.carriersOwed -= 1
            return .ask(on: connection)
        }
        // It may have been opened before the mode was known: then it becomes an asker, or goes.
        if queue.count >= tally.verifying && tally.verifying <= window.limit
            && connections.count + tally.carriersOwed <= pairingConnectionsMax
        {
            connections[place].phase = .lacksCarrier
            return .openCarrier
        }
        forget(place)
        return .close
    }

    /// The identity answer is in, from `instance`; `persists` says that the connection stays.
    ///
    /// Where the question was left out (`wasAsked` is false) that teaches nothing of the backend,
    /// and the connection is granted or closed, never kept: it might block a synchronous worker.
    public mutating func ready(
        _ connection: ConnectionID,
        instance: InstanceNumber,
        persists: Bool,
        wasAsked: Bool = true,
        live: LiveInstances,
        now: MonotonicTime
    ) -> ReadyAction {
        note(live)
        let place = known(connection)
        let phase = connections[place].phase
        precondition(phase == .asking || phase == .askingAgain, "an answer to no question")
        isPaused = false
        if phase == .asking { backendAnswers(now: now) }
        if phase == .asking && wasAsked {
            // Only a first answer teaches: a later one may be the last that the backend allows. Of
            // several instances one that is about to end says that it closes; the others keep on.
            if persists || !keepsConnections { mode = persists ? .persistent : .pairing }
        }
        let partner = connections[place].partner
        if let carrier = partner, !persists {
            return readyPair(asker: place, carrier, instance: instance, live: live, now: now)
        }
        let closing = partner.map { connections[$0].id }
        if let carrier = partner { forget(carrier) }
        connections[place].partner = nil
        if isSearching {
            return readyAmongMany(
                place,
                instance: instance,
                persists: persists,
                closing: closing,
                live: live,
                now: now
            )
        }
        verified(place, instance: instance, live: live, now: now)
        if !wasAsked && queue.first == nil { isPaused = true }
        let isWanted = queue.first != nil || wasAsked && !isDraining
        guard persists, isWanted, connections[place].isUsable(live) else {
            forget(place)
            return .close(closing: closing)
        }
        answered(place)
        guard let first = queue.first else {
            becomeIdle(place, now: now)
            return .idle(closing: closing)
        }
        return .grant(grant(place, to: first), on: connection, closing: closing)
    }

    /// Whether one of several instances keeps a connection.
    private var keepsConnections: Bool { isSearching && (idle.count > 0 || tally.leased > 0) }

    /// The identity answer that was due on a connection is in, and it stays.
    mutating func answered(_ place: Int) {
        tally.asking -= 1
        tally.verifying -= 1
        if connections[place].phase == .askingAgain {
            askedAgain.remove(connections[place].instanceAsked)
        }
    }

    private mutating func readyPair(
        asker: Int,
        _ carrier: Int,
        instance: InstanceNumber,
        live: LiveInstances,
        now: MonotonicTime
    ) -> ReadyAction {
        window.askerAnswered(connections[asker].stamp)
        let askerID = connections[asker].id
        let carrierID = connections[carrier].id
        connections[asker].partner = nil
        connections[carrier].partner = nil
        forget(asker)
        verified(carrier, instance: instance, live: live, now: now)
        guard connections[carrier].isUsable(live), let first = queue.first else {
            forget(carrier)
            return .close(closing: carrierID)
        }
        window.carrierLeased()
        return .grant(grant(carrier, to: first), on: carrierID, closing: askerID)
    }

    /// A connection could not be opened, or gave no identity answer.
    ///
    /// One waiter fails for each connection that was on its way to one; if the backend refuses,
    /// all that wait fail. Those that may be held wait on instead. An idle connection that was
    /// asked again fails nobody: that it is gone says nothing about a new one.
    public mutating func openingFailed(
        _ connection: ConnectionID,
        _ failure: OpeningFailure,
        now: MonotonicTime
    ) -> LossAction {
        let place = known(connection)
        let phase = connections[place].phase
        precondition(phase != .idle && phase != .leased, "it is open")
        let partner = connections[place].partner
        var action = LossAction()
        action.closing = partner.map { connections[$0].id }
        if let partner { forget(partner) }
        forget(place)
        guard phase != .askingAgain else { return action }
        if limits.hold > .zero { holdOrGiveUp(now: now) }
        if isSearching {
            failAmongMany(isDown ? .refused : failure, &action)
            return action
        }
        isPaused = true
        if partner != nil && failure == .timedOut { window.timedOut() }
        if failure == .refused || isDown {
            failAll(in: &action)
        } else if queue.count > tally.verifying, let waiter = firstWaiter(where: { !$0.isHeld }) {
            fail(waiter, in: &action)
        }
        return action
    }

    /// All that wait fail, but for those that are held.
    private mutating func failAll(in action: inout LossAction) {
        var candidate = queue.first
        while let waiter = candidate {
            candidate = queue.place(after: waiter)
            if !waiters[waiter].isHeld { fail(waiter, in: &action) }
        }
    }

    /// A connection is lost, whatever it was doing; the shell has closed it, or does so now.
    ///
    /// One that the pool does not know any more is no news.
    public mutating func closed(_ connection: ConnectionID, now: MonotonicTime) -> LossAction {
        guard let place = connections.place(of: connection.rawValue) else { return LossAction() }
        switch connections[place].phase {
        case .idle, .leased:
            forget(place)
            return LossAction()
        case .opening, .lacksCarrier, .awaitsCarrier, .standingBy, .asking, .askingAgain:
            return openingFailed(connection, .closed, now: now)
        }
    }

    // MARK: Steps

    mutating func verified(
        _ place: Int,
        instance: InstanceNumber,
        live: LiveInstances,
        now: MonotonicTime
    ) {
        count(place, among: instance)
        connections[place].verifiedAt = now
        connections[place].instance = instance
        connections[place].epoch = live.epoch
    }

    mutating func grant(_ place: Int, to waiter: Int) -> ExchangeID {
        connections[place].phase = .leased
        tally.leased += 1
        let exchange = waiters[waiter].exchange
        dequeue(waiter)
        return exchange
    }

    mutating func fail(_ waiter: Int, in action: inout LossAction) {
        action.failed.append(waiters[waiter].exchange)
        dequeue(waiter)
    }

    /// The place of a connection that the shell reports of.
    func known(_ connection: ConnectionID) -> Int {
        guard let place = connections.place(of: connection.rawValue) else {
            preconditionFailure("the pool does not know the connection")
        }
        return place
    }

    /// Takes a connection out of whatever it is in.
    mutating func forget(_ place: Int) {
        let isSingle = connections[place].role == .single
        switch connections[place].phase {
        case .opening where isSingle, .lacksCarrier:
            tally.verifying -= 1
            tally.carriersOwed -= 1
        case .awaitsCarrier:
            tally.verifying -= 1
        case .asking:
            tally.verifying -= 1
            tally.asking -= 1
        case .askingAgain:
            tally.verifying -= 1
            tally.asking -= 1
            askedAgain.remove(connections[place].instanceAsked)
        case .idle:
            idle.remove(place)
        case .leased:
            tally.leased -= 1
            if !isSingle { window.carrierReturned() }
        case .opening, .standingBy:
            break
        }
        uncount(place)
        connections.remove(place, key: connections[place].id.rawValue)
    }
}
