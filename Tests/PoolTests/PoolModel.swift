import Instances
import Pool
import Testing
import Time

/// A shell that does what the pool says, a backend of changing manners, and a book in which every
/// connection and exchange is kept, to hold each of the pool's answers against.
///
/// Any contradiction is a line in `faults`; a test wants none.
struct PoolModel: ~Copyable {
    enum Phase {
        case opening
        case lacksCarrier
        case awaitsCarrier
        case standingBy
        case asking
        case askingAgain
        case idle
        case leased
    }

    struct Peer {
        var phase = Phase.opening
        var isCarrier = false
        var partner: UInt64?
        /// The identity was answered on it, or by its asker.
        var isVerified = false
        var instance = InstanceNumber.none
        var epoch: UInt32 = 0
        var verifiedAt = MonotonicTime.zero
        var idleSince = MonotonicTime.zero
    }

    struct Waiting {
        var exchange: UInt64
        var hasSession: Bool
        /// When the connection of an exchange that is tried again was lost.
        var verifiedSince: MonotonicTime
        var deadline: MonotonicTime
        var mayBeHeld = false
        var isHeld = false
        var holdUntil: MonotonicTime?
    }

    enum Outcome {
        case granted
        case failed
        case timedOut
        case cancelled
    }

    var pool: Pool
    let connectionsMax: Int
    let holds: Bool
    let heldMax = 6
    var isDown = false
    var random: SplitMix
    var now = MonotonicTime.zero
    var live = LiveInstances(current: InstanceNumber(rawValue: 1), epoch: 1)
    var closesEach = false
    var isUp = true
    var peers: [UInt64: Peer] = [:]
    var queue: [Waiting] = []
    var outcomes: [UInt64: Outcome] = [:]
    var seen: [String: Int] = [:]
    var faults: [String] = []
    private var lastConnection: UInt64 = 0
    private var lastExchange: UInt64 = 0
    private let trace: Bool

    init(connectionsMax: Int, seed: UInt64, holds: Bool = false, trace: Bool = false) {
        self.holds = holds
        self.connectionsMax = connectionsMax
        self.trace = trace
        random = SplitMix(state: seed)
        pool = Pool(
            limits: PoolLimits(
                connectionsMax: connectionsMax,
                queueTimeout: .milliseconds(500),
                idleTimeout: .seconds(6),
                hold: holds ? .milliseconds(900) : .zero,
                heldMax: heldMax
            )
        )
    }

    // MARK: The walk

    mutating func step() {
        switch random.below(100) {
        case 0..<24: lease()
        case 24..<28: cancel()
        case 28..<46: establish()
        case 46..<64: answer()
        case 64..<84: release()
        case 84..<87: lose()
        case 87..<90: changeInstances()
        case 90..<97: pass()
        case 97: changeManners()
        case 98: backendUp()
        default: endSide()
        }
        openWhatIsWanted()
        check()
    }

    /// Lets everything that is under way come to its end.
    mutating func settle() {
        isUp = true
        for waiting in queue {
            check(pool.cancel(ExchangeID(rawValue: waiting.exchange)), "a waiter was lost")
            end(waiting.exchange, .cancelled)
        }
        queue = []
        forgetAll(pool.drain(), from: .idle)
        for id in peers.keys.sorted() where peers[id] != nil {
            if peers[id]?.phase == .leased {
                check(release(id, persists: true) == .close, "kept while draining")
                peers[id] = nil
            } else {
                fail(pool.closed(ConnectionID(rawValue: id), now: now), of: id, all: false)
            }
        }
        check(pool.counts == PoolCounts(), "something leaked: \(pool.counts)")
        check(pool.connectionsToOpen(now: now) == 0, "opens while draining")
        check(UInt64(outcomes.count) == lastExchange, "an exchange has no outcome")
    }

    private mutating func lease() {
        lastExchange += 1
        var wanted = Waiting(
            exchange: lastExchange,
            hasSession: random.below(2) == 0,
            verifiedSince: random.below(10) == 0 ? now : .zero,
            deadline: now + .milliseconds(500),
            mayBeHeld: random.below(4) > 0
        )
        let action = pool.lease(
            ExchangeID(rawValue: lastExchange),
            session: wanted.hasSession ? live.current : nil,
            verifiedSince: wanted.verifiedSince,
            mayBeHeld: wanted.mayBeHeld,
            live: live,
            now: now
        )
        note("lease \(wanted) \(action)")
        switch action {
        case .use(let connection):
            use(connection.rawValue, by: wanted, from: [.idle])
            return
        case .askAgain(let connection):
            check(fits(connection.rawValue, wanted) == false, "asked needlessly")
            move(connection.rawValue, from: [.idle], to: .askingAgain)
        case .wait:
            check(!peers.values.contains { $0.phase == .idle }, "waits beside an idle one")
        }
        if isDown { hold(&wanted) }
        queue.append(wanted)
    }

