// The two sides that a worker stands between, as far as they are sockets.

import Glibc
import HTTP1
import HTTPModel
import Linux
import Memory

/// Where the worker's clients connect, and where its connections to the backend arrive.
final class Doors: Sendable {
    /// The listening sockets live as long as the process: their names are what is slow.
    static let shared = Doors()

    let clientAddress: SocketAddress
    let backendAddress: SocketAddress
    let clients: ListeningSocket
    let backend: ListeningSocket

    private init() {
        // In a program this is the business of `Signals`.
        _ = signal(SIGPIPE, SIG_IGN)
        let parent = environment("TMPDIR")
        let directory = (parent.isEmpty ? "/tmp" : parent) + "/lychgate-fuzz-\(getpid())"
        _ = unsafe mkdir(directory, 0o700)
        guard let clientAddress = SocketAddress(unixPath: directory + "/c"),
            let backendAddress = SocketAddress(unixPath: directory + "/b")
        else { fatalError("\(directory) is too long a name") }
        self.clientAddress = clientAddress
        self.backendAddress = backendAddress
        do throws(SystemError) {
            clients = try ListeningSocket(unix: clientAddress)
            backend = try ListeningSocket(unix: backendAddress)
        } catch {
            fatalError("\(error)")
        }
        _ = atexit { Doors.shared.removeNames() }
    }

    private func removeNames() {
        clientAddress.removeName()
        backendAddress.removeName()
        let path = clientAddress.unixPath ?? ""
        _ = unsafe rmdir(String(path.dropLast(2)))
    }

    /// Connections that the last conversation left in the queues.
    func empty() {
        while clients.next() != nil {}
        while backend.next() != nil {}
    }
}

extension ListeningSocket {
    /// The next connection, if one waits.
    func next() -> Peer? {
        switch accept() {
        case .accepted(let descriptor, peer: _): Peer(descriptor)
        case .none: nil
        case .exhausted: nil
        }
    }
}

/// A client or a backend's end of a connection to the worker.
///
/// What comes is looked at and left in the socket as long as there is room: taking it out would
/// tell the worker that it can write, and an event too many hides that one was forgotten.
final class Peer {
    private static let unreadBytesMax = 32 * 1024
    private var descriptor: Descriptor?
    private var waiting = Buffer()
    /// How many of the bytes received are still in the socket.
    private var unread = 0
    /// What was written and read so far.
    private(set) var sent: [UInt8] = []
    private(set) var received: [UInt8] = []
    /// It sends no more.
    private(set) var isDone = false
    /// The worker sends no more.
    private(set) var sawEnd = false
    /// It does not read for now.
    var isPaused = false

    init(_ descriptor: consuming Descriptor) {
        // Each look goes on where the last one ended (socket(7), SO_PEEK_OFF).
        var offset: Int32 = 0
        let size = socklen_t(MemoryLayout<Int32>.size)
        // Safe because the kernel copies the number during the call.
        let done = unsafe setsockopt(descriptor.number, SOL_SOCKET, SO_PEEK_OFF, &offset, size)
        if done != 0 { fatalError("SO_PEEK_OFF: \(errno)") }
        self.descriptor = consume descriptor
    }

    static func client() -> Peer {
        do throws(SystemError) {
            return Peer(try Socket.connect(to: Doors.shared.clientAddress))
        } catch {
            fatalError("\(error)")
        }
    }

    var isClosed: Bool { descriptor == nil }

    func send(_ bytes: [UInt8]) {
        if !isDone && !isClosed { waiting.append(bytes) }
    }

    /// Writes what goes; gives what was written.
    func flush() -> ArraySlice<UInt8> {
        let before = sent.count
        guard let number = descriptor?.number, !isDone else { return [] }
        while !waiting.isEmpty {
            guard case .bytes(let count) = Socket.write(number, waiting) else { break }
            sent += waiting.copy(from: 0, count: count)
            waiting.consume(count)
        }
        return sent[before...]
    }

    /// Reads what is there into `room`; gives what was read.
    func receive(_ room: inout Buffer) -> ArraySlice<UInt8> {
        let before = received.count
        guard let number = descriptor?.number, !sawEnd, !isPaused else { return [] }
        while !sawEnd {
            let count = Self.receive(number, into: &room, .max, flags: Int32(MSG_PEEK))
            if count < 0 && errno == EAGAIN { break }
            sawEnd = count <= 0
            received += room.copy(from: 0, count: room.count)
            unread += room.count
            room.removeAll()
            if unread > Self.unreadBytesMax { takeOut(&room) }
        }
        return received[before...]
    }

    private static func receive(
        _ number: Int32,
        into room: inout Buffer,
        _ limit: Int,
        flags: Int32
    ) -> Int {
        // Safe because recv writes at most the room's size.
        unsafe room.fill { unsafe recv(number, $0.baseAddress, min($0.count, limit), flags) }
    }

    /// Takes out of the socket what was looked at.
    private func takeOut(_ room: inout Buffer) {
        guard let number = descriptor?.number else { return }
        while unread > 0 {
            let count = Self.receive(number, into: &room, unread, flags: 0)
            guard count > 0 else { return }
            unread -= count
            room.removeAll()
        }
    }

    /// Sends no more.
    func finish() {
        guard let number = descriptor?.number, !isDone else { return }
        isDone = true
        Socket.finishWriting(number)
    }

    /// Closes; what it has not looked at makes that a reset.
    func close() {
        if unread > 0 {
            var room = Buffer(capacity: unread)
            takeOut(&room)
        }
        descriptor = nil
        isDone = true
        sawEnd = true
    }
}

/// A connection as the backend sees it: one process's, whose instance never changes.
final class BackendConnection {
    let peer: Peer
    let instance: Int
    var requests: RequestReader
    var responses: ResponseReader
    /// What came once the connection was a tunnel.
    var tunnel: [UInt8] = []
    /// How many bytes of the identity answers were sent; they are no responses to requests.
    private var identityBytes = 0

    init(_ peer: Peer, instance: Int, requests: consuming RequestReader, parser: HeadParser) {
        self.peer = peer
        self.instance = instance
        self.requests = requests
        responses = ResponseReader(parser)
    }

    /// Whether the worker has to wait for this connection's answer.
    var owesAnswer: Bool {
        !peer.isDone && !peer.sawEnd && !requests.requests.isEmpty && responses.isAwaited
    }

    /// What the backend sent once the connection was a tunnel.
    var tunnelSent: ArraySlice<UInt8> { peer.sent[(identityBytes + responses.tunnelStart)...] }

    func answerIdentity(_ answer: String) {
        peer.send(Array(answer.utf8))
        identityBytes += peer.flush().count
    }

    /// Takes in what was read; gives the number of requests that have begun.
    func take(_ bytes: ArraySlice<UInt8>) -> Int {
        if responses.end == .tunnel {
            tunnel += bytes
            return 0
        }
        let before = requests.requests.count
        requests.take(Array(bytes))
        for index in before..<requests.requests.count {
            responses.methods.append(requests.requests[index].method)
        }
        return requests.requests.count - before
    }
}
