internal import Linux
internal import Memory
internal import Time

/// The line `Date` of responses that lack it (RFC 9110 §6.6.1), made anew once a second.
struct DateLine: ~Copyable {
    /// With its CRLF.
    private(set) var text = Buffer()
    private var isOldAt = MonotonicTime.zero

    /// Sees to it that the text is of this second.
    mutating func refresh(now: MonotonicTime) {
        guard now >= isOldAt else { return }
        let time = UTCTime(milliseconds: WallClock.milliseconds())
        text.removeAll()
        text.append(Array("Date: \(time.dateFieldText)\r\n".utf8))
        isOldAt = now + .milliseconds(1000 - time.milliseconds % 1000)
    }
}
