internal import EventLoop
internal import Exchange
internal import HTTP1
internal import HTTPModel
internal import Instances
internal import Linux
internal import Memory
internal import Pool
internal import Sessions
internal import Settings
internal import Time

/// The way of a request: verdict, connection, writing, failure, end (ARCHITECTURE: the doors).
extension Worker {
    /// A whole head stands at the front of the connection's input, parsed into `requestHead`.
    mutating func beginExchange(_ token: SlabToken) {
        requestHeadOwner = token
        downstreams[token].machine.requestHead(isPersistent: requestHead.isPersistent)
        downstreams[token].cursor = requestHead.byteCount
        downstreams[token].isSecure = requestHead.isSecure(
            downstreams[token].client,
            in: downstreams[token].wire.input
        )
        downstreams[token].origin = nil
        if rules.answersPreflights, answerPreflight(token) { return }
        let judgement = rules.judge(
            requestHead,
            in: downstreams[token].wire.input,
            jar: shared.jar,
            live: liveInstances(),
            isSecure: downstreams[token].isSecure,
            now: now
        )
        downstreams[token].origin = judgement.origin
        let requestID = requestIDs.next()
        if access.isOn { noteRequest(token, judgement, requestID) }
        if let page = judgement.ownPage {
            serve(page, token, judgement)
            return
        }
        switch judgement.verdict {
        case .anonymous, .live, .unknownID:
            switch requestHead.method {
            // TRACE would show a script the session that is injected for it.
            case .connect, .trace:
                answer(token, .refused(status: 501, reason: StaticText("a method not served")))
            case _ where isContentTooLong:
                let reason = HTTP1.RefusalCause.contentTooLarge.description
                answer(token, .refused(status: 413, reason: StaticText(reason)))
            case .options: beginOptions(token, judgement, requestID)
            default: lease(for: token, judgement, requestID)
            }
        case .ended(let end): answer(token, .sessionEnded(end))
        case .missing: answer(token, judgement.isNavigation ? .loginNeeded : .sessionMissing)
        case .crossSite:
            sayCrossSite(token)
            answer(token, .crossSite)
        case .refused(let cause):
            answer(token, .refused(status: 400, reason: StaticText(cause.text)))
        }
    }

    /// Says which setting would have let the request in `requestHead` pass.
    ///
    /// Once a second at most: any page of the world may cause it.
    mutating func sayCrossSite(_ token: SlabToken) {
        guard now >= crossSiteWarningAt + .seconds(1) else { return }
        crossSiteWarningAt = now
        let origin = rules.missingOrigin(requestHead, in: downstreams[token].wire.input)
        shared.log.write(
            .warning,
            origin.map {
                "a cross-site request with a session was refused; "
                    + "this line would allow it: cors: { origins: [ \"\($0)\" ] }"
            } ?? "a cross-site request with a session was refused; it names no origin"
        )
    }

    /// Whether the length that the request announces is above `limits.body_bytes`.
    private var isContentTooLong: Bool {
        if case .length(let count) = requestHead.framing { count > contentBytesMax } else { false }
    }

    /// An OPTIONS may be meant for us (RFC 9110 §7.6.2).
    private mutating func beginOptions(
        _ token: SlabToken,
        _ judgement: Judgement,
        _ requestID: RequestID
    ) {
        switch MaxForwards(requestHead, in: downstreams[token].wire.input) {
        case .malformed:
            answer(token, .refused(status: 400, reason: StaticText("malformed Max-Forwards")))
        case .none: answer(token, .ownOptions)
        case .unlimited, .hops: lease(for: token, judgement, requestID)
        }
    }

    private mutating func lease(
        for token: SlabToken,
        _ judgement: Judgement,
        _ requestID: RequestID
    ) {
        let exchange = exchanges.insert(
            ExchangeState(
                downstream: token,
                head: requestHead,
                requestID: requestID,
                judgement: judgement,
                machine: ExchangeMachine(
                    method: requestHead.method,
                    carriesSession: judgement.session != nil
                )
            )
        )
        downstreams[token].exchange = exchange
        downstreams[token].phase = .exchange
        downstreams[token].deadline = .distantFuture
        lease(exchange, verifiedSince: .zero)
    }

