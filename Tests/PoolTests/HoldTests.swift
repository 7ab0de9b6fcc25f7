import Instances
import Pool
import Testing
import Time

@Suite("Pool: a backend that is down")
struct HoldTests {
    private func pool(hold: Duration = .seconds(10), heldMax: Int = 1024) -> PoolHarness {
        PoolHarness(connectionsMax: 8, hold: hold, heldMax: heldMax)
    }

    /// A pool whose backend was there, and is not any more.
    private func down(heldMax: Int = 1024) -> PoolHarness {
        let pool = pool(heldMax: heldMax)
        pool.openIdle(1)
        #expect(pool.closed(1) == loss([]))
        pool.advance(.seconds(1))
        #expect(pool.toOpen == 1)
        pool.opening(2)
        #expect(pool.failed(2, .refused) == loss([]))
        #expect(pool.isDown)
        return pool
    }

    @Test("4.2 without hold, all that wait fail when the backend refuses")
    func off() {
        let pool = pool(hold: .zero)
        #expect(pool.leaseHeld(1) == .wait)
        #expect(pool.leaseHeld(2) == .wait)
        pool.opening(11)
        #expect(pool.failed(11, .refused) == loss([1, 2]))
        #expect(!pool.isDown)
    }

    @Test(
        "4.2 who waits when an opening fails waits on; who may not be held fails",
        arguments: [OpeningFailure.refused, .closed, .timedOut]
    )
    func held(failure: OpeningFailure) {
        let pool = pool()
        #expect(pool.leaseHeld(1) == .wait)
        #expect(pool.lease(2) == .wait)
        #expect(pool.leaseHeld(3) == .wait)
        pool.opening(11)
        #expect(pool.failed(11, failure) == loss([2]))
        #expect(pool.isDown && pool.counts.waiting == 2)
        #expect(pool.leaseHeld(4) == .wait)
        pool.advance(.seconds(9))
        #expect(pool.expire() == [])
        pool.advance(.seconds(1))
        #expect(pool.expire() == [1, 3, 4].map(e))
    }

