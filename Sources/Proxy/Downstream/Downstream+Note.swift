internal import Exchange
internal import HTTPModel
internal import Linux
internal import Memory
internal import Sessions
internal import Time

/// What the connection knows for the access line of its request.
extension Downstream {
    /// Notes a sound head, which stands at the front of the input.
    mutating func note(
        _ head: borrowing RequestHead,
        _ judgement: Judgement,
        _ requestID: RequestID,
        of requestIDs: RequestIDs,
        _ writer: AccessWriter,
        now: MonotonicTime
    ) {
        writer.begin(head, from: wire.input, requestID: requestID, of: requestIDs, into: &note)
        begin(judgement.text, now: now)
    }

    /// Notes what stands at the front of the input and is no request.
    mutating func noteMalformed(
        _ verdict: StaticString,
        _ writer: AccessWriter,
        now: MonotonicTime
    ) {
        writer.begin(malformed: wire.input, into: &note)
        begin(verdict, now: now)
        // It has no end: all that is here counts as its own.
        note.facts.bytesIn &-= UInt64(wire.input.count)
    }

    private mutating func begin(_ verdict: StaticString, now: MonotonicTime) {
        if note.startedAt == .zero { note.startedAt = now }
        note.judgedAt = MonotonicClock.now()
        note.facts.verdict = verdict
        // Where this request begins among all that the connection carries.
        note.facts.bytesIn = wire.bytesRead &- UInt64(wire.input.count)
        note.facts.bytesOut = wire.bytesWritten
    }

    /// Notes a head of the backend's that was written from `start` of the output on.
    mutating func noteResponse(status: UInt16, from start: Int) {
        note.facts.headBytesOut &+= UInt64(max(0, wire.output.count - start))
        guard status >= 200 || status == 101 else { return }
        note.facts.status = status
        note.facts.firstByte = MonotonicClock.now().nanoseconds &- note.writtenAt.nanoseconds
    }

    /// Notes an answer of our own that was written from `start` of the output on.
    mutating func noteAnswer(_ answer: Answer, status: UInt16, from start: Int) {
        note.facts.status = status
        note.facts.isWhole = true
        if case .sessionEnded(let end) = answer { note.facts.verdict = end.reason.text }
        note.facts.headBytesOut &+= UInt64(headCount(from: start))
    }

    private func headCount(from start: Int) -> Int {
        let output = wire.output.bytes
        var end = start
        while end < output.count, !output.matches(at: end, "\r\n\r\n") { end += 1 }
        return min(end + 4, output.count) - start
    }

    /// Notes the end of the request, its answer gone out or not.
    mutating func noteEnd() {
        let taken = wire.bytesRead &- UInt64(wire.input.count) &+ UInt64(cursor)
        note.facts.bytesIn = taken &- note.facts.bytesIn
        note.facts.bytesOut = wire.bytesWritten &- note.facts.bytesOut
        note.facts.total = MonotonicClock.now().nanoseconds &- note.startedAt.nanoseconds
        // The client went away before there was an answer: nginx's number for it.
        if note.facts.status == 0 { note.facts.status = 499 }
        if !wire.output.isEmpty { note.facts.isWhole = false }
    }
}

extension Judgement {
    /// For the access line; an ending has the word of `X-Session-Cleared`.
    fileprivate var text: StaticString {
        switch verdict {
        case .anonymous where isSessionLeftOut: "left-out"
        case .anonymous: "anonymous"
        case .live: "live"
        case .unknownID: "unseen"
        case .ended(let end): end.reason.text
        case .missing: "missing"
        case .crossSite: "cross-site"
        case .refused: "refused"
        }
    }
}
