import Instances
import Pool
import Testing
import Time

@Suite("Pool: a backend that closes after each answer")
struct PairingTests {
    @Test("3.2 The asker is asked only when the carrier is connected; both are closed")
    func pair() {
        let pool = PoolHarness()
        #expect(pool.lease(1, session: true) == .wait)
        pool.opening(10)
        #expect(pool.connected(10) == .ask(on: c(10)))
        #expect(pool.ready(10, persists: false) == .close(closing: nil))
        #expect(pool.isPairing)
        #expect(pool.toOpen == 1)
        pool.opening(11)
        #expect(pool.toOpen == 0)
        #expect(pool.connected(11) == .openCarrier)
        pool.openingCarrier(12, for: 11)
        #expect(pool.connected(12) == .ask(on: c(11)))
        #expect(pool.ready(11, persists: false) == .grant(e(1), on: c(12), closing: c(11)))
        #expect(pool.release(12, persists: false) == .close)
        #expect(pool.counts == PoolCounts())
    }

    @Test("3.2 No connection is kept in reserve")
    func noReserve() {
        let pool = PoolHarness()
        pool.learnPairing(10)
        pool.advance(.seconds(10))
        #expect(pool.toOpen == 0)
        pool.backendUp()
        #expect(pool.toOpen == 0)
    }

    @Test("3.2 A pair that nobody waits for any more is closed")
    func unwanted() {
        let pool = PoolHarness()
        pool.learnPairing(10)
        _ = pool.lease(1)
        pool.opening(11)
        #expect(pool.cancel(1))
        #expect(pool.connected(11) == .close)
        _ = pool.lease(2)
        pool.opening(12)
        #expect(pool.connected(12) == .openCarrier)
        pool.openingCarrier(13, for: 12)
        _ = pool.connected(13)
        #expect(pool.cancel(2))
        #expect(pool.ready(12, persists: false) == .close(closing: c(13)))
        #expect(pool.counts == PoolCounts())
    }

    @Test("3.2 If either of a pair fails, it is one failed opening and the other is closed")
    func halves() {
        let pool = PoolHarness()
        pool.learnPairing(10)
        for exchange in 1...3 { _ = pool.lease(UInt64(exchange)) }
        pool.opening(11)
        _ = pool.connected(11)
        pool.openingCarrier(12, for: 11)
        #expect(pool.failed(12, .timedOut) == loss([1], closing: 11))
        pool.opening(13)
        _ = pool.connected(13)
        pool.openingCarrier(14, for: 13)
        _ = pool.connected(14)
        #expect(pool.closed(13) == loss([2], closing: 14))
        pool.opening(15)
        _ = pool.connected(15)
        // The shell had no descriptor left for the carrier.
        #expect(pool.failed(15, .closed) == loss([3]))
        #expect(pool.counts == PoolCounts())
    }

    @Test("3.2 A carrier lost while it stands by fails its pair")
    func lostCarrier() {
        let pool = PoolHarness()
        pool.learnPairing(10)
        _ = pool.lease(1)
        pool.opening(11)
        _ = pool.connected(11)
        pool.openingCarrier(12, for: 11)
        _ = pool.connected(12)
        #expect(pool.closed(12) == loss([1], closing: 11))
    }

    @Test("3.2 An answer that persists ends the mode, and its connection carries the request")
    func persistsAgain() {
        let pool = PoolHarness()
        pool.learnPairing(10)
        _ = pool.lease(1)
        pool.opening(11)
        _ = pool.connected(11)
        pool.openingCarrier(12, for: 11)
        _ = pool.connected(12)
        #expect(pool.ready(11) == .grant(e(1), on: c(11), closing: c(12)))
        #expect(!pool.isPairing)
        #expect(pool.release(11) == .idle)
        #expect(pool.lease(2, session: true) == .use(c(11)))
    }

    @Test("3.2 Only a first answer teaches: a later one may be the last that the backend allows")
    func lastAnswer() {
        let pool = PoolHarness()
        pool.openIdle(10)
        pool.newEpoch()
        #expect(pool.lease(1, session: true) == .askAgain(c(10)))
        #expect(pool.ready(10, persists: false) == .close(closing: nil))
        #expect(!pool.isPairing)
        #expect(pool.toOpen == 1)
    }

