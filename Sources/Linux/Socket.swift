internal import CLinux
internal import Glibc
public import Memory

/// The one place where sockets are read, written, made and changed.
///
/// EINTR is repeated here, "would block" is a value, and a bad descriptor is our own mistake and
/// stops the process.
public enum Socket {
    /// Reads once into the room behind the buffer's last byte.
    public static func read(_ number: Int32, into buffer: inout Buffer) -> Transfer {
        precondition(buffer.writableCount > 0)
        while true {
            // Safe because recv writes at most the room's size.
            let count = unsafe buffer.fill { room in
                unsafe recv(number, room.baseAddress, room.count, 0)
            }
            if count > 0 { return .bytes(count) }
            if count == 0 { return .endOfInput }
            if let outcome = failure() { return outcome }
        }
    }

    /// Writes once what waits in the buffer.
    public static func write(_ number: Int32, _ buffer: borrowing Buffer) -> Transfer {
        precondition(!buffer.isEmpty)
        let bytes = buffer.bytes
        while true {
            // Safe because send only reads the span's bytes during the call.
            let count = unsafe bytes.withUnsafeBytes { waiting in
                unsafe send(number, waiting.baseAddress, waiting.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 { return .bytes(count) }
            if let outcome = failure() { return outcome }
        }
    }

    /// Writes once: all of `first`, then `count` bytes of `second` from `offset` on.
    public static func write(
        _ number: Int32,
        _ first: borrowing Buffer,
        _ second: borrowing Buffer,
        from offset: Int,
        count: Int
    ) -> Transfer {
        precondition(count > 0 || !first.isEmpty, "nothing to write")
        let head = first.bytes
        let content = second.bytes.extracting(offset..<offset + count)
        while true {
            // Safe because writev only reads the spans' bytes during the call. SIGPIPE is blocked.
            let written = unsafe head.withUnsafeBytes { head in
                unsafe content.withUnsafeBytes { content in
                    var parts = unsafe (
                        iovec(
                            iov_base: UnsafeMutableRawPointer(mutating: head.baseAddress),
                            iov_len: head.count
                        ),
                        iovec(
                            iov_base: UnsafeMutableRawPointer(mutating: content.baseAddress),
                            iov_len: content.count
                        )
                    )
                    return unsafe withUnsafeBytes(of: &parts) { parts in
                        // The whole pair, not a pointer to its first half: the optimiser would
                        // leave the second one out.
                        let first = unsafe parts.baseAddress?.assumingMemoryBound(to: iovec.self)
                        return unsafe writev(number, first, 2)
                    }
                }
            }
            if written > 0 { return .bytes(written) }
            if let outcome = failure() { return outcome }
        }
    }

    /// What the call that has just failed means; nil to repeat it.
    private static func failure() -> Transfer? {
        let code = errno
        switch code {
        case EINTR: return nil
        case EAGAIN: return .wouldBlock
        case EBADF, EFAULT, ENOTSOCK: preconditionFailure("a descriptor was closed twice")
        default: return .failed(code)
        }
    }

    /// The error that a connection attempt came to, or nil when it is connected.
    public static func connectionError(_ number: Int32) -> SystemError? {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        // Safe because the kernel fills at most four bytes.
        guard unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else {
            return .last("getsockopt")
        }
        return code == 0 ? nil : SystemError(call: "connect", code: code)
    }

    /// Tells the peer that nothing more will be sent.
    public static func finishWriting(_ number: Int32) {
        _ = shutdown(number, Int32(SHUT_WR))
    }

    /// Makes the coming close a reset, so that the peer cannot take what it got as whole.
    public static func resetOnClose(_ number: Int32) {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<Glibc.linger>.size)
        // Safe because the kernel copies the structure during the call.
        _ = unsafe setsockopt(number, SOL_SOCKET, SO_LINGER, &linger, size)
    }

    /// Lets the kernel keep little of what a peer does not take, so that it shows soon.
    public static func limitUnsent(_ number: Int32, to byteCount: Int32) {
        try? set(number, SOL_SOCKET, SO_SNDBUF, to: byteCount)
    }

    /// Lets the kernel find out within a minute and a half that a peer has vanished in silence.
    static func keepAlive(_ number: Int32) throws(SystemError) {
        try set(number, SOL_SOCKET, SO_KEEPALIVE)
        try set(number, Int32(IPPROTO_TCP), TCP_KEEPIDLE, to: 60)
        try set(number, Int32(IPPROTO_TCP), TCP_KEEPINTVL, to: 10)
        try set(number, Int32(IPPROTO_TCP), TCP_KEEPCNT, to: 3)
    }

    static func set(
        _ number: Int32,
        _ level: Int32,
        _ option: Int32,
        to value: Int32 = 1
    ) throws(SystemError) {
        var on = value
        let size = socklen_t(MemoryLayout<Int32>.size)
        // Safe because the kernel copies the number during the call.
        guard unsafe setsockopt(number, level, option, &on, size) == 0 else {
            throw .last("setsockopt")
        }
    }

    /// A non-blocking stream socket.
    static func make(family: Int32) throws(SystemError) -> Descriptor {
        let kind =
            Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
            | Int32(SOCK_CLOEXEC.rawValue)
        let number = socket(family, kind, 0)
        guard number >= 0 else { throw .last("socket") }
        return Descriptor(number)
    }

    /// Begins to connect; the poller's first "writable" tells that it is over.
    public static func connect(to address: SocketAddress) throws(SystemError) -> Descriptor {
        let descriptor = try make(family: address.family)
        if !address.isUnix {
            try set(descriptor.number, Int32(IPPROTO_TCP), TCP_NODELAY)
            try keepAlive(descriptor.number)
        }
        let outcome = unsafe address.withPointer { pointer, length in
            unsafe Glibc.connect(descriptor.number, pointer, length)
        }
        // A unix socket whose queue is full says EAGAIN at once, where TCP would wait.
        guard outcome == 0 || errno == EINPROGRESS else { throw .last("connect") }
        return descriptor
    }
}
