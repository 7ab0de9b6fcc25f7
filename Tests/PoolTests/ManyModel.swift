import Instances
import Pool
import Time

/// A shell before a backend of several instances, and a book to hold the pool's answers against.
///
/// Any contradiction is a line in `faults`.
struct ManyModel {
    struct Peer {
        enum Phase { case opening, asking, askingAgain, idle, leased }

        var phase = Phase.opening
        /// Where it really ends.
        var end: UInt32
        var isVerified = false
    }

    let pool: PoolHarness
    var random: SplitMix
    var alive: [UInt32]
    var peers: [UInt64: Peer] = [:]
    /// Who waits, and for which instance.
    var waiting: [UInt64: UInt32?] = [:]
    var outcomes: [String: Int] = [:]
    var faults: [String] = []
    private var last: UInt64 = 0
    private var lastInstance: UInt32

    init(connectionsMax: Int, instances: UInt32, seed: UInt64) {
        pool = PoolHarness(connectionsMax: connectionsMax, probesMax: 5)
        random = SplitMix(state: seed)
        alive = Array(1...instances)
        lastInstance = instances
        announce()
        // What comes before the first answer is not told apart.
        open()
        establish()
        answer()
    }

    private func announce() {
        pool.live = LiveInstances(
            current: InstanceNumber(rawValue: alive.max() ?? 0),
            epoch: pool.live.epoch + 1,
            members: alive.map { InstanceNumber(rawValue: $0) }
        )
    }

    mutating func step() {
        switch random.below(100) {
        case 0..<25: lease()
        case 25..<27: cancel()
        case 27..<45: establish()
        case 45..<65: answer()
        case 65..<88: release()
        case 88..<91: lose()
        case 91: replaceInstance()
        case 92..<95: rest()
        default: pass()
        }
        open()
        check()
    }

    private mutating func lease() {
        last += 1
        let own: UInt32? = random.below(4) == 0 ? nil : alive[random.below(alive.count)]
        switch pool.lease(last, of: own.map { InstanceNumber(rawValue: $0) }) {
        case .use(let connection): use(connection.rawValue, by: last, own, from: .idle)
        case .askAgain(let connection):
            move(connection.rawValue, from: .idle, to: .askingAgain)
            waiting[last] = .some(own)
        case .wait: waiting[last] = .some(own)
        }
    }

    private mutating func cancel() {
        guard let exchange = any(waiting.keys) else { return }
        if !pool.cancel(exchange) { faults.append("\(exchange) is not waiting") }
        waiting[exchange] = nil
        outcomes["cancelled", default: 0] += 1
    }

    mutating func establish() {
        guard let id = any(in: .opening) else { return }
        if pool.connected(id) != .ask(on: c(id)) { faults.append("does not ask on \(id)") }
        peers[id]?.phase = .asking
    }

    mutating func answer() {
        guard let id = any(in: .asking) ?? any(in: .askingAgain), let peer = peers[id] else {
            return
        }
        peers[id]?.isVerified = true
        switch pool.ready(id, instance: InstanceNumber(rawValue: peer.end)) {
        case .grant(let exchange, let connection, let closing):
            if connection.rawValue != id || closing != nil { faults.append("grants another") }
            grant(exchange.rawValue, id, from: peer.phase)
        case .idle: peers[id]?.phase = .idle
        case .close: peers[id] = nil
        }
    }

    mutating func release() {
        guard let id = any(in: .leased) else { return }
        switch pool.release(id, persists: random.below(20) > 0) {
        case .grant(let exchange): grant(exchange.rawValue, id, from: .leased)
        case .askAgain: peers[id]?.phase = .askingAgain
        case .idle: peers[id]?.phase = .idle
        case .close: peers[id] = nil
        }
    }

    private mutating func lose() {
        guard let id = any(peers.keys) else { return }
        let isOpening = peers[id]?.phase == .opening || peers[id]?.phase == .asking
        peers[id] = nil
        for exchange in pool.closed(id).failed {
            guard isOpening, waiting[exchange.rawValue] == .some(.none) else {
                faults.append("\(exchange) fails for a connection that it did not wait for")
                continue
            }
            waiting[exchange.rawValue] = nil
            outcomes["failed", default: 0] += 1
        }
    }

