internal import EventLoop
internal import Exchange
internal import HTTP1
internal import Instances
internal import Linux
internal import Memory
internal import Pool
internal import Settings
internal import Time

/// Connections to the backend: made, asked who answers, used, given back, lost. What to do is the
/// pool's decision; here it is done.
extension Worker {
    /// Opens as many connections as the pool wants.
    mutating func openConnections() {
        if pool.isSearching {
            for connection in pool.makeRoom(now: now) { discardUpstream(SlabToken(connection)) }
        }
        while true {
            let count = pool.connectionsToOpen(now: now)
            guard count > 0, !isWatching || mayOpen() else { return }
            for _ in 0..<count {
                open(asCarrierFor: nil)
            }
        }
    }

    private mutating func open(asCarrierFor asker: SlabToken?) {
        // The order of openings decides which of two answers is late: no stamp of the turn.
        let openedAt = MonotonicClock.now()
        var attempt = 0
        let descriptor: Descriptor
        let address: SocketAddress
        do {
            if let asker {
                // A carrier goes where its asker went, or nowhere.
                address = upstreams[asker].address
                descriptor = try Socket.connect(to: address)
            } else {
                descriptor = try connect(from: addressIndex, &attempt)
                address = addresses[(addressIndex + attempt) % addresses.count]
            }
        } catch {
            refused(asCarrierFor: asker, error)
            return
        }
        let token = upstreams.insert(
            Upstream(descriptor: descriptor, address: address, openedAt: openedAt)
        )
        upstreams[token].firstAddress = addressIndex
        upstreams[token].failedAttempts = attempt
        upstreams[token].isCarrier = asker != nil
        if let asker {
            pool.openingCarrier(
                ConnectionID(rawValue: token.bits),
                for: ConnectionID(rawValue: asker.bits)
            )
        } else {
            pool.opening(ConnectionID(rawValue: token.bits), now: now)
        }
        setDeadline(ofUpstream: token, asker == nil ? attemptDeadline : now + patience.connect)
        watch(token)
    }

    /// Begins to connect to the next address that is not refused at once.
    func connect(from first: Int, _ attempt: inout Int) throws(SystemError) -> Descriptor {
        guard !addresses.isEmpty else { throw .noAddress }
        while true {
            do {
                return try Socket.connect(to: addresses[(first + attempt) % addresses.count])
            } catch  where attempt + 1 < addresses.count {
                attempt += 1
            }
        }
    }

    mutating func watch(_ token: SlabToken) {
        do {
            try poller.watchConnection(
                upstreams[token].wire.descriptor.number,
                token.poll(Kind.upstream)
            )
        } catch {
            openingFailed(token, error.isReset ? .closed : .refused, error.description)
        }
    }

    /// The kernel would not even begin to connect (unix sockets say "refused" at once).
    private mutating func refused(asCarrierFor asker: SlabToken?, _ error: SystemError) {
        if let asker {
            openingFailed(asker, .closed, error.description)
            return
        }
        // The pool counts openings by name, so one is made for it.
        let name = ConnectionID(rawValue: .max)
        pool.opening(name, now: now)
        shared.log.write(.debug, "no connection to the backend: \(error)")
        if error.isPassing {
            // It says nothing of the backend: whoever waits for this one connection fails, no more.
            apply(pool.openingFailed(name, .closed, now: now), .unreachable)
        } else {
            tellLoss(.connectionRefused)
            apply(pool.openingFailed(name, .refused, now: now), .unreachable)
        }
    }

    /// The poller reported something of a connection to the backend.
    mutating func upstreamReady(_ token: SlabToken) {
        switch upstreams[token].phase {
        case .connecting:
            if isMade(token) { connected(token) }
        case .reconnecting:
            if isMade(token) {
                identified(token, .failed(.timedOut), persists: true, wasAsked: false)
            }
        case .connected:
            if upstreams[token].wire.isPeerDone { lost(token) }
        case .asking where isWatching:
            if upstreams[token].wire.isPeerDone { lostWhilePresuming(token) }
        case .asking: readIdentity(token)
        case .idle:
            // Nothing is due on it: an end, or bytes that answer no request.
            if !upstreams[token].wire.isQuiet() { lost(token) }
        case .leased: resume(upstreams[token].exchange)
        case .tunnel: relay(upstreams[token].exchange)
        case .witness: attend(token)
        }
    }

