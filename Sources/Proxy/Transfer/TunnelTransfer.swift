internal import EventLoop
internal import HTTP1
internal import Linux
internal import Memory

/// Moves what one side of a tunnel sends to the other one, with back-pressure and without copying:
/// nothing is read while something waits.
enum TunnelTransfer {
    /// Moves as much as goes.
    ///
    /// Finished when the sender has ended and all that it sent was handed to the kernel. Our own
    /// side of the receiver is not shut down before that. What is moved is followed in `frames`.
    static func run(
        from sender: inout Wire,
        to receiver: inout Wire,
        frames: inout WebSocketFrames?,
        buffers: inout BufferPool
    ) -> TransferOutcome {
        var budget = TransferOutcome.bytesPerTurn
        while true {
            if receiver.isBroken { return .receiverBroken }
            if !sender.input.isEmpty {
                let written = receiver.write(
                    through: sender.input,
                    from: 0,
                    count: sender.input.count
                )
                guard let written else { return .receiverBroken }
                frames?.pass(sender.input, from: 0, count: written)
                sender.input.consume(written)
                budget -= written
            } else if !receiver.flush() {
                return .receiverBroken
            }
            guard sender.input.isEmpty && receiver.output.isEmpty else { return .awaitsReceiver }
            if budget <= 0 { return .paused }
            buffers.strip(&receiver.output)
            if sender.inputEnded { return .finished }
            guard sender.isReadable else {
                buffers.strip(&sender.input)
                return .awaitsSender
            }
            buffers.equip(&sender.input, forMore: sender.wasFilled)
            sender.input.reserve(1)
            if case .failed(_) = sender.read() { return .truncated }
        }
    }

    /// Moves what is left of the frame that is on its way, and no more; finished at its end.
    static func finishFrame(
        from sender: inout Wire,
        to receiver: inout Wire,
        frames: inout WebSocketFrames,
        buffers: inout BufferPool
    ) -> TransferOutcome {
        var budget = TransferOutcome.bytesPerTurn
        while !frames.isAtBoundary {
            if receiver.isBroken || !frames.isSound { return .receiverBroken }
            if sender.input.isEmpty {
                if sender.inputEnded { return .truncated }
                guard sender.isReadable else { return .awaitsSender }
                buffers.equip(&sender.input)
                sender.input.reserve(1)
                if case .failed(_) = sender.read() { return .truncated }
                continue
            }
            let count = min(sender.input.count, frames.bytesOfFrame)
            let written = receiver.write(through: sender.input, from: 0, count: count)
            guard let written else { return .receiverBroken }
            frames.pass(sender.input, from: 0, count: written)
            sender.input.consume(written)
            budget -= written + TransferOutcome.stepCost
            if written < count { return .awaitsReceiver }
            if budget <= 0 { return .paused }
        }
        return .finished
    }
}
