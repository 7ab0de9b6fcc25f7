internal import EventLoop
internal import Exchange
internal import HTTPModel
internal import Instances
internal import Linux
internal import Memory
internal import Sessions
internal import Settings
internal import Time

/// Subscribers to events (contract 5): connections in a phase of their own, which hold no memory
/// beside their place while nothing happens.
extension Worker {
    private static var beatTime: Duration { .seconds(15) }
    /// So many subscribers are told in one turn, so that requests need not wait for them all.
    private static var tellsPerTurn: Int { 256 }
    /// Who lets more than this lie is not waited for.
    private static var untakenMax: Int { 4096 }
    /// What the kernel may keep for a subscriber; it takes twice that for itself.
    private static var unsentMax: Int32 { 4096 }

    /// The request in `requestHead` asks for events.
    mutating func subscribe(_ token: SlabToken, _ judgement: Judgement) {
        let session = subscribedSession(judgement)
        var isStranger = true
        if case .live = session { isStranger = false }
        guard stopBy == nil, !isStranger || shared.strangers.enter() else {
            answer(token, .overloaded)
            return
        }
        let isChunked = requestHead.minorVersion > 0
        let lastEventID = requestHead.value(
            of: "last-event-id",
            in: downstreams[token].wire.input
        )
        let live = liveInstances()
        eventText.removeAll()
        let subscriber = events.subscribe(
            session,
            lastEventID: lastEventID,
            isChunked: isChunked,
            live: live,
            instanceID: onlyInstanceID(live),
            into: &eventText
        )
        beginStream(token, isChunked: isChunked)
        BackendEvents.append(
            eventText,
            isChunked: isChunked,
            to: &downstreams[token].wire.output
        )
        downstreams[token].phase = .events(subscriber, isStranger: isStranger)
        downstreams[token].cursor = 0
        downstreams[token].wire.input.removeAll()
        Socket.limitUnsent(downstreams[token].wire.descriptor.number, to: Self.unsentMax)
        setDeadline(of: token, now + Self.beatTime)
        hear(token)
    }

    private func subscribedSession(_ judgement: Judgement) -> BackendEvents.Session {
        switch judgement.verdict {
        case .ended(let end): .ended(end.reason)
        case .live(let session): .live(session.instance)
        // Nothing can be said against the first instance that appears.
        case .unknownID(let session):
            session.instance == .none ? .none : .live(session.instance)
        case .anonymous, .missing, .crossSite, .refused: .none
        }
    }

    /// Writes the head of a stream.
    private mutating func beginStream(_ token: SlabToken, isChunked: Bool) {
        var frame = AnswerFrame()
        frame.closes = true
        frame.isSecure = downstreams[token].isSecure
        frame.origin = downstreams[token].origin
        buffers.equip(&downstreams[token].wire.output)
        let start = downstreams[token].wire.output.count
        wallTime.refresh(now: now)
        answerWriter.write(
            .eventStream(isChunked: isChunked),
            frame: frame,
            date: wallTime.dateLine,
            rules: rules,
            into: &downstreams[token].wire.output
        )
        if access.isOn {
            let answer = Answer.eventStream(isChunked: isChunked)
            downstreams[token].noteAnswer(answer, status: 200, from: start)
        }
    }

    // MARK: Events

    /// Something happened to the backend: whom it concerns is told from this turn on.
    mutating func noteEvent(_ change: BackendEvents.Change) {
        events.note(change)
        untoldFrom = 0
    }

    /// Tells some of the subscribers what they have not been told yet.
    mutating func tellSubscribers() {
        guard var index = untoldFrom else { return }
        let live = liveInstances()
        let instanceID = onlyInstanceID(live)
        var budget = Self.tellsPerTurn
        while index < downstreams.placeCount, budget > 0 {
            defer { index += 1 }
            guard let token = downstreams.token(at: index),
                case .events(var subscriber, let isStranger) = downstreams[token].phase
            else { continue }
            budget -= 1
            eventText.removeAll()
            let isTold = events.tell(
                &subscriber,
                live: live,
                instanceID: instanceID,
                into: &eventText
            )
            downstreams[token].phase = .events(subscriber, isStranger: isStranger)
            guard isTold else { continue }
            buffers.equip(&downstreams[token].wire.output)
            BackendEvents.append(
                eventText,
                isChunked: subscriber.isChunked,
                to: &downstreams[token].wire.output
            )
            push(token)
        }
        untoldFrom = index < downstreams.placeCount ? index : nil
    }

    /// Nothing was said for a while: the subscriber, and all between, are to see that it lives.
    mutating func beat(_ token: SlabToken) {
        guard case .events(let subscriber, _) = downstreams[token].phase else { return }
        setDeadline(of: token, now + Self.beatTime)
        buffers.equip(&downstreams[token].wire.output)
        BackendEvents.appendComment(
            isChunked: subscriber.isChunked,
            to: &downstreams[token].wire.output
        )
        push(token)
    }

    /// A subscriber has nothing to say; that it is gone shows in what is read.
    mutating func hear(_ token: SlabToken) {
        var budget = TransferOutcome.bytesPerTurn
        while downstreams[token].wire.isReadable && budget > 0 {
            buffers.equip(&downstreams[token].wire.input)
            switch downstreams[token].wire.read() {
            case .bytes(let count):
                budget -= count
                downstreams[token].wire.input.removeAll()
            case .wouldBlock: break
            case .endOfInput, .failed:
                closeDownstream(token)
                return
            }
        }
        buffers.strip(&downstreams[token].wire.input)
        if budget <= 0 { ready.append(token) }
        push(token)
    }

    /// Writes what waits for a subscriber, and lets go of one that does not take it.
    private mutating func push(_ token: SlabToken) {
        let written = downstreams[token].wire.bytesWritten
        guard downstreams[token].wire.flush(),
            downstreams[token].wire.output.count <= Self.untakenMax
        else {
            closeDownstream(token)
            return
        }
        guard downstreams[token].wire.output.isEmpty else {
            extendWriteDeadline(of: token, written != downstreams[token].wire.bytesWritten)
            return
        }
        downstreams[token].writeDeadline = .distantFuture
        buffers.strip(&downstreams[token].wire.output)
    }

    /// Ends all streams: a worker that stops does not wait for those who only listen.
    mutating func endStreams() {
        for index in 0..<downstreams.placeCount {
            guard let token = downstreams.token(at: index),
                case .events(let subscriber, let isStranger) = downstreams[token].phase
            else { continue }
            if isStranger { shared.strangers.leave() }
            buffers.equip(&downstreams[token].wire.output)
            BackendEvents.appendEnd(
                isChunked: subscriber.isChunked,
                to: &downstreams[token].wire.output
            )
            beginFlush(token, then: .close)
            if downstreams.contains(token) { closeDownstream(token) }
        }
    }
}