    /// Asks the pool for a connection; after a failure, for one that was verified after it.
    mutating func lease(_ exchange: SlabToken, verifiedSince: MonotonicTime) {
        let live = liveInstances()
        let own = exchanges[exchange].ownInstance
        if pool.isPairing, own != nil, cannotTellApart(live) {
            failed(exchange, .unverified)
            return
        }
        while true {
            let action = pool.lease(
                ExchangeID(rawValue: exchange.bits),
                session: own,
                verifiedSince: verifiedSince,
                mayBeHeld: patience.isHolding && mayBeHeld(exchange),
                live: live,
                now: now
            )
            switch action {
            case .use(let connection):
                let token = SlabToken(connection)
                if upstreams[token].wire.isQuiet() {
                    write(exchange, to: token)
                    return
                }
                // It has ended, or said something that nobody asked for: nothing was lost by it.
                lost(token)
            case .askAgain(let connection):
                ask(SlabToken(connection))
                return
            case .wait: return
            }
        }
    }

    /// A connection became free for an exchange that had waited.
    mutating func connectionGranted(_ grant: Grant) {
        guard upstreams.contains(grant.connection) else {
            // It was lost in between.
            if exchanges.contains(grant.exchange) { failed(grant.exchange, .dropped) }
            return
        }
        guard exchanges.contains(grant.exchange) else {
            giveBack(grant.connection)
            return
        }
        write(grant.exchange, to: grant.connection)
    }

    /// The moment of writing: the last word on the session, then the request goes out.
    private mutating func write(_ exchange: SlabToken, to connection: SlabToken) {
        guard upstreams[connection].wire.isQuiet() else {
            // It has ended, or said something that nobody asked for, since it was granted.
            exchanges[exchange].upstream = connection
            failed(exchange, .dropped)
            return
        }
        if let session = exchanges[exchange].judgement.session {
            switch verdict(on: session, over: connection) {
            case .write: break
            case .stale where exchanges[exchange].judgement.isExempt:
                leaveOutSession(exchange)
            case .stale:
                giveBack(connection)
                let end = shared.jar.refuse(exchanges[exchange].judgement, now: now)
                fail(exchange, with: .sessionEnded(end))
                return
            case .unverified, .otherInstance:
                giveBack(connection)
                failed(exchange, .unverified)
                return
            }
        }
        guard restoreHead(exchange) else {
            giveBack(connection)
            closeDownstream(exchanges[exchange].downstream)
            return
        }
        exchanges[exchange].upstream = connection
        exchanges[exchange].machine.connectionGranted()
        upstreams[connection].exchange = exchange
        upstreams[connection].phase = .leased
        upstreams[connection].deadline = .distantFuture
        upstreams[connection].cursor = 0
        upstreams[connection].machine.requestHead(isPersistent: true)
        upstreams[connection].requestCount += 1
        let token = exchanges[exchange].downstream
        if access.isOn { noteConnection(exchange, connection) }
        buffers.equip(&upstreams[connection].wire.output)
        requestRewriter.write(
            requestHead,
            from: downstreams[token].wire.input,
            client: downstreams[token].client,
            edits: exchanges[exchange].requestEdits,
            requestID: exchanges[exchange].requestID,
            of: requestIDs,
            rules: rules,
            into: &upstreams[connection].wire.output
        )
        if requestHead.framing == .chunked { beginChunkedRequest(exchange) }
        transferRequest(exchange)
    }

    /// Parses the exchange's head again if another one was parsed since; its bytes are unchanged.
    mutating func restoreHead(_ exchange: SlabToken) -> Bool {
        let token = exchanges[exchange].downstream
        if requestHeadOwner != token {
            requestHeadOwner = token
            let outcome = headParser.parseRequest(
                downstreams[token].wire.input,
                into: &requestHead
            )
            guard outcome == .complete else { return false }
        }
        downstreams[token].cursor = requestHead.byteCount
        return true
    }

    /// Something may be done for an exchange whose client's connection had an event.
    mutating func resume(_ exchange: SlabToken) {
        guard exchanges.contains(exchange) else { return }
        guard exchanges[exchange].upstream != .none else {
            if patience.isHolding { releaseHold(exchange) }
            return
        }
        if !exchanges[exchange].isRequestSent {
            transferRequest(exchange)
            guard exchanges.contains(exchange), exchanges[exchange].upstream != .none else {
                return
            }
        }
        receiveResponse(exchange)
    }

