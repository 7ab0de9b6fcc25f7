internal import Linux
internal import Memory
internal import Settings
internal import Time

/// What the wall clock says, in the forms of the field `Date` and of access lines, made anew once a
/// second.
struct WallTime: ~Copyable {
    /// The line `Date` of responses that lack it (RFC 9110 §6.6.1), with its CRLF.
    private(set) var dateLine = Buffer()
    /// The second in the form of `log.access`; empty where that is off.
    private(set) var accessText: [UInt8] = []

    private let access: LogSettings.Access
    /// When the texts were made, on both clocks.
    private var madeAt = MonotonicTime.zero
    private var time = UTCTime(milliseconds: 0)
    private var isOldAt = MonotonicTime.zero

    init(_ access: LogSettings.Access) {
        self.access = access
    }

    /// Sees to it that the texts are of this second.
    mutating func refresh(now: MonotonicTime) {
        guard now >= isOldAt else { return }
        madeAt = now
        time = UTCTime(milliseconds: WallClock.milliseconds())
        isOldAt = now + .milliseconds(1000 - time.milliseconds % 1000)
        dateLine.removeAll()
        dateLine.append(Array("Date: \(time.dateFieldText)\r\n".utf8))
        switch access {
        case .off: break
        case .common, .combined:
            let offset = WallClock.secondsEastOfUTC(at: time.milliseconds / 1000)
            accessText = Array(time.localText(secondsEast: offset).utf8)
        case .json: accessText = Array(time.secondText.utf8)
        }
    }

    /// How far the second of the texts has gone on.
    func milliseconds(now: MonotonicTime) -> Int64 {
        time.milliseconds % 1000 + (now.nanoseconds - madeAt.nanoseconds) / 1_000_000
    }
}
