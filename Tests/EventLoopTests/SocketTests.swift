import Glibc
import Linux
import Memory
import Testing

/// A buffer with so many bytes, each of which tells its place.
private func filled(_ bytes: [UInt8]) -> Buffer {
    var buffer = Buffer(capacity: bytes.count + 8)
    // What was read before must not be sent.
    buffer.append("read")
    buffer.append(bytes)
    buffer.consume(4)
    return buffer
}

private func pattern(_ count: Int, _ factor: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* factor &+ $0 >> 8) }
}

struct SocketTests {
    @Test("two buffers in one write, the second from its middle")
    func twoBuffers() throws {
        let listener = try ListeningSocket(ip: loopback(), isShared: false)
        let ends = try Ends(to: listener)
        let head = filled(Array("head|".utf8))
        let content = filled(Array("0123456789".utf8))
        let cases = [(0, 10, "head|0123456789"), (3, 4, "head|3456"), (10, 0, "head|")]
        for (offset, count, expected) in cases {
            let written = Socket.write(ends.near.number, head, content, from: offset, count: count)
            #expect(written == .bytes(5 + count))
            let found = try readAll(ends.far.number, count: 5 + count)
            #expect(String(decoding: found, as: UTF8.self) == expected)
        }
        #expect(Socket.write(ends.near.number, content) == .bytes(10))
        #expect(try readAll(ends.far.number, count: 10) == Array("0123456789".utf8))
    }

    @Test(
        "short writes of two buffers: every byte arrives once and in its place",
        arguments: [(300_000, 500_000), (100, 700_000), (700_000, 1)]
    )
    func shortWrites(_ headCount: Int, _ contentCount: Int) throws {
        // A unix socket takes 208 KiB or so before it blocks, TCP on loopback megabytes.
        let place = try SocketPlace("short-\(headCount)")
        let listener = try ListeningSocket(unix: place.address)
        let ends = try Ends(to: listener)
        let expected = pattern(headCount, 7) + pattern(contentCount, 13)
        var head = filled(pattern(headCount, 7))
        var content = filled(pattern(contentCount, 13))
        var found: [UInt8] = []
        var blocked = 0
        while head.count + content.count > 0 {
            let outcome =
                head.isEmpty
                ? Socket.write(ends.near.number, content)
                : Socket.write(
                    ends.near.number,
                    head,
                    content,
                    from: 0,
                    count: content.count
                )
            switch outcome {
            case .bytes(let count):
                let ofHead = min(count, head.count)
                head.consume(ofHead)
                content.consume(count - ofHead)
            case .wouldBlock:
                blocked += 1
                // Odd sizes, so that writes go on anywhere.
                found += try readAll(ends.far.number, count: 12_345)
            case .endOfInput, .failed:
                Issue.record("\(outcome)")
                return
            }
        }
        Socket.finishWriting(ends.near.number)
        found += try readAll(ends.far.number)
        #expect(blocked > 0, "nothing was ever written in part")
        #expect(found.count == expected.count)
        let isSame = found == expected
        #expect(isSame)
    }

    @Test("nothing to read, the end, and the other direction after it")
    func halfClose() throws {
        let place = try SocketPlace("half")
        let listener = try ListeningSocket(unix: place.address)
        let ends = try Ends(to: listener)
        var buffer = Buffer(capacity: 64)
        #expect(Socket.read(ends.far.number, into: &buffer) == .wouldBlock)
        Socket.finishWriting(ends.near.number)
        try waitReadable(ends.far.number)
        #expect(Socket.read(ends.far.number, into: &buffer) == .endOfInput)
        #expect(Socket.write(ends.far.number, filled([1, 2, 3])) == .bytes(3))
        #expect(try readAll(ends.near.number, count: 3) == [1, 2, 3])
    }

    @Test("a reset reaches the peer, and writing to who is gone fails without a signal")
    func reset() throws {
        let listener = try ListeningSocket(ip: loopback(), isShared: false)
        let near: Descriptor
        do {
            let ends = try Ends(to: listener)
            near = try ends.near.duplicate()
            Socket.resetOnClose(ends.far.number)
        }
        try waitReadable(near.number)
        var buffer = Buffer(capacity: 64)
        #expect(Socket.read(near.number, into: &buffer) == .failed(ECONNRESET))
        #expect(Socket.write(near.number, filled([1])) == .failed(EPIPE))
    }

    @Test("a connection that is refused: seen when the attempt is over")
    func refused() throws {
        let address: SocketAddress
        do {
            let listener = try ListeningSocket(ip: loopback(), isShared: false)
            address = listener.address
        }
        let descriptor: Descriptor
        do {
            descriptor = try Socket.connect(to: address)
        } catch {
            #expect(error.isRefused)
            return
        }
        var poller = try Poller()
        try poller.watchConnection(
            descriptor.number,
            PollToken(kind: 1, index: 2, generation: 3)
        )
        #expect(poller.wait(timeout: .seconds(10)) == 1)
        #expect(poller.event(at: 0).isBroken)
        #expect(poller.event(at: 0).isWritable)
        let error = Socket.connectionError(descriptor.number)
        #expect(error?.isRefused == true)
        #expect(Socket.connectionError(descriptor.number) == nil, "said once")
    }

    @Test("a unix socket that is not there is refused at once")
    func absent() throws {
        let place = try SocketPlace("absent")
        #expect { _ = try Socket.connect(to: place.address) } throws: {
            ($0 as? SystemError)?.isRefused == true
        }
    }
}
