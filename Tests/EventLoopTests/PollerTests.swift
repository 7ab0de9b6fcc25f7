import Linux
import Memory
import Testing
import Time

private func constant(_ text: StaticString) -> Buffer {
    var buffer = Buffer()
    buffer.append(text)
    return buffer
}

struct PollerTests {
    private let token = PollToken(kind: 15, index: 0xFFF_FFFF, generation: .max)

    @Test("a token comes back whole; what does not fit into it is cut")
    func tokens() throws {
        let bell = try Wakeup()
        let tokens = [
            token, PollToken(kind: 0, index: 0, generation: 0),
            PollToken(kind: 7, index: 123_456, generation: 789),
            PollToken(kind: 255, index: .max, generation: 1),
        ]
        bell.ring()
        for token in tokens {
            var poller = try Poller()
            try poller.watchReadable(bell.number, token)
            #expect(poller.wait(timeout: .zero) == 1)
            #expect(poller.event(at: 0).token == token)
        }
        #expect(tokens[3] == PollToken(kind: 15, index: 0xFFF_FFFF, generation: 1))
    }

    @Test("a connection: writable once, then each arrival once, then the peer's end")
    func edges() throws {
        let listener = try ListeningSocket(ip: loopback(), isShared: false)
        let ends = try Ends(to: listener)
        var poller = try Poller()
        try poller.watchConnection(ends.near.number, token)
        #expect(poller.wait(timeout: .seconds(10)) == 1)
        #expect(poller.event(at: 0).isWritable)
        #expect(!poller.event(at: 0).isReadable)
        #expect(poller.wait(timeout: .zero) == 0, "not again, as nothing has changed")

        #expect(Socket.write(ends.far.number, constant("abc")) == .bytes(3))
        #expect(poller.wait(timeout: .seconds(10)) == 1)
        #expect(poller.event(at: 0).isReadable)
        #expect(!poller.event(at: 0).isPeerDone)
        #expect(poller.wait(timeout: .zero) == 0, "not again, though it was not read")

        Socket.finishWriting(ends.far.number)
        #expect(poller.wait(timeout: .seconds(10)) == 1)
        #expect(poller.event(at: 0).isReadable)
        #expect(poller.event(at: 0).isPeerDone)
        #expect(!poller.event(at: 0).isBroken)
        #expect(try readAll(ends.near.number) == Array("abc".utf8))
    }

    @Test("what is watched for reading is told until it is read, and not once it is unwatched")
    func levels() throws {
        let bell = try Wakeup()
        var poller = try Poller()
        try poller.watchReadable(bell.number, token)
        #expect(poller.wait(timeout: .zero) == 0)
        bell.ring()
        bell.ring()
        #expect(poller.wait(timeout: nil) == 1)
        #expect(poller.wait(timeout: .zero) == 1)
        bell.silence()
        #expect(poller.wait(timeout: .zero) == 0)
        bell.ring()
        poller.unwatch(bell.number)
        poller.unwatch(bell.number)
        #expect(poller.wait(timeout: .zero) == 0)
    }

    @Test("a descriptor that is watched already is an error")
    func twice() throws {
        let bell = try Wakeup()
        let poller = try Poller()
        try poller.watchReadable(bell.number, token)
        do {
            try poller.watchReadable(bell.number, token)
            Issue.record("watched twice")
        } catch {
            #expect(error.call == "epoll_ctl")
        }
    }

    @Test("a wait is never shorter than its time, and a negative one is none")
    func timeout() throws {
        var poller = try Poller()
        let start = MonotonicClock.now()
        #expect(poller.wait(timeout: .microseconds(1100)) == 0)
        #expect(MonotonicClock.now() - start >= .microseconds(1100))
        #expect(poller.wait(timeout: .seconds(-5)) == 0)
    }

    @Test("more than a batch of events are told in several waits, each once")
    func batches() throws {
        var poller = try Poller()
        var bells = Slab<Wakeup>()
        for index in 0..<300 {
            let token = bells.insert(try Wakeup())
            bells[token].ring()
            try poller.watchReadable(
                bells[token].number,
                PollToken(kind: 1, index: UInt32(index), generation: 1)
            )
        }
        var seen: Set<UInt32> = []
        for _ in 0..<2 {
            let count = poller.wait(timeout: .zero)
            #expect(count <= 256)
            for index in 0..<count { seen.insert(poller.event(at: index).token.index) }
        }
        #expect(seen.count == 300, "the kernel goes round")
    }
}
