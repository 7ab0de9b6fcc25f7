internal import Time

/// A backend that is down, and the exchanges that wait for it to come back (contract 4.2, `hold`).
///
/// Down is what could not be reached, or was lost before it had said who it is, until a new
/// connection is ready. Nothing of the exchanges that wait was sent: they keep their places in the
/// queue, and their `queueTimeout` begins once the backend is back. Meanwhile one connection at a
/// time is tried, at growing distances. Once one is ready, each that follows allows for two more: a
/// backend that has just started is not met by as many connections as requests wait.
///
/// While it is down, whoever may not be held has the next attempt, and fails with it.
extension Pool {
    /// What is known of a backend that is down.
    struct Outage {
        static var pauseMin: Duration { .milliseconds(10) }
        /// Within this a backend that is back is noticed, should nobody else tell.
        static var pauseMax: Duration { .milliseconds(250) }

        /// How many wait for it.
        var heldCount = 0
        private(set) var retryNotBefore = MonotonicTime.zero
        private var pause = Outage.pauseMin

        /// An attempt was in vain; those that were under way beside it say nothing more.
        mutating func failed(now: MonotonicTime) {
            guard retryNotBefore <= now else { return }
            retryNotBefore = now + pause
            pause = min(pause * 2, Self.pauseMax)
        }

        mutating func retryAtOnce() {
            retryNotBefore = .zero
            pause = Self.pauseMin
        }
    }

    /// How many more connections may be on their way to waiters.
    var openingsLeft: Int { max(0, openingsMax - tally.verifying) }

    /// How many connections to open while the backend is down: one at a time.
    mutating func connectionsToRetry(now: MonotonicTime) -> Int {
        nextRetryTime = .distantFuture
        guard tally.verifying == 0 else { return 0 }
        let isWanted = isSearching ? isAnyoneMissed : queue.count > 0 || wantsReserve(now: now)
        let hasRoom = isSearching ? connections.count < connectionsMaxAmongMany : room > 0
        guard isWanted, hasRoom else { return 0 }
        if outage.retryNotBefore <= now { return 1 }
        nextRetryTime = outage.retryNotBefore
        return 0
    }

    /// An opening failed: whoever may be held is; when draining, nobody is any longer.
    mutating func holdOrGiveUp(now: MonotonicTime) {
        if isDraining {
            forEachWaiter { waiter in waiter.isHeld = false }
            outage.heldCount = 0
            return
        }
        if !isDown { outage.retryAtOnce() }
        isDown = true
        outage.failed(now: now)
        guard outage.heldCount < queue.count else { return }
        var candidate = queue.first
        while let place = candidate {
            candidate = queue.place(after: place)
            var waiter = waiters[place]
            guard !waiter.isHeld else { continue }
            hold(&waiter, now: now)
            waiters[place] = waiter
        }
        nextQueueDeadline = queue.first.map { waiters[$0].deadline } ?? .distantFuture
    }

    /// Holds a waiter if that may be.
    ///
    /// The deadlines of all that wait stay in the order of the queue; whoever is not held does not
    /// wait that long.
    mutating func hold(_ waiter: inout Waiter, now: MonotonicTime) {
        let until = waiter.holdUntil ?? now + limits.hold
        waiter.deadline = until
        guard waiter.mayBeHeld, outage.heldCount < limits.heldMax else { return }
        waiter.isHeld = true
        waiter.holdUntil = until
        outage.heldCount += 1
    }

    /// A new connection is ready: if the backend was down it is back, and all go on as usual.
    mutating func backendAnswers(now: MonotonicTime) {
        if openingsMax < .max { openingsMax += 1 }
        guard isDown else { return }
        isDown = false
        nextRetryTime = .distantFuture
        openingsMax = 2
        let deadline = now + limits.queueTimeout
        forEachWaiter { waiter in
            waiter.isHeld = false
            waiter.deadline = deadline
        }
        outage.heldCount = 0
        nextQueueDeadline = queue.count > 0 ? deadline : .distantFuture
    }

    /// The client of an exchange that waits has ended its side, and may be gone: the exchange is
    /// not held, or no longer.
    ///
    /// True if it was: then it is out of the queue, and fails.
    public mutating func releaseHold(_ exchange: ExchangeID) -> Bool {
        guard let place = waiters.place(of: exchange.rawValue) else { return false }
        waiters[place].mayBeHeld = false
        guard waiters[place].isHeld else { return false }
        dequeue(place)
        return true
    }

    private mutating func forEachWaiter(_ change: (inout Waiter) -> Void) {
        var candidate = queue.first
        while let place = candidate {
            candidate = queue.place(after: place)
            change(&waiters[place])
        }
    }
}
