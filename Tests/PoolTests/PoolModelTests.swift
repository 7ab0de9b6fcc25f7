import Pool
import Testing

@Suite("Pool: a random walk held against a book")
struct PoolModelTests {
    @Test(
        "3.2 No walk leads to two exchanges on a connection, an unasked one, or a lost waiter",
        arguments: [1, 2, 3, 8, 40]
    )
    func walk(connectionsMax: Int) {
        let outcomes = walk(connectionsMax: connectionsMax, holds: false)
        // A walk that never gets anywhere would prove nothing.
        for outcome in ["granted", "failed", "timedOut", "cancelled"] {
            #expect(outcomes[outcome, default: 0] > 500, "\(outcome)")
        }
    }

    @Test(
        "4.2 hold: none is held that may not be, nor for too long, and each has one outcome",
        arguments: [1, 2, 3, 8, 40]
    )
    func walkHolding(connectionsMax: Int) {
        let outcomes = walk(connectionsMax: connectionsMax, holds: true)
        for outcome in ["granted", "failed", "timedOut", "cancelled", "held"] {
            #expect(outcomes[outcome, default: 0] > 300, "\(outcome)")
        }
    }

    private func walk(connectionsMax: Int, holds: Bool) -> [String: Int] {
        var outcomes: [String: Int] = [:]
        for seed in 1...20 {
            var model = PoolModel(
                connectionsMax: connectionsMax,
                seed: UInt64(seed),
                holds: holds
            )
            for event in 1...2_500 where model.faults.isEmpty {
                model.step()
                if !model.faults.isEmpty { Issue.record("seed \(seed), event \(event)") }
            }
            model.settle()
            let faults = model.faults
            #expect(faults == [])
            outcomes.merge(model.seen, uniquingKeysWith: +)
        }
        return outcomes
    }
}