    private mutating func cancel() {
        guard !queue.isEmpty else {
            check(!pool.cancel(ExchangeID(rawValue: lastExchange)), "cancels what does not wait")
            return
        }
        let left = queue.remove(at: random.below(queue.count)).exchange
        check(pool.cancel(ExchangeID(rawValue: left)), "a waiter was lost")
        end(left, .cancelled)
        note("cancel \(left)")
    }

    private mutating func establish() {
        guard let id = any(of: [.opening]) else { return }
        if !isUp || random.below(20) == 0 { return failOpening(id) }
        let action = pool.connected(ConnectionID(rawValue: id))
        note("connected \(id) \(action)")
        switch action {
        case .ask(let asked) where asked.rawValue == id:
            check(!pool.isPairing, "asks in pairing mode without a carrier")
            check(peers[id]?.isCarrier == false, "asks on a carrier")
            move(id, from: [.opening], to: .asking)
        case .ask(let asked):
            check(peers[id]?.partner == asked.rawValue, "asks on a stranger")
            move(id, from: [.opening], to: .standingBy)
            move(asked.rawValue, from: [.awaitsCarrier], to: .asking)
        case .openCarrier:
            check(pool.isPairing, "a carrier for a backend that keeps connections")
            move(id, from: [.opening], to: .lacksCarrier)
            if random.below(30) == 0 { return failOpening(id) }
            openCarrier(of: id)
        case .close:
            check(pool.isPairing, "closes a connection that could have asked")
            peers[id] = nil
        }
    }

    private mutating func openCarrier(of asker: UInt64) {
        lastConnection += 1
        pool.openingCarrier(
            ConnectionID(rawValue: lastConnection),
            for: ConnectionID(rawValue: asker)
        )
        peers[lastConnection] = Peer(isCarrier: true, partner: asker)
        peers[asker]?.partner = lastConnection
        move(asker, from: [.lacksCarrier], to: .awaitsCarrier)
    }

    private mutating func answer() {
        guard let id = any(of: [.asking, .askingAgain]), let peer = peers[id] else { return }
        if !isUp || random.below(20) == 0 { return failOpening(id) }
        let kinds: [InstanceNumber] = [live.current, live.current, live.current, .unverified]
        let instance = random.below(40) == 0 ? .init(rawValue: 9_999) : kinds[random.below(4)]
        let persists = random.below(50) == 0 ? closesEach : !closesEach
        let action = pool.ready(
            ConnectionID(rawValue: id),
            instance: instance,
            persists: persists,
            live: live,
            now: now
        )
        note("ready \(id) \(instance.rawValue) \(persists) \(action)")
        if peer.phase == .asking { check(pool.isPairing != persists, "the wrong lesson") }
        if peer.phase == .asking { comeBack() }
        verify(id, instance)
        let partner = peer.partner
        if !persists, let partner { verify(partner, instance) }
        switch action {
        case .grant(let exchange, let connection, let closing):
            let expected = partner.map { persists ? id : $0 } ?? id
            check(connection.rawValue == expected, "the wrong one of a pair")
            check(closing?.rawValue == partner.map { persists ? $0 : id }, "closes the wrong one")
            if let closing { peers[closing.rawValue] = nil }
            let from: [Phase] = [.asking, .askingAgain, .standingBy]
            grant(exchange.rawValue, connection.rawValue, from: from)
        case .idle(let closing):
            check(persists && queue.isEmpty, "idle though it is wanted, or closes")
            check(closing?.rawValue == partner, "closes the wrong one")
            if let closing { peers[closing.rawValue] = nil }
            peers[id]?.partner = nil
            move(id, from: [.asking, .askingAgain], to: .idle)
        case .close(let closing):
            let isUsable = instance == .unverified || live.isLive(instance)
            let isOfUse = isUsable && (partner == nil ? persists : persists || !queue.isEmpty)
            check(!isOfUse, "closes what could be used")
            check(closing?.rawValue == partner, "closes the wrong one")
            peers[id] = nil
            if let closing { peers[closing.rawValue] = nil }
        }
    }

