internal import EventLoop
internal import Exchange
internal import Linux
internal import Memory
internal import Settings
internal import Time

/// Taking client connections in.
extension Worker {
    /// At most so many a turn, so that those who are in already are served, too.
    private static var acceptsPerTurn: Int { 64 }
    /// More connections above the limit than this are closed without a word.
    private static var turnedAwayMax: Int { 64 }

    mutating func accept(_ listener: SlabToken) {
        for _ in 0..<Self.acceptsPerTurn {
            switch listeners[listener].accept() {
            case .none: return
            case .exhausted(let error):
                if now >= acceptWarningAt + .seconds(5) {
                    acceptWarningAt = now
                    shared.log.write(.error, "cannot accept connections for now: \(error)")
                }
                pauseAccepting()
                return
            case .accepted(let descriptor, let peer):
                admit(descriptor, peer: peer)
            }
        }
    }

    private mutating func admit(_ descriptor: consuming Descriptor, peer: SocketAddress) {
        let hasPlace = shared.connections.enter()
        guard hasPlace || turnedAway < Self.turnedAwayMax else { return }
        let number = descriptor.number
        let client = ClientFacts(
            ip: Array(peer.ipText.utf8),
            isTrusted: isTrusted(peer),
            isSecure: false
        )
        let token = downstreams.insert(Downstream(descriptor: descriptor, client: client))
        downstreams[token].hasPlace = hasPlace
        if !hasPlace { turnedAway += 1 }
        setDeadline(of: token, now + patience.header)
        do {
            try poller.watchConnection(number, token.poll(Kind.downstream))
        } catch {
            shared.log.write(.error, "cannot watch a connection: \(error)")
            closeDownstream(token)
            return
        }
        if !hasPlace { turnAway(token) }
    }

    /// Says at once why there is no service, and stays a while so that the client can read it.
    private mutating func turnAway(_ token: SlabToken) {
        var frame = AnswerFrame()
        frame.closes = true
        send(.overloaded, frame, on: token, then: .linger)
    }

    private func isTrusted(_ peer: SocketAddress) -> Bool {
        guard let ip = peer.ip else { return false }
        return shared.settings.trustedProxies.contains { $0.contains(high: ip.high, low: ip.low) }
    }

    private mutating func pauseAccepting() {
        acceptsNotBefore = now + .milliseconds(100)
        for index in 0..<listeners.placeCount {
            guard let token = listeners.token(at: index) else { continue }
            poller.unwatch(listeners[token].number)
        }
    }

    mutating func resumeAccepting() {
        guard let pausedUntil = acceptsNotBefore, pausedUntil <= now else { return }
        acceptsNotBefore = nil
        for index in 0..<listeners.placeCount {
            guard let token = listeners.token(at: index) else { continue }
            do {
                // Where a former attempt came half-way, it is watched already.
                poller.unwatch(listeners[token].number)
                let isShared = listeners[token].address.isUnix
                try poller.watchReadable(
                    listeners[token].number,
                    token.poll(Kind.listener),
                    isShared: isShared
                )
            } catch {
                acceptsNotBefore = now + .milliseconds(100)
            }
        }
    }
}