    /// Whether the kernel, and then TLS, have made the connection; what failed is taken care of.
    private mutating func isMade(_ token: SlabToken) -> Bool {
        if upstreams[token].wire.isSecured {
            return upstreams[token].wire.isReadable && hasShakenHands(token)
        }
        guard upstreams[token].wire.isWritable else { return false }
        if let error = Socket.connectionError(upstreams[token].wire.descriptor.number) {
            if upstreams[token].phase == .reconnecting || !tryNextAddress(token) {
                openingFailed(token, error.isReset ? .closed : .refused, error.description)
            }
            return false
        }
        return shared.tls.upstream == nil || beginTLS(token)
    }

    private mutating func connected(_ token: SlabToken) {
        let address = upstreams[token].address
        addressIndex = addresses.firstIndex { $0 == address } ?? addressIndex
        upstreams[token].phase = .connected
        upstreams[token].deadline = .distantFuture
        switch pool.connected(ConnectionID(rawValue: token.bits)) {
        case .ask(let connection): ask(SlabToken(connection))
        case .openCarrier:
            open(asCarrierFor: token)
        case .close: discardUpstream(token)
        }
    }

    // MARK: Identity

    /// Asks who answers on a connection, before it carries a request (contract 3.2).
    mutating func ask(_ token: SlabToken) {
        upstreams[token].phase = .asking
        if isWatching {
            presume(token)
            return
        }
        if now < asksNotBefore {
            identified(token, .failed(.timedOut), persists: !pool.isPairing, wasAsked: false)
            return
        }
        upstreams[token].ask.restart()
        if upstreams[token].ask.firstReport == nil { upstreams[token].askedAt = now }
        buffers.equip(&upstreams[token].wire.output)
        upstreams[token].wire.output.append(shared.identityQuestion)
        setDeadline(ofUpstream: token, now + patience.identity)
        readIdentity(token)
    }

    private mutating func readIdentity(_ token: SlabToken) {
        guard upstreams[token].wire.flush() else {
            openingFailed(
                token,
                .closed,
                "the connection was lost while the identity was asked for"
            )
            return
        }
        buffers.strip(&upstreams[token].wire.output)
        while true {
            let progress = upstreams[token].takeIdentity(
                headParser,
                &responseHead,
                shared.identityReader
            )
            switch progress {
            case .complete(_, let persists):
                let report = shared.identityReader.report(
                    upstreams[token].ask.content,
                    fields: upstreams[token].ask.fields
                )
                upstreams[token].ask.restart()
                identified(token, report, persists: persists)
                return
            case .failed(.failed(.dropped)) where !upstreams[token].ask.hasBegun:
                openingFailed(token, .closed, "the backend closed without saying who it is")
                return
            case .failed(let report):
                identityUnknown(token, report)
                return
            case .incomplete: break
            }
            guard upstreams[token].wire.isReadable else {
                buffers.strip(&upstreams[token].wire.input)
                return
            }
            buffers.equip(&upstreams[token].wire.input)
            upstreams[token].wire.input.reserve(1)
            if case .failed = upstreams[token].wire.read() {
                openingFailed(
                    token,
                    .closed,
                    "the connection was lost while the identity was asked for"
                )
                return
            }
        }
    }

    /// The answer will not come, or cannot be used, but the backend is there.
    ///
    /// The connection is lost with the answer that is still due on it. Another one takes its place
    /// and is not asked, nor are others until it is time to ask again: requests without a session
    /// go on over them, those with one get 503 (contract 3.2).
    mutating func identityUnknown(_ token: SlabToken, _ report: IdentityReport) {
        if pool.isSearching {
            // Its siblings answer; that it does not is no reason to ask none of them.
            openingFailed(token, .timedOut, "the backend does not say who it is: \(report)")
            return
        }
        // Where no ID was ever told none is missed: then those who wait for an answer in vain are
        // few, until the watcher has one.
        let isKnown = shared.registry.live.current != .none
        asksNotBefore = now + (isKnown ? patience.identityInterval : Nanoseconds(.seconds(30)))
        shared.log.write(.debug, "the backend does not say who it is: \(report)")
        if pool.isPairing {
            // The carrier of the pair is as good as any.
            identified(token, report, persists: false)
            return
        }
        do {
            let openedAt = MonotonicClock.now()
            let address = upstreams[token].address
            let descriptor = try Socket.connect(to: address)
            bind(token, to: nil)
            upstreams[token].replaceSocket(descriptor, address: address, openedAt: openedAt)
            upstreams[token].phase = .reconnecting
            setDeadline(ofUpstream: token, now + patience.connect)
            watch(token)
        } catch {
            openingFailed(token, error.isReset ? .closed : .refused, error.description)
        }
    }

