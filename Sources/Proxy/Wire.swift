internal import Linux
internal import Memory
internal import TLS

/// A socket with its two buffers, and what is known of its readiness.
///
/// The poller reports changes only (edge-triggered), so readiness is remembered here until a read
/// or write comes back short. That is what keeps a warm exchange at one read and one write a side.
///
/// With TLS it is the same to those who use it; what differs is in `Wire+TLS.swift`.
struct Wire: ~Copyable {
    let descriptor: Descriptor
    /// What was received and not yet taken.
    var input = Buffer()
    /// What is to be sent.
    var output = Buffer()

    /// A read may find something.
    var isReadable = false
    /// A write may go through.
    var isWritable: Bool
    /// The peer has shut its side down, or is gone: a read will tell in the end.
    var isPeerDone = false
    /// The connection is broken in both directions, or both are shut down.
    var isBroken = false
    /// The last read filled all the room that it had: more is likely to wait.
    var wasFilled = false
    /// Nothing more is to be sent.
    var outputEnded = false
    /// How many bytes were read and written so far: whether there was progress.
    var bytesRead: UInt64 = 0
    var bytesWritten: UInt64 = 0
    /// A read has told that nothing more comes.
    var inputEnded = false
    /// Whether there is a `tls`.
    var isSecured = false
    /// What is between the socket and the buffers.
    var tls: TLSSession?
    var tlsState = TLSState()

    init(_ descriptor: consuming Descriptor, isWritable: Bool) {
        self.descriptor = descriptor
        self.isWritable = isWritable
    }

    /// Nothing waits, nothing may wait unread, and the peer has not ended: fit for another message.
    ///
    /// A read that filled its buffer exactly leaves it open whether more is there; then it is not.
    mutating func isQuiet() -> Bool {
        if isReadable && isSecured { takeInQuietly() }
        return input.isEmpty && !isReadable && !isPeerDone && !inputEnded
    }

    /// Takes in what the poller reported.
    mutating func note(_ event: PollEvent) {
        if event.isReadable { isReadable = true }
        if event.isWritable { isWritable = true }
        if event.isPeerDone { isPeerDone = true }
        if event.isBroken {
            isPeerDone = true
            isBroken = true
        }
        if isSecured { noteSecured(event) }
    }

    /// Reads once into `input`, which must have room.
    mutating func read() -> Transfer {
        if isSecured { return readSecured() }
        let room = input.writableCount
        let outcome = Socket.read(descriptor.number, into: &input)
        switch outcome {
        case .bytes(let count):
            bytesRead &+= UInt64(count)
            // A short read has emptied the socket, and the next one would block; but an end that
            // came together with the bytes has no event of its own.
            wasFilled = count == room
            if !wasFilled && !isPeerDone { isReadable = false }
        case .wouldBlock:
            isReadable = false
        case .endOfInput, .failed:
            isReadable = false
            inputEnded = true
        }
        return outcome
    }

    /// Writes what waits in `output`; false when the connection is broken.
    mutating func flush() -> Bool {
        if isSecured { return flushSecured() }
        while isWritable && !output.isEmpty {
            switch Socket.write(descriptor.number, output) {
            case .bytes(let count):
                bytesWritten &+= UInt64(count)
                if count < output.count { isWritable = false }
                output.consume(count)
            case .wouldBlock: isWritable = false
            case .endOfInput, .failed: return false
            }
        }
        return true
    }

    /// Writes what waits in `output`, and behind it `count` bytes of `source` from `offset` on,
    /// without copying them.
    ///
    /// - Returns: how many of the latter were written, or nil when the connection is broken.
    mutating func write(
        through source: borrowing Buffer,
        from offset: Int,
        count: Int
    ) -> Int? {
        guard isWritable else { return 0 }
        if isSecured { return writeSecured(source, from: offset, count: count) }
        let waiting = output.count
        switch Socket.write(descriptor.number, output, source, from: offset, count: count) {
        case .bytes(let written):
            bytesWritten &+= UInt64(written)
            if written < waiting + count { isWritable = false }
            output.consume(min(written, waiting))
            return max(0, written - waiting)
        case .wouldBlock:
            isWritable = false
            return 0
        case .endOfInput, .failed: return nil
        }
    }

    /// Tells the peer that nothing more will be sent.
    mutating func finishWriting() {
        if isSecured {
            sayClose()
            if tlsState.owesClose { return }
        }
        Socket.finishWriting(descriptor.number)
    }

    /// Makes the coming close a reset, so that the peer cannot take what it got as whole.
    mutating func cut() {
        tlsState.isCut = true
        Socket.resetOnClose(descriptor.number)
    }
}
