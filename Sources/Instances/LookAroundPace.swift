internal import Time

/// How often the watcher looks around for more instances (contract 3.4): one look is some
/// questions at once.
///
/// Each change of instance is a reason to. Where every connection reports an ID of its own, each
/// look is made of changes, and without a pace it would never end. So there is a pause between two,
/// which doubles as long as looks bring hardly anything but new IDs, and what is wanted meanwhile
/// waits until it is over.
struct LookAroundPace: Equatable, Sendable {
    private static let shortPauseMax: Duration = .seconds(2)
    private static let pauseMax: Duration = .seconds(300)
    /// A large set of processes may bring nothing but new IDs once, but hardly twice.
    private static let looksForSure = 2

    private let shortPause: Duration
    private var pause: Duration
    private var notBefore = MonotonicTime.zero
    private var wanted = 0
    private var size = 0
    private var newCount = 0
    /// Looks in a row that saw nothing but IDs never seen before.
    private var looksOfNewOnly = 0
    /// The questions that are left of the present look.
    private(set) var left = 0

    init(interval: Duration) {
        shortPause = min(interval, Self.shortPauseMax)
        pause = shortPause
    }

    /// When the next look is due, if one is wanted and none is under way.
    var due: MonotonicTime? { left == 0 && wanted > 0 ? notBefore : nil }

    /// Whether by now each connection seems to have an ID of its own.
    var isIDPerConnection: Bool { looksOfNewOnly >= Self.looksForSure }

    mutating func want(questions: Int) {
        wanted = max(0, questions)
    }

    /// A question goes out: it is the first of a look if that is due.
    mutating func asks(now: MonotonicTime) {
        guard let due, due <= now else { return }
        left = wanted
        size = wanted
        wanted = 0
        newCount = 0
    }

    /// A question was answered, with an ID never seen before or not.
    mutating func answered(isNew: Bool, now: MonotonicTime) {
        guard left > 0 else { return }
        left -= 1
        if isNew { newCount += 1 }
        guard left == 0 else { return }
        notBefore = now + pause
        looksOfNewOnly = newCount == size ? looksOfNewOnly + 1 : 0
        guard newCount > size / 2 else {
            pause = shortPause
            return
        }
        pause = min(pause * 2, Self.pauseMax)
        // Where there were so many, there may be more.
        wanted = max(wanted, size)
    }
}
