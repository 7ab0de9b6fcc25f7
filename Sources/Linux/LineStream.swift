internal import CLinux
internal import Glibc
internal import Memory
internal import Time

/// Lines on their way to one of the process's own streams, whose reader may be slow or stand still.
///
/// Nothing here waits for it. The stream may be shared with other processes, so it is not made
/// non-blocking: a pipe or terminal is opened once more, non-blocking. Where that cannot be done
/// (a socket; a pipe of another user's), it is written to only when `poll` says that it takes
/// something, and then no more than `PIPE_BUF` bytes, which such a stream takes at once.
public struct LineStream: ~Copyable {
    private static var pieceBytesMax: Int { 4096 }

    /// The number to watch for writing while lines wait.
    public let number: Int32
    /// The stream, opened once more.
    private let own: Descriptor?
    private let limit: Int
    private var waiting = Buffer()
    private var lost: UInt64 = 0

    /// Lines for a stream, of which at most `limit` bytes wait.
    public init(_ stream: Files.Stream, limit: Int) {
        let reopened = clinux_reopen_nonblocking(stream.rawValue)
        number = reopened >= 0 ? reopened : stream.rawValue
        own = reopened >= 0 ? Descriptor(reopened) : nil
        self.limit = limit
    }

    /// Whether lines wait for the reader.
    public var isWaiting: Bool { !waiting.isEmpty }

    /// Takes whole lines; false when so many wait that these are to be dropped.
    public mutating func put(_ lines: [UInt8]) -> Bool {
        guard waiting.isEmpty || waiting.count + lines.count <= limit else { return false }
        waiting.append(lines)
        return true
    }

    /// Writes what the stream takes.
    public mutating func flush() {
        while !waiting.isEmpty && isReady(milliseconds: 0) && writePiece() {}
        if waiting.isEmpty { waiting = Buffer() }
    }

    /// Writes what waits, for which the reader has one second in all; the rest is lost.
    public mutating func finish() {
        let deadline = MonotonicClock.now() + .seconds(1)
        while !waiting.isEmpty {
            let left = (deadline - MonotonicClock.now()).nanoseconds / 1_000_000
            guard left > 0, isReady(milliseconds: Int32(left)), writePiece() else { break }
        }
        lost &+= lineCount
        waiting = Buffer()
    }

    private func isReady(milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
        // Safe because one entry is given. A broken pipe is ready, too: the write tells.
        return unsafe poll(&entry, 1, milliseconds) > 0
    }

    /// How many lines the stream could not take at all since the last call.
    public mutating func takeLost() -> UInt64 {
        defer { lost = 0 }
        return lost
    }

    /// False when the stream takes nothing for now.
    private mutating func writePiece() -> Bool {
        let written = write(pieceCount)
        if written > 0 {
            waiting.consume(written)
            return true
        }
        if written < 0 && errno == EINTR { return true }
        if written < 0 && errno != EAGAIN {
            // The disk is full, or nobody reads it any more (SIGPIPE is blocked).
            lost &+= lineCount
            waiting = Buffer()
        }
        return false
    }

    private func write(_ count: Int) -> Int {
        let bytes = waiting.bytes.extracting(0..<count)
        // Safe because the bytes are only read.
        return unsafe bytes.withUnsafeBytes { piece in
            unsafe Glibc.write(number, piece.baseAddress, piece.count)
        }
    }

    private var lineCount: UInt64 {
        let bytes = waiting.bytes
        var count: UInt64 = 0
        for place in 0..<bytes.count where bytes[place] == UInt8(ascii: "\n") { count += 1 }
        return count
    }

    /// Whole lines as far as they fit, so that those of other processes do not come between.
    private var pieceCount: Int {
        guard waiting.count > Self.pieceBytesMax else { return waiting.count }
        let bytes = waiting.bytes
        for place in stride(from: Self.pieceBytesMax, to: 0, by: -1)
        where bytes[place - 1] == UInt8(ascii: "\n") {
            return place
        }
        return Self.pieceBytesMax
    }
}
