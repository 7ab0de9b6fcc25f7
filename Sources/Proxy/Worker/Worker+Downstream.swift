internal import EventLoop
internal import Exchange
internal import HTTP1
internal import HTTPModel
internal import Linux
internal import Memory
internal import Settings
internal import Time

/// Client connections: heads in, answers out, the end.
extension Worker {
    /// How long an unwanted request is read and dropped at most, and how long at once there may be
    /// nothing to read.
    private static var lingerTime: Duration { .seconds(30) }
    private static var lingerSilence: Duration { .seconds(2) }

    /// Something may be done for a client's connection.
    mutating func downstreamReady(_ token: SlabToken, isBroken: Bool) {
        // In a tunnel, what came before the end is still to be passed on.
        if isBroken && downstreams[token].phase != .tunnel {
            closeDownstream(token)
            return
        }
        switch downstreams[token].phase {
        case .handshake: shakeHands(token)
        case .head: readHead(token)
        case .exchange: resume(downstreams[token].exchange)
        case .tunnel: relay(downstreams[token].exchange)
        case .events: hear(token)
        case .flushing: flush(token)
        case .lingering: linger(token)
        }
    }

    mutating func readHead(_ token: SlabToken) {
        var isUnseen = !downstreams[token].wire.input.isEmpty && !downstreams[token].headBegan
        while true {
            if isUnseen {
                // Even a head that is not whole yet overwrites the last one.
                requestHeadOwner = .none
                switch headParser.parseRequest(
                    downstreams[token].wire.input,
                    into: &requestHead
                )
                {
                case .complete:
                    downstreams[token].headBegan = false
                    beginExchange(token)
                    return
                case .refused(let refusal):
                    refuse(token, refusal)
                    return
                case .incomplete: break
                }
            }
            if !downstreams[token].headBegan && !downstreams[token].wire.input.isEmpty {
                downstreams[token].headBegan = true
                downstreams[token].note.startedAt = now
                setDeadline(of: token, now + patience.header)
            }
            guard downstreams[token].wire.isReadable else {
                buffers.strip(&downstreams[token].wire.input)
                return
            }
            buffers.equip(&downstreams[token].wire.input)
            downstreams[token].wire.input.reserve(1)
            let seen = downstreams[token].wire.input.count
            switch downstreams[token].wire.read() {
            case .bytes:
                // A head that comes in crumbs is parsed once a line, not once a crumb.
                isUnseen =
                    !downstreams[token].headBegan
                    || hasLineFeed(downstreams[token].wire.input, from: seen)
                    || downstreams[token].wire.input.count >= headParser.limits.targetBytes
            case .wouldBlock: isUnseen = false
            case .endOfInput, .failed:
                closeDownstream(token)
                return
            }
        }
    }

    private func hasLineFeed(_ input: borrowing Buffer, from offset: Int) -> Bool {
        let bytes = input.bytes
        for place in offset..<bytes.count where bytes[place] == UInt8(ascii: "\n") { return true }
        return false
    }

    /// Answers a message that is no sound request; where the next one would begin is not known.
    private mutating func refuse(_ token: SlabToken, _ refusal: Refusal) {
        refuse(token, status: refusal.status, refusal.cause.description)
    }

    /// The client took an HTTPS port for one of plain HTTP.
    mutating func refusePlain(_ token: SlabToken) {
        refuse(token, status: 400, "a plain HTTP request was sent to an HTTPS port")
    }

    /// The client did not send the rest of a head in time.
    mutating func headTimedOut(_ token: SlabToken) {
        refuse(token, status: 408, "the request came too slowly")
    }

    private mutating func refuse(_ token: SlabToken, status: UInt16, _ reason: StaticString) {
        var frame = AnswerFrame()
        frame.closes = true
        downstreams[token].headBegan = false
        if access.isOn { noteRefusal(token) }
        send(.refused(status: status, reason: StaticText(reason)), frame, on: token, then: .linger)
    }

    /// Writes an answer that Lychgate makes itself.
    mutating func send(
        _ answer: Answer,
        _ frame: AnswerFrame,
        on token: SlabToken,
        then sequel: Downstream.Sequel
    ) {
        buffers.equip(&downstreams[token].wire.output)
        let start = downstreams[token].wire.output.count
        wallTime.refresh(now: now)
        answerWriter.write(
            answer,
            frame: frame,
            date: wallTime.dateLine,
            rules: rules,
            into: &downstreams[token].wire.output
        )
        if access.isOn {
            let status = answerWriter.status(of: answer)
            downstreams[token].noteAnswer(answer, status: status, from: start)
        }
        beginFlush(token, then: sequel)
    }

    /// The response is complete in the output, or gone already.
    mutating func beginFlush(_ token: SlabToken, then sequel: Downstream.Sequel) {
        downstreams[token].phase = .flushing(then: sequel)
        downstreams[token].deadline = .distantFuture
        flush(token)
    }

