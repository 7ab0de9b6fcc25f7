import Memory

/// A generator whose numbers are the same for the same seed.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}

/// Counts the deaths of `Mortal` values.
final class Deaths: Sendable {
    private let counter = Locked<Int>(0)
    var count: Int { counter.withLock { $0 } }
    func add() { counter.withLock { $0 += 1 } }
}

/// A value that cannot be copied and says when it goes.
struct Mortal: ~Copyable {
    var name: Int
    let deaths: Deaths

    deinit { deaths.add() }
}
