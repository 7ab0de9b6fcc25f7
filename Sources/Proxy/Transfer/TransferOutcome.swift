internal import HTTP1

/// What moving content came to.
enum TransferOutcome: Equatable {
    /// The sender has no more for now.
    case awaitsSender
    /// The receiver takes no more for now.
    case awaitsReceiver
    /// There is more to move, but others shall have their turn.
    case paused
    /// The message is over, and all of it was handed to the kernel.
    case finished
    /// The content is over; so many bytes of trailers stand behind it in the sender's input.
    case trailers(Int)
    /// What the sender sends is malformed.
    case malformed(Refusal)
    /// The sender ended before the message did.
    case truncated
    /// The receiver's connection is broken.
    case receiverBroken

    /// More is not moved for one exchange in one turn of the loop.
    static var bytesPerTurn: Int { 1024 * 1024 }
    /// What a step counts beside its bytes, so that tiny chunks do not make a long turn.
    static var stepCost: Int { 256 }
}
