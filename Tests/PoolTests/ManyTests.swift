import Instances
import Pool
import Testing
import Time

/// Short names for what happens in a pool whose backend has instances 1 to `count`.
private final class Stage {
    let pool = PoolHarness(connectionsMax: 16)

    /// With a tether to each of them, named as it is.
    init(_ count: UInt32, tethered: Bool = true) {
        pool.live = LiveInstances(
            current: number(count),
            epoch: 7,
            members: (1...count).map(number)
        )
        guard tethered else { return }
        for raw in 1...count { #expect(land(UInt64(raw), at: raw) == .idle(closing: nil)) }
    }

    /// A connection is opened and ends in an instance.
    func land(_ connection: UInt64, at instance: UInt32) -> ReadyAction {
        pool.opening(connection)
        _ = pool.connected(connection)
        return pool.ready(connection, instance: number(instance))
    }

    func lease(_ exchange: UInt64, of instance: UInt32?) -> LeaseAction {
        pool.lease(exchange, of: instance.map(number))
    }

    /// The instance is gone.
    func lives(_ raw: UInt32...) {
        pool.live = LiveInstances(
            current: number(raw.max() ?? 0),
            epoch: pool.live.epoch + 1,
            members: raw.map(number)
        )
    }
}

private func number(_ raw: UInt32) -> InstanceNumber { InstanceNumber(rawValue: raw) }

@Suite("3.4 Pool: several instances")
struct ManyTests {
    @Test("3.4 a session takes its instance's connection, one without the one idle for longest")
    func own() {
        let t = Stage(3)
        #expect(t.lease(1, of: 2) == .use(c(2)))
        #expect(t.lease(2, of: nil) == .use(c(1)))
        #expect(t.lease(3, of: nil) == .use(c(3)))
        #expect(t.pool.release(1) == .idle)
        #expect(t.lease(4, of: nil) == .use(c(1)))
    }

    @Test("3.4 an instance that is about to end and says close does not blur the others")
    func closing() {
        let t = Stage(3)
        t.pool.opening(4)
        _ = t.pool.connected(4)
        #expect(t.pool.ready(4, instance: number(3), persists: false) == .close(closing: nil))
        #expect(!t.pool.isPairing)
        #expect(t.lease(1, of: 2) == .use(c(2)))
    }

    @Test(
        "3.2 if none keeps a connection they cannot be told apart"
    )
    func allClosing() {
        let t = Stage(2, tethered: false)
        t.pool.opening(1)
        _ = t.pool.connected(1)
        #expect(t.pool.ready(1, instance: number(1), persists: false) == .close(closing: nil))
        #expect(t.pool.isPairing)
    }

    @Test("3.4 tethers are opened by the round, and no more than are needed are kept")
    func tethers() {
        let t = Stage(3, tethered: false)
        // The first answer tells that the backend keeps connections.
        #expect(t.pool.toOpen == 1)
        #expect(t.land(1, at: 2) == .idle(closing: nil))
        #expect(t.pool.toOpen == 8)
        #expect(t.land(2, at: 2) == .close(closing: nil))
        #expect(t.land(3, at: 1) == .idle(closing: nil))
        #expect(t.land(4, at: 3) == .idle(closing: nil))
        #expect(t.pool.toOpen == 0)
        #expect(t.pool.counts == PoolCounts(idle: 3))
    }

    @Test("3.4 who waits for an instance gets no other's connection; those without take it")
    func sharedProbes() {
        let t = Stage(2)
        #expect(t.lease(1, of: 2) == .use(c(2)))
        #expect(t.lease(2, of: 2) == .wait)
        #expect(t.lease(3, of: 2) == .wait)
        #expect(t.lease(4, of: nil) == .use(c(1)))
        #expect(t.lease(5, of: nil) == .wait)
        #expect(t.pool.toOpen == 7, "one for whom any will do, and a round of six")
        #expect(t.land(11, at: 1) == .grant(e(5), on: c(11), closing: nil))
        #expect(t.land(12, at: 1) == .idle(closing: nil))
        #expect(t.land(13, at: 1) == .close(closing: nil))
        #expect(t.land(14, at: 2) == .grant(e(2), on: c(14), closing: nil))
        #expect(t.pool.release(4 - 2) == .grant(e(3)), "the one that comes back first")
        #expect(t.pool.toOpen == 0)
    }

    @Test("3.4 probes are at most so many at a time, and rounds come at growing distances")
    func pace() {
        let t = Stage(2)
        _ = t.lease(1, of: 2)
        #expect(t.lease(2, of: 2) == .wait)
        var connection: UInt64 = 10
        var pauses: [Duration] = []
        for _ in 0..<30 {
            #expect(t.pool.toOpen == 6)
            for _ in 0..<6 {
                _ = t.land(connection, at: 1)
                connection += 1
            }
            #expect(t.pool.toOpen == 0)
            pauses.append(t.pool.nextProbeTime - t.pool.now)
            t.pool.now = t.pool.nextProbeTime
        }
        let first: [Duration] = [10, 20, 40, 80, 160, 250].map { .milliseconds($0) }
        #expect(Array(pauses.prefix(6)) == first)
        #expect(pauses.last == .seconds(2))
    }