    /// Writes what is left of a complete response, then goes on as its phase says.
    mutating func flush(_ token: SlabToken) {
        guard case .flushing(let sequel) = downstreams[token].phase else { return }
        let written = downstreams[token].wire.bytesWritten
        guard downstreams[token].wire.flush() else {
            closeDownstream(token)
            return
        }
        guard downstreams[token].wire.output.isEmpty else {
            extendWriteDeadline(of: token, written != downstreams[token].wire.bytesWritten)
            return
        }
        downstreams[token].writeDeadline = .distantFuture
        switch sequel {
        case .nextHead: awaitHead(token)
        case .close: closeGently(token)
        case .linger: beginLingering(token)
        }
    }

    /// Closes a connection whose last response has been written.
    ///
    /// To close with bytes unread would be a reset, and could destroy what is on its way.
    private mutating func closeGently(_ token: SlabToken) {
        if downstreams[token].wire.isReadable {
            beginLingering(token)
        } else {
            closeDownstream(token)
        }
    }

    private mutating func beginLingering(_ token: SlabToken) {
        if access.isOn { endNote(token) }
        downstreams[token].wire.finishWriting()
        downstreams[token].wire.input.removeAll()
        downstreams[token].phase = .lingering(until: now + Self.lingerTime)
        setDeadline(of: token, now + Self.lingerSilence)
        linger(token)
    }

    /// The connection is free for the next request.
    mutating func awaitHead(_ token: SlabToken) {
        guard stopBy == nil else {
            closeGently(token)
            return
        }
        if access.isOn { endNote(token) }
        downstreams[token].phase = .head
        downstreams[token].exchange = .none
        downstreams[token].dropTaken()
        if !downstreams[token].nominations.isEmpty { downstreams[token].nominations = [] }
        buffers.strip(&downstreams[token].wire.output)
        if downstreams[token].wire.input.isEmpty {
            buffers.strip(&downstreams[token].wire.input)
            setDeadline(of: token, now + patience.keepalive)
            if !downstreams[token].wire.isReadable { return }
        }
        // A pipelined request; not from here, or a thousand of them would be a thousand calls deep.
        ready.append(token)
    }

    private mutating func linger(_ token: SlabToken) {
        guard case .lingering(let end) = downstreams[token].phase else { return }
        var budget = TransferOutcome.bytesPerTurn
        while downstreams[token].wire.isReadable && budget > 0 {
            buffers.equip(&downstreams[token].wire.input)
            switch downstreams[token].wire.read() {
            case .bytes(let count):
                budget -= count
                downstreams[token].wire.input.removeAll()
                setDeadline(of: token, min(end, now + Self.lingerSilence))
            case .wouldBlock: break
            case .endOfInput, .failed:
                closeDownstream(token)
                return
            }
        }
        buffers.strip(&downstreams[token].wire.input)
        if budget <= 0 { ready.append(token) }
    }

    /// Ends a client's connection, and with it what was on its way for it.
    mutating func closeDownstream(_ token: SlabToken) {
        if access.isOn { endNote(token) }
        if !downstreams[token].wire.output.isEmpty {
            // What is left unsent must not go unnoticed.
            downstreams[token].wire.cut()
        }
        switch downstreams[token].phase {
        case .exchange:
            let exchange = downstreams[token].exchange
            if exchanges.contains(exchange), exchanges[exchange].machine.isResponding,
                exchanges[exchange].responseFraming == .untilClose
            {
                // A plain end would make what was sent look whole (contract 4.2).
                downstreams[token].wire.cut()
            }
            // The same for the end of TLS, whatever the framing.
            downstreams[token].wire.tlsState.isCut = true
            abandon(exchange)
        case .tunnel:
            cutTunnel(downstreams[token].exchange)
            abandon(downstreams[token].exchange)
        case .events(_, let isStranger): if isStranger { shared.strangers.leave() }
        case .handshake, .head, .flushing, .lingering: break
        }
        downstreams[token].wire.sayClose()
        var downstream = downstreams.remove(token)
        buffers.give(downstream.wire.input.takeStorage())
        buffers.give(downstream.wire.output.takeStorage())
        if downstream.hasPlace {
            shared.connections.leave()
        } else {
            turnedAway -= 1
        }
    }

    /// Gives more time where there was progress, and any at all where none was set.
    ///
    /// An event alone is no progress: a client could buy time with a byte of something else.
    mutating func extendDeadline(
        of token: SlabToken,
        _ isFresh: Bool,
        _ patience: Nanoseconds
    ) {
        if isFresh || downstreams[token].deadline == .distantFuture {
            setDeadline(of: token, now + patience)
        }
    }

    /// The same for what waits for the client, which is another time than that of what it sends.
    mutating func extendWriteDeadline(of token: SlabToken, _ isFresh: Bool) {
        if isFresh || downstreams[token].writeDeadline == .distantFuture {
            downstreams[token].writeDeadline = now + patience.writeIdle
            deadlines.note(downstreams[token].writeDeadline)
        }
    }

    mutating func setDeadline(of token: SlabToken, _ deadline: MonotonicTime) {
        downstreams[token].deadline = deadline
        deadlines.note(deadline)
    }
}
