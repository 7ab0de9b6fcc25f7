public import Instances
public import Time

/// Decides, for one worker, which upstream connection an exchange gets, when connections are
/// opened, when one must ask for the backend's identity, who waits, and what is closed.
///
/// It owns nothing but names: the shell performs what it says and reports what happened.
///
/// **A connection's life.** opening → asking (contract 3.2: on every new connection the shell asks
/// for the identity path and reads the whole answer) → idle or leased, bound to the instance that
/// answered and to the epoch in which it did → … → closed. A connection whose epoch is past, or
/// whose last answer gave no ID, asks again before it carries a request with a session.
///
/// **How the shell drives it.** After *every* event below the shell opens as many connections as
/// `connectionsToOpen` says, and reports each as `opening` before anything else about it.
///
///     request wants a connection   lease            → use | askAgain | wait
///     client gone, answered 401    cancel             (only if it waits)
///     connection established       connected        → ask | openCarrier | close
///     identity answer read         ready            → grant | idle | close
///     exchange done, or granted    release          → grant | askAgain | idle | close
///       and refused by the verdict
///     opening or asking failed     openingFailed    → exchanges that fail
///     connection lost              closed           → exchanges that fail
///     loop turn                    expireWaiters    → exchanges that fail
///     sweep, once a second or so   closeIdle        → connections to close
///     live instances changed       retire           → connections to close
///     watcher reached the backend  backendUp
///     a waiting client has ended   releaseHold      → whether its exchange fails
///     asked to stop                drain            → connections to close
///
/// and where several instances live, as `Pool+Many` tells, also
///
///     before connections are opened makeRoom        → connections to close
///     live instances changed       dismissStale     → exchanges whose session is stale
///     nothing happens until then   nextProbeTime, and nextRetryTime while `isDown`
///     idle for `tetherRest`        refresh          → whether to ask it again
///
/// A connection that an action or a list says to close, and one that was reported as closed or
/// failed, is forgotten at that moment: nothing more is reported of it. To use, grant or lease a
/// connection means to take the verdict of `Sessions` *then*, and to write or release at once.
///
/// *A backend that keeps connections:*
///
///     connectionsToOpen → 1; opening(c); connected(c) → ask(on: c)
///     ready(c, persists: true) → grant(e, on: c); … release(c, persists: true) → idle
///     lease(e) → use(c)
///
/// *A backend that closes after each answer* is recognised by its first identity answer, and
/// until an answer persists again every exchange takes a pair. The order is what keeps a
/// single-threaded server from waiting for a connection on which nothing is sent:
///
///     connectionsToOpen → 1; opening(i); connected(i) → openCarrier
///     openingCarrier(a, for: i); connected(a) → ask(on: i)
///     ready(i, persists: false) → grant(e, on: a, closing: i); … release(a, …) → close
///
/// If the carrier cannot even be created, report `openingFailed(i, .closed)`.
///
/// **Reserve.** One verified connection is kept idle so that requests rarely wait, but not in
/// pairing mode, not after a failed opening until a connection is ready or `backendUp`, and not
/// more than one every `reservePace` (a backend whose connections do not last, or whose instances
/// replace each other, would be given new ones without end). A reserve that was put off is opened
/// after the next event, at the latest after the next sweep.
///
/// Until the first answer only one connection is opened at a time: whether the backend keeps
/// connections decides what the others are for.
public struct Pool: ~Copyable {
    /// Whether the backend keeps connections.
    enum Mode {
        case unknown
        case persistent
        case pairing
    }

    struct Waiter {
        var exchange: ExchangeID
        var session: InstanceNumber?
        var verifiedSince: MonotonicTime
        var deadline: MonotonicTime
        /// Whether it may wait for a backend that is down, whether it does, and until when at most.
        var mayBeHeld: Bool
        var isHeld = false
        var holdUntil: MonotonicTime?
    }

    static var reservePace: Duration { .milliseconds(100) }

    let limits: PoolLimits
    var mode = Mode.unknown {
        didSet { modeChanged() }
    }
    var window = PairingWindow()
    /// No reserve until a connection succeeds.
    var isPaused = false
    var isDraining = false
    /// When the next reserve may be opened.
    var reserveNotBefore = MonotonicTime.zero

