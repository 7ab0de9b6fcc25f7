import Instances
import Pool
import Time

/// A pool with small numbers for names and a clock that a test sets, for one-line transcripts.
final class PoolHarness {
    private var pool: Pool
    var live = LiveInstances(current: InstanceNumber(rawValue: 1), epoch: 1)
    var now = MonotonicTime.zero

    init(
        connectionsMax: Int = 8,
        probesMax: Int = 64,
        hold: Duration = .zero,
        heldMax: Int = 1024,
        asks: Bool = true
    ) {
        pool = Pool(
            limits: PoolLimits(
                connectionsMax: connectionsMax,
                queueTimeout: .seconds(5),
                idleTimeout: .seconds(60),
                probesMax: probesMax,
                hold: hold,
                heldMax: heldMax,
                asks: asks
            )
        )
    }

    var toOpen: Int { pool.connectionsToOpen(now: now) }

    func advance(_ duration: Duration) { now = now + duration }

    /// A new ID is seen: the next instance lives.
    func restart() {
        live.current = InstanceNumber(rawValue: live.current.rawValue + 1)
        live.epoch += 1
    }

    /// Another instance is first seen, and the one that answers now lives on.
    func newEpoch() { live.epoch += 1 }

    func lease(
        _ exchange: UInt64,
        session: Bool = false,
        verifiedSince: MonotonicTime = .zero
    ) -> LeaseAction {
        pool.lease(
            e(exchange),
            session: session ? live.current : nil,
            verifiedSince: verifiedSince,
            live: live,
            now: now
        )
    }

    /// With the session of one of several instances, or without one.
    func lease(_ exchange: UInt64, of instance: InstanceNumber?) -> LeaseAction {
        pool.lease(e(exchange), session: instance, live: live, now: now)
    }

    /// With a session or without, and to be held while the backend is down.
    func leaseHeld(_ exchange: UInt64, of instance: InstanceNumber? = nil) -> LeaseAction {
        pool.lease(e(exchange), session: instance, mayBeHeld: true, live: live, now: now)
    }

    func releaseHold(_ exchange: UInt64) -> Bool { pool.releaseHold(e(exchange)) }

    var isDown: Bool { pool.isDown }

    var nextRetryTime: MonotonicTime { pool.nextRetryTime }

    func dismissStale() -> [ExchangeID] { pool.dismissStale(live: live) }

    func makeRoom() -> [ConnectionID] { pool.makeRoom(now: now) }

    func refresh(_ connection: UInt64) -> Bool { pool.refresh(c(connection), now: now) }

    var nextProbeTime: MonotonicTime { pool.nextProbeTime }

    func opening(_ connection: UInt64) { pool.opening(c(connection), now: now) }

    func openingCarrier(_ carrier: UInt64, for asker: UInt64) {
        pool.openingCarrier(c(carrier), for: c(asker))
    }

    func connected(_ connection: UInt64) -> ConnectedAction {
        pool.connected(c(connection))
    }

    func ready(
        _ connection: UInt64,
        instance: InstanceNumber? = nil,
        persists: Bool = true
    ) -> ReadyAction {
        pool.ready(
            c(connection),
            instance: instance ?? live.current,
            persists: persists,
            live: live,
            now: now
        )
    }

    func release(_ connection: UInt64, persists: Bool = true) -> ReleaseAction {
        pool.release(c(connection), persists: persists, live: live, now: now)
    }

    func failed(_ connection: UInt64, _ failure: OpeningFailure) -> LossAction {
        pool.openingFailed(c(connection), failure, now: now)
    }

    func closed(_ connection: UInt64) -> LossAction {
        pool.closed(c(connection), now: now)
    }

    func cancel(_ exchange: UInt64) -> Bool { pool.cancel(e(exchange)) }

    func closeIdle() -> [ConnectionID] { pool.closeIdle(now: now) }

    func drain() -> [ConnectionID] { pool.drain() }

    func backendUp() { pool.backendUp() }

    var nextQueueDeadline: MonotonicTime { pool.nextQueueDeadline }

    var counts: PoolCounts { pool.counts }

    var isPairing: Bool { pool.isPairing }

    func retire() -> [ConnectionID] { pool.retire(live: live) }

    func expire() -> [ExchangeID] { pool.expireWaiters(now: now) }

    /// Opens a connection that answers and stays, for nobody.
    func openIdle(_ connection: UInt64) {
        opening(connection)
        _ = connected(connection)
        _ = ready(connection)
    }

    /// Opens a connection whose backend closes after the answer.
    func learnPairing(_ connection: UInt64) {
        opening(connection)
        _ = connected(connection)
        _ = ready(connection, persists: false)
    }
}

func c(_ number: UInt64) -> ConnectionID { ConnectionID(rawValue: number) }

func e(_ number: UInt64) -> ExchangeID { ExchangeID(rawValue: number) }

func loss(_ failed: [UInt64], closing: UInt64? = nil) -> LossAction {
    LossAction(failed: failed.map(e), closing: closing.map(c))
}
