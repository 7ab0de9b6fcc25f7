import Glibc
import Linux
import Memory
import Testing

/// A loopback address with a port that the kernel chooses.
func loopback(_ host: String = "127.0.0.1") throws -> SocketAddress {
    let found = try SocketAddress.resolve(host: host, port: 0, toListen: true)
    return try #require(found.first)
}

/// A path for a unix socket of one test, gone when this is.
final class SocketPlace {
    let path: String
    let address: SocketAddress

    init(_ name: String) throws {
        path = "/tmp/lychgate-loop-\(name)-\(getpid()).sock"
        unsafe unlink(path)
        address = try #require(SocketAddress(unixPath: path))
    }

    var exists: Bool { unsafe access(path, F_OK) == 0 }

    deinit { unsafe unlink(path) }
}

/// A connection: both of its ends.
struct Ends: ~Copyable {
    let near: Descriptor
    let far: Descriptor
    let peer: SocketAddress

    init(to listener: borrowing ListeningSocket) throws {
        let near = try Socket.connect(to: listener.address)
        try waitReadable(listener.number)
        let accepted = try Accepted(listener.accept())
        let far = try accepted.descriptor.duplicate()
        self.near = near
        self.far = far
        peer = accepted.peer
    }
}

/// A connection that was accepted.
private struct Accepted: ~Copyable {
    let descriptor: Descriptor
    let peer: SocketAddress

    init(_ outcome: consuming ListeningSocket.Outcome) throws {
        switch consume outcome {
        case .accepted(let descriptor, let peer): self.init(descriptor: descriptor, peer: peer)
        case .none: throw SystemError(call: "accept: none", code: 0)
        case .exhausted(let error): throw error
        }
    }

    private init(descriptor: consuming Descriptor, peer: SocketAddress) {
        self.descriptor = descriptor
        self.peer = peer
    }
}

/// Waits until a connection can be read, or has ended.
func waitReadable(_ number: Int32) throws {
    var poller = try Poller()
    try poller.watchReadable(number, PollToken(kind: 0, index: 0, generation: 0))
    #expect(poller.wait(timeout: .seconds(10)) == 1)
}

/// All that comes until `count` bytes are there or the peer is done.
func readAll(_ number: Int32, count: Int = .max) throws -> [UInt8] {
    var found: [UInt8] = []
    var buffer = Buffer(capacity: 65_536)
    while found.count < count {
        switch Socket.read(number, into: &buffer) {
        case .bytes(let count):
            #expect(count == buffer.count)
            found += buffer.copy(from: 0, count: buffer.count)
            buffer.removeAll()
        case .wouldBlock: try waitReadable(number)
        case .endOfInput: return found
        case .failed(let code): throw SystemError(call: "recv", code: code)
        }
    }
    return found
}