    private mutating func replaceInstance() {
        let gone = alive.remove(at: random.below(alive.count))
        lastInstance += 1
        alive.append(lastInstance)
        for (id, peer) in peers where peer.end == gone && peer.phase == .opening {
            peers[id]?.end = lastInstance
        }
        announce()
        for connection in pool.retire() {
            if peers[connection.rawValue]?.end != gone { faults.append("retires the wrong one") }
            peers[connection.rawValue] = nil
        }
        for exchange in pool.dismissStale() {
            if waiting[exchange.rawValue] != .some(gone) { faults.append("a false 401") }
            waiting[exchange.rawValue] = nil
            outcomes["stale", default: 0] += 1
        }
        if waiting.values.contains(gone) { faults.append("waits for one that is gone") }
    }

    private mutating func rest() {
        guard let id = any(in: .idle) else { return }
        if pool.refresh(id) { peers[id]?.phase = .askingAgain }
    }

    private mutating func pass() {
        pool.advance(.milliseconds(random.below(1_500)))
        for exchange in pool.expire() {
            waiting[exchange.rawValue] = nil
            outcomes["timedOut", default: 0] += 1
        }
        for connection in pool.closeIdle() { closeIdle(connection.rawValue) }
    }

    private mutating func closeIdle(_ id: UInt64) {
        guard let peer = peers.removeValue(forKey: id), peer.phase == .idle else {
            faults.append("\(id) is not idle")
            return
        }
        let isLast = !peers.values.contains { $0.end == peer.end && $0.isVerified }
        if isLast, alive.contains(peer.end) { faults.append("a tether is given up") }
    }

    mutating func open() {
        for connection in pool.makeRoom() { closeIdle(connection.rawValue) }
        var rounds = 0
        while pool.toOpen > 0, rounds < 1_000 {
            rounds += 1
            last += 1
            pool.opening(last)
            peers[last] = Peer(end: alive[random.below(alive.count)])
        }
        if rounds == 1_000 { faults.append("opens without end") }
    }

    private mutating func grant(_ exchange: UInt64, _ id: UInt64, from phase: Peer.Phase) {
        guard let own = waiting.removeValue(forKey: exchange) else {
            faults.append("\(exchange) does not wait")
            return
        }
        use(id, by: exchange, own, from: phase)
    }

    private mutating func use(
        _ id: UInt64,
        by exchange: UInt64,
        _ own: UInt32?,
        from phase: Peer.Phase
    ) {
        if peers[id]?.isVerified != true { faults.append("\(id) was not asked") }
        if let own, peers[id]?.end != own { faults.append("\(exchange) goes to another instance") }
        move(id, from: phase, to: .leased)
        outcomes["granted", default: 0] += 1
    }

    private mutating func move(_ id: UInt64, from: Peer.Phase, to phase: Peer.Phase) {
        if peers[id]?.phase != from { faults.append("\(id) is not \(from)") }
        peers[id]?.phase = phase
    }

    private mutating func any(in phase: Peer.Phase) -> UInt64? {
        any(peers.filter { $0.value.phase == phase }.keys)
    }

    private mutating func any(_ keys: some Collection<UInt64>) -> UInt64? {
        keys.isEmpty ? nil : keys.sorted()[random.below(keys.count)]
    }

    private mutating func check() {
        let phases = peers.values.map(\.phase)
        let counts = PoolCounts(
            opening: phases.count { $0 == .opening },
            asking: phases.count { $0 == .asking || $0 == .askingAgain },
            idle: phases.count { $0 == .idle },
            leased: phases.count { $0 == .leased },
            waiting: waiting.count
        )
        if pool.counts != counts { faults.append("\(pool.counts) is not \(counts)") }
        let probes = phases.count { $0 == .opening || $0 == .asking }
        let anyCount = waiting.values.count { $0 == nil }
        if probes > 40 + anyCount { faults.append("\(probes) probes") }
    }

    /// From now on nothing is lost: everyone who waits is served.
    mutating func settle() {
        for _ in 0..<5_000 where !waiting.isEmpty {
            establish()
            answer()
            release()
            if pool.nextProbeTime != .distantFuture {
                pool.now = max(pool.now, pool.nextProbeTime)
            }
            open()
        }
        if !waiting.isEmpty { faults.append("\(waiting.count) wait for ever") }
    }
}
