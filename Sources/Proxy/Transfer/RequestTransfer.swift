internal import EventLoop
internal import Exchange
internal import HTTP1
internal import HTTPModel
internal import Linux
internal import Memory

/// Moves a request's content from the client to the backend, with back-pressure: nothing is read
/// that could not be passed on.
enum RequestTransfer {
    /// More re-framed content than this does not wait for the backend.
    static var highWater: Int { 64 * 1024 }

    /// Moves as much as goes.
    static func run(
        from downstream: inout Downstream,
        to upstream: inout Upstream,
        exchange: inout ExchangeState,
        buffers: inout BufferPool
    ) -> TransferOutcome {
        var budget = TransferOutcome.bytesPerTurn
        while !exchange.isRequestTaken {
            let step = exchange.requestDecoder.next(
                downstream.wire.input,
                from: downstream.cursor
            )
            switch step {
            case .content(let skip, let count):
                downstream.cursor += skip
                if exchange.requestFraming == .chunked,
                    UInt64(count) > downstream.contentBytesLeft
                {
                    return .malformed(Refusal(.contentTooLarge, role: .server))
                }
                let moved = move(count, from: &downstream, to: &upstream, exchange: &exchange)
                guard let moved else { return .receiverBroken }
                if moved == 0 { return .awaitsReceiver }
                budget -= skip + moved + TransferOutcome.stepCost
                if budget <= 0 { return .paused }
            case .incomplete(let skip):
                downstream.cursor += skip
                // What was taken so far goes out before more is waited for.
                guard send(&upstream, &exchange) else { return .receiverBroken }
                guard upstream.wire.output.isEmpty else { return .awaitsReceiver }
                if let outcome = receive(&downstream, &exchange, &buffers) { return outcome }
            case .finished(let skip, let trailers):
                downstream.cursor += skip
                exchange.isRequestTaken = true
                if trailers > 0 { return .trailers(trailers) }
                if exchange.requestFraming == .chunked {
                    ContentEncoder.lastChunk(into: &upstream.wire.output)
                }
            case .failed(let refusal): return .malformed(refusal)
            }
        }
        guard send(&upstream, &exchange) else { return .receiverBroken }
        guard upstream.wire.output.isEmpty else { return .awaitsReceiver }
        exchange.isRequestSent = true
        return .finished
    }

    /// Hands content on; nil when the backend's connection is broken, 0 when it takes no more.
    private static func move(
        _ count: Int,
        from downstream: inout Downstream,
        to upstream: inout Upstream,
        exchange: inout ExchangeState
    ) -> Int? {
        var moved = count
        if exchange.requestFraming == .chunked {
            if upstream.wire.output.count >= highWater {
                guard send(&upstream, &exchange) else { return nil }
                guard upstream.wire.output.count < highWater else { return 0 }
            }
            ContentEncoder.beginChunk(count, into: &upstream.wire.output)
            upstream.wire.output.append(
                downstream.wire.input,
                from: downstream.cursor,
                count: count
            )
            ContentEncoder.endChunk(into: &upstream.wire.output)
            downstream.contentBytesLeft -= UInt64(count)
        } else {
            let before = upstream.wire.output.count
            guard
                let written = upstream.wire.write(
                    through: downstream.wire.input,
                    from: downstream.cursor,
                    count: count
                )
            else { return nil }
            if written > 0 || upstream.wire.output.count < before {
                exchange.machine.requestBytesWritten()
            }
            moved = written
        }
        exchange.requestDecoder.took(moved)
        downstream.cursor += moved
        return moved
    }

    /// Writes what waits; false when the connection is broken.
    private static func send(_ upstream: inout Upstream, _ exchange: inout ExchangeState) -> Bool {
        let before = upstream.wire.output.count
        let isSound = upstream.wire.flush()
        if upstream.wire.output.count < before { exchange.machine.requestBytesWritten() }
        return isSound
    }

    /// Reads more of the request; nil when there is more to take.
    private static func receive(
        _ downstream: inout Downstream,
        _ exchange: inout ExchangeState,
        _ buffers: inout BufferPool
    ) -> TransferOutcome? {
        if downstream.wire.inputEnded { return .truncated }
        guard downstream.wire.isReadable else { return .awaitsSender }
        if downstream.wire.input.writableCount == 0 {
            // No room behind the request as received: from here on it cannot be sent again.
            exchange.machine.contentLetGo()
            downstream.dropTaken()
        }
        let isFlowing = downstream.wire.wasFilled && !exchange.machine.isReplayable
        buffers.equip(&downstream.wire.input, forMore: isFlowing)
        downstream.wire.input.reserve(1)
        switch downstream.wire.read() {
        case .bytes: return nil
        case .wouldBlock: return .awaitsSender
        case .endOfInput, .failed: return .truncated
        }
    }
}
