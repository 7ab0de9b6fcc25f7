internal import EventLoop
internal import Exchange
internal import HTTP1
internal import HTTPModel
internal import Linux
internal import Memory

/// Moves a response's content from the backend to the client, with back-pressure.
enum ResponseTransfer {
    /// More re-framed content than this does not wait for the client.
    static var highWater: Int { 64 * 1024 }

    /// Moves as much as goes.
    static func run(
        from upstream: inout Upstream,
        to downstream: inout Downstream,
        exchange: inout ExchangeState,
        buffers: inout BufferPool
    ) -> TransferOutcome {
        var budget = TransferOutcome.bytesPerTurn
        while true {
            switch exchange.responseDecoder.next(upstream.wire.input, from: 0) {
            case .content(let skip, let count):
                upstream.wire.input.consume(skip)
                let moved = move(count, from: &upstream, to: &downstream, exchange: &exchange)
                guard let moved else { return .receiverBroken }
                if moved == 0 { return .awaitsReceiver }
                budget -= skip + moved + TransferOutcome.stepCost
                if budget <= 0 { return .paused }
            case .incomplete(let skip):
                upstream.wire.input.consume(skip)
                // What has come goes out before more is waited for: a stream of small chunks must
                // not be held back.
                guard downstream.wire.flush() else { return .receiverBroken }
                guard downstream.wire.output.isEmpty else { return .awaitsReceiver }
                if let outcome = receive(&upstream, exchange.responseDecoder, &buffers) {
                    guard outcome == .finished else { return outcome }
                    return end(&downstream, exchange)
                }
            case .finished(let skip, let trailers):
                upstream.wire.input.consume(skip)
                if trailers > 0 { return .trailers(trailers) }
                return end(&downstream, exchange)
            case .failed(let refusal): return .malformed(refusal)
            }
        }
    }

    /// The content is over; what still waits for the client is flushed by its own phase.
    private static func end(
        _ downstream: inout Downstream,
        _ exchange: borrowing ExchangeState
    ) -> TransferOutcome {
        if exchange.responseFraming == .chunked && exchange.method != .head {
            ContentEncoder.lastChunk(into: &downstream.wire.output)
        }
        return downstream.wire.flush() ? .finished : .receiverBroken
    }

    /// Hands content on; nil when the client's connection is broken, 0 when it takes no more.
    private static func move(
        _ count: Int,
        from upstream: inout Upstream,
        to downstream: inout Downstream,
        exchange: inout ExchangeState
    ) -> Int? {
        var moved = count
        if exchange.responseFraming == .chunked {
            if downstream.wire.output.count >= highWater {
                guard downstream.wire.flush() else { return nil }
                guard downstream.wire.output.count < highWater else { return 0 }
            }
            ContentEncoder.beginChunk(count, into: &downstream.wire.output)
            downstream.wire.output.append(upstream.wire.input, from: 0, count: count)
            ContentEncoder.endChunk(into: &downstream.wire.output)
        } else {
            guard
                let written = downstream.wire.write(
                    through: upstream.wire.input,
                    from: 0,
                    count: count
                )
            else { return nil }
            moved = written
        }
        exchange.responseDecoder.took(moved)
        upstream.wire.input.consume(moved)
        return moved
    }

    /// Reads more of the response; nil when there is more to take.
    private static func receive(
        _ upstream: inout Upstream,
        _ decoder: ContentDecoder,
        _ buffers: inout BufferPool
    ) -> TransferOutcome? {
        if upstream.wire.inputEnded {
            return decoder.endOfInput() == .complete ? .finished : .truncated
        }
        guard upstream.wire.isReadable else { return .awaitsSender }
        buffers.equip(&upstream.wire.input, forMore: upstream.wire.wasFilled)
        upstream.wire.input.reserve(1)
        switch upstream.wire.read() {
        case .bytes: return nil
        case .wouldBlock: return .awaitsSender
        case .endOfInput: return decoder.endOfInput() == .complete ? .finished : .truncated
        case .failed: return .truncated
        }
    }
}
