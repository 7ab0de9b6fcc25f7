import Foundation
import Linux
import Memory
import Testing
import Time

/// A connection to a socket of our own, both ends non-blocking.
private struct Pair: ~Copyable {
    let listener: ListeningSocket
    let near: Descriptor
    let far: Descriptor

    init(_ listener: consuming ListeningSocket) throws {
        let near = try Socket.connect(to: listener.address)
        var poller = try Poller()
        try poller.watchReadable(listener.number, PollToken(kind: 0, index: 0, generation: 0))
        #expect((poller.wait(timeout: .seconds(5)) == 1) as Bool)
        guard case .accepted(let far, _) = listener.accept() else {
            throw SystemError(call: "accept", code: 0)
        }
        self.near = near
        self.far = far
        self.listener = listener
    }
}

private func loopback(_ host: String = "127.0.0.1") throws -> SocketAddress {
    try #require(try SocketAddress.resolve(host: host, port: 0, toListen: true).first)
}

struct SocketTests {
    @Test("IPv4, IPv6 and unix sockets carry bytes", arguments: ["127.0.0.1", "::1", "unix"])
    func families(host: String) throws {
        let path = NSTemporaryDirectory() + "lychgate-\(UUID().uuidString.prefix(8))"
        let listener: ListeningSocket
        if host == "unix" {
            listener = try ListeningSocket(unix: try #require(SocketAddress(unixPath: path)))
        } else {
            listener = try ListeningSocket(ip: try loopback(host), isShared: false)
        }
        let pair = try Pair(listener)
        defer { SocketAddress(unixPath: path)?.removeName() }
        var sent = Buffer()
        sent.append("hello")
        #expect((Socket.write(pair.near.number, sent) == .bytes(5)) as Bool)
        var received = Buffer(capacity: 64)
        #expect((Socket.read(pair.far.number, into: &received) == .bytes(5)) as Bool)
        #expect(received.copy(from: 0, count: 5) == Array("hello".utf8))
        #expect((Socket.read(pair.far.number, into: &received) == .wouldBlock) as Bool)
        Socket.finishWriting(pair.near.number)
        #expect((Socket.read(pair.far.number, into: &received) == .endOfInput) as Bool)
    }

    @Test("two buffers go out as one, at whatever point the kernel cuts them")
    func gather() throws {
        let pair = try Pair(try ListeningSocket(ip: try loopback(), isShared: false))
        var head = Buffer()
        head.append("head:")
        var content = Buffer()
        let bytes = (0..<8_000_000).map { UInt8(truncatingIfNeeded: $0 % 251) }
        content.append(bytes)
        var received: [UInt8] = []
        var input = Buffer(capacity: 1 << 20)
        var offset = 0
        while received.count < bytes.count + 5 {
            if !head.isEmpty || offset < content.count {
                switch Socket.write(
                    pair.near.number,
                    head,
                    content,
                    from: offset,
                    count: content.count - offset
                ) {
                case .bytes(let count):
                    let ofHead = min(count, head.count)
                    head.consume(ofHead)
                    offset += count - ofHead
                case .wouldBlock: break
                case .endOfInput, .failed: throw SystemError(call: "writev", code: 0)
                }
            }
            if case .bytes(let count) = Socket.read(pair.far.number, into: &input) {
                received += input.copy(from: 0, count: count)
                input.removeAll()
            }
        }
        #expect(received == Array("head:".utf8) + bytes)
    }

    @Test("a taken port is refused, unless both share it")
    func sharing() throws {
        let first = try ListeningSocket(ip: try loopback(), isShared: false)
        #expect(throws: SystemError.self) {
            _ = try ListeningSocket(ip: first.address, isShared: false)
        }
        let shared = try ListeningSocket(ip: try loopback(), isShared: true)
        let other = try ListeningSocket(ip: shared.address, isShared: true)
        #expect((other.address == shared.address) as Bool)
    }

    @Test("a unix socket that nobody listens at is taken over, one in use is not")
    func unixNames() throws {
        let path = NSTemporaryDirectory() + "lychgate-\(UUID().uuidString.prefix(8))"
        let address = try #require(SocketAddress(unixPath: path))
        defer { address.removeName() }
        do {
            let abandoned = try ListeningSocket(unix: address)
            #expect(abandoned.address == address)
            #expect(throws: SystemError.self) { _ = try ListeningSocket(unix: address) }
        }
        let successor = try ListeningSocket(unix: address)
        #expect((successor.address.text == "unix:" + path) as Bool)
    }

    @Test("edge-triggered: reported once, and again when more comes; the peer's end with it")
    func edges() throws {
        let pair = try Pair(try ListeningSocket(ip: try loopback(), isShared: false))
        var poller = try Poller()
        let token = PollToken(kind: 1, index: 7, generation: 3)
        try poller.watchConnection(pair.far.number, token)
        #expect((poller.wait(timeout: .seconds(5)) == 1) as Bool)
        #expect((poller.event(at: 0).isWritable && !poller.event(at: 0).isReadable) as Bool)
        #expect((poller.wait(timeout: .zero) == 0) as Bool)
        var sent = Buffer()
        sent.append("x")
        #expect((Socket.write(pair.near.number, sent) == .bytes(1)) as Bool)
        #expect((poller.wait(timeout: .seconds(5)) == 1) as Bool)
        #expect((poller.event(at: 0).isReadable && !poller.event(at: 0).isPeerDone) as Bool)
        #expect((poller.event(at: 0).token == token) as Bool)
        #expect((poller.wait(timeout: .zero) == 0) as Bool, "not read, and not reported again")
        Socket.finishWriting(pair.near.number)
        #expect((poller.wait(timeout: .seconds(5)) == 1) as Bool)
        #expect((poller.event(at: 0).isPeerDone && !poller.event(at: 0).isBroken) as Bool)
    }

    @Test("where nobody listens, connecting is refused")
    func refused() throws {
        let address: SocketAddress
        do {
            address = try ListeningSocket(ip: try loopback(), isShared: false).address
        }
        let descriptor = try Socket.connect(to: address)
        var poller = try Poller()
        try poller.watchConnection(descriptor.number, PollToken(kind: 1, index: 0, generation: 1))
        #expect((poller.wait(timeout: .seconds(5)) == 1) as Bool)
        #expect(Socket.connectionError(descriptor.number)?.isRefused == true)
    }

    @Test("addresses as logs show them")
    func texts() throws {
        #expect(try loopback().text == "127.0.0.1:0")
        #expect(try loopback("::1").text == "[::1]:0")
        #expect(SocketAddress(unixPath: "/run/x")?.text == "unix:/run/x")
        #expect(SocketAddress(unixPath: String(repeating: "x", count: 108)) == nil)
        #expect(SocketAddress(unixPath: "") == nil)
        #expect(try loopback().ip?.low == 0xFFFF_7F00_0001)
    }
}
