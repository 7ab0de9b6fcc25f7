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
/// It stays an exchange, and its connection leased, until both sides have ended or one is broken;
/// there is no limit on its idle time. The tunnels of an instance are the connections to it in
/// `upstreams` whose phase is `tunnel`; each names its exchange.
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
        let plan = rules.judgeResponse(
            responseHead,
            in: upstreams[connection].wire.input,
            request: exchanges[exchange].judgement,
            jar: shared.jar
        )
        var edits = ResponseEdits()
        edits.isSecure = downstreams[token].isSecure
        settleSession(exchange, plan, sessionID: nil, endedByBackend: false, &edits)
        exchanges[exchange].machine.responseBegun()
        buffers.equip(&downstreams[token].wire.output)
        dateLine.refresh(now: now)
        ResponseRewriter.write(
            responseHead,
            from: upstreams[connection].wire.input,
            edits: edits,
            date: dateLine.text,
            rules: rules,
            into: &downstreams[token].wire.output
        )
        // What is behind the two heads belongs to the tunnel already.
        downstreams[token].dropTaken()
        upstreams[connection].wire.input.consume(responseHead.byteCount)
        downstreams[token].phase = .tunnel
        downstreams[token].deadline = .distantFuture
        upstreams[connection].phase = .tunnel
        upstreams[connection].deadline = .distantFuture
        relay(exchange)
    }

    /// Moves what there is to move, both ways.
    mutating func relay(_ exchange: SlabToken) {
        guard exchanges.contains(exchange) else { return }
        let token = exchanges[exchange].downstream
        let connection = exchanges[exchange].upstream
        var isPaused = false
        if !upstreams[connection].wire.outputEnded {
            switch TunnelTransfer.run(
                from: &downstreams[token].wire,
                to: &upstreams[connection].wire,
                buffers: &buffers
            ) {
            case .finished:
                upstreams[connection].wire.outputEnded = true
                Socket.finishWriting(upstreams[connection].wire.descriptor.number)
            case .paused: isPaused = true
            case .awaitsSender, .awaitsReceiver: break
            case .receiverBroken:
                // What it has sent is still to come.
                upstreams[connection].wire.outputEnded = true
                upstreams[connection].wire.isReadable = true
            case .truncated, .trailers, .malformed:
                closeDownstream(token)
                return
            }
        }
        if !downstreams[token].wire.outputEnded {
            switch TunnelTransfer.run(
                from: &upstreams[connection].wire,
                to: &downstreams[token].wire,
                buffers: &buffers
            ) {
            case .finished:
                downstreams[token].wire.outputEnded = true
                Socket.finishWriting(downstreams[token].wire.descriptor.number)
            case .paused: isPaused = true
            case .awaitsSender, .awaitsReceiver: break
            case .truncated:
                // The client is to see that this is no end that the backend meant.
                shared.control.send(.connectionLost)
                Socket.resetOnClose(downstreams[token].wire.descriptor.number)
                closeDownstream(token)
                return
            case .receiverBroken:
                downstreams[token].wire.outputEnded = true
                downstreams[token].wire.isReadable = true
                isPaused = true
            case .trailers, .malformed:
                closeDownstream(token)
                return
            }
        }
        if upstreams[connection].wire.outputEnded && downstreams[token].wire.outputEnded {
            endTunnel(exchange)
        } else if isPaused {
            ready.append(token)
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