    /// Moves what there is of the request to the backend.
    mutating func transferRequest(_ exchange: SlabToken) {
        let token = exchanges[exchange].downstream
        let connection = exchanges[exchange].upstream
        let read = downstreams[token].wire.bytesRead
        let written = upstreams[connection].wire.bytesWritten
        let outcome = RequestTransfer.run(
            from: &downstreams[token],
            to: &upstreams[connection],
            exchange: &exchanges[exchange],
            buffers: &buffers
        )
        switch outcome {
        case .awaitsSender:
            upstreams[connection].deadline = .distantFuture
            let isFresh = read != downstreams[token].wire.bytesRead
            extendDeadline(of: token, isFresh, patience.bodyIdle)
        case .awaitsReceiver:
            // It is the backend's time that runs now.
            downstreams[token].deadline = .distantFuture
            let isFresh = written != upstreams[connection].wire.bytesWritten
            if exchanges[exchange].machine.isResponding {
                // It answers without taking the rest, which is its right.
                upstreams[connection].deadline = .distantFuture
            } else if isFresh || upstreams[connection].deadline == .distantFuture {
                setDeadline(ofUpstream: connection, now + patience.response)
            }
        case .paused:
            downstreams[token].deadline = .distantFuture
            upstreams[connection].deadline = .distantFuture
            ready.append(token)
        case .finished:
            downstreams[token].deadline = .distantFuture
            buffers.strip(&upstreams[connection].wire.output)
            _ = downstreams[token].machine.requestFinished()
            _ = upstreams[connection].machine.requestFinished()
            if exchanges[exchange].machine.isResponding {
                upstreams[connection].deadline = .distantFuture
            } else {
                setDeadline(
                    ofUpstream: connection,
                    now + patience.response
                )
            }
        case .trailers(let count):
            passOnRequestTrailers(count, of: exchange)
            transferRequest(exchange)
        case .malformed(let refusal):
            let reason = StaticText(refusal.cause.description)
            fail(exchange, with: .refused(status: refusal.status, reason: reason))
        case .truncated: closeDownstream(token)
        case .receiverBroken:
            // The backend may have answered before it stopped reading; only reading tells.
            exchanges[exchange].isRequestSent = true
            setDeadline(ofUpstream: connection, now + patience.response)
            upstreams[connection].wire.isReadable = true
            upstreams[connection].wire.isPeerDone = true
            receiveResponse(exchange)
        }
    }

    /// The upstream side of an exchange failed, or none is to be had.
    mutating func failed(_ exchange: SlabToken, _ failure: UpstreamFailure) {
        if failure == .dropped {
            tellLoss(.connectionLost)
            let connection = exchanges[exchange].upstream
            if connection != .none, !exchanges[exchange].machine.sawResponse {
                lostUnused(connection)
            }
        }
        dropUpstream(of: exchange)
        switch exchanges[exchange].machine.upstreamFailed(failure) {
        case .retry:
            exchanges[exchange].rewind()
            let token = exchanges[exchange].downstream
            downstreams[token].cursor = exchanges[exchange].headByteCount
            lease(exchange, verifiedSince: now)
        case .answer(let answer): fail(exchange, with: answer)
        case .breakOff: closeDownstream(exchanges[exchange].downstream)
        }
    }

    /// Ends an exchange with an answer of our own, unless the client has seen a response begin.
    mutating func fail(_ exchange: SlabToken, with reply: Answer) {
        let token = exchanges[exchange].downstream
        guard !exchanges[exchange].machine.isResponding else {
            closeDownstream(token)
            return
        }
        pool.cancel(ExchangeID(rawValue: exchange.bits))
        dropUpstream(of: exchange)
        let state = exchanges.remove(exchange)
        downstreams[token].exchange = .none
        // As long as it could be sent again, it stands there whole.
        if state.machine.isReplayable { sayHidden(token, reply) }
        answer(
            token,
            reply,
            isHead: state.method == .head,
            minorVersion: state.clientMinorVersion,
            remainder: state.requestDecoder
        )
    }

    /// Answers the request in `requestHead`, which got no exchange.
    mutating func answer(_ token: SlabToken, _ reply: Answer) {
        sayHidden(token, reply)
        answer(
            token,
            reply,
            isHead: requestHead.method == .head,
            minorVersion: requestHead.minorVersion,
            remainder: ContentDecoder(requestHead.framing)
        )
    }

