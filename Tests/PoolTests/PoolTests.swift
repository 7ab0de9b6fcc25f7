import Instances
import Pool
import Testing
import Time

@Suite("Pool: a backend that keeps connections")
struct PoolTests {
    @Test("3.2 Every new connection asks before its first request")
    func asksFirst() {
        let pool = PoolHarness()
        #expect(pool.lease(1) == .wait)
        #expect(pool.toOpen == 1)
        pool.opening(10)
        #expect(pool.toOpen == 0)
        #expect(pool.connected(10) == .ask(on: c(10)))
        #expect(pool.ready(10) == .grant(e(1), on: c(10), closing: nil))
        #expect(pool.release(10) == .idle)
        #expect(pool.lease(2, session: true) == .use(c(10)))
    }

    @Test("The most recently used connection is used first")
    func lastInFirstOut() {
        let pool = PoolHarness()
        pool.openIdle(10)
        pool.openIdle(11)
        pool.openIdle(12)
        #expect(pool.lease(1) == .use(c(12)))
        #expect(pool.lease(2) == .use(c(11)))
        #expect(pool.release(12) == .idle)
        #expect(pool.lease(3) == .use(c(12)))
        #expect(pool.lease(4) == .use(c(10)))
        #expect(pool.lease(5) == .wait)
    }

