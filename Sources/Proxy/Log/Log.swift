internal import EventLoop
internal import Exchange
internal import Linux
internal import Settings

/// One line an event, on standard error.
///
/// A line may be logged on any thread and never makes it wait: lines go through a mailbox to the
/// control thread, which writes them as far as that goes at once; when a reader of the log is so
/// slow that too much waits, lines are dropped and counted. Secrets never come here whole: callers
/// shorten them.
final class Log: Sendable {
    /// One event.
    struct Line: Sendable {
        let level: LogSettings.Level
        let message: String
        let milliseconds: Int64
    }

    private let settings: LogSettings
    private let lines: Mailbox<Line>
    private let dropped = Counter()

    /// A log as configured.
    init(settings: LogSettings) throws(SystemError) {
        self.settings = settings
        lines = try Mailbox(capacity: 4096)
    }

    /// The number that is readable while lines wait to be written.
    var number: Int32 { lines.number }

    /// Logs an event, if its level is to be written.
    func write(_ level: LogSettings.Level, _ message: @autoclosure () -> String) {
        guard level >= settings.level else { return }
        let line = Line(
            level: level,
            message: message(),
            milliseconds: WallClock.milliseconds()
        )
        if !lines.send(line) { dropped.add(1) }
    }

    /// Writes what the stream takes; for the control thread alone.
    func write(to stream: inout LineStream) {
        for line in lines.drain() where !stream.put(bytes(line)) { dropped.add(1) }
        stream.flush()
        dropped.add(stream.takeLost())
        guard !stream.isWaiting else { return }
        let lost = dropped.takeAll()
        if lost > 0 {
            let line = Line(
                level: .warning,
                message: "\(lost) log lines were dropped",
                milliseconds: WallClock.milliseconds()
            )
            _ = stream.put(bytes(line))
            stream.flush()
        }
    }

    private func bytes(_ line: Line) -> [UInt8] { Array((format(line) + "\n").utf8) }

    private func format(_ line: Line) -> String {
        let time = UTCTime(milliseconds: line.milliseconds).text
        switch settings.format {
        case .text:
            return "\(time) \(line.level.text) \(line.message)"
        case .json:
            let message = AnswerWriter.jsonString(line.message)
            return "{\"time\":\"\(time)\",\"level\":\"\(line.level.text)\",\"message\":\(message)}"
        }
    }
}

extension LogSettings.Level {
    /// As written in a line.
    var text: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        }
    }
}
