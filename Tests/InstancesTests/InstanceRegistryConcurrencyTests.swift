import Dispatch
import Foundation
import Instances
import Memory
import Synchronization
import Testing
import Time

/// SplitMix64: the same schedule for the same seed, as far as threads allow.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

/// A backend whose process number only grows, and a clock that moves with every look at it.
private final class World: Sendable {
    struct State {
        var clock: Int64 = 0
        var process = 1
    }

    private let state = Locked(State())
    let numbers = Locked<[Int: InstanceNumber]>([:])

    func now() -> MonotonicTime {
        state.withLock { state in
            state.clock += 1
            return MonotonicTime(nanoseconds: state.clock)
        }
    }

    func restart() {
        state.withLock { $0.process += 1 }
    }

    /// When a connection was opened, and the process that it ended in.
    func connect() -> (openedAt: MonotonicTime, process: Int) {
        state.withLock { state in
            state.clock += 1
            return (MonotonicTime(nanoseconds: state.clock), state.process)
        }
    }
}

/// A thread's view: what it saw must never go back.
private struct Witness {
    let world: World
    let registry: InstanceRegistry
    var epoch: UInt32 = 0
    var current: UInt32 = 0
    var process = 0
    var faults: [String] = []

    mutating func look() {
        let live = registry.live
        if live.epoch < epoch { faults.append("epoch \(epoch) → \(live.epoch)") }
        if live.current.rawValue < current {
            faults.append("instance \(current) → \(live.current.rawValue)")
        }
        epoch = live.epoch
        current = live.current.rawValue
        if let id = registry.id(of: live.current),
            let running = Int(String(decoding: id, as: UTF8.self))
        {
            if running < process { faults.append("process \(process) → \(running)") }
            process = running
        }
    }

    mutating func observe(_ report: IdentityReport, openedAt: MonotonicTime, process: Int) {
        let seen = registry.observe(report, connectionOpenedAt: openedAt, now: world.now())
        if case .id = report {
            let known = world.numbers.withLock { numbers in
                let known = numbers[process] ?? seen.instance
                numbers[process] = known
                return known
            }
            if known != seen.instance {
                faults.append("process \(process) is \(known) and \(seen.instance)")
            }
        }
        for change in seen.changes {
            if case .returned = change { faults.append("\(change)") }
            if case .twoIDsOnOneConnection = change { faults.append("\(change)") }
        }
        look()
    }

    mutating func run(seed: UInt64, rounds: Int) {
        var random = Seeded(state: seed)
        var held: [(openedAt: MonotonicTime, process: Int)] = []
        for _ in 0..<rounds {
            if Int.random(in: 0..<16, using: &random) == 0 { world.restart() }
            if held.count < 16 { held.append(world.connect()) }
            // Answers come late and out of order.
            let chosen = held[Int.random(in: 0..<held.count, using: &random)]
            switch Int.random(in: 0..<10, using: &random) {
            case 0: observe(.none(.absent), openedAt: chosen.openedAt, process: chosen.process)
            case 1: observe(.failed(.dropped), openedAt: chosen.openedAt, process: chosen.process)
            default:
                observe(
                    .id(Array("\(chosen.process)".utf8)),
                    openedAt: chosen.openedAt,
                    process: chosen.process
                )
            }
            if held.count == 16 { held.remove(at: Int.random(in: 0..<16, using: &random)) }
        }
    }
}

struct InstanceRegistryConcurrencyTests {
    @Test(
        "3.4 eight threads with late answers: never back to a replaced instance",
        arguments: [1, 2, 3] as [UInt64]
    )
    func neverBack(_ seed: UInt64) {
        let world = World()
        let registry = InstanceRegistry()
        let faults = Locked<[String]>([])
        let done = DispatchGroup()
        for thread in 0..<8 {
            done.enter()
            Thread.detachNewThread {
                var witness = Witness(world: world, registry: registry)
                witness.run(seed: seed &* 1000 &+ UInt64(thread), rounds: 1000)
                let found = witness.faults
                faults.withLock { $0 += found }
                done.leave()
            }
        }
        done.wait()
        #expect(faults.withLock { $0 } == [])
        #expect(registry.live.current.rawValue > 1)
    }
}
