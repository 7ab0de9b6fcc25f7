internal import EventLoop
internal import Linux

/// The lines of the access log on their way from the workers to the control thread.
///
/// A worker hands over a batch once a turn of its loop. Where lines come faster than standard
/// output is read, they are dropped and counted: no request waits for a log.
final class AccessLog: Sendable {
    /// Lines in a row.
    struct Batch: Sendable {
        let bytes: [UInt8]
        let lineCount: Int
    }

    private let batches: Mailbox<Batch>
    private let dropped = Counter()

    init() throws(SystemError) {
        batches = try Mailbox(capacity: 256)
    }

    /// The number that is readable while lines wait to be written.
    var number: Int32 { batches.number }

    /// Hands lines over, from any thread.
    func hand(_ batch: Batch) {
        if !batches.send(batch) { dropped.add(UInt64(batch.lineCount)) }
    }

    /// Writes what the stream takes; for the control thread alone.
    func write(to stream: inout LineStream) {
        for batch in batches.drain() where !stream.put(batch.bytes) {
            dropped.add(UInt64(batch.lineCount))
        }
        stream.flush()
        dropped.add(stream.takeLost())
    }

    /// How many lines were dropped since the last call.
    func takeDropped() -> UInt64 { dropped.takeAll() }
}
