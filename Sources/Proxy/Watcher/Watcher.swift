public import HealthClient
public import Instances
public import Settings
public import Time

/// What one step of the watcher came back with.
public struct WatcherOutput: Equatable, Sendable {
    /// Which of the watched descriptors can be read.
    public var readable: [Int32] = []
    /// What the registry found to be news, in order.
    public var changes: [InstanceChange] = []
    /// Whether the backend was found to be up or down, where that is news.
    public var transition: WatcherSchedule.Transition?
    /// What is odd about the answer, where that is news.
    public var remarks: [HealthRemark] = []
    /// What the last question came to, if one came to its end.
    public var word: WatcherWord?

    /// Nothing of anything.
    public init() {}
}

/// What the watcher knows since a question: whose word counts with `identity.verify: watch`.
public struct WatcherWord: Equatable, Sendable {
    /// Who answers; `unverified` if nobody says so who did before, `none` if nobody ever did.
    public var instance: InstanceNumber
    /// When the question was put.
    public var askedAt: MonotonicTime
    /// Whether nobody answered, at once: refused, or cut off.
    public var isDown = false
}

/// Asks the backend who it is, again and again, so that a restart is known without any traffic.
///
/// Contract 3.3. The control thread owns it, and waits in it.
///
/// While no ID is known, an answer with one is followed by two questions on one connection, as on
/// a worker's first contact (contract 3.1). Not before: a connection that is kept open would block
/// a backend that serves one at a time.
public struct Watcher: ~Copyable {
    private enum Question {
        case plain
        case firstOfTwo
        case secondOfTwo(first: IdentityReport, firstAskedAt: MonotonicTime)
    }

    private var client: HealthClient
    private var schedule: WatcherSchedule
    private let reader: IdentityReader
    private var remarks: HealthRemarks
    private let isElsewhere: Bool
    private let registry: InstanceRegistry
    private let clock: () -> MonotonicTime
    private var askedAt = MonotonicTime.zero
    private var question = Question.plain
    private var saidIDPerConnection = false

    /// A watcher whose first question goes out in the first step; files of certificates are looked
    /// for in `directory`.
    public init(
        backend: UpstreamSettings,
        directory: String = ".",
        identity: IdentitySettings,
        registry: InstanceRegistry,
        clock: @escaping () -> MonotonicTime
    ) throws(HealthClientError) {
        let address = identity.elsewhere?.address ?? backend.address
        var target = HealthTarget(
            place: HealthTarget.Place(address),
            path: identity.path,
            timeout: identity.timeout
        )
        let reader = IdentityReader(identity.from)
        target.tls = HealthTarget.TLS(backend, identity.elsewhere, in: directory)
        target.bodyBytesMax = reader.contentBytesMax
        target.wantedFields = reader.wantedFields
        let authority = address.authority(isSecure: target.tls != nil)
        target.fields = IdentityQuestion(identity, authority: authority).healthFields
        client = try HealthClient(target)
        schedule = WatcherSchedule(interval: identity.interval)
        self.reader = reader
        isElsewhere = identity.elsewhere != nil
        remarks = HealthRemarks(timeout: identity.timeout)
        self.registry = registry
        self.clock = clock
    }

    /// Whether the backend answered the last question; nil before the first outcome.
    public var isUp: Bool? { schedule.isUp }

    /// A worker lost a connection to the backend, or could open none.
    public mutating func connectionLost(_ loss: WatcherSchedule.Loss) {
        schedule.connectionLost(loss, now: clock())
    }

    /// The backend's name means these addresses, for the watcher as for the workers.
    public mutating func takeAddresses(_ addresses: [String]) {
        if !isElsewhere { client.takeAddresses(addresses) }
    }

    /// What a worker's question changed is said, with its cause.
    public mutating func said(_ changes: [InstanceChange]) {
        remarks.said(changes)
    }

    /// Asks some questions at once, since several instances may share the address: a second one
    /// shows by them within a moment, and not only when its sessions are mistaken for stale.
    public mutating func lookAround() {
        schedule.lookAround(questions: Self.lookAroundQuestions)
    }

    /// If four processes take turns at random, one in a hundred times all of these go to one.
    private static var lookAroundQuestions: Int { 16 }

    /// Asks if it is time to, and waits once: for an answer, a descriptor, the next question, or
    /// until the time given.
    ///
    /// Descriptors that are `awaitingRoom` are watched for writing.
    public mutating func step(
        watching descriptors: [Int32],
        awaitingRoom: [Int32] = [],
        until limit: MonotonicTime = .distantFuture
    ) -> WatcherOutput {
        let now = clock()
        var timeout = max(.zero, min(.seconds(60), limit - now))
        switch schedule.wake(now: now) {
        case .ask:
            ask(.plain, over: .once, now: now)
        case .wait(let until):
            timeout = min(timeout, until - now)
        case .waitForAnswer:
            break
        }
        let wait = client.poll(
            timeout: timeout,
            watching: descriptors,
            awaitingRoom: awaitingRoom
        )
        var output = WatcherOutput()
        output.readable = wait.readable
        if let answer = wait.answer {
            take(answer, into: &output)
        }
        return output
    }

