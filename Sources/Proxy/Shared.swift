internal import EventLoop
internal import Exchange
internal import HTTP1
internal import Instances
internal import Linux
internal import Memory
internal import Sessions
internal import Settings
internal import Time

/// What all threads share.
///
/// The configuration in its working form, the jar, who the backend is, the log, and the way to the
/// control thread. Nothing in it is locked on the way of a request
/// but a shard of the jar.
final class Shared: Sendable {
    let settings: Settings
    let rules: SessionRules
    let jar: Jar
    let registry: InstanceRegistry
    let log: Log
    let accessLog: AccessLog
    let headParser: HeadParser
    let requestRewriter: RequestRewriter
    let answerWriter: AnswerWriter
    let identityReader: IdentityReader
    /// Whether it is the watcher that says which instance a connection ends in.
    let isWatching: Bool
    /// When a connection to the backend was last lost, of all workers': what the watcher knew
    /// before counts for none of them.
    let lastLoss = LatestTime()
    /// When each instance was first seen.
    let firstSights = FirstSights()
    /// The identity question, as sent on pinned connections.
    let identityQuestion: [UInt8]
    /// Where the backend listened at the start; tried in order, and none if its name could not be
    /// resolved.
    let upstreamAddresses: [SocketAddress]
    let control: Mailbox<ControlMessage>
    /// Certificates and keys, for both sides.
    let tls: TLSContexts
    let handshakes = HandshakeCounts()
    /// Client connections of all workers.
    let connections: Gauge
    /// Subscribers to events that have no session, which anybody can be.
    let strangers: Gauge
    /// Tells this process's events from those of the one before.
    let eventOrigin = UInt64(clamping: WallClock.milliseconds())

    init(
        settings: Settings,
        jar: Jar,
        registry: InstanceRegistry,
        log: Log,
        upstreamAddresses: [SocketAddress],
        tls: TLSContexts = .none
    ) throws(SystemError) {
        self.settings = settings
        self.jar = jar
        self.registry = registry
        self.log = log
        self.upstreamAddresses = upstreamAddresses
        self.tls = tls
        rules = SessionRules(
            settings.session,
            stale: settings.stale,
            cors: settings.cors,
            identity: settings.identity,
            guardsCertificates: settings.asksClientCertificates
        )
        let session = settings.session
        let carrier = session.carrierCookie == nil ? [session.carrierHeader] : []
        let limits = HeadLimits(
            headerBytes: settings.limits.headerBytes,
            headerCount: settings.limits.headerCount,
            targetBytes: settings.limits.targetBytes
        )
        headParser = HeadParser(
            limits: limits,
            protected: carrier.map { $0.utf8.map(\.lowercasedASCII) }
        )
        let authority = settings.upstream.authority
        requestRewriter = RequestRewriter(settings: settings, defaultHost: Array(authority.utf8))
        answerWriter = AnswerWriter(settings: settings)
        isWatching = settings.identity.verify == .watch
        identityReader = IdentityReader(settings.identity.from)
        identityQuestion = IdentityQuestion(settings.identity, authority: authority).bytes
        accessLog = try AccessLog()
        control = try Mailbox()
        connections = Gauge(limit: settings.limits.connections)
        strangers = Gauge(limit: min(1000, max(1, settings.limits.connections / 4)))
    }
}

/// What workers tell the control thread.
enum ControlMessage: Sendable {
    /// An upstream connection that was open was lost.
    case connectionLost
    /// An upstream connection could not be made.
    case connectionRefused
    /// The backend's name means something else, or cannot be resolved.
    case name(NameSchedule.News)
    /// An identity answer brought news.
    case instancesChanged([InstanceChange])
    /// The last connection to one of several instances was lost.
    case instanceLost
    /// A connection waits for what the watcher says (`identity.verify: watch`).
    case wordWanted
    /// Several instances, and each closes its connections after each answer.
    case cannotTellApart
    /// A worker has finished what was in flight, and ended.
    case workerEnded
}

/// What the control thread tells a worker.
enum WorkerMessage: Sendable {
    /// The watcher reached the backend.
    case backendUp
    /// The watcher does not reach it any more.
    case backendDown
    /// The backend's name means these addresses now.
    case addresses([SocketAddress])
    /// Other instances live than before.
    case instancesChanged
    /// What the watcher says counts (`identity.verify: watch`).
    case watched(WatcherWord)
    /// Take no more connections, finish what is in flight, at the latest by then.
    case stop(by: MonotonicTime)
}

extension UpstreamSettings {
    /// As `Host` writes it.
    var authority: String { address.authority(isSecure: tls != nil) }
}

extension Address {
    /// As `Host` writes it.
    func authority(isSecure: Bool) -> String {
        switch self {
        case .host(let host, let port):
            let name = host.contains(":") ? "[\(host)]" : host
            return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
        case .unix: return "localhost"
        }
    }
}
