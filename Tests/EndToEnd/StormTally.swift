import TestSupport

/// What one client met in the storm, or all of them.
struct StormTally: Sendable {
    var requests = 0
    var served = 0
    var logIns = 0
    var cleared = 0
    /// Sessions bound to nobody, because the backend did not say in time who it is (3.2).
    var unbound = 0
    var openSessions = 0
    var unavailable = 0
    var cut = 0
    /// WebSockets closed with 1012.
    var closed = 0
    var surprises: [String] = []
    /// The longest from new instances that listen, or from the end of one of several, to the first
    /// answer of the new or for the old one.
    var longest: Duration = .zero

    mutating func add(_ other: Self) {
        requests += other.requests
        served += other.served
        logIns += other.logIns
        cleared += other.cleared
        unbound += other.unbound
        openSessions += other.openSessions
        unavailable += other.unavailable
        cut += other.cut
        closed += other.closed
        surprises += other.surprises
        longest = max(longest, other.longest)
    }

    private static let columns = [
        "restarts", "requests", "served", "cleared", "while down", "cut", "1012", "unbound",
        "zombies",
        "surprises", "recovery ms", "seconds",
    ]
    private static let nameWidth = 22

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private static func left(_ text: String) -> String {
        text + String(repeating: " ", count: max(0, nameWidth - text.count))
    }

    /// Printed once, by whoever prints the first line.
    private static let header: Void = print(
        (["storm: " + left("mode")] + columns).joined(separator: "  ")
    )

    /// Prints the table's line for a mode.
    func show(_ mode: String, restarts: Int, zombies: Int, time: Duration) {
        _ = Self.header
        let numbers = [
            restarts, requests, served, cleared, unavailable, cut, closed, unbound, zombies,
            surprises.count, Int(longest / .milliseconds(1)), Int(time / .seconds(1)),
        ]
        let cells = zip(Self.columns, numbers).map { Self.right("\($1)", $0.count) }
        print((["storm: " + Self.left(mode)] + cells).joined(separator: "  "))
    }
}

/// What a client asked and got, for the one who has to find out what went wrong.
struct StormStory: Sendable {
    private static let linesMax = 30

    private let start = ContinuousClock.now
    private var lines: [String] = []

    mutating func note(_ line: String) {
        lines.append("    \((ContinuousClock.now - start) / .milliseconds(1)) ms: \(line)")
        if lines.count > 2 * Self.linesMax { lines.removeFirst(Self.linesMax) }
    }

    var text: String { lines.suffix(Self.linesMax).joined(separator: "\n") }
}

/// The same numbers for the same seed (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
