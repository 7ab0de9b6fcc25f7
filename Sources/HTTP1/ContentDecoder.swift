public import HTTPModel
public import Memory

/// Finds the content of one message in the bytes that carry it (RFC 9112 §6, §7.1).
///
/// The bytes stay where they are: each step says how many bytes of framing to pass over and how
/// many bytes of content follow them. Framing that has been passed over is never looked at again,
/// so that the input may be cut anywhere. Chunk extensions are checked and dropped. Trailers are
/// checked as they come, but not passed over before they are all there: they wait in the input and
/// are given out with the end, so that nothing of them has to be kept here. Both are bounded, by
/// the line and by the message.
public struct ContentDecoder: Sendable {
    /// What lies at the front of the bytes that are looked at.
    public enum Step: Equatable, Sendable {
        /// Behind `skip` bytes of framing lie `count` bytes of content, at least one.
        case content(skip: Int, count: Int)
        /// Behind `skip` bytes of framing there is nothing yet, or a part of the trailers.
        case incomplete(skip: Int)
        /// The message ends behind `skip` bytes of framing and `trailers` bytes of trailers.
        ///
        /// The latter are field lines and the empty line behind them (`TrailerLines`), or zero
        /// bytes where there is no field. They are given out once.
        case finished(skip: Int, trailers: Int)
        /// The framing is wrong; the message and its connection are lost.
        case failed(Refusal)
    }

    /// What the end of a peer's input means for the message that was being read.
    public enum EndOfInput: Equatable, Sendable {
        /// The message is whole.
        case complete
        /// A part of the message is missing.
        case truncated
    }

    /// What may come next.
    enum State {
        /// Content of a known length; zero never stands here.
        case length(UInt64)
        case untilClose
        case chunkSize(UInt64, digits: UInt8)
        /// White space behind the size, which only an extension may follow.
        case chunkBlank(UInt64, lineBytes: UInt16)
        case chunkExtensionStart(UInt64, lineBytes: UInt16)
        case chunkExtension(UInt64, lineBytes: UInt16)
        case chunkSizeLineFeed(UInt64)
        case chunkContent(UInt64)
        case chunkEnd
        case chunkEndLineFeed
        case trailerStart
        case trailerName
        case trailerValue
        case trailerLineFeed
        case lastLineFeed
        /// The last of them is there; left as soon as they are given out.
        case trailersComplete
        case finished
        case failed(RefusalCause)
    }

    static var sizeDigitsMax: UInt8 { 16 }
    static var extensionLineBytesMax: UInt16 { 256 }
    static var extensionBytesMax: UInt16 { 16 * 1024 }
    static var trailerBytesMax: UInt16 { 8 * 1024 }
    static var trailerLinesMax: UInt8 { 100 }

    var state: State
    /// Of all chunks of the message together.
    var extensionBytes: UInt16 = 0
    /// Of the trailers that wait in the input.
    var trailerBytes: UInt16 = 0
    var trailerLines: UInt8 = 0
    private let role: Role

    /// A decoder before the first byte behind a head.
    ///
    /// The role tells only how a failure is answered.
    public init(_ framing: Framing, role: Role = .server) {
        self.role = role
        state =
            switch framing {
            case .none, .length(0): .finished
            case .length(let count): .length(count)
            case .chunked: .chunkSize(0, digits: 0)
            case .untilClose: .untilClose
            }
    }

    /// Whether the message is over.
    public var isFinished: Bool {
        if case .finished = state { true } else { false }
    }

    /// Looks at the waiting bytes from `offset` on.
    ///
    /// The caller passes over `skip` bytes at once, and tells by `took` how many of the `count`
    /// bytes of content behind them it has taken; the rest is offered again.
    public mutating func next(_ input: borrowing Buffer, from offset: Int) -> Step {
        let bytes = input.bytes
        let start = min(max(0, offset), bytes.count)
        var place = start
        if trailerBytes > 0 {
            // Trailers that wait were looked at.
            place = min(start + Int(trailerBytes), bytes.count)
        }
        while true {
            switch state {
            case .finished:
                return .finished(skip: place - start, trailers: 0)
            case .trailersComplete:
                let trailers = trailerLines > 0 ? Int(trailerBytes) : 0
                trailerBytes = 0
                state = .finished
                return .finished(skip: place - start - trailers, trailers: trailers)
            case .failed(let cause):
                return .failed(Refusal(cause, role: role))
            case .length(let left), .chunkContent(let left):
                return offer(left, skip: place - start, available: bytes.count - place)
            case .untilClose:
                return offer(.max, skip: place - start, available: bytes.count - place)
            default:
                guard place < bytes.count else {
                    return .incomplete(skip: place - start - Int(trailerBytes))
                }
                state = advanced(by: bytes[place])
                place += 1
            }
        }
    }

    private func offer(_ left: UInt64, skip: Int, available: Int) -> Step {
        guard available > 0 else { return .incomplete(skip: skip) }
        return .content(skip: skip, count: Int(min(left, UInt64(available))))
    }

    /// Says how many bytes of the content last offered were taken.
    ///
    /// - Precondition: no more than were offered.
    public mutating func took(_ count: Int) {
        precondition(count >= 0)
        switch state {
        case .length(let left):
            precondition(UInt64(count) <= left)
            state = UInt64(count) == left ? .finished : .length(left - UInt64(count))
        case .chunkContent(let left):
            precondition(UInt64(count) <= left)
            state = UInt64(count) == left ? .chunkEnd : .chunkContent(left - UInt64(count))
        default:
            break
        }
    }

    /// What it means that the peer sends no more.
    public func endOfInput() -> EndOfInput {
        switch state {
        case .finished, .untilClose: .complete
        default: .truncated
        }
    }
}