    private mutating func release() {
        guard let id = any(of: [.leased]), let peer = peers[id] else { return }
        if random.below(20) == 0 {
            peers[id] = nil
            check(
                pool.closed(ConnectionID(rawValue: id), now: now) == LossAction(),
                "a loss in use fails"
            )
            return
        }
        let persists = random.below(10) == 0 ? closesEach : !closesEach
        let action = release(id, persists: persists)
        note("release \(id) \(persists) \(action)")
        switch action {
        case .grant(let exchange):
            check(persists, "granted though it closes")
            grant(exchange.rawValue, id, from: [.leased])
        case .askAgain:
            check(persists && !peer.isCarrier && !queue.isEmpty, "asks again in vain")
            move(id, from: [.leased], to: .askingAgain)
        case .idle:
            check(persists && queue.isEmpty && !pool.isPairing, "kept for nobody")
            move(id, from: [.leased], to: .idle)
        case .close:
            let isUsable = peer.instance == .unverified || live.isLive(peer.instance)
            check(!persists || !isUsable || peer.isCarrier || pool.isPairing, "closes a good one")
            peers[id] = nil
        }
    }

    private mutating func release(_ id: UInt64, persists: Bool) -> ReleaseAction {
        pool.release(ConnectionID(rawValue: id), persists: persists, live: live, now: now)
    }

    private mutating func lose() {
        guard let id = any(of: nil), let peer = peers[id] else { return }
        let action = pool.closed(ConnectionID(rawValue: id), now: now)
        note("closed \(id) \(action)")
        if peer.phase == .idle || peer.phase == .leased {
            check(action == LossAction(), "the loss of an open one fails someone")
            peers[id] = nil
        } else {
            fail(action, of: id, all: false)
        }
        check(pool.closed(ConnectionID(rawValue: id), now: now) == LossAction(), "lost twice")
    }

    private mutating func failOpening(_ id: UInt64) {
        let failures: [OpeningFailure] =
            isUp ? [.timedOut, .closed] : [.refused, .refused, .timedOut]
        let failure = failures[random.below(failures.count)]
        let isFirst = peers[id]?.phase != .askingAgain
        let action = pool.openingFailed(ConnectionID(rawValue: id), failure, now: now)
        note("failed \(id) \(failure) \(action)")
        fail(action, of: id, all: failure == .refused && isFirst)
    }

    private mutating func changeInstances() {
        if random.below(2) == 0 {
            live.current = InstanceNumber(rawValue: live.current.rawValue + 1)
        }
        live.epoch += 1
        note("live \(live.current.rawValue) \(live.epoch)")
        if random.below(4) > 0 {
            let gone = pool.retire(live: live)
            forgetAll(gone, from: .idle)
            for peer in peers.values where peer.phase == .idle {
                check(
                    peer.instance == .unverified || live.isLive(peer.instance),
                    "kept one that is gone"
                )
            }
        }
    }

    private mutating func pass() {
        now = now + .milliseconds(random.below(200))
        let late = queue.prefix { $0.deadline <= now }.map(\.exchange)
        check(pool.expireWaiters(now: now).map(\.rawValue) == late, "the wrong ones expire")
        for exchange in late { end(exchange, .timedOut) }
        queue.removeFirst(late.count)
        check(
            pool.nextQueueDeadline == (queue.first?.deadline ?? .distantFuture),
            "the wrong deadline"
        )
        forgetAll(pool.closeIdle(now: now), from: .idle)
        for peer in peers.values where peer.phase == .idle {
            check(peer.idleSince + .seconds(6) > now, "idle for too long")
        }
    }

    private mutating func changeManners() {
        switch random.below(3) {
        case 0: closesEach.toggle()
        case 1: isUp = random.below(3) > 0
        default: isUp = true
        }
    }

    private mutating func backendUp() {
        pool.backendUp()
    }

    private mutating func openWhatIsWanted() {
        var rounds = 0
        while pool.connectionsToOpen(now: now) > 0, rounds < 1_000 {
            rounds += 1
            check(!isDown || verifyingCount == 0, "more than one attempt while it is down")
            lastConnection += 1
            peers[lastConnection] = Peer()
            pool.opening(ConnectionID(rawValue: lastConnection), now: now)
            note("opening \(lastConnection)")
            if pool.isPairing {
                check(verifyingCount <= queue.count, "a reserve in pairing mode")
            }
            // Some fail before the call returns, as on a unix socket.
            if !isUp && random.below(4) == 0 { failOpening(lastConnection) }
        }
        check(rounds < 1_000, "opens without end")
    }

    // MARK: The book

    private var verifyingCount: Int {
        peers.values.count {
            !$0.isCarrier && $0.phase != .idle && $0.phase != .leased
        }
    }

    private func fits(_ id: UInt64, _ wanted: Waiting) -> Bool? {
        guard let peer = peers[id] else { return nil }
        if peer.verifiedAt < wanted.verifiedSince { return false }
        guard wanted.hasSession else {
            return peer.instance == .unverified || live.isLive(peer.instance)
        }
        return peer.epoch == live.epoch && live.isLive(peer.instance)
    }