    @Test("3.4 a lost tether is looked for at once, without anybody waiting")
    func lostTether() {
        let t = Stage(2)
        #expect(t.pool.toOpen == 0)
        #expect(t.pool.closed(2) == loss([]))
        #expect(t.pool.toOpen == 6)
        #expect(t.land(11, at: 2) == .idle(closing: nil))
        #expect(t.pool.toOpen == 0)
    }

    @Test("3.4 an instance that is gone: who waits for it is told, its connections go")
    func gone() {
        let t = Stage(3)
        _ = t.lease(1, of: 2)
        #expect(t.lease(2, of: 2) == .wait)
        #expect(t.lease(3, of: 2) == .wait)
        #expect(t.pool.dismissStale() == [])
        t.lives(1, 3)
        #expect(t.pool.retire() == [])
        #expect(t.pool.dismissStale() == [e(2), e(3)])
        #expect(t.pool.release(2) == .close)
        // The epoch is past: each is asked again before a session goes over it.
        #expect(t.lease(4, of: 3) == .askAgain(c(3)))
        #expect(t.pool.ready(3, instance: number(3)) == .grant(e(4), on: c(3), closing: nil))
        #expect(t.lease(5, of: 2) == .askAgain(c(1)), "stale: any serves to find that out")
    }

    @Test("3.4 idle connections end, but the last one to each instance")
    func idle() {
        let t = Stage(2)
        _ = t.lease(1, of: 1)
        _ = t.lease(2, of: 1)
        #expect(t.land(11, at: 1) == .grant(e(2), on: c(11), closing: nil))
        _ = t.pool.release(1)
        _ = t.pool.release(11)
        t.pool.advance(.seconds(61))
        #expect(t.pool.closeIdle() == [c(1)])
        #expect(t.pool.counts == PoolCounts(idle: 2))
    }

    @Test("3.4 a tether at rest is asked again, the one used last of each instance alone")
    func refresh() {
        let t = Stage(2)
        _ = t.lease(1, of: 1)
        _ = t.lease(2, of: 1)
        _ = t.land(11, at: 1)
        _ = t.pool.release(1)
        _ = t.pool.release(11)
        #expect(!t.pool.refresh(2), "not yet")
        t.pool.advance(.seconds(1))
        #expect(!t.pool.refresh(1), "there is a warmer one")
        #expect(t.pool.refresh(11))
        #expect(t.pool.counts == PoolCounts(asking: 1, idle: 2))
        #expect(t.lease(3, of: 1) == .use(c(1)))
        #expect(t.lease(4, of: 1) == .wait)
        #expect(t.pool.toOpen == 0, "the answer is on its way")
        #expect(t.pool.ready(11, instance: number(1)) == .grant(e(4), on: c(11), closing: nil))
    }

    @Test("3.4 refused: who has a connection waits for it, the others fail")
    func refused() {
        let t = Stage(2)
        _ = t.lease(1, of: 1)
        #expect(t.lease(2, of: 1) == .wait)
        #expect(t.pool.closed(2) == loss([]))
        #expect(t.lease(3, of: 2) == .wait)
        #expect(t.lease(4, of: nil) == .wait)
        t.pool.opening(11)
        #expect(t.pool.failed(11, .refused) == loss([3, 4]))
        #expect(t.pool.release(1) == .grant(e(2)))
    }

    @Test("3.4 a probe that is lost fails nobody who waits for a certain instance")
    func lostProbe() {
        let t = Stage(2)
        _ = t.lease(1, of: 1)
        _ = t.lease(2, of: 2)
        #expect(t.lease(3, of: 1) == .wait)
        #expect(t.lease(4, of: nil) == .wait)
        t.pool.opening(11)
        t.pool.opening(12)
        #expect(t.pool.failed(11, .closed) == loss([]))
        #expect(t.pool.failed(12, .closed) == loss([4]))
    }

    @Test("3.4 a full pool makes room for a probe, not at a tether's cost")
    func room() {
        let t = Stage(2)
        for exchange in 1...14 as ClosedRange<UInt64> { _ = t.lease(exchange, of: 1) }
        for connection in 11...23 as ClosedRange<UInt64> { _ = t.land(connection, at: 1) }
        for connection in 11...23 as ClosedRange<UInt64> { _ = t.pool.release(connection) }
        #expect(t.lease(30, of: 2) == .use(c(2)))
        #expect(t.lease(31, of: 2) == .wait)
        #expect(t.pool.makeRoom() == [], "there is room")
        t.pool.opening(24)
        #expect(t.pool.toOpen == 0)
        let closed = t.pool.makeRoom()
        #expect(closed.first == c(11) && !closed.contains(c(2)))
        #expect(t.pool.toOpen == min(closed.count, 5))
    }

    @Test("3.2 a connection that does not say whose it is serves no certain instance's session")
    func unverified() {
        let t = Stage(1)
        _ = t.lease(1, of: 1)
        #expect(t.lease(2, of: 1) == .wait)
        t.pool.opening(11)
        _ = t.pool.connected(11)
        #expect(t.pool.ready(11, instance: .unverified) == .close(closing: nil))
        #expect(t.lease(3, of: nil) == .wait)
        t.pool.opening(12)
        _ = t.pool.connected(12)
        #expect(t.pool.ready(12, instance: .unverified) == .grant(e(3), on: c(12), closing: nil))
    }
}
