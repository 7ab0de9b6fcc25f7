internal import EventLoop
internal import Exchange
internal import Linux
internal import Memory
internal import Sessions
internal import Time

/// What of a request's way goes into its access line. Nothing here is called when there is none.
extension Worker {
    /// A head was judged; what it says is noted while it is at hand.
    ///
    /// It may be long under way, so its text gets memory of its own size.
    mutating func noteRequest(_ token: SlabToken, _ judgement: Judgement, _ requestID: RequestID) {
        buffers.equip(&downstreams[token].note.text)
        downstreams[token].note(
            requestHead,
            judgement,
            requestID,
            of: requestIDs,
            access.writer,
            now: now
        )
        buffers.give(downstreams[token].note.fitText())
    }

    /// What came is no request; it is refused, or was never whole.
    mutating func noteRefusal(_ token: SlabToken) {
        buffers.equip(&downstreams[token].note.text)
        downstreams[token].noteMalformed("malformed", access.writer, now: now)
    }

    /// A client is turned away before it has said anything.
    mutating func noteTurnedAway(_ token: SlabToken) {
        buffers.equip(&downstreams[token].note.text)
        downstreams[token].noteMalformed("turned-away", access.writer, now: now)
    }

    /// The worker ends before the request does: that no answer came is not its client's doing.
    mutating func noteCutOff(_ token: SlabToken) {
        guard downstreams[token].note.isOpen, downstreams[token].note.facts.status == 0 else {
            return
        }
        downstreams[token].note.facts.status = 503
    }

    /// What became of the request's session came out after its head was judged.
    mutating func noteVerdict(_ exchange: SlabToken, _ verdict: StaticString) {
        downstreams[exchanges[exchange].downstream].note.facts.verdict = verdict
    }

    /// The request is about to be written to a connection.
    mutating func noteConnection(_ exchange: SlabToken, _ connection: SlabToken) {
        let token = exchanges[exchange].downstream
        let clock = MonotonicClock.now()
        let judgedAt = downstreams[token].note.judgedAt
        downstreams[token].note.writtenAt = clock
        downstreams[token].note.facts.wait = clock.nanoseconds &- judgedAt.nanoseconds
        downstreams[token].note.facts.verify = upstreams[connection].verifyTime
        downstreams[token].note.facts.isReused = upstreams[connection].requestCount > 1
        downstreams[token].noteInstance = upstreams[connection].instance
        upstreams[connection].verifyTime = 0
    }

    /// The request is over: its line is written.
    mutating func endNote(_ token: SlabToken) {
        if !downstreams[token].note.isOpen {
            // A head that never became whole, as nginx has it; what did not begin has no line.
            guard downstreams[token].headBegan else { return }
            noteRefusal(token)
            downstreams[token].note.facts.status = 400
        }
        downstreams[token].noteEnd()
        wallTime.refresh(now: now)
        access.add(
            downstreams[token].note,
            client: downstreams[token].client.ip,
            time: wallTime,
            now: now,
            instance: downstreams[token].noteInstance,
            registry: shared.registry
        )
        buffers.give(downstreams[token].note.close())
        downstreams[token].noteInstance = nil
    }
}