    @Test("3.2 A carrier that the verdict left unused goes to the next waiter")
    func unusedCarrier() {
        let pool = PoolHarness()
        pool.learnPairing(10)
        for exchange in 1...2 { _ = pool.lease(UInt64(exchange), session: true) }
        pool.opening(11)
        _ = pool.connected(11)
        pool.openingCarrier(12, for: 11)
        _ = pool.connected(12)
        #expect(pool.ready(11, persists: false) == .grant(e(1), on: c(12), closing: c(11)))
        #expect(pool.release(12) == .grant(e(2)))
        #expect(pool.lease(3, session: true) == .wait)
        pool.newEpoch()
        #expect(pool.release(12) == .close)
        _ = pool.cancel(3)
        #expect(pool.counts == PoolCounts())
    }

    @Test("3.2 What was being opened when the mode was learnt becomes an asker, or goes")
    func openedBefore() {
        let pool = PoolHarness()
        pool.openIdle(10)
        _ = pool.lease(1)
        for exchange in 2...4 { _ = pool.lease(UInt64(exchange)) }
        for connection in 11...13 { pool.opening(UInt64(connection)) }
        _ = pool.connected(11)
        #expect(pool.ready(11, persists: false) == .close(closing: nil))
        // Two are on their way where one pair is allowed.
        #expect(pool.connected(12) == .close)
        #expect(pool.connected(13) == .openCarrier)
        pool.openingCarrier(14, for: 13)
        #expect(pool.toOpen == 0)
    }

    @Test("3.2 A single-threaded backend is given one pair at a time")
    func window() {
        let pool = PoolHarness(connectionsMax: 100)
        pool.learnPairing(10)
        for exchange in 1...9 { _ = pool.lease(UInt64(exchange)) }
        var next: UInt64 = 100
        for exchange in 1...4 {
            #expect(pool.toOpen == 1)
            let asker = next
            next += 2
            pool.opening(asker)
            _ = pool.connected(asker)
            pool.openingCarrier(asker + 1, for: asker)
            _ = pool.connected(asker + 1)
            // It answers in the order of its queue: the carrier before comes first.
            if exchange > 1 { _ = pool.release(asker - 1, persists: false) }
            #expect(
                pool.ready(asker, persists: false)
                    == .grant(
                        e(UInt64(exchange)),
                        on: c(asker + 1),
                        closing: c(asker)
                    )
            )
        }
        #expect(pool.toOpen == 1)
    }

    @Test("3.2 One that works side by side is given more, until one times out")
    func windowGrows() {
        let pool = PoolHarness(connectionsMax: 100)
        pool.learnPairing(10)
        for exchange in 1...30 { _ = pool.lease(UInt64(exchange)) }
        var next: UInt64 = 100
        var widths: [Int] = []
        for _ in 1...4 {
            let width = pool.toOpen
            widths.append(width)
            for _ in 0..<width {
                pool.opening(next)
                _ = pool.connected(next)
                pool.openingCarrier(next + 1, for: next)
                _ = pool.connected(next + 1)
                next += 2
            }
            for asker in 0..<width { _ = pool.ready(next - UInt64(2 * asker + 2), persists: false) }
        }
        #expect(widths == [1, 1, 2, 4])
        pool.opening(next)
        #expect(pool.failed(next, .timedOut) == loss([9]))
        #expect(pool.toOpen == 8)
        pool.opening(next)
        _ = pool.connected(next)
        pool.openingCarrier(next + 1, for: next)
        #expect(pool.failed(next + 1, .timedOut) == loss([10], closing: next))
        #expect(pool.toOpen == 1)
    }

    @Test("3.2 A pair fits even where one connection is allowed, and never exceeds the limit else")
    func limit() {
        let one = PoolHarness(connectionsMax: 1)
        one.learnPairing(10)
        _ = one.lease(1)
        #expect(one.toOpen == 1)
        one.opening(11)
        #expect(one.connected(11) == .openCarrier)
        let three = PoolHarness(connectionsMax: 3)
        three.learnPairing(10)
        for exchange in 1...2 { _ = three.lease(UInt64(exchange)) }
        #expect(three.toOpen == 1)
        three.opening(11)
        _ = three.connected(11)
        three.openingCarrier(12, for: 11)
        _ = three.connected(12)
        #expect(three.ready(11, persists: false) == .grant(e(1), on: c(12), closing: c(11)))
        #expect(three.toOpen == 1)
        three.opening(13)
        _ = three.connected(13)
        three.openingCarrier(14, for: 13)
        _ = three.connected(14)
        #expect(three.ready(13, persists: false) == .grant(e(2), on: c(14), closing: c(13)))
        _ = three.lease(3)
        #expect(three.toOpen == 0)
        #expect(three.release(12, persists: false) == .close)
        #expect(three.toOpen == 1)
    }
}
