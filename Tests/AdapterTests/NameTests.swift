import Linux
import Memory
import Proxy
import Synchronization
import Testing
import Time

@Suite("the backend's name")
struct NameTests {
    private func addresses(_ texts: String...) throws -> [SocketAddress] {
        try texts.flatMap { try SocketAddress.resolve(host: $0, port: 80, toListen: false) }
    }

    private func at(_ seconds: Double) -> MonotonicTime {
        .zero + .seconds(seconds)
    }

    @Test("the families take turns, in their order")
    func interleaved() throws {
        let mixed = try addresses("::1", "::2", "::3", "1.0.0.1", "1.0.0.2")
        let turns = try addresses("::1", "1.0.0.1", "::2", "1.0.0.2", "::3")
        #expect(SocketAddress.interleaved(mixed) == turns)
        let four = try addresses("1.0.0.1", "::1", "::2", "1.0.0.2")
        #expect(
            try SocketAddress.interleaved(four) == addresses("1.0.0.1", "::1", "1.0.0.2", "::2")
        )
        #expect(SocketAddress.interleaved([]).isEmpty)
        let double = try addresses("1.0.0.1", "1.0.0.1", "::1", "1.0.0.1")
        #expect(try SocketAddress.interleaved(double) == addresses("1.0.0.1", "::1"))
    }

    @Test("what is a literal, and what a name")
    func literals() {
        for text in ["127.0.0.1", "::1", "::ffff:1.2.3.4"] {
            #expect(SocketAddress.isLiteral(text))
        }
        for text in ["localhost", "127.0.0.1.example", "1.2.3", "", "a::b.c"] {
            #expect(!SocketAddress.isLiteral(text))
        }
    }

    @Test("every 30 s, sooner after a failed connection, but not twice in a second")
    func times() throws {
        var schedule = NameSchedule(known: try addresses("1.0.0.1"), now: at(0))
        #expect(schedule.dueAt == at(30))
        schedule.connectionFailed()
        #expect(schedule.dueAt == at(1))
        #expect(schedule.resolved(try addresses("1.0.0.1"), now: at(5)) == nil)
        #expect(schedule.dueAt == at(35))
        schedule.connectionFailed()
        schedule.connectionFailed()
        #expect(schedule.dueAt == at(6))
    }

    @Test("other addresses are news, the same ones are not")
    func news() throws {
        var schedule = NameSchedule(known: try addresses("1.0.0.1"), now: at(0))
        let other = try addresses("1.0.0.2", "1.0.0.1")
        #expect(schedule.resolved(other, now: at(1)) == .addresses(other))
        #expect(schedule.resolved(other, now: at(2)) == nil)
    }

    @Test("the same addresses in another order are no news: resolvers let them take turns")
    func turns() throws {
        let known = try addresses("1.0.0.1", "1.0.0.2", "1.0.0.3")
        let turned = try addresses("1.0.0.2", "1.0.0.3", "1.0.0.1")
        var schedule = NameSchedule(known: known, now: at(0))
        #expect(schedule.resolved(turned, now: at(30)) == nil)
        let fewer = try addresses("1.0.0.3", "1.0.0.1")
        #expect(schedule.resolved(fewer, now: at(60)) == .addresses(fewer))
    }

    @Test("failures are told once, come further and further apart, and keep what was known")
    func failures() throws {
        let known = try addresses("1.0.0.1")
        var schedule = NameSchedule(known: known, now: at(0))
        #expect(schedule.failed("why", now: at(30)) == .failed("why"))
        #expect(schedule.dueAt == at(31))
        #expect(schedule.failed("why", now: at(31)) == nil)
        #expect(schedule.dueAt == at(33))
        for now in [33.0, 37, 45, 61, 91] { #expect(schedule.failed("w", now: at(now)) == nil) }
        #expect(schedule.dueAt == at(121))
        #expect(schedule.resolved([], now: at(121)) == nil)
        #expect(schedule.resolved(known, now: at(151)) == .recovered)
        #expect(schedule.dueAt == at(181))
    }

    @Test("a name that meant nothing at the start is asked for again at once")
    func nothingAtFirst() throws {
        var schedule = NameSchedule(known: [], now: at(0))
        #expect(schedule.dueAt == at(1))
        #expect(schedule.failed("why", now: at(1)) == nil)
        let found = try addresses("1.0.0.1")
        #expect(schedule.resolved(found, now: at(2)) == .addresses(found))
    }

    @Test("on its own thread: resolved again after a failed connection, and told")
    func thread() async throws {
        let moved = try addresses("1.0.0.2", "::1")
        let (stream, told) = AsyncStream<NameSchedule.News>.makeStream()
        let resolver = try NameResolver(known: try addresses("1.0.0.1")) {
            moved
        } report: { news in
            told.yield(news)
        }
        resolver.connectionFailed()
        var iterator = stream.makeAsyncIterator()
        let news = await iterator.next()
        #expect(news == .addresses(moved))
        resolver.stop()
    }
}