    private mutating func any(of phases: [Phase]?) -> UInt64? {
        let found = peers.filter { phases?.contains($0.value.phase) ?? true }.keys.sorted()
        return found.isEmpty ? nil : found[random.below(found.count)]
    }

    private mutating func move(_ id: UInt64, from phases: [Phase], to phase: Phase) {
        guard let peer = peers[id], phases.contains(peer.phase) else {
            return fault("\(id) is not in \(phases)")
        }
        peers[id]?.phase = phase
        if phase == .idle { peers[id]?.idleSince = now }
    }

    private mutating func verify(_ id: UInt64, _ instance: InstanceNumber) {
        peers[id]?.isVerified = true
        peers[id]?.instance = instance
        peers[id]?.epoch = live.epoch
        peers[id]?.verifiedAt = now
    }

    private mutating func use(_ id: UInt64, by wanted: Waiting, from phases: [Phase]) {
        check(peers[id]?.isVerified == true, "granted before it was asked")
        let wasJustAsked = phases.contains(.asking) && peers[id]?.instance == .unverified
        check(wasJustAsked || fits(id, wanted) == true, "granted a misfit")
        move(id, from: phases, to: .leased)
        peers[id]?.partner = nil
        end(wanted.exchange, .granted)
    }

    private mutating func grant(_ exchange: UInt64, _ id: UInt64, from phases: [Phase]) {
        guard let first = queue.first, first.exchange == exchange else {
            return fault("\(exchange) is granted out of order")
        }
        queue.removeFirst()
        use(id, by: first, from: phases)
    }

    private mutating func fail(_ action: LossAction, of id: UInt64, all: Bool) {
        check(action.closing?.rawValue == peers[id]?.partner, "closes the wrong one of a pair")
        let wasAskedAgain = peers[id]?.phase == .askingAgain
        if holds, !wasAskedAgain { goDown() }
        if let partner = peers[id]?.partner { peers[partner] = nil }
        peers[id] = nil
        let isMissed = !wasAskedAgain && queue.count > verifyingCount
        let isEveryone = all || isDown && !wasAskedAgain
        let count = isEveryone ? queue.count : isMissed ? 1 : 0
        let expected = queue.filter { !$0.isHeld }.prefix(count).map(\.exchange)
        check(action.failed.map(\.rawValue) == expected, "the wrong ones fail")
        for exchange in expected { end(exchange, .failed) }
        queue.removeAll { expected.contains($0.exchange) }
    }

    private mutating func forgetAll(_ connections: [ConnectionID], from phase: Phase) {
        for connection in connections {
            check(peers[connection.rawValue]?.phase == phase, "closes one in use")
            peers[connection.rawValue] = nil
        }
    }

    mutating func end(_ exchange: UInt64, _ outcome: Outcome) {
        check(outcomes[exchange] == nil, "\(exchange) has two outcomes")
        outcomes[exchange] = outcome
        seen["\(outcome)", default: 0] += 1
    }

    private mutating func check() {
        let phases = peers.values.map(\.phase)
        let counts = PoolCounts(
            opening: phases.count {
                [.opening, .lacksCarrier, .awaitsCarrier, .standingBy].contains($0)
            },
            asking: phases.count { $0 == .asking || $0 == .askingAgain },
            idle: phases.count { $0 == .idle },
            leased: phases.count { $0 == .leased },
            waiting: queue.count
        )
        if pool.counts != counts { fault("\(pool.counts) is not \(counts)") }
        let limit = pool.isPairing ? max(2, connectionsMax) : connectionsMax
        check(peers.count <= max(limit, 2), "above the limit")
        check(pool.isDown == isDown, "up or down")
        if isDown, !queue.isEmpty, verifyingCount == 0, peers.count + 1 < limit {
            check(pool.nextRetryTime < .distantFuture, "nobody tries again")
        }
        if !isDown && !queue.isEmpty && verifyingCount == 0 {
            check(counts.idle + counts.leased >= limit - 1, "waits though there is room")
        }
        if let first = queue.first {
            for (id, peer) in peers where peer.phase == .idle {
                check(fits(id, first) == false, "waits beside a fit")
            }
        }
    }

    mutating func check(_ holds: Bool, _ fault: String) {
        if !holds { self.fault(fault) }
    }

    mutating func fault(_ text: String) {
        if faults.count < 5 { faults.append(text) }
    }

    private func note(_ text: @autoclosure () -> String) {
        if trace { print(text()) }
    }
}
