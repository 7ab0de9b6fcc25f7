import Instances
import Settings
import Testing
import Time

/// Processes that live and die behind one address, connections that end in them, and answers that
/// come late; the registry is held against what is really so.
private struct Processes {
    struct Connection {
        var process: Int
        var openedAt: Int64
        var bound: InstanceNumber?
    }

    let registry: InstanceRegistry
    var random: SplitMix
    var now: Int64 = 1
    var alive: [Int]
    private var last: Int
    var connections: [Connection] = []
    var numbers: [Int: InstanceNumber] = [:]
    var counts: [String: Int] = [:]
    var faults: [String] = []

    init(_ mode: IdentitySettings.Instances, alive count: Int, seed: UInt64) {
        registry = InstanceRegistry(mode: mode, grace: .milliseconds(100))
        random = SplitMix(state: seed)
        alive = Array(1...count)
        last = count
    }

    mutating func connect() {
        guard !alive.isEmpty, connections.count < 40 else { return }
        let process = alive[random.below(alive.count)]
        connections.append(Connection(process: process, openedAt: now))
    }

    /// An answer is read, maybe of a process that has died since.
    mutating func answer(_ index: Int) {
        let connection = connections[index]
        let seen = registry.observe(
            .id(Array("\(connection.process)".utf8)),
            connectionOpenedAt: time(connection.openedAt),
            now: time(now),
            previously: connection.bound
        )
        note(seen.changes)
        _ = registry.rebind(connection.bound, to: seen.instance, now: time(now))
        connections[index].bound = seen.instance
        let known = numbers[connection.process] ?? seen.instance
        if known != seen.instance { faults.append("\(connection.process) changes its number") }
        numbers[connection.process] = known
    }

    mutating func close(_ index: Int) {
        _ = registry.rebind(connections.remove(at: index).bound, to: nil, now: time(now))
    }

    mutating func kill() {
        guard alive.count > 1 else { return }
        alive.remove(at: random.below(alive.count))
    }

    mutating func start() {
        guard alive.count < 8 else { return }
        last += 1
        alive.append(last)
    }

    mutating func restartAll() {
        last += 1
        alive = [last]
    }

    /// The connections of those that died are noticed one by one.
    mutating func noticeDead() {
        let dead = connections.indices.filter { !alive.contains(connections[$0].process) }
        if !dead.isEmpty { close(dead[random.below(dead.count)]) }
    }

    mutating func settle() {
        note(registry.settle(now: time(now)).changes)
    }

    private mutating func note(_ changes: [InstanceChange]) {
        for change in changes {
            switch change {
            case .gone(let number):
                counts["gone", default: 0] += 1
                if alive.contains(where: { numbers[$0] == number }) {
                    faults.append("\(number) lives, and its sessions get a false 401")
                }
            case .several: counts["several", default: 0] += 1
            case .joined: counts["joined", default: 0] += 1
            case .alone: counts["alone", default: 0] += 1
            default: break
            }
        }
    }

    /// Whether those that live are those that are said to.
    mutating func compare(isAtRest: Bool) {
        let live = registry.live
        for (process, number) in numbers where live.areMany {
            let isAlive = alive.contains(process)
            if isAlive && !live.isLive(number) { faults.append("\(process) is said to be gone") }
            if isAtRest && !isAlive && live.isLive(number) {
                faults.append("\(process) is said to live")
            }
        }
    }

    mutating func step() {
        now += Int64(random.below(4))
        switch random.below(100) {
        case 0..<30: connect()
        case 30..<75: if !connections.isEmpty { answer(random.below(connections.count)) }
        case 75..<85: if !connections.isEmpty { close(random.below(connections.count)) }
        case 85..<96: noticeDead()
        case 96: kill()
        case 97..<99: start()
        default: settle()
        }
        compare(isAtRest: false)
    }

    /// Goes on without deaths until all that has happened is known.
    mutating func rest() {
        while !connections.isEmpty { close(0) }
        for round in 0..<1_000 {
            now += 1
            connect()
            if !connections.isEmpty { answer(connections.count - 1) }
            if connections.count > 20 { close(0) }
            if round % 10 == 0 { settle() }
        }
        compare(isAtRest: true)
    }
}

struct SplitMix {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}

@Suite("3.4 random lives of processes")
struct SeveralInstancesModelTests {
    @Test("3.4 multi: nobody alive is ever said to be gone, and the dead are found out")
    func multi() {
        var counts: [String: Int] = [:]
        for seed in 1...60 as ClosedRange<UInt64> {
            var world = Processes(.multi, alive: 1 + Int(seed % 5), seed: seed)
            for _ in 0..<6 {
                for _ in 0..<500 { world.step() }
                world.rest()
            }
            let faults = world.faults.prefix(3)
            #expect(faults == [], "seed \(seed)")
            counts.merge(world.counts, uniquingKeysWith: +)
        }
        #expect(counts["gone", default: 0] > 300 && counts["joined", default: 0] > 300)
    }

    @Test("3.4 auto: restarts of one process never look like several, however late answers come")
    func restarts() {
        for seed in 1...60 as ClosedRange<UInt64> {
            var world = Processes(.auto, alive: 1, seed: seed)
            for step in 0..<2_000 {
                world.now += 1
                if step % 40 == 39 { world.restartAll() }
                switch world.random.below(10) {
                case 0..<4: world.connect()
                case 4..<8:
                    if !world.connections.isEmpty {
                        world.answer(world.random.below(world.connections.count))
                    }
                case 8: world.noticeDead()
                default: world.settle()
                }
            }
            #expect(world.counts["several"] == nil, "seed \(seed)")
            #expect(!world.registry.live.areMany)
        }
    }

    @Test("3.4 auto: several are recognised, and from then on it is as with multi")
    func several() {
        for seed in 1...60 as ClosedRange<UInt64> {
            var world = Processes(.auto, alive: 2 + Int(seed % 4), seed: seed)
            world.rest()
            #expect(world.counts["several"] == 1, "seed \(seed)")
            for _ in 0..<500 { world.step() }
            world.rest()
            #expect(world.faults.prefix(3) == [], "seed \(seed)")
        }
    }
}
