internal import EventLoop
internal import HealthClient
internal import Instances
internal import Linux
internal import Sessions
internal import Settings
internal import TLS
internal import Time

/// The control thread: it asks who the backend is, writes the log, acts on signals, reaps the jar.
///
/// Nothing that a request waits for is done here.
struct ControlLoop: ~Copyable {
    /// Jar entries that one step looks at, a few at a time so that no lock is held for long.
    private static var reapBatch: Int { 256 }
    private static var reapsPerStep: Int { 64 }
    /// The thread wakes far more often than there is something to reap.
    private static var reapPace: Duration { .seconds(1) }

    /// A reader that stands still for long is worth a line now and then.
    private static var dropsPace: Duration { .seconds(10) }

    /// With two keys of before that still open them, a ticket is good for a day.
    private static var ticketPace: Duration { .seconds(8 * 3600) }

    private let shared: Shared
    private let signals: Signals
    private let workers: [Mailbox<WorkerMessage>]
    /// If the backend has a name.
    private let names: NameResolver?
    private var watcher: Watcher
    private var running: Int
    /// What waits to be written on either stream is bounded.
    private var events = LineStream(.error, limit: 64 * 1024)
    private var requests = LineStream(.output, limit: 256 * 1024)
    private var reapedAt = MonotonicTime.zero
    private var dropsToldAt = MonotonicTime.zero
    private var ticketsAt = MonotonicTime.zero
    private var isStopping = false
    private var saidCannotTellApart = false
    private var changeLines = LinePace()

    init(
        shared: Shared,
        signals: consuming Signals,
        workers: [Mailbox<WorkerMessage>],
        names: NameResolver?,
        directory: String
    ) throws(HealthClientError) {
        watcher = try Watcher(
            backend: shared.settings.upstream,
            directory: directory,
            identity: shared.settings.identity,
            registry: shared.registry,
            clock: { MonotonicClock.now() }
        )
        self.shared = shared
        self.signals = signals
        self.workers = workers
        self.names = names
        if names != nil && !shared.upstreamAddresses.isEmpty {
            watcher.takeAddresses(shared.upstreamAddresses.map(\.ipText))
        }
        running = workers.count
    }

    /// How the loop came to its end.
    enum Outcome {
        case workersEnded
        /// A second signal: what is in flight is given up.
        case toldTwice
    }

    /// Runs until every worker has ended, or somebody insists.
    mutating func run() -> Outcome {
        let watched = [
            signals.number, shared.control.number, shared.log.number, shared.accessLog.number,
        ]
        var settling = MonotonicTime.distantFuture
        writeLogs()
        while running > 0 {
            var blocked: [Int32] = []
            if events.isWaiting { blocked.append(events.number) }
            if requests.isWaiting { blocked.append(requests.number) }
            let output = watcher.step(
                watching: watched,
                awaitingRoom: blocked,
                until: settling
            )
            note(output.changes)
            for remark in output.remarks { shared.log.write(.warning, remark.text) }
            if let word = output.word, shared.isWatching { broadcast(.watched(word)) }
            if let transition = output.transition { note(transition) }
            for message in shared.control.drain() { receive(message) }
            while let signal = signals.next() {
                guard act(on: signal) else { return .toldTwice }
            }
            let settled = shared.registry.settle(now: MonotonicClock.now())
            note(settled.changes)
            settling = settled.again
            reap()
            tellLeftOut()
            rotateTickets()
            writeLogs()
        }
        return .workersEnded
    }

    /// Writes the last lines, for which a slow reader has a moment.
    mutating func finish() {
        names?.stop()
        shared.accessLog.write(to: &requests)
        requests.finish()
        shared.accessLog.write(to: &requests)
        tellDrops()
        shared.log.write(.info, "stopped")
        shared.log.write(to: &events)
        events.finish()
    }

    /// Writes what the two streams take at once.
    private mutating func writeLogs() {
        shared.accessLog.write(to: &requests)
        if dropsToldAt + Self.dropsPace <= MonotonicClock.now() { tellDrops() }
        shared.log.write(to: &events)
    }

    private mutating func tellLeftOut() {
        guard let count = changeLines.takeLeftOut(now: MonotonicClock.now()) else { return }
        shared.log.write(.info, "\(count) more changes of instance, not logged one by one")
    }

    private mutating func tellDrops() {
        let lost = shared.accessLog.takeDropped()
        guard lost > 0 else { return }
        dropsToldAt = MonotonicClock.now()
        shared.log.write(.warning, "\(lost) access log lines were dropped")
    }

    private mutating func receive(_ message: ControlMessage) {
        switch message {
        case .connectionLost:
            watcher.connectionLost(.lost)
            names?.connectionFailed()
        case .connectionRefused:
            watcher.connectionLost(.refused)
            names?.connectionFailed()
        case .name(let news): note(news)
        case .instancesChanged(let changes):
            watcher.said(changes)
            note(changes)
        case .instanceLost, .wordWanted: watcher.connectionLost(.lost)
        case .cannotTellApart: noteCannotTellApart()
        case .workerEnded: running -= 1
        }
    }

    private func note(_ transition: WatcherSchedule.Transition) {
        switch transition {
        case .backendUp:
            shared.log.write(.info, "backend is up")
            broadcast(.backendUp)
        case .backendDown(let cause):
            shared.log.write(.warning, "backend is down: \(cause.text)")
            broadcast(.backendDown)
        }
    }