    @Test("4.2 one attempt at a time, at growing distances, and none for nobody")
    func pace() {
        let pool = down()
        #expect(pool.toOpen == 0 && pool.nextRetryTime == .distantFuture, "nobody waits")
        pool.advance(.seconds(1))
        for exchange in 1...5 { #expect(pool.leaseHeld(UInt64(exchange)) == .wait) }
        var pauses: [Duration] = []
        for attempt in 100..<108 as Range<UInt64> {
            #expect(pool.toOpen == 1)
            pool.opening(attempt)
            #expect(pool.toOpen == 0 && pool.nextRetryTime == .distantFuture)
            #expect(pool.failed(attempt, .refused) == loss([]))
            #expect(pool.toOpen == 0)
            pauses.append(pool.nextRetryTime - pool.now)
            pool.advance(pauses.last ?? .zero)
        }
        #expect(pauses == [20, 40, 80, 160, 250, 250, 250, 250].map { .milliseconds($0) })
    }

    @Test("4.2 the watcher's word ends the wait for the next attempt")
    func wakened() {
        let pool = down()
        #expect(pool.leaseHeld(1) == .wait)
        #expect(pool.toOpen == 0)
        pool.backendUp()
        #expect(pool.toOpen == 1)
        pool.opening(11)
        #expect(pool.failed(11, .refused) == loss([]))
        #expect(pool.toOpen == 0)
        #expect(pool.nextRetryTime - pool.now == .milliseconds(10))
    }

    @Test(
        "4.2 once it is back all go on in order, by few connections at first, with a new queue time"
    )
    func comeback() {
        let pool = down()
        pool.advance(.seconds(1))
        for exchange in 1...20 { #expect(pool.leaseHeld(UInt64(exchange)) == .wait) }
        pool.advance(.seconds(8))
        pool.restart()
        #expect(pool.toOpen == 1)
        pool.opening(11)
        #expect(pool.connected(11) == .ask(on: c(11)))
        #expect(pool.ready(11) == .grant(e(1), on: c(11), closing: nil))
        #expect(!pool.isDown && pool.toOpen == 2)
        for connection in [12, 13] as [UInt64] { pool.opening(connection) }
        #expect(pool.toOpen == 0)
        #expect(pool.release(11) == .grant(e(2)))
        for connection in [12, 13] as [UInt64] {
            #expect(pool.connected(connection) == .ask(on: c(connection)))
            let exchange = e(connection - 9)
            #expect(pool.ready(connection) == .grant(exchange, on: c(connection), closing: nil))
        }
        #expect(pool.toOpen == 4)
        pool.advance(.seconds(4))
        #expect(pool.expire() == [], "they waited for the backend, not in the queue")
        pool.advance(.seconds(1))
        #expect(pool.expire() == (5...20).map { e($0) })
        #expect(pool.leaseHeld(21) == .wait)
        #expect(pool.leaseHeld(22) == .wait)
        #expect(pool.toOpen == 3, "no hesitation any more, and a reserve")
    }

    @Test("4.2 a backend that goes down again adds no time")
    func flapping() {
        let pool = down()
        #expect(pool.leaseHeld(1) == .wait)
        #expect(pool.leaseHeld(2) == .wait)
        pool.advance(.seconds(8))
        pool.opening(11)
        _ = pool.connected(11)
        #expect(pool.ready(11) == .grant(e(1), on: c(11), closing: nil))
        #expect(pool.closed(11) == loss([]))
        pool.advance(.seconds(1))
        pool.opening(12)
        #expect(pool.failed(12, .refused) == loss([]))
        pool.advance(.seconds(1))
        #expect(pool.expire() == [e(2)])
    }

    @Test("4.2 so many are held and no more")
    func limit() {
        let pool = down(heldMax: 2)
        for exchange in 1...4 { #expect(pool.leaseHeld(UInt64(exchange)) == .wait) }
        pool.advance(.seconds(1))
        #expect(pool.toOpen == 1)
        pool.opening(11)
        #expect(pool.failed(11, .refused) == loss([3, 4]))
        #expect(pool.cancel(1))
        #expect(pool.leaseHeld(5) == .wait)
        pool.opening(12)
        #expect(pool.failed(12, .refused) == loss([]))
        #expect(pool.counts.waiting == 2)
    }

    @Test("4.2 a client that has ended its side is held no longer")
    func ended() {
        let pool = down()
        #expect(pool.leaseHeld(1) == .wait)
        #expect(pool.releaseHold(1))
        #expect(!pool.releaseHold(1) && pool.counts.waiting == 0)
        let other = self.pool()
        #expect(other.leaseHeld(2) == .wait)
        #expect(!other.releaseHold(2), "nothing is down yet")
        other.opening(11)
        #expect(other.failed(11, .refused) == loss([2]))
    }

    @Test("6 when stopping: one more attempt, at once, and all fail with it")
    func draining() {
        let pool = down()
        for exchange in 1...3 { #expect(pool.leaseHeld(UInt64(exchange)) == .wait) }
        #expect(pool.toOpen == 0)
        _ = pool.drain()
        #expect(pool.toOpen == 1)
        pool.opening(11)
        #expect(pool.failed(11, .closed) == loss([1, 2, 3]))
        #expect(pool.leaseHeld(4) == .wait)
        pool.opening(12)
        #expect(pool.failed(12, .timedOut) == loss([4]))
    }

    @Test("4.2 a backend that closes after each answer is met by one pair at a time")
    func pairing() {
        let pool = pool()
        pool.learnPairing(1)
        #expect(pool.leaseHeld(1) == .wait)
        #expect(pool.leaseHeld(2) == .wait)
        pool.opening(11)
        #expect(pool.failed(11, .refused) == loss([]))
        #expect(pool.isDown && pool.toOpen == 0)
        pool.advance(.milliseconds(10))
        #expect(pool.toOpen == 1)
        pool.opening(12)
        #expect(pool.connected(12) == .openCarrier)
        pool.openingCarrier(13, for: 12)
        #expect(pool.connected(13) == .ask(on: c(12)))
        #expect(pool.toOpen == 0)
        #expect(
            pool.ready(12, persists: false) == .grant(e(1), on: c(13), closing: c(12))
        )
        #expect(!pool.isDown && pool.toOpen == 1)
    }

    @Test(
        "3.4, 4.2 of several instances, the session of one that is gone waits until that is known"
    )
    func several() {
        let pool = pool()
        let (one, two) = (InstanceNumber(rawValue: 1), InstanceNumber(rawValue: 2))
        pool.live = LiveInstances(current: two, epoch: 2, members: [one, two])
        pool.opening(1)
        _ = pool.connected(1)
        _ = pool.ready(1, instance: one)
        #expect(pool.closed(1) == loss([]))
        #expect(pool.leaseHeld(1, of: one) == .wait)
        #expect(pool.leaseHeld(2) == .wait)
        pool.opening(2)
        #expect(pool.failed(2, .refused) == loss([]))
        #expect(pool.isDown && pool.toOpen == 0)
        #expect(pool.nextProbeTime == .distantFuture && pool.nextRetryTime > pool.now)
        pool.advance(.milliseconds(10))
        #expect(pool.toOpen == 1)
        pool.live = LiveInstances(current: two, epoch: 3, members: [two])
        #expect(pool.dismissStale() == [e(1)])
        pool.opening(3)
        _ = pool.connected(3)
        #expect(pool.ready(3, instance: two) == .grant(e(2), on: c(3), closing: nil))
    }
}
