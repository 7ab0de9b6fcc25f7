internal import Glibc
internal import Memory
internal import TLS

/// TLS on a test's connection, as blocking calls.
final class SecureStream {
    private let number: Int32
    private let timeoutMilliseconds: Int32
    private var session: TLSSession
    private var input = Buffer(capacity: 1 << 15)
    private var output = Buffer(capacity: 1 << 15)

    /// Shakes hands; nil if that fails, or the certificate is not good.
    init?(_ number: Int32, host: String, authority: String, timeoutSeconds: Int) {
        self.number = number
        timeoutMilliseconds = Int32(clamping: timeoutSeconds * 1000)
        var settings = TLSClientSettings(serverName: host, isAddress: true)
        settings.authorities = Array(Place.text(authority).utf8)
        guard let context = try? TLSContext.client(settings),
            fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK) == 0,
            let session = TLSSession(context, socket: number)
        else { return nil }
        self.session = session
        while true {
            switch self.session.handshake() {
            case .done: return
            case .wantsRead: guard wait(for: POLLIN, timeoutMilliseconds) else { return nil }
            case .wantsWrite: guard wait(for: POLLOUT, timeoutMilliseconds) else { return nil }
            case .failed: return nil
            }
        }
    }

    private func wait(for event: Int32, _ milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: number, events: Int16(event), revents: 0)
        return unsafe poll(&entry, 1, milliseconds) > 0
    }

    /// As `read` does: a count, 0 after close_notify, or -1 with `errno` set.
    func read(into bytes: inout [UInt8], atMost limit: Int) -> Int {
        while input.isEmpty {
            input.reserve(TLSSession.recordSize)
            switch session.read(into: &input) {
            case .bytes: break
            case .wantsRead:
                guard wait(for: POLLIN, timeoutMilliseconds) else { return failed(EAGAIN) }
            case .wantsWrite:
                guard wait(for: POLLOUT, timeoutMilliseconds) else { return failed(EAGAIN) }
            case .ended: return 0
            case .failed: return failed(ECONNRESET)
            }
        }
        let count = min(input.count, bytes.count, limit)
        bytes.replaceSubrange(..<count, with: input.copy(from: 0, count: count))
        input.consume(count)
        return count
    }

    private func failed(_ code: Int32) -> Int {
        errno = code
        return -1
    }

    /// Sends all of it; false when the peer is gone or takes nothing for too long.
    func send(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while !rest.isEmpty || !output.isEmpty {
            if output.isEmpty {
                output.append(Array(rest.prefix(TLSSession.recordSize)))
                rest = rest.dropFirst(TLSSession.recordSize)
            }
            switch session.write(output, from: 0, count: output.count) {
            case .bytes(let count): output.consume(count)
            case .wantsRead: guard wait(for: POLLIN, timeoutMilliseconds) else { return false }
            case .wantsWrite: guard wait(for: POLLOUT, timeoutMilliseconds) else { return false }
            case .ended, .failed: return false
            }
        }
        return true
    }

    /// Says that nothing more will be sent.
    func sayClose() { _ = session.sendClose() }

    /// Whether content (or the end) can be read within so many milliseconds.
    func isReadable(withinMilliseconds limit: Int32) -> Bool {
        let end = ContinuousClock.now + .milliseconds(Int(limit))
        while input.isEmpty {
            switch session.peek() {
            case .bytes, .ended, .failed: return true
            case .wantsRead, .wantsWrite: break
            }
            let rest = (end - ContinuousClock.now).components
            let milliseconds = rest.seconds * 1000 + rest.attoseconds / 1_000_000_000_000_000
            guard wait(for: POLLIN, Int32(clamping: max(0, milliseconds))) else { return false }
        }
        return true
    }
}
