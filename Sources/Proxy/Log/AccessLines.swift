internal import Exchange
internal import Instances
internal import Linux
internal import Memory
internal import Settings

/// A worker's access lines of this turn, and what of them is the same for many.
struct AccessLines: ~Copyable {
    /// So many bytes are handed over before the turn ends.
    private static var batchBytesMax: Int { 16 * 1024 }

    let writer: AccessWriter
    /// Whether lines are written at all: all that the way of a request looks at if not.
    let isOn: Bool
    private let isJSON: Bool
    private let log: AccessLog

    private var lines = Buffer()
    private var lineCount = 0
    private var second: Int64 = -1
    private var time: [UInt8] = []
    private var instance = InstanceNumber.none
    private var instanceText = Array("null".utf8)

    init(_ format: LogSettings.Access, log: AccessLog) {
        writer = AccessWriter(format)
        isOn = writer.isOn
        isJSON = format == .json
        self.log = log
    }

    /// Adds the line of a request that is over.
    mutating func add(
        _ note: borrowing AccessNote,
        client: [UInt8],
        instance: InstanceNumber?,
        registry: InstanceRegistry
    ) {
        let milliseconds = WallClock.milliseconds()
        if milliseconds / 1000 != second { tell(milliseconds) }
        let known = instance ?? .none
        if known != self.instance && isJSON {
            self.instance = known
            let short = instance.map { AnswerWriter.jsonString(registry.shortID(of: $0)) }
            instanceText = Array((short ?? "null").utf8)
        }
        if lines.capacity == 0 { lines = Buffer(capacity: Self.batchBytesMax * 2) }
        writer.write(
            note,
            client: client,
            time: time,
            milliseconds: milliseconds % 1000,
            instance: instanceText,
            into: &lines
        )
        lineCount += 1
        if lines.count >= Self.batchBytesMax { handOver() }
    }

    /// Hands over what there is.
    mutating func handOver() {
        guard !lines.isEmpty else { return }
        log.hand(
            AccessLog.Batch(bytes: lines.copy(from: 0, count: lines.count), lineCount: lineCount)
        )
        lines.removeAll()
        lineCount = 0
    }

    /// Writes the time anew, which lines of one second share.
    private mutating func tell(_ milliseconds: Int64) {
        second = milliseconds / 1000
        if isJSON {
            time = Array(
                UTCTime(milliseconds: second * 1000).text.utf8.dropLast(".000Z".utf8.count)
            )
        } else {
            let offset = WallClock.secondsEastOfUTC(at: second)
            time = Array(UTCTime(milliseconds: second * 1000).localText(secondsEast: offset).utf8)
        }
    }
}