    @Test("Until the first answer one connection is opened, then one for each waiter and a reserve")
    func opensForWaiters() {
        let pool = PoolHarness()
        for exchange in 1...3 { #expect(pool.lease(UInt64(exchange)) == .wait) }
        #expect(pool.toOpen == 1)
        pool.opening(10)
        #expect(pool.toOpen == 0)
        _ = pool.connected(10)
        #expect(pool.ready(10) == .grant(e(1), on: c(10), closing: nil))
        #expect(pool.toOpen == 3)
        for connection in 11...13 { pool.opening(UInt64(connection)) }
        #expect(pool.toOpen == 0)
    }

    @Test("3.2 One verified connection is kept in reserve")
    func reserve() {
        let pool = PoolHarness()
        #expect(pool.toOpen == 1)
        pool.openIdle(10)
        #expect(pool.toOpen == 0)
        #expect(pool.lease(1) == .use(c(10)))
        pool.advance(.milliseconds(99))
        #expect(pool.toOpen == 0)
        pool.advance(.milliseconds(1))
        #expect(pool.toOpen == 1)
        pool.openIdle(11)
        #expect(pool.toOpen == 0)
    }

    @Test("Connections never exceed the limit; who is above it waits in order")
    func limit() {
        let pool = PoolHarness(connectionsMax: 2)
        pool.openIdle(10)
        pool.openIdle(11)
        #expect(pool.lease(1) == .use(c(11)))
        #expect(pool.lease(2) == .use(c(10)))
        for exchange in 3...5 { #expect(pool.lease(UInt64(exchange)) == .wait) }
        #expect(pool.toOpen == 0)
        #expect(pool.release(10) == .grant(e(3)))
        #expect(pool.release(10, persists: false) == .close)
        #expect(pool.toOpen == 1)
        pool.opening(12)
        _ = pool.connected(12)
        #expect(pool.ready(12) == .grant(e(4), on: c(12), closing: nil))
        #expect(pool.release(11) == .grant(e(5)))
    }

    @Test("A waiter that waited for queueTimeout fails, in order, and one that left does not")
    func expiry() {
        let pool = PoolHarness(connectionsMax: 1)
        pool.openIdle(10)
        #expect(pool.lease(1) == .use(c(10)))
        #expect(pool.nextQueueDeadline == .distantFuture)
        #expect(pool.lease(2) == .wait)
        #expect(pool.nextQueueDeadline == .zero + .seconds(5))
        #expect(pool.lease(3) == .wait)
        pool.advance(.seconds(1))
        #expect(pool.lease(4) == .wait)
        #expect(pool.cancel(3))
        #expect(!pool.cancel(3))
        pool.advance(.milliseconds(3_999))
        #expect(pool.expire() == [])
        pool.advance(.milliseconds(1))
        #expect(pool.expire() == [e(2)])
        #expect(pool.nextQueueDeadline == .zero + .seconds(6))
        #expect(pool.release(10) == .grant(e(4)))
    }

    @Test("3.2 A connection of an older epoch asks again before a request with a session")
    func asksAgain() {
        let pool = PoolHarness()
        pool.openIdle(10)
        pool.openIdle(11)
        pool.newEpoch()
        #expect(pool.lease(1, session: true) == .askAgain(c(11)))
        #expect(pool.toOpen == 0)
        #expect(pool.lease(2) == .use(c(10)))
        #expect(pool.ready(11) == .grant(e(1), on: c(11), closing: nil))
        #expect(pool.lease(3, session: true) == .wait)
        #expect(pool.release(10) == .askAgain)
        #expect(pool.ready(10) == .grant(e(3), on: c(10), closing: nil))
    }

    @Test("3.2 An idle connection of this epoch is preferred to asking again")
    func prefersThisEpoch() {
        let pool = PoolHarness()
        pool.openIdle(10)
        pool.openIdle(11)
        #expect(pool.lease(1) == .use(c(11)))
        pool.newEpoch()
        #expect(pool.lease(2, session: true) == .askAgain(c(10)))
        #expect(pool.ready(10) == .grant(e(2), on: c(10), closing: nil))
        #expect(pool.release(10) == .idle)
        #expect(pool.release(11) == .idle)
        #expect(pool.lease(3, session: true) == .use(c(10)))
    }

    @Test("3.2 An idle connection that is lost when asked again fails nobody")
    func asksAgainInVain() {
        let pool = PoolHarness()
        pool.openIdle(10)
        pool.openIdle(11)
        pool.newEpoch()
        #expect(pool.lease(1, session: true) == .askAgain(c(11)))
        #expect(pool.closed(11) == loss([]))
        #expect(pool.toOpen == 1)
        #expect(pool.lease(2, session: true) == .askAgain(c(10)))
        #expect(pool.failed(10, .timedOut) == loss([]))
        pool.opening(12)
        _ = pool.connected(12)
        #expect(pool.ready(12) == .grant(e(1), on: c(12), closing: nil))
    }

    @Test("4.2 An exchange that is tried again gets a connection that was verified after the loss")
    func triesAgain() {
        let pool = PoolHarness()
        pool.openIdle(10)
        pool.openIdle(11)
        pool.advance(.seconds(1))
        let loss = pool.now
        #expect(pool.lease(1, verifiedSince: loss) == .askAgain(c(11)))
        #expect(pool.lease(2, session: true) == .use(c(10)))
        #expect(pool.ready(11) == .grant(e(1), on: c(11), closing: nil))
        #expect(pool.lease(3, session: true, verifiedSince: loss) == .wait)
        #expect(pool.release(10) == .askAgain)
        #expect(pool.release(11) == .grant(e(3)))
        #expect(pool.ready(10) == .idle(closing: nil))
        #expect(pool.lease(4, verifiedSince: loss) == .use(c(10)))
    }

    @Test("3.2 Without an ID a connection serves requests without a session, and asks for others")
    func unverified() {
        let pool = PoolHarness()
        pool.opening(10)
        _ = pool.connected(10)
        #expect(pool.ready(10, instance: .unverified) == .idle(closing: nil))
        #expect(pool.lease(1) == .use(c(10)))
        #expect(pool.release(10) == .idle)
        #expect(pool.lease(2, session: true) == .askAgain(c(10)))
        #expect(pool.ready(10, instance: .unverified) == .grant(e(2), on: c(10), closing: nil))
        #expect(pool.release(10) == .idle)
        #expect(pool.lease(3, session: true) == .askAgain(c(10)))
        #expect(pool.ready(10) == .grant(e(3), on: c(10), closing: nil))
        #expect(pool.release(10) == .idle)
        #expect(pool.lease(4, session: true) == .use(c(10)))
    }

    @Test("3.2 A backend without IDs is served like any other, until an ID appears")
    func noInstance() {
        let pool = PoolHarness()
        pool.live = LiveInstances(current: .none, epoch: 0)
        pool.openIdle(10)
        pool.openIdle(11)
        #expect(pool.lease(1, session: true) == .use(c(11)))
        #expect(pool.retire() == [])
        pool.restart()
        #expect(pool.retire() == [c(10)])
        #expect(pool.release(11) == .close)
    }

    @Test("3.2 A connection of an instance that is gone carries nothing any more")
    func gone() {
        let pool = PoolHarness()
        pool.openIdle(10)
        pool.openIdle(11)
        #expect(pool.lease(1) == .use(c(11)))
        pool.restart()
        // The list of idle ones to close may be asked for late: it must not be used meanwhile.
        #expect(pool.lease(2) == .askAgain(c(10)))
        #expect(pool.release(11) == .close)
        #expect(pool.ready(10, instance: InstanceNumber(rawValue: 1)) == .close(closing: nil))
        #expect(pool.toOpen == 1)
        #expect(pool.counts == PoolCounts(waiting: 1))
    }

    @Test("3.2 At an instance change idle connections of the old one are closed")
    func retires() {
        let pool = PoolHarness()
        pool.openIdle(10)
        pool.openIdle(11)
        pool.restart()
        pool.openIdle(12)
        #expect(pool.retire() == [c(11), c(10)])
        #expect(pool.retire() == [])
        #expect(pool.lease(1, session: true) == .use(c(12)))
    }

    @Test("Idle connections are closed after idleTimeout, and then the reserve is opened anew")
    func idleTimeout() {
        let pool = PoolHarness()
        pool.openIdle(10)
        pool.openIdle(11)
        pool.advance(.seconds(30))
        #expect(pool.lease(1) == .use(c(11)))
        #expect(pool.release(11) == .idle)
        pool.advance(.seconds(30))
        #expect(pool.closeIdle() == [c(10)])
        #expect(pool.toOpen == 0)
        pool.advance(.seconds(30))
        #expect(pool.closeIdle() == [c(11)])
        #expect(pool.toOpen == 1)
    }

    @Test("A connection that the peer closes is forgotten, and so is news of it")
    func peerCloses() {
        let pool = PoolHarness()
        pool.openIdle(10)
        pool.openIdle(11)
        #expect(pool.closed(11) == loss([]))
        #expect(pool.closed(11) == loss([]))
        #expect(pool.lease(1) == .use(c(10)))
        #expect(pool.closed(10) == loss([]))
        #expect(pool.counts == PoolCounts())
    }

    @Test("Draining closes what is idle and keeps nothing")
    func drain() {
        let pool = PoolHarness()
        pool.openIdle(10)
        pool.openIdle(11)
        #expect(pool.lease(1) == .use(c(11)))
        #expect(pool.drain() == [c(10)])
        pool.advance(.seconds(1))
        #expect(pool.toOpen == 0)
        #expect(pool.lease(2) == .wait)
        #expect(pool.toOpen == 1)
        #expect(pool.release(11) == .grant(e(2)))
        #expect(pool.release(11) == .close)
        pool.opening(12)
        _ = pool.connected(12)
        #expect(pool.ready(12) == .close(closing: nil))
        #expect(pool.counts == PoolCounts())
    }

    @Test("The counts say what each connection is doing")
    func counts() {
        let pool = PoolHarness()
        pool.openIdle(10)
        pool.openIdle(11)
        _ = pool.lease(1)
        pool.opening(12)
        pool.opening(13)
        _ = pool.connected(13)
        pool.newEpoch()
        _ = pool.lease(2, session: true)
        #expect(pool.counts == PoolCounts(opening: 1, asking: 2, leased: 1, waiting: 1))
    }
}

@Suite("Pool: openings that fail")
struct PoolFailureTests {
    @Test("4.1 One waiter fails for each failed opening, in order")
    func oneEach() {
        let pool = PoolHarness()
        pool.openIdle(10)
        _ = pool.lease(1)
        for exchange in 2...4 { #expect(pool.lease(UInt64(exchange)) == .wait) }
        pool.advance(.seconds(1))
        #expect(pool.toOpen == 4)
        for connection in 11...14 { pool.opening(UInt64(connection)) }
        // Four for three: the first failure was the reserve's.
        #expect(pool.failed(11, .timedOut) == loss([]))
        #expect(pool.failed(12, .timedOut) == loss([2]))
        _ = pool.connected(13)
        #expect(pool.closed(13) == loss([3]))
        _ = pool.connected(14)
        #expect(pool.ready(14) == .grant(e(4), on: c(14), closing: nil))
    }

    @Test("4.1 When the backend refuses, all that wait fail at once")
    func refused() {
        let pool = PoolHarness()
        for exchange in 1...3 { #expect(pool.lease(UInt64(exchange)) == .wait) }
        pool.opening(10)
        #expect(pool.failed(10, .refused) == loss([1, 2, 3]))
        #expect(pool.toOpen == 0)
    }

    @Test("After a failed opening there is no reserve until something succeeds")
    func pause() {
        let pool = PoolHarness()
        pool.opening(10)
        #expect(pool.failed(10, .refused) == loss([]))
        pool.advance(.seconds(1))
        #expect(pool.toOpen == 0)
        #expect(pool.lease(1) == .wait)
        #expect(pool.toOpen == 1)
        pool.opening(11)
        #expect(pool.failed(11, .closed) == loss([1]))
        #expect(pool.toOpen == 0)
        pool.backendUp()
        #expect(pool.toOpen == 1)
        pool.opening(12)
        #expect(pool.failed(12, .timedOut) == loss([]))
        pool.advance(.seconds(1))
        #expect(pool.lease(2) == .wait)
        pool.opening(13)
        _ = pool.connected(13)
        #expect(pool.ready(13) == .grant(e(2), on: c(13), closing: nil))
        #expect(pool.toOpen == 1)
    }

    @Test("3.2 where nobody asks on connections, none is opened in reserve, several at a time are")
    func withoutQuestions() {
        let h = PoolHarness(asks: false)
        #expect(h.toOpen == 0)
        for exchange in 1...3 as ClosedRange<UInt64> { #expect(h.lease(exchange) == .wait) }
        #expect(h.toOpen == 3)
    }
}
