internal import EventLoop
internal import Exchange
internal import HTTP1
internal import HTTPModel
internal import Linux
internal import Memory
internal import Sessions
internal import Settings
internal import Time

/// Tunnels: what an exchange becomes when the backend agrees to an upgrade (RFC 9110 §7.8).
///
/// It stays an exchange, and its connection leased, until both sides have ended or one is broken.
/// There is no limit on its idle time; but a client that takes nothing of what waits for it is cut
/// after `write_idle`, whatever it sends, one that sends nothing once the backend has ended after
/// `body_idle`, and a backend that takes nothing after `response_timeout`. The tunnels of an
/// instance are the connections to it in `upstreams` whose phase is `tunnel`; each names its
/// exchange.
extension Worker {
    /// The head of a 101 is in `responseHead`.
    mutating func upgradeAnswered(_ exchange: SlabToken) {
        let token = exchanges[exchange].downstream
        let connection = exchanges[exchange].upstream
        // A request without content waits as it was received.
        guard exchanges[exchange].requestFraming == .none, restoreHead(exchange),
            Upgrade.isAnswered(
                by: responseHead,
                in: upstreams[connection].wire.input,
                to: requestHead,
                in: downstreams[token].wire.input
            )
        else {
            shared.log.write(.warning, "bad response from the backend: 101 to what was not asked")
            failed(exchange, .badResponse)
            return
        }
        guard mayBegin(exchange) else { return }
        let plan = rules.judgeResponse(
            responseHead,
            in: upstreams[connection].wire.input,
            request: exchanges[exchange].judgement,
            jar: shared.jar
        )
        var edits = ResponseEdits()
        edits.isSecure = downstreams[token].isSecure
        settleSession(exchange, plan, sessionID: nil, endedByBackend: false, &edits)
        if plan.captured != nil { exchanges[exchange].issuer = upstreams[connection].instance }
        if exchanges[exchange].judgement.session != nil || exchanges[exchange].issuer != nil,
            Upgrade.isWebSocket(responseHead, in: upstreams[connection].wire.input)
        {
            exchanges[exchange].frames.toClient = WebSocketFrames()
            exchanges[exchange].frames.toBackend = WebSocketFrames()
        }
        writeHead(of: exchange, edits)
        // What is behind the two heads belongs to the tunnel already.
        upstreams[connection].wire.input.consume(responseHead.byteCount)
        downstreams[token].phase = .tunnel
        downstreams[token].deadline = .distantFuture
        upstreams[connection].phase = .tunnel
        relay(exchange)
    }

    /// Moves what there is to move, both ways.
    mutating func relay(_ exchange: SlabToken) {
        guard exchanges.contains(exchange) else { return }
        if exchanges[exchange].endsAtFrame {
            finishFrame(exchange)
            return
        }
        let token = exchanges[exchange].downstream
        let connection = exchanges[exchange].upstream
        let read = downstreams[token].wire.bytesRead
        let written = downstreams[token].wire.bytesWritten
        let passedOn = upstreams[connection].wire.bytesWritten
        guard let toBackend = relayToBackend(exchange), let toClient = relayToClient(exchange)
        else { return }
        if upstreams[connection].wire.outputEnded && downstreams[token].wire.outputEnded {
            endTunnel(exchange)
            return
        }
        if toClient == .receiverBroken && toBackend != .paused {
            // What it had sent has gone as far as it goes; a backend that waits for a reader of its
            // own bytes would take no more.
            closeDownstream(token)
            return
        }
        if toBackend != .awaitsReceiver {
            upstreams[connection].deadline = .distantFuture
        } else if passedOn != upstreams[connection].wire.bytesWritten
            || upstreams[connection].deadline == .distantFuture
        {
            setDeadline(ofUpstream: connection, now + patience.response)
        }
        switch toClient {
        case .awaitsReceiver:
            extendWriteDeadline(of: token, written != downstreams[token].wire.bytesWritten)
            downstreams[token].deadline = .distantFuture
        case .finished where toBackend == .awaitsSender:
            // The backend has ended; a client that says nothing any more holds a place for nothing.
            let isFresh = read != downstreams[token].wire.bytesRead
            downstreams[token].writeDeadline = .distantFuture
            extendDeadline(of: token, isFresh, patience.bodyIdle)
        default:
            downstreams[token].writeDeadline = .distantFuture
            downstreams[token].deadline = .distantFuture
        }
        if toBackend == .paused || toClient == .paused || toClient == .receiverBroken {
            ready.append(token)
        }
    }

