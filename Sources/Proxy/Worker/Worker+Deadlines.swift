internal import EventLoop
internal import Exchange
internal import Instances
internal import Linux
internal import Memory
internal import Pool
internal import Time

/// What happens when time is up for a connection.
extension Worker {
    /// Looks at every connection's deadline.
    mutating func sweep() {
        for index in 0..<downstreams.placeCount {
            guard let token = downstreams.token(at: index) else { continue }
            let deadline = min(downstreams[token].deadline, downstreams[token].writeDeadline)
            if deadline <= now {
                downstreamExpired(token)
            } else {
                deadlines.note(deadline)
            }
        }
        for index in 0..<upstreams.placeCount {
            guard let token = upstreams.token(at: index) else { continue }
            if upstreams[token].deadline <= now {
                upstreamExpired(token)
            } else {
                deadlines.note(upstreams[token].deadline)
            }
        }
    }

    private mutating func downstreamExpired(_ token: SlabToken) {
        if downstreams[token].writeDeadline <= now {
            closeDownstream(token)
            return
        }
        downstreams[token].deadline = .distantFuture
        switch downstreams[token].phase {
        case .head where downstreams[token].headBegan:
            headTimedOut(token)
        case .exchange where isAwaitingContent(downstreams[token].exchange):
            requestTimedOut(downstreams[token].exchange)
        case .handshake: handshakeFailed(token, "not finished in time")
        case .events: beat(token)
        case .head, .exchange, .tunnel, .flushing, .lingering:
            closeDownstream(token)
        }
    }

    private func isAwaitingContent(_ exchange: SlabToken) -> Bool {
        exchanges.contains(exchange) && !exchanges[exchange].isRequestTaken
            && !exchanges[exchange].machine.isResponding
    }

    private mutating func upstreamExpired(_ token: SlabToken) {
        upstreams[token].deadline = .distantFuture
        switch upstreams[token].phase {
        case .connecting where tryNextAddress(token): break
        case .connecting, .reconnecting:
            openingFailed(token, .timedOut, "not connected in time")
        case .connected:
            openingFailed(token, .timedOut, "the other connection of the pair was not made in time")
        case .asking where isWatching: presumeUnverified(token)
        case .asking where isBusy(token): setDeadline(ofUpstream: token, now + patience.identity)
        case .asking: identityUnknown(token, .failed(.timedOut))
        case .idle:
            for connection in pool.closeIdle(now: now) { discardUpstream(SlabToken(connection)) }
            if upstreams.contains(token) { rest(token) }
        case .leased:
            let exchange = upstreams[token].exchange
            if exchanges.contains(exchange) { failed(exchange, .noAnswer) }
        case .tunnel:
            // It takes nothing of what the client sends.
            let exchange = upstreams[token].exchange
            if exchanges.contains(exchange) { closeDownstream(exchanges[exchange].downstream) }
        case .witness: attend(token)
        }
    }
}
