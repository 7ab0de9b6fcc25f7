internal import Glibc

/// A file descriptor that it closes; the only place of the tests that calls into the socket API.
final class Descriptor {
    private(set) var number: Int32
    /// TLS, where the endpoint has it.
    var secure: SecureStream?

    init(_ number: Int32) {
        self.number = number
    }

    deinit {
        close()
    }

    func close() {
        secure?.sayClose()
        secure = nil
        if number >= 0 {
            _ = Glibc.close(number)
            number = -1
        }
    }

    /// A stream socket for the endpoint's family; not inherited by children.
    static func stream(for endpoint: Endpoint) -> Descriptor {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        return Descriptor(socket(endpoint.family, kind, 0))
    }

    /// A connection, or nil with `errno` set.
    static func connect(
        to endpoint: Endpoint,
        timeoutSeconds: Int,
        receiveBuffer: Int32? = nil
    ) -> Descriptor? {
        let result = stream(for: endpoint)
        if let receiveBuffer { result.set(SOL_SOCKET, SO_RCVBUF, to: receiveBuffer) }
        var limit = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(result.number, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        unsafe setsockopt(result.number, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        if endpoint.family != AF_UNIX {
            result.set(Int32(IPPROTO_TCP), TCP_NODELAY)
        }
        let code = unsafe endpoint.withAddress { unsafe Glibc.connect(result.number, $0, $1) }
        guard code == 0 else { return nil }
        guard case .tls(let host, _, let authority) = endpoint else { return result }
        result.secure = SecureStream(
            result.number,
            host: host,
            authority: authority,
            timeoutSeconds: timeoutSeconds
        )
        return result.secure == nil ? nil : result
    }

    /// Whether a listener could have this endpoint now.
    static func canBind(_ endpoint: Endpoint) -> Bool {
        let trial = stream(for: endpoint)
        trial.set(SOL_SOCKET, SO_REUSEADDR)
        return unsafe endpoint.withAddress { unsafe bind(trial.number, $0, $1) } == 0
    }

    private func set(_ level: Int32, _ option: Int32, to value: Int32 = 1) {
        var one = value
        unsafe setsockopt(number, level, option, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    /// What `read` says: a count, 0 at the end, or -1 with `errno` set.
    func read(into buffer: inout [UInt8], atMost limit: Int = .max) -> Int {
        if let secure { return secure.read(into: &buffer, atMost: limit) }
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { room in
                unsafe Glibc.read(number, room.baseAddress, min(room.count, limit))
            }
            if count >= 0 || errno != EINTR {
                return count
            }
        }
    }

    /// Sends all of it; false when the peer is gone or takes nothing for too long.
    func send(_ bytes: ArraySlice<UInt8>) -> Bool {
        if let secure { return secure.send(bytes) }
        var rest = bytes
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0 {
                if errno == EINTR { continue }
                return false
            }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Says that no more will be sent.
    func shutDownWriting() {
        secure?.sayClose()
        _ = shutdown(number, Int32(SHUT_WR))
    }

    /// Makes the close a reset.
    func lingerZero() {
        secure = nil
        var option = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        unsafe setsockopt(number, SOL_SOCKET, SO_LINGER, &option, size)
    }

    /// Whether something (or the end) can be read within so many milliseconds.
    func isReadable(withinMilliseconds limit: Int32) -> Bool {
        if let secure { return secure.isReadable(withinMilliseconds: limit) }
        var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&entry, 1, limit) > 0
    }

    /// Two connected ends, neither inherited unless asked for.
    ///
    /// A pair of sockets and not a pipe: `pipe2` is not to be had here, and what `pipe` gives would
    /// be inherited by whatever another thread starts at that moment.
    static func pair() -> (read: Descriptor, write: Descriptor) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        _ = unsafe socketpair(AF_UNIX, kind, 0, &ends)
        return (Descriptor(ends[0]), Descriptor(ends[1]))
    }
}