    var connections = Roster<Connection>()
    /// Verified connections, the most recently used first.
    var idle = Order()
    var waiters = Roster<Waiter>()
    /// Waiters in the order of their arrival, so of their deadlines too.
    var queue = Order()
    var tally = Tally()

    // What the shell looks at in every turn is stored: to ask a borrowed pool copies all of it.

    /// Whether every exchange takes a pair, because the backend closes after each answer.
    public private(set) var isPairing = false
    /// Whether several instances live, and connections are told apart by them.
    ///
    /// Not while it is open whether the backend keeps connections; and if it does not, they cannot
    /// be told apart.
    public private(set) var isSearching = false
    /// When `expireWaiters` has something to do next, if nothing happens before.
    public internal(set) var nextQueueDeadline = MonotonicTime.distantFuture

    /// Whether the backend is down, and requests wait for it to come back (`Pool+Hold`).
    public internal(set) var isDown = false
    /// While it is, when to try again if nothing happens before.
    public internal(set) var nextRetryTime = MonotonicTime.distantFuture
    var outage = Outage()
    /// How many connections may be on their way to waiters; grows once a backend is back.
    var openingsMax = Int.max

    /// The instances that live side by side; nil as long as one replaces the other.
    var members: [InstanceNumber]? {
        didSet { modeChanged() }
    }
    /// The epoch of which `members` tells.
    var epochNoted: UInt32 = 0
    /// Connections by the instance that answered on them last.
    var bindings = InstanceCounts()
    /// Those of them that are being asked again.
    var askedAgain = InstanceCounts()
    var search = Search()

    /// A pool without connections.
    public init(limits: PoolLimits) {
        self.limits = limits
        if !limits.asks { mode = .persistent }
    }

    /// How many connections are in which state.
    public var counts: PoolCounts {
        PoolCounts(
            opening: connections.count - tally.asking - idle.count - tally.leased,
            asking: tally.asking,
            idle: idle.count,
            leased: tally.leased,
            waiting: queue.count
        )
    }

    // MARK: Exchanges

    /// An exchange wants a connection; `session` is the instance of the session it carries.
    ///
    /// `verifiedSince` asks for one whose identity was answered then or later: for the one retry of
    /// an exchange whose connection was lost (contract 4.2). One of whose request nothing was sent
    /// `mayBeHeld` while the backend is down.
    public mutating func lease(
        _ exchange: ExchangeID,
        session: InstanceNumber?,
        verifiedSince: MonotonicTime = .zero,
        mayBeHeld: Bool = false,
        live: LiveInstances,
        now: MonotonicTime
    ) -> LeaseAction {
        note(live)
        if isSearching {
            let waiter = Waiter(
                exchange: exchange,
                session: session,
                verifiedSince: verifiedSince,
                deadline: now + limits.queueTimeout,
                mayBeHeld: mayBeHeld
            )
            return leaseAmongMany(waiter, live: live, now: now)
        }
        var candidate = idle.first
        while let place = candidate {
            if connections[place].fits(session: session, since: verifiedSince, live: live) {
                idle.remove(place)
                connections[place].phase = .leased
                tally.leased += 1
                return .use(connections[place].id)
            }
            candidate = idle.place(after: place)
        }
        let waiter = Waiter(
            exchange: exchange,
            session: session,
            verifiedSince: verifiedSince,
            deadline: now + limits.queueTimeout,
            mayBeHeld: mayBeHeld
        )
        wait(waiter, now: now)
        guard let place = idle.first else { return .wait }
        idle.remove(place)
        askAgain(place)
        return .askAgain(connections[place].id)
    }

    /// Takes an exchange out of the queue; false if it does not wait.
    @discardableResult
    public mutating func cancel(_ exchange: ExchangeID) -> Bool {
        guard let place = waiters.place(of: exchange.rawValue) else { return false }
        dequeue(place)
        return true
    }

    /// The exchanges that have waited for too long; they are out of the queue and fail.
    public mutating func expireWaiters(now: MonotonicTime) -> [ExchangeID] {
        var expired: [ExchangeID] = []
        while let place = queue.first, waiters[place].deadline <= now {
            expired.append(waiters[place].exchange)
            dequeue(place)
        }
        return expired
    }

