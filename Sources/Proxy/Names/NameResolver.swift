internal import EventLoop
public import Linux
internal import Time

/// Keeps the addresses of the backend's name true, on a thread of its own.
///
/// The system's resolver blocks. Literals and unix sockets need none.
public final class NameResolver: Sendable {
    private enum Message: Sendable {
        case connectionFailed
        case stop
    }

    private let messages: Mailbox<Message>

    /// Begins; `known` is what the name meant at the start, if it could be resolved.
    ///
    /// Both closures run on the resolver's thread.
    public init(
        known: [SocketAddress],
        resolve: @escaping @Sendable () throws(ResolveError) -> [SocketAddress],
        report: @escaping @Sendable (NameSchedule.News) -> Void
    ) throws(SystemError) {
        let messages = try Mailbox<Message>(capacity: 16)
        self.messages = messages
        let thread = try Thread(name: "names") {
            do throws(SystemError) {
                try Self.run(messages, known: known, resolve, report)
            } catch {
                report(.failed("no resolver: \(error)"))
            }
        }
        // The resolver may take its time, for which the end of the process does not wait.
        thread.detach()
    }

    /// A connection to one of the addresses failed: the name may mean others now.
    public func connectionFailed() {
        messages.send(.connectionFailed)
    }

    /// Ends the thread, once the question under way was answered.
    public func stop() {
        messages.send(.stop)
    }

    private static func run(
        _ messages: Mailbox<Message>,
        known: [SocketAddress],
        _ resolve: @Sendable () throws(ResolveError) -> [SocketAddress],
        _ report: @Sendable (NameSchedule.News) -> Void
    ) throws(SystemError) {
        var poller = try Poller()
        try poller.watchReadable(
            messages.number,
            PollToken(kind: 0, index: 0, generation: 0)
        )
        var schedule = NameSchedule(known: known, now: MonotonicClock.now())
        while true {
            _ = poller.wait(timeout: schedule.dueAt - MonotonicClock.now())
            for message in messages.drain() {
                switch message {
                case .connectionFailed: schedule.connectionFailed()
                case .stop: return
                }
            }
            guard schedule.dueAt <= MonotonicClock.now() else { continue }
            let news: NameSchedule.News?
            do throws(ResolveError) {
                news = schedule.resolved(try resolve(), now: MonotonicClock.now())
            } catch {
                news = schedule.failed(error.message, now: MonotonicClock.now())
            }
            if let news { report(news) }
        }
    }
}