    /// Moves what the client sends; finished when its end was passed on, nil when all is over.
    private mutating func relayToBackend(_ exchange: SlabToken) -> TransferOutcome? {
        let token = exchanges[exchange].downstream
        let connection = exchanges[exchange].upstream
        if upstreams[connection].wire.outputEnded { return .finished }
        let outcome = TunnelTransfer.run(
            from: &downstreams[token].wire,
            to: &upstreams[connection].wire,
            frames: &exchanges[exchange].frames.toBackend,
            buffers: &buffers
        )
        switch outcome {
        case .finished:
            upstreams[connection].wire.outputEnded = true
            upstreams[connection].wire.finishWriting()
        case .receiverBroken:
            // What it has sent is still to come.
            upstreams[connection].wire.outputEnded = true
            upstreams[connection].wire.isReadable = true
        case .paused, .awaitsSender, .awaitsReceiver: break
        case .truncated, .trailers, .malformed:
            closeDownstream(token)
            return nil
        }
        return outcome
    }

    /// Moves what the backend sends; finished when its end was passed on, nil when all is over.
    private mutating func relayToClient(_ exchange: SlabToken) -> TransferOutcome? {
        let token = exchanges[exchange].downstream
        let connection = exchanges[exchange].upstream
        if downstreams[token].wire.outputEnded { return .finished }
        let outcome = TunnelTransfer.run(
            from: &upstreams[connection].wire,
            to: &downstreams[token].wire,
            frames: &exchanges[exchange].frames.toClient,
            buffers: &buffers
        )
        switch outcome {
        case .finished where lacksClose(exchange), .truncated where lacksClose(exchange):
            tellLoss(.connectionLost)
            closeWebSocket(exchange)
            return nil
        case .finished:
            downstreams[token].wire.outputEnded = true
            downstreams[token].wire.finishWriting()
            if access.isOn { downstreams[token].note.facts.isWhole = true }
        case .receiverBroken:
            // What it has sent is still to come.
            downstreams[token].wire.isReadable = true
        case .paused, .awaitsSender, .awaitsReceiver: break
        case .truncated:
            tellLoss(.connectionLost)
            closeDownstream(token)
            return nil
        case .trailers, .malformed:
            closeDownstream(token)
            return nil
        }
        return outcome
    }

    /// Whoever still waits for the other side's end is to see that this is none that it meant.
    mutating func cutTunnel(_ exchange: SlabToken) {
        guard exchanges.contains(exchange) else { return }
        let token = exchanges[exchange].downstream
        let connection = exchanges[exchange].upstream
        if !downstreams[token].wire.outputEnded {
            downstreams[token].wire.cut()
        }
        if connection != .none, !upstreams[connection].wire.outputEnded {
            upstreams[connection].wire.cut()
        }
    }

    /// Nothing more goes either way.
    private mutating func endTunnel(_ exchange: SlabToken) {
        let token = exchanges[exchange].downstream
        if downstreams[token].wire.inputEnded {
            closeDownstream(token)
            return
        }
        // A close with the client's bytes unread would be a reset, and could destroy what is on
        // its way to it.
        abandon(exchange)
        downstreams[token].exchange = .none
        downstreams[token].phase = .flushing(then: .linger)
        flush(token)
    }
}