    private mutating func identified(
        _ token: SlabToken,
        _ report: IdentityReport,
        persists isSaidToPersist: Bool,
        wasAsked: Bool = true
    ) {
        // Not every backend that closes says so; but one of several may just have died.
        let isCutShort = wasAsked && isSaidToPersist && !upstreams[token].wire.isQuiet()
        let isSuspected = unsaidClosing.isSuspected(now: now)
        let persists = isSaidToPersist && !isCutShort && !isSuspected
        let openedAt = upstreams[token].openedAt
        let observation: Observation
        if let first = upstreams[token].ask.firstReport {
            upstreams[token].ask.firstReport = nil
            observation = shared.registry.observeFirstContact(
                first: first,
                second: report,
                connectionOpenedAt: openedAt,
                now: now
            )
        } else if persists && shared.registry.needsSecondAsk(after: report) {
            upstreams[token].ask.firstReport = report
            ask(token)
            return
        } else {
            observation = shared.registry.observe(
                report,
                connectionOpenedAt: openedAt,
                now: now,
                previously: upstreams[token].instance
            )
        }
        news(observation)
        upstreams[token].instance = observation.instance
        upstreams[token].identifiedAt = wasAsked ? now : nil
        if isCutShort {
            lostUnused(token)
            if pool.isSearching, !isSuspected {
                openingFailed(token, .closed, "the backend closed after it said who it is")
                return
            }
        }
        verified(token, observation, persists: persists, wasAsked: wasAsked)
    }

    /// It is settled for now which instance a connection ends in.
    mutating func verified(
        _ token: SlabToken,
        _ observation: Observation,
        persists: Bool,
        wasAsked: Bool
    ) {
        upstreams[token].instance = observation.instance
        bind(token, to: observation.instance)
        dismissWitnesses(of: observation.instance)
        let verifyTime = upstreams[token].takeVerifyTime(now: now)
        if upstreams[token].wire.isSecured { upstreams[token].wire.keep(in: &resumption) }
        buffers.strip(&upstreams[token].wire.input)
        let action = pool.ready(
            ConnectionID(rawValue: token.bits),
            instance: observation.instance,
            persists: persists,
            wasAsked: wasAsked,
            live: observation.live,
            now: now
        )
        switch action {
        case .grant(let exchange, let connection, let closing):
            if let closing { discardUpstream(SlabToken(closing)) }
            let granted = SlabToken(connection)
            upstreams[granted].instance = observation.instance
            upstreams[granted].verifyTime = verifyTime
            upstreams[granted].phase = .leased
            upstreams[granted].deadline = .distantFuture
            grants.append(Grant(exchange: SlabToken(exchange), connection: granted))
        case .idle(let closing):
            if let closing { discardUpstream(SlabToken(closing)) }
            upstreams[token].verifyTime = verifyTime
            if upstreams[token].isOutdated {
                closeOutdated(token)
            } else {
                becomesIdle(token)
            }
        case .close(let closing):
            if let closing { discardUpstream(SlabToken(closing)) }
            discardUpstream(token)
        }
    }

    private mutating func news(_ observation: Observation) {
        if observation.live.areMany, pool.isPairing { _ = cannotTellApart(observation.live) }
        if !observation.changes.isEmpty {
            shared.control.send(.instancesChanged(observation.changes))
        }
    }

    // MARK: Use

    private mutating func becomesIdle(_ token: SlabToken) {
        upstreams[token].phase = .idle
        upstreams[token].exchange = .none
        setDeadline(
            ofUpstream: token,
            now + (pool.isSearching ? patience.tetherRest : patience.idle)
        )
    }

    /// Gives a connection back on which nothing was written.
    mutating func giveBack(_ token: SlabToken) {
        released(token, persists: upstreams[token].wire.isQuiet() && !upstreams[token].isOutdated)
    }

