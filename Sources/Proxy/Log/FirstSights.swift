internal import Instances
internal import Linux
internal import Memory

/// When instances were first seen, on the wall clock.
///
/// Kept and not counted back from the monotonic clock: what was said once of an instance stays so,
/// however the clocks are set or sleep.
final class FirstSights: Sendable {
    private static let countMax = 4096

    private let times = Locked<[InstanceNumber: Int64]>([:])

    /// Notes instances that are seen for the first time.
    func note(_ instances: [InstanceNumber]) {
        for instance in instances { _ = time(of: instance) }
    }

    /// When an instance was first seen; now, if nobody has told of it yet.
    func time(of instance: InstanceNumber) -> UTCTime {
        let now = WallClock.milliseconds()
        let time = times.withLock { times in
            if let known = times[instance] { return known }
            if times.count >= Self.countMax {
                // Numbers grow: the lower ones are of instances that are long gone.
                let kept = times.keys.sorted { $0.rawValue > $1.rawValue }
                    .prefix(Self.countMax / 2)
                let oldest = kept.last?.rawValue ?? 0
                times = times.filter { $0.key.rawValue >= oldest }
            }
            times[instance] = now
            return now
        }
        return UTCTime(milliseconds: time)
    }
}

extension InstanceChange {
    /// Those that are seen for the first time.
    var firstSeen: [InstanceNumber] {
        switch self {
        case .first(let new), .replaced(_, let new), .returned(_, let new), .joined(let new):
            [new]
        case .several, .gone, .alone, .oldBackend, .stoppedReporting, .reportsAgain,
            .idPerRequest, .twoIDsOnOneConnection:
            []
        }
    }
}
