import Pool
import Testing

@Suite("3.4 Pool: random walks among several instances")
struct ManyModelTests {
    @Test(
        "3.4 Every session gets its own instance or is told, and everyone who waits is answered",
        arguments: [1, 4, 16, 60]
    )
    func walk(connectionsMax: Int) {
        var outcomes: [String: Int] = [:]
        for seed in 1...24 as ClosedRange<UInt64> {
            let instances = UInt32(1 + seed % 6)
            var model = ManyModel(
                connectionsMax: connectionsMax,
                instances: instances,
                seed: seed
            )
            for event in 1...1_500 where model.faults.isEmpty {
                model.step()
                if !model.faults.isEmpty { Issue.record("seed \(seed), event \(event)") }
            }
            if model.faults.isEmpty { model.settle() }
            #expect(model.faults == [], "seed \(seed)")
            outcomes.merge(model.outcomes, uniquingKeysWith: +)
        }
        #expect(outcomes["granted", default: 0] > 2_000)
        let others = ["cancelled", "stale", "timedOut", "failed"]
        #expect(others.reduce(0) { $0 + outcomes[$1, default: 0] } > 50, "\(outcomes)")
    }
}