    private mutating func note(_ news: NameSchedule.News) {
        let name = shared.settings.upstream.address.text
        switch news {
        case .addresses(let addresses):
            let texts = addresses.map(\.text).joined(separator: ", ")
            shared.log.write(.info, "\(name) means \(texts)")
            watcher.takeAddresses(addresses.map(\.ipText))
            broadcast(.addresses(addresses))
        case .failed(let reason):
            shared.log.write(
                .warning,
                "\(name) cannot be resolved (\(reason)): its addresses of before stand"
            )
        case .recovered:
            shared.log.write(.info, "\(name) can be resolved again, and means what it meant")
        }
    }

    private mutating func note(_ changes: [InstanceChange]) {
        guard !changes.isEmpty else { return }
        var looksAround = false
        for change in changes {
            shared.firstSights.note(change.firstSeen)
            switch change {
            case .first, .replaced, .gone: looksAround = true
            default: break
            }
            if change.comesOften, !changeLines.admits(now: MonotonicClock.now()) { continue }
            shared.log.write(change.isWarning ? .warning : .info, text(of: change))
        }
        broadcast(.instancesChanged)
        if looksAround, shared.registry.mode != .single { watcher.lookAround() }
    }

    private mutating func noteCannotTellApart() {
        guard !saidCannotTellApart else { return }
        saidCannotTellApart = true
        shared.log.write(
            .error,
            "several instances share the address, and the backend closes each connection after "
                + "one answer: they cannot be told apart, requests with a session get 503 "
                + "(let the backend keep its connections, or run one process)"
        )
    }

    private func broadcast(_ message: WorkerMessage) {
        for worker in workers { worker.send(message) }
    }

    /// Acts on a signal; false to end at once.
    private mutating func act(on signal: Signals.Signal) -> Bool {
        switch signal {
        case .hangUp:
            shared.log.write(.warning, "reloading is not implemented yet: the configuration stays")
            return true
        case .terminate, .interrupt:
            if isStopping {
                shared.log.write(.warning, "asked to stop twice: stopping at once")
                return false
            }
            isStopping = true
            shared.log.write(.info, "stopping: finishing what is in flight")
            broadcast(.stop(by: MonotonicClock.now() + shared.settings.shutdownGrace))
            return true
        }
    }

    /// Gives session tickets another key now and then; they are good for three of these times.
    private mutating func rotateTickets() {
        let now = MonotonicClock.now()
        guard let tickets = shared.tls.tickets, ticketsAt + Self.ticketPace <= now else { return }
        ticketsAt = now
        do {
            try tickets.rotate()
        } catch {
            shared.log.write(.warning, "no new key for TLS tickets (OpenSSL \(error.code))")
        }
    }

    private mutating func reap() {
        let now = MonotonicClock.now()
        guard reapedAt + Self.reapPace <= now else { return }
        reapedAt = now
        let live = shared.registry.undoubted(now: now)
        for _ in 0..<Self.reapsPerStep {
            let reaped = shared.jar.reap(
                limit: Self.reapBatch,
                live: live,
                now: now
            )
            if reaped.isPassDone { return }
        }
    }

    private func text(of change: InstanceChange) -> String {
        let registry = shared.registry
        func short(_ number: InstanceNumber) -> String { registry.shortID(of: number) }
        switch change {
        case .first(let instance):
            let cleared = shared.jar.count(boundTo: .none)
            return "backend instance is \(short(instance))"
                + (cleared > 0 ? ", \(cleared) sessions of before cleared" : "")
        case .replaced(let old, let new):
            return "backend restarted: instance \(short(old)) is gone, \(short(new)) answers, "
                + "\(shared.jar.count(boundTo: old)) sessions cleared"
        case .returned(let old, let new):
            return "instance \(short(new)) answers again after it had been replaced: several "
                + "instances seem to share the address, which identity.instances: single does not "
                + "serve; \(shared.jar.count(boundTo: old)) sessions cleared"
        case .several(let returned, let other):
            return "instance \(short(returned)) answers again after \(short(other)) had replaced "
                + "it: several instances share the address; from now on a session goes to its own "
                + "(as with identity.instances: multi)"
        case .joined(let instance):
            return "one more backend instance: \(short(instance))"
        case .gone(let instance):
            return "backend instance \(short(instance)) is gone, "
                + "\(shared.jar.count(boundTo: instance)) sessions cleared"
        case .alone(let instance):
            return "backend instance \(short(instance)) has been alone for a minute: the next one "
                + "replaces it"
        case .oldBackend(let cause):
            return "the backend reports no instance ID (\(cause.text)): forwarding, invalidating "
                + "nothing"
        case .stoppedReporting(let cause):
            return "the backend has stopped reporting its instance ID (\(cause.text)): requests "
                + "with a session get 503 on new connections"
        case .reportsAgain(let instance):
            return "the backend reports its instance ID again: \(short(instance))"
        case .idPerRequest:
            return "the backend reports another instance ID for each request, which is none: "
                + "forwarding, invalidating nothing"
        case .twoIDsOnOneConnection(let earlier, let now):
            return "one connection reported instance \(short(earlier)) and then \(short(now)): "
                + "something between here and the backend shares connections, and stale sessions "
                + "may reach it"
        }
    }
}