    private mutating func ask(
        _ question: Question,
        over connection: HealthConnection,
        now: MonotonicTime
    ) {
        self.question = question
        askedAt = now
        client.ask(over: connection)
    }

    private mutating func take(_ answer: HealthAnswer, into output: inout WatcherOutput) {
        let now = clock()
        let report = report(of: answer)
        switch question {
        case .plain where registry.needsSecondAsk(after: report):
            return ask(.firstOfTwo, over: .keptOpen, now: now)
        case .firstOfTwo where answer.failure == nil:
            let second = Question.secondOfTwo(first: report, firstAskedAt: askedAt)
            return ask(second, over: .sameAgain, now: now)
        case .secondOfTwo(let first, let firstAskedAt):
            let seen = registry.observeFirstContact(
                first: first,
                second: answer.isSameConnection ? report : first,
                connectionOpenedAt: firstAskedAt,
                now: now
            )
            output.changes += seen.changes
            output.word = WatcherWord(instance: seen.instance, askedAt: firstAskedAt)
            if !answer.isSameConnection {
                // A backend that closes each connection: the second answer is another one's. An
                // ID for each request cannot be told from instances that take turns there.
                observe(report, now: now, into: &output)
            }
        case .plain, .firstOfTwo:
            observe(report, now: now, into: &output)
        }
        output.remarks = remarks.note(
            report,
            status: answer.status,
            took: now - askedAt,
            said: output.changes
        )
        let outcome: WatcherSchedule.Outcome =
            if case .failed(let cause) = report { .failed(cause) } else { .answered }
        output.transition = schedule.answered(
            outcome,
            isNew: isNew(report, output),
            random: UInt64.random(in: 0 ... .max),
            now: now
        )
        if schedule.isIDPerConnection, !saidIDPerConnection {
            saidIDPerConnection = true
            output.remarks.append(.idPerConnection)
        }
    }

    /// Whether an ID came that was never seen before, or one too many.
    private func isNew(_ report: IdentityReport, _ output: WatcherOutput) -> Bool {
        guard case .id = report else { return false }
        let isNews = output.changes.contains { change in
            switch change {
            case .first, .replaced, .joined: true
            default: false
            }
        }
        return isNews || output.word?.instance == .unverified
    }

    private func observe(
        _ report: IdentityReport,
        now: MonotonicTime,
        into output: inout WatcherOutput
    ) {
        let seen = registry.observe(report, connectionOpenedAt: askedAt, now: now)
        output.changes += seen.changes
        var word = WatcherWord(instance: seen.instance, askedAt: askedAt)
        if case .failed(let cause) = report { word.isDown = cause != .timedOut }
        output.word = word
    }

    private func report(of answer: HealthAnswer) -> IdentityReport {
        switch answer.failure {
        case nil: reader.report(answer.body, fields: answer.fields.map { ($0.name, $0.value) })
        case .tooLarge: .none(.tooLarge)
        case .refused: .failed(.refused)
        case .unresolved: .failed(.unresolved)
        case .timedOut: .failed(.timedOut)
        case .dropped: .failed(.dropped)
        case .malformed: .failed(.malformed)
        case .other(let words): .failed(.other(words))
        }
    }
}

extension HealthTarget.Place {
    fileprivate init(_ address: Address) {
        switch address {
        case .host(let host, let port): self = .host(host, port: port)
        case .unix(let path): self = .unix(path)
        }
    }
}

extension HealthTarget.TLS {
    /// As for the workers' connections, or nil for bytes as they are; elsewhere, too, whom
    /// `upstream.tls` says to trust, but only the same host has the same name.
    fileprivate init?(
        _ backend: UpstreamSettings,
        _ elsewhere: IdentitySettings.Elsewhere?,
        in directory: String
    ) {
        guard elsewhere?.isSecure ?? backend.isSecure else { return nil }
        func path(_ file: FileName?) -> String? {
            file.map { $0.path.hasPrefix("/") ? $0.path : directory + "/" + $0.path }
        }
        let settings = backend.tlsSettings
        let isSameHost = elsewhere.map { $0.address.host == backend.address.host } ?? true
        self.init()
        authorities = path(settings.ca)
        verifies = settings.verify
        serverName = isSameHost ? settings.serverName : nil
        certificate = path(settings.certificate)
        key = path(settings.key)
    }
}

extension Address {
    fileprivate var host: String? {
        if case .host(let host, _) = self { host } else { nil }
    }
}