    /// Answers a request whose content is known up to the connection's cursor.
    ///
    /// The connection lives on if the whole request is here already; else the answer closes it,
    /// since to wait for the rest only to drop it would cost more than a new connection.
    private mutating func answer(
        _ token: SlabToken,
        _ reply: Answer,
        isHead: Bool,
        minorVersion: UInt8,
        remainder: ContentDecoder
    ) {
        var decoder = remainder
        let isWhole = dropContent(of: token, &decoder)
        if isWhole { _ = downstreams[token].machine.requestFinished() }
        var persists = isWhole && stopBy == nil
        if case .refused = reply { persists = false }
        let persistence = downstreams[token].machine.responseHead(
            isPersistent: persists,
            endsAtClose: false
        )
        var frame = AnswerFrame()
        frame.isHead = isHead
        frame.closes = persistence == .announceClose
        frame.saysKeepAlive = !frame.closes && minorVersion == 0
        frame.isSecure = downstreams[token].isSecure
        frame.origin = downstreams[token].origin
        let half = downstreams[token].machine.responseFinished()
        // After a retry the machine has seen the request end once already.
        let sequel = isWhole ? sequel(of: half) : .linger
        send(reply, frame, on: token, then: sequel)
    }

    /// Passes over the rest of a request as far as it is here; true when that is all of it.
    private mutating func dropContent(of token: SlabToken, _ decoder: inout ContentDecoder) -> Bool
    {
        while true {
            switch decoder.next(downstreams[token].wire.input, from: downstreams[token].cursor) {
            case .content(let skip, let count):
                downstreams[token].cursor += skip + count
                decoder.took(count)
            case .incomplete(let skip):
                downstreams[token].cursor += skip
                return false
            case .finished(let skip, let trailers):
                downstreams[token].cursor += skip + trailers
                return true
            case .failed: return false
            }
        }
    }

    /// What follows a response, in the words of the connection's phases.
    func sequel(of half: ConnectionMachine.HalfFinished) -> Downstream.Sequel {
        switch half {
        case .nextExchange: .nextHead
        case .close: .close
        case .drainThenClose, .awaitOtherHalf: .linger
        }
    }

    /// The response is over and was handed to the client's connection.
    mutating func finish(_ exchange: SlabToken) {
        let token = exchanges[exchange].downstream
        let connection = exchanges[exchange].upstream
        let sequel = sequel(of: downstreams[token].machine.responseFinished())
        let isReusable = upstreams[connection].machine.responseFinished() == .nextExchange
        if access.isOn { downstreams[token].note.facts.isWhole = true }
        _ = exchanges.remove(exchange)
        downstreams[token].exchange = .none
        release(connection, isReusable: isReusable)
        if sequel == .nextHead && downstreams[token].wire.output.isEmpty {
            awaitHead(token)
        } else {
            beginFlush(token, then: sequel)
        }
    }

    /// The client did not send the rest of its request in time.
    mutating func requestTimedOut(_ exchange: SlabToken) {
        fail(
            exchange,
            with: .refused(status: 408, reason: StaticText("the request came too slowly"))
        )
    }

    /// The client is gone: what was on its way for it ends.
    mutating func abandon(_ exchange: SlabToken) {
        guard exchanges.contains(exchange) else { return }
        pool.cancel(ExchangeID(rawValue: exchange.bits))
        dropUpstream(of: exchange)
        _ = exchanges.remove(exchange)
    }

    /// Exchanges that have waited too long for a connection.
    mutating func failWaiters() {
        // Where connections are on their way it is the backend that keeps them waiting.
        let counts = pool.counts
        let isOverloaded = counts.opening + counts.asking == 0
        let isDown = pool.isDown
        for waiter in pool.expireWaiters(now: now) {
            let reason: UpstreamFailure = isOverloaded ? .overloaded : .noAnswer
            failed(SlabToken(waiter), isDown ? .unreachable : reason)
        }
    }
}

extension Sessions.RefusalCause {
    /// For the answer.
    var text: StaticString {
        switch self {
        case .repeatedSession: "the session field stands there twice"
        case .sessionAlias: "a field name that can be taken for the session field"
        case .forwardedAlias: "a field name that can be taken for a forwarding field"
        case .clientHeader: "the session field is not accepted from clients"
        case .tooManySessions: "too many session cookies"
        }
    }
}
