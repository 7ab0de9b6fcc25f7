import Testing

@Suite("random plays against the contract")
struct ContractModelTests {
    private static let playCount: UInt64 = 200
    private static let steps = 160

    @Test(
        "3.2 random plays: no zombie, no false 401, none too few, nobody left behind",
        arguments: ContractSetup.all
    )
    func randomPlays(_ setup: ContractSetup) {
        var counts: [String: Int] = [:]
        var shortest: (seed: UInt64, steps: Int)?
        for seed in 1...Self.playCount {
            var model = ContractModel(setup, seed: seed)
            model.play(steps: Self.steps)
            if model.fault != nil, model.steps < shortest?.steps ?? .max {
                shortest = (seed, model.steps)
            }
            counts.merge(model.counts, uniquingKeysWith: +)
        }
        if let shortest {
            var model = ContractModel(setup, seed: shortest.seed, traces: true)
            model.play(steps: Self.steps)
            let trace = model.trace.suffix(150).joined(separator: "\n")
            Issue.record("\(setup.testDescription), seed \(shortest.seed):\n\(trace)")
        }
        // The dice must have shown everything that is to be tested.
        for what in ["served", "issued", "replaced", "late", "restart", "recovered"] {
            #expect(counts[what, default: 0] > 50, "\(what): \(counts)")
        }
        #expect(counts["cleared backend-restart", default: 0] > 100, "\(counts)")
        #expect(counts["cleared expired", default: 0] > 50, "\(counts)")
        #expect(!setup.areMany || counts["gone", default: 0] > 50, "\(counts)")
    }
}