    /// An exchange is done with its connection.
    mutating func release(_ token: SlabToken, isReusable: Bool) {
        let isClean =
            isReusable && upstreams[token].wire.isQuiet() && !upstreams[token].isOutdated
        if !upstreams[token].nominations.isEmpty { upstreams[token].nominations = [] }
        if isClean {
            buffers.strip(&upstreams[token].wire.input)
            buffers.strip(&upstreams[token].wire.output)
        }
        released(token, persists: isClean)
    }

    private mutating func released(_ token: SlabToken, persists: Bool) {
        let action = pool.release(
            ConnectionID(rawValue: token.bits),
            persists: persists,
            live: liveInstances(),
            now: now
        )
        switch action {
        case .grant(let exchange):
            upstreams[token].exchange = .none
            upstreams[token].phase = .leased
            upstreams[token].deadline = .distantFuture
            grants.append(Grant(exchange: SlabToken(exchange), connection: token))
        case .askAgain:
            upstreams[token].exchange = .none
            ask(token)
        case .idle: becomesIdle(token)
        case .close: discardUpstream(token)
        }
    }

    /// Ends the connection that an exchange has, in the middle of its use.
    mutating func dropUpstream(of exchange: SlabToken) {
        let token = exchanges[exchange].upstream
        guard token != .none else { return }
        exchanges[exchange].upstream = .none
        upstreams[token].wire.tlsState.isCut = true
        let isLast = pool.isLast(ConnectionID(rawValue: token.bits))
        _ = pool.closed(ConnectionID(rawValue: token.bits), now: now)
        if isLast && !upstreams[token].isOutdated {
            keepAsWitness(token)
        } else {
            discardUpstream(token)
        }
    }

    /// A connection was lost, and nothing of a response had come on it.
    ///
    /// Once is nothing: backends die. What more says is `UnsaidClosing`'s to decide.
    mutating func lostUnused(_ token: SlabToken) {
        guard upstreams[token].requestCount <= 1, let identifiedAt = upstreams[token].identifiedAt
        else { return }
        // Of several instances none that closes each connection has one that waits.
        if pool.isSearching, pool.counts.idle > 0 { return }
        let isNews = unsaidClosing.lost(
            upstreams[token].instance ?? .none,
            openedAt: upstreams[token].openedAt,
            identifiedAt: identifiedAt,
            now: now
        )
        if isNews {
            shared.log.write(.debug, "the backend seems to close each connection without a word")
        }
    }

    // MARK: Loss

    /// A connection that nobody uses is gone.
    mutating func lost(_ token: SlabToken) {
        tellLoss(.connectionLost)
        lostUnused(token)
        let action = pool.closed(ConnectionID(rawValue: token.bits), now: now)
        discardUpstream(token)
        apply(action, .dropped)
    }

    /// A connection could not be made, or did not say who answers.
    mutating func openingFailed(
        _ token: SlabToken,
        _ failure: OpeningFailure,
        _ reason: String
    ) {
        shared.log.write(.debug, "no connection to the backend: \(reason)")
        tellLoss(failure == .refused ? .connectionRefused : .connectionLost)
        let action = pool.openingFailed(
            ConnectionID(rawValue: token.bits),
            failure,
            now: now
        )
        discardUpstream(token)
        switch failure {
        case .refused: apply(action, .unreachable)
        case .timedOut: apply(action, .noAnswer)
        case .closed: apply(action, .dropped)
        }
    }

    private mutating func apply(_ action: LossAction, _ failure: UpstreamFailure) {
        if let closing = action.closing { discardUpstream(SlabToken(closing)) }
        for waiter in action.failed {
            failed(SlabToken(waiter), failure)
        }
    }

    /// Closes a connection that the pool has forgotten.
    mutating func discardUpstream(_ token: SlabToken) {
        guard upstreams.contains(token) else { return }
        bind(token, to: nil)
        upstreams[token].wire.sayClose()
        var upstream = upstreams.remove(token)
        buffers.give(upstream.wire.input.takeStorage())
        buffers.give(upstream.wire.output.takeStorage())
    }

    mutating func setDeadline(ofUpstream token: SlabToken, _ deadline: MonotonicTime) {
        upstreams[token].deadline = deadline
        deadlines.note(deadline)
    }
}