    /// An exchange is done with its connection, or the verdict refused it before a byte was sent.
    ///
    /// `persists` says that the connection can carry another request. One that is lost in use is
    /// reported as `closed` instead.
    public mutating func release(
        _ connection: ConnectionID,
        persists: Bool,
        live: LiveInstances,
        now: MonotonicTime
    ) -> ReleaseAction {
        note(live)
        let place = known(connection)
        precondition(connections[place].phase == .leased, "released without a lease")
        let isCarrier = connections[place].role == .carrier
        guard persists, connections[place].isUsable(live) else {
            forget(place)
            return .close
        }
        if isSearching, !isCarrier { return releaseAmongMany(place, live: live, now: now) }
        guard let first = queue.first else {
            if isCarrier || mode == .pairing || isDraining {
                forget(place)
                return .close
            }
            tally.leased -= 1
            becomeIdle(place, now: now)
            return .idle
        }
        let waiter = waiters[first]
        if connections[place].fits(
            session: waiter.session,
            since: waiter.verifiedSince,
            live: live
        ) {
            let exchange = waiters[first].exchange
            dequeue(first)
            return .grant(exchange)
        }
        if isCarrier {
            forget(place)
            return .close
        }
        tally.leased -= 1
        askAgain(place)
        return .askAgain
    }

    // MARK: Sweeps

    /// The instances that live changed: idle connections of those that are gone, to be closed.
    public mutating func retire(live: LiveInstances) -> [ConnectionID] {
        note(live)
        var retired: [ConnectionID] = []
        var candidate = idle.first
        while let place = candidate {
            candidate = idle.place(after: place)
            if !connections[place].isUsable(live) {
                retired.append(connections[place].id)
                forget(place)
            }
        }
        return retired
    }

    /// The connections that have been idle for too long, to be closed.
    public mutating func closeIdle(now: MonotonicTime) -> [ConnectionID] {
        var expired: [ConnectionID] = []
        var candidate = idle.last
        // The order of last use is the order of the list.
        while let place = candidate, connections[place].since + limits.idleTimeout <= now {
            candidate = idle.place(before: place)
            if isTether(place) { continue }
            expired.append(connections[place].id)
            forget(place)
        }
        return expired
    }

    /// Someone else reached the backend: a reserve makes sense again.
    public mutating func backendUp() {
        isPaused = false
        outage.retryAtOnce()
    }

    /// No connection is kept any longer than its exchange, to be told once: those idle now.
    public mutating func drain() -> [ConnectionID] {
        isDraining = true
        outage.retryAtOnce()
        var drained: [ConnectionID] = []
        while let place = idle.first {
            drained.append(connections[place].id)
            forget(place)
        }
        return drained
    }

    // MARK: Steps

    mutating func wait(_ newcomer: Waiter, now: MonotonicTime) {
        var waiter = newcomer
        if isDown { hold(&waiter, now: now) }
        queue.insertLast(waiters.insert(waiter, for: waiter.exchange.rawValue))
        if queue.count == 1 { nextQueueDeadline = waiter.deadline }
    }

    mutating func dequeue(_ place: Int) {
        if waiters[place].isHeld { outage.heldCount -= 1 }
        queue.remove(place)
        waiters.remove(place, key: waiters[place].exchange.rawValue)
        if queue.count == 0 { openingsMax = .max }
        nextQueueDeadline = queue.first.map { waiters[$0].deadline } ?? .distantFuture
    }

    private mutating func modeChanged() {
        isPairing = mode == .pairing
        isSearching = members != nil && mode == .persistent
    }

    mutating func becomeIdle(_ place: Int, now: MonotonicTime) {
        connections[place].phase = .idle
        connections[place].since = now
        idle.insertFirst(place)
    }

    mutating func askAgain(_ place: Int) {
        connections[place].phase = .askingAgain
        connections[place].instanceAsked = connections[place].instance
        askedAgain.add(connections[place].instance)
        tally.asking += 1
        tally.verifying += 1
    }
}
