internal import EventLoop
internal import Exchange
internal import Linux
internal import Memory
internal import Pool
internal import Settings
internal import TLS
internal import Time

/// Handshakes.
extension Worker {
    /// What goes wrong with handshakes is said so often at most: who may cause it is anybody.
    private static var warningPace: Duration { .seconds(5) }

    // MARK: The backend's side

    /// Begins TLS on a connection that the kernel has made; whether it is ready at once.
    ///
    /// A carrier is: its handshake goes out before the request, since a backend that serves one
    /// connection at a time would not answer its asker if it had to shake hands with it first.
    mutating func beginTLS(_ token: SlabToken) -> Bool {
        guard let context = shared.tls.upstream,
            upstreams[token].wire.secure(context, resumption: resumption)
        else {
            openingFailed(token, .closed, "no memory for TLS")
            return false
        }
        return upstreams[token].isCarrier || hasShakenHands(token)
    }

    /// Goes on with the handshake; whether it is done.
    mutating func hasShakenHands(_ token: SlabToken) -> Bool {
        switch upstreams[token].wire.shakeHands() {
        case .done: return true
        case .wantsRead, .wantsWrite: return false
        case .failed(.cut):
            // As it is when a backend dies: the next one may be better.
            openingFailed(token, .closed, TLSFailure.cut.description)
            return false
        case .failed(let failure):
            if now >= handshakeWarningAt + Self.warningPace {
                handshakeWarningAt = now
                shared.log.write(.warning, "no connection to the backend: \(failure)")
            }
            openingFailed(token, .refused, failure.description)
            return false
        }
    }

    // MARK: The client's side

    /// Has a connection that was accepted speak TLS.
    mutating func expectHandshake(_ token: SlabToken, _ context: TLSContext) {
        guard downstreams.contains(token) else { return }
        downstreams[token].phase = .handshake
        if !downstreams[token].wire.secure(context) { handshakeFailed(token, "no memory") }
    }

    /// Goes on with the handshake; the first request may have come with its end.
    mutating func shakeHands(_ token: SlabToken) {
        guard downstreams[token].wire.isReadable else { return }
        switch downstreams[token].wire.shakeHands() {
        case .wantsRead, .wantsWrite: return
        case .done:
            shared.handshakes.done.add(1)
            if downstreams[token].wire.isResumed() { shared.handshakes.resumed.add(1) }
            if let subject = downstreams[token].wire.peerSubject() {
                downstreams[token].client.setCertificate(subject: subject)
            }
            downstreams[token].phase = .head
            setDeadline(of: token, now + patience.header)
            readHead(token)
        case .failed(.plainRequest):
            shared.handshakes.failed.add(1)
            downstreams[token].wire.dropTLS()
            downstreams[token].client.isSecure = false
            downstreams[token].phase = .head
            refusePlain(token)
        case .failed(.cut):
            // Whoever only looks whether the port is open does this; it is not worth a line.
            shared.handshakes.failed.add(1)
            closeDownstream(token)
        case .failed(let failure): handshakeFailed(token, failure.description)
        }
    }

    mutating func handshakeFailed(_ token: SlabToken, _ reason: String) {
        shared.handshakes.failed.add(1)
        if now >= clientHandshakeNoteAt + Self.warningPace {
            clientHandshakeNoteAt = now
            let client = String(decoding: downstreams[token].client.ip, as: UTF8.self)
            shared.log.write(.info, "no TLS with client \(client): \(reason)")
        }
        closeDownstream(token)
    }
}
