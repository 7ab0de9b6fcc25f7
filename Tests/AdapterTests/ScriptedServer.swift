import Foundation
import Glibc
import Memory

/// What a scripted backend does with a request, step by step.
enum ServerStep: Sendable {
    case send(String)
    case sendBytes([UInt8])
    /// Nothing for so many milliseconds, or until the peer closes.
    case pause(Int)
    /// Waits for the peer to close.
    case waitForClose
    /// Closes with FIN; also what follows the last step, unless that is `keepAlive`.
    case close
    /// Closes with RST.
    case reset
    /// Reads the next request.
    case keepAlive
}

/// A backend of the test's own, on loopback or a unix socket: a thread each connection.
///
/// The script is asked with the number of the connection, from 0, and the head of each request.
final class ScriptedServer: Sendable {
    typealias Script = @Sendable (_ connection: Int, _ head: String) -> [ServerStep]

    let port: UInt16
    private let listener: Int32
    private let script: Script
    private let heads = Locked<[String]>([])
    private let connections = Locked<Int>(0)

    /// The heads of all requests so far.
    var requests: [String] { heads.withLock { $0 } }
    /// How many connections were accepted so far.
    var connectionCount: Int { connections.withLock { $0 } }

    init(unixPath: String? = nil, script: @escaping Script) {
        signal(SIGPIPE, SIG_IGN)
        self.script = script
        if let unixPath {
            listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            port = 0
            unsafe unlink(unixPath)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &address.sun_path) {
                unsafe $0.copyBytes(from: unixPath.utf8)
            }
            Self.bind(listener, address)
        } else {
            listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            Self.bind(listener, address)
            port = Self.port(of: listener)
        }
        precondition(listen(listener, 64) == 0)
        Thread.detachNewThread { [self] in acceptAll() }
    }

    /// Stops listening; a connection from now on is refused.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
    }

    deinit {
        close(listener)
    }

    private func acceptAll() {
        while true {
            let peer = accept(listener, nil, nil)
            guard peer >= 0 else { return }
            let number = connections.withLock { count in
                count += 1
                return count - 1
            }
            Thread.detachNewThread { [self] in serve(peer, number) }
        }
    }

    private func serve(_ peer: Int32, _ number: Int) {
        defer { close(peer) }
        while let head = Self.readHead(peer) {
            heads.withLock { $0.append(head) }
            var isKept = false
            for step in script(number, head) {
                switch step {
                case .send(let text): Self.write(peer, Array(text.utf8))
                case .sendBytes(let bytes): Self.write(peer, bytes)
                case .pause(let milliseconds): Self.waitForEnd(peer, milliseconds)
                case .waitForClose: while Self.read(peer) != nil {}
                case .close: return
                case .reset:
                    var linger = linger(l_onoff: 1, l_linger: 0)
                    let size = socklen_t(MemoryLayout.size(ofValue: linger))
                    unsafe setsockopt(peer, SOL_SOCKET, SO_LINGER, &linger, size)
                    return
                case .keepAlive: isKept = true
                }
            }
            guard isKept else { return }
        }
    }

    /// Waits until the peer has closed, at most so long.
    private static func waitForEnd(_ peer: Int32, _ milliseconds: Int) {
        let peerDone: Int16 = 0x2000  // POLLRDHUP, which Glibc's headers hide.
        var watched = pollfd(fd: peer, events: peerDone, revents: 0)
        _ = unsafe poll(&watched, 1, Int32(milliseconds))
    }

    private static func readHead(_ peer: Int32) -> String? {
        var head: [UInt8] = []
        while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            guard let byte = read(peer) else { return nil }
            head.append(byte)
        }
        return String(decoding: head, as: UTF8.self)
    }

    private static func read(_ peer: Int32) -> UInt8? {
        var byte: UInt8 = 0
        return unsafe recv(peer, &byte, 1, 0) == 1 ? byte : nil
    }

    private static func write(_ peer: Int32, _ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let rest = Array(bytes[sent...])
            let count = unsafe send(peer, rest, rest.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { return }
            sent += count
        }
    }

    private static func bind<Address>(_ descriptor: Int32, _ address: Address) {
        let size = socklen_t(MemoryLayout<Address>.size)
        let code = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.bind(descriptor, $0, size)
            }
        }
        precondition(code == 0, "bind: \(errno)")
    }

    private static func port(of descriptor: Int32) -> UInt16 {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &size)
            }
        }
        precondition(code == 0)
        return UInt16(bigEndian: address.sin_port)
    }
}
