public import Memory
public import Time

/// What is kept of a request until its access line is written.
public struct AccessNote: ~Copyable {
    /// What the request's head said, in the form of the line; the loop lends the memory.
    public var text = Buffer()
    /// In `text`, behind the user's name and behind the request line.
    var userEnd = 0
    var requestEnd = 0

    /// Whether there is a request whose line has not been written.
    public var isOpen = false
    /// When its first byte came in; zero before it was noted.
    public var startedAt = MonotonicTime.zero
    /// When its verdict was there.
    public var judgedAt = MonotonicTime.zero
    /// When it was written to the backend.
    public var writtenAt = MonotonicTime.zero
    /// What the line says beside the head.
    public var facts = AccessFacts()

    /// No request.
    public init() {}

    /// Moves the text to memory of its own size, and hands the rest out.
    public mutating func fitText() -> Buffer {
        var fitting = Buffer(capacity: max(1, text.count))
        fitting.append(text, from: 0, count: text.count)
        let storage = text.takeStorage()
        text = fitting
        return storage
    }

    /// Forgets the request, and hands its memory out.
    public mutating func close() -> Buffer {
        isOpen = false
        startedAt = .zero
        facts = AccessFacts()
        userEnd = 0
        requestEnd = 0
        return text.takeStorage()
    }
}

/// What an access line says of a request beside its head.
public struct AccessFacts: Sendable {
    /// The status of the answer; 0 while there is none.
    public var status: UInt16 = 0
    /// Whether the whole answer was made; what of it has gone out, the connection knows.
    public var isWhole = false
    /// What became of the request for its session's sake.
    public var verdict = StaticString("none")
    /// All bytes of the request.
    public var bytesIn: UInt64 = 0
    /// All bytes of the answer, with its heads.
    public var bytesOut: UInt64 = 0
    /// The bytes of the answer's heads, interim ones included.
    public var headBytesOut: UInt64 = 0
    /// From the request's first byte to the end of the answer, in nanoseconds.
    public var total: Int64 = 0
    /// How long it waited for a connection; nil if it had none.
    public var wait: Int64?
    /// How long the identity question on that connection took, for the first request after it.
    public var verify: Int64 = 0
    /// From the writing of the request to the head of the answer.
    public var firstByte: Int64?
    /// Whether the connection had carried a request before.
    public var isReused = false

    /// Nothing known.
    public init() {}
}
