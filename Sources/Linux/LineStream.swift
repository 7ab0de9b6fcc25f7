internal import CLinux
internal import Glibc
internal import Memory
internal import Time

/// Lines on their way to one of the process's own streams, whose reader may be slow or stand still.
///
/// Nothing here waits for it. The stream may be shared with other processes, so it is not made
/// non-blocking; instead one is written to only when `poll` says that it takes something, and then
/// no more than `PIPE_BUF` bytes, which a pipe or socket of which that is said takes at once.
public struct LineStream: ~Copyable {
    private static var pieceBytesMax: Int { 4096 }

    private let stream: Files.Stream
    private let limit: Int
    private var waiting = Buffer()
    private var isClosed = false

    /// Lines for a stream, of which at most `limit` bytes wait.
    public init(_ stream: Files.Stream, limit: Int) {
        self.stream = stream
        self.limit = limit
    }

    /// The number to watch for writing while lines wait.
    public var number: Int32 { stream.rawValue }

    /// Whether lines wait for the reader.
    public var isWaiting: Bool { !waiting.isEmpty }

    /// Takes whole lines; false when so many wait that these are to be dropped.
    public mutating func put(_ lines: [UInt8]) -> Bool {
        if isClosed { return true }
        guard waiting.isEmpty || waiting.count + lines.count <= limit else { return false }
        waiting.append(lines)
        return true
    }

    /// Writes what the stream takes.
    public mutating func flush() {
        while !waiting.isEmpty && isReady(milliseconds: 0) { writePiece() }
        if waiting.isEmpty { waiting = Buffer() }
    }

    /// Writes what waits, for which the reader has one second in all.
    public mutating func finish() {
        let deadline = MonotonicClock.now() + .seconds(1)
        while !waiting.isEmpty {
            let left = (deadline - MonotonicClock.now()).nanoseconds / 1_000_000
            guard left > 0, isReady(milliseconds: Int32(left)) else { return }
            writePiece()
        }
    }

    private func isReady(milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: stream.rawValue, events: Int16(POLLOUT), revents: 0)
        // Safe because one entry is given. A broken pipe is ready, too: the write tells.
        return unsafe poll(&entry, 1, milliseconds) > 0
    }

    private mutating func writePiece() {
        let written = write(pieceCount)
        if written > 0 {
            waiting.consume(written)
        } else if written < 0 && errno != EINTR && errno != EAGAIN {
            // Nobody reads it any more (SIGPIPE is blocked): the log goes nowhere.
            isClosed = true
            waiting = Buffer()
        }
    }

    private func write(_ count: Int) -> Int {
        let bytes = waiting.bytes.extracting(0..<count)
        // Safe because the bytes are only read.
        return unsafe bytes.withUnsafeBytes { piece in
            unsafe Glibc.write(stream.rawValue, piece.baseAddress, piece.count)
        }
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
