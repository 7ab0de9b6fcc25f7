internal import EventLoop
internal import Exchange
internal import HTTP1
internal import Instances
internal import Linux
internal import Memory
internal import Sessions
internal import Time

/// What is under way for a session whose instance is gone (contract 4.3).
///
/// Tunnels are closed and streams of events end, since neither has an end of its own; other
/// responses finish, if the instance still sends them. A WebSocket is closed with status 1012
/// where a frame ends: what has begun is still passed on, as far as it comes within `write_idle`.
/// So is one whose backend's connection ends without a Close, as it does when the process is
/// killed, before it is known who comes next. Without a session a tunnel is passed on as it is.
extension Worker {
    /// The live instances changed.
    mutating func endStale() {
        for index in 0..<upstreams.placeCount {
            guard let token = upstreams.token(at: index) else { continue }
            let exchange = upstreams[token].exchange
            switch upstreams[token].phase {
            case .tunnel where isStale(exchange): endStaleTunnel(exchange)
            case .leased where exchanges.contains(exchange):
                guard exchanges[exchange].isEventStream, isStale(exchange) else { continue }
                if access.isOn { noteVerdict(exchange, ClearedReason.backendRestart.text) }
                // Not the last chunk, or a reset: never does it look whole (contract 4.2).
                closeDownstream(exchanges[exchange].downstream)
            default: break
            }
        }
    }

    /// Whether the session of an exchange that has a connection is stale by now.
    private mutating func isStale(_ exchange: SlabToken) -> Bool {
        guard exchanges.contains(exchange) else { return false }
        if let session = exchanges[exchange].judgement.session {
            return verdict(on: session, over: exchanges[exchange].upstream) == .stale
        }
        guard let issuer = exchanges[exchange].issuer else { return false }
        return !liveInstances().isLive(issuer)
    }

    /// Whether a response that has no end of its own may begin; false when the exchange is over.
    ///
    /// A response to a request that was written in time is passed on, but one without an end is
    /// only at its beginning: none is made for a session that has become stale meanwhile.
    mutating func mayBegin(_ exchange: SlabToken) -> Bool {
        guard let session = exchanges[exchange].judgement.session else { return true }
        switch verdict(on: session, over: exchanges[exchange].upstream) {
        case .write: return true
        // Exempt requests get no 401 (contract 2.4); but to begin again without it is the client's.
        case .stale where exchanges[exchange].judgement.isExempt:
            if access.isOn { noteVerdict(exchange, ClearedReason.backendRestart.text) }
            failed(exchange, .unverified)
        case .stale:
            let end = shared.jar.refuse(exchanges[exchange].judgement, now: now)
            fail(exchange, with: .sessionEnded(end))
        case .unverified, .otherInstance: failed(exchange, .unverified)
        }
        return false
    }

    // MARK: Tunnels

    private mutating func endStaleTunnel(_ exchange: SlabToken) {
        let token = exchanges[exchange].downstream
        if access.isOn { noteVerdict(exchange, ClearedReason.backendRestart.text) }
        guard exchanges[exchange].frames.toClient != nil, !downstreams[token].wire.outputEnded
        else {
            closeDownstream(token)
            return
        }
        guard !exchanges[exchange].endsAtFrame else { return }
        exchanges[exchange].endsAtFrame = true
        upstreams[exchanges[exchange].upstream].deadline = .distantFuture
        setDeadline(of: token, now + patience.writeIdle)
        finishFrame(exchange)
    }

    /// Passes on what is left of the frame that is on its way to the client, then closes.
    mutating func finishFrame(_ exchange: SlabToken) {
        let token = exchanges[exchange].downstream
        let connection = exchanges[exchange].upstream
        guard var frames = exchanges[exchange].frames.toClient else { return }
        let outcome = TunnelTransfer.finishFrame(
            from: &upstreams[connection].wire,
            to: &downstreams[token].wire,
            frames: &frames,
            buffers: &buffers
        )
        exchanges[exchange].frames.toClient = frames
        switch outcome {
        case .finished: closeWebSocket(exchange)
        case .awaitsSender, .awaitsReceiver: break
        case .paused: ready.append(token)
        case .truncated, .receiverBroken, .trailers, .malformed: closeDownstream(token)
        }
    }

    /// The backend's connection has ended: whether its side of a WebSocket was cut, and where a
    /// Close can take the place of the one that did not come.
    func lacksClose(_ exchange: SlabToken) -> Bool {
        let frames = exchanges[exchange].frames
        guard let toClient = frames.toClient, toClient.isAtBoundary else { return false }
        return !toClient.sawClose && frames.toBackend?.sawClose != true
    }

    /// Closes a WebSocket where a frame has ended.
    mutating func closeWebSocket(_ exchange: SlabToken) {
        let token = exchanges[exchange].downstream
        let connection = exchanges[exchange].upstream
        if exchanges[exchange].frames.toClient?.sawClose == false {
            buffers.equip(&downstreams[token].wire.output)
            downstreams[token].wire.output.append(WebSocketFrames.closeForRestart)
        }
        if !upstreams[connection].wire.outputEnded {
            upstreams[connection].wire.cut()
        }
        abandon(exchange)
        downstreams[token].exchange = .none
        beginFlush(token, then: .linger)
    }
}
