internal import EventLoop
internal import Exchange
internal import Linux
internal import Memory
internal import Settings
internal import TLS
internal import Time

/// Taking client connections in.
extension Worker {
    /// At most so many a turn, so that those who are in already are served, too.
    private static var acceptsPerTurn: Int { 64 }
    /// More connections above the limit than this are closed without a word.
    private static var turnedAwayMax: Int { 64 }

    mutating func accept(_ listener: SlabToken) {
        for _ in 0..<Self.acceptsPerTurn {
            switch listeners[listener].socket.accept() {
            case .none: return
            case .exhausted(let error):
                if now >= acceptWarningAt + .seconds(5) {
                    acceptWarningAt = now
                    shared.log.write(.error, "cannot accept connections for now: \(error)")
                }
                pauseAccepting()
                return
            case .accepted(let descriptor, let peer):
                admit(descriptor, peer: peer, tls: listeners[listener].tls)
            }
        }
    }

    private mutating func admit(
        _ descriptor: consuming Descriptor,
        peer: SocketAddress,
        tls: TLSContext?
    ) {
        let hasPlace = shared.connections.enter()
        // A handshake only to say no would cost more than it tells.
        guard hasPlace || (tls == nil && turnedAway < Self.turnedAwayMax) else { return }
        let number = descriptor.number
        var client = ClientFacts(
            ip: Array(peer.ipText.utf8),
            isTrusted: isTrusted(peer),
            isSecure: tls != nil
        )
        client.maySaySubject = maySaySubject(client, tls)
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
        if let tls { expectHandshake(token, tls) }
    }

    /// Whether what the client says of a certificate is passed on: only from a trusted proxy that
    /// has looked at it in our place, where anybody's certificate is told to the backend.
    private func maySaySubject(_ client: ClientFacts, _ tls: TLSContext?) -> Bool {
        guard shared.settings.asksClientCertificates else { return true }
        return client.isTrusted && tls?.asksPeers != true
    }

    /// Says at once why there is no service, and stays a while so that the client can read it.
    private mutating func turnAway(_ token: SlabToken) {
        var frame = AnswerFrame()
        frame.closes = true
        if access.isOn { noteTurnedAway(token) }
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
            poller.unwatch(listeners[token].socket.number)
        }
    }

    mutating func resumeAccepting() {
        guard let pausedUntil = acceptsNotBefore, pausedUntil <= now else { return }
        acceptsNotBefore = nil
        for index in 0..<listeners.placeCount {
            guard let token = listeners.token(at: index) else { continue }
            do {
                // Where a former attempt came half-way, it is watched already.
                poller.unwatch(listeners[token].socket.number)
                let isShared = listeners[token].socket.address.isUnix
                try poller.watchReadable(
                    listeners[token].socket.number,
                    token.poll(Kind.listener),
                    isShared: isShared
                )
            } catch {
                acceptsNotBefore = now + .milliseconds(100)
            }
        }
    }
}
