internal import Exchange
internal import Instances
internal import Memory
internal import Settings
internal import Time

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
    private var instance = InstanceNumber.none
    private var instanceText = Array("null".utf8)

    init(_ format: LogSettings.Access, log: AccessLog) {
        writer = AccessWriter(format)
        isOn = writer.isOn
        isJSON = format == .json
        self.log = log
    }

    /// Adds the line of a request that is over; `time` is of this second.
    mutating func add(
        _ note: borrowing AccessNote,
        client: [UInt8],
        time: borrowing WallTime,
        now: MonotonicTime,
        instance: InstanceNumber?,
        registry: InstanceRegistry
    ) {
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
            time: time.accessText,
            milliseconds: time.milliseconds(now: now),
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
}
