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
        identityReader = IdentityReader(settings.identity.from)
        identityQuestion = Array(
            ("GET \(settings.identity.path) HTTP/1.1\r\nHost: \(authority)\r\n"
                + "User-Agent: lychgate\r\nAccept: application/json, */*;q=0.1\r\n\r\n").utf8
        )
        accessLog = try AccessLog()
        control = try Mailbox()
        connections = Gauge(limit: settings.limits.connections)
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
    /// Several instances, and each closes its connections after each answer.
    case cannotTellApart
    /// A worker has finished what was in flight, and ended.
    case workerEnded
}

/// What the control thread tells a worker.
enum WorkerMessage: Sendable {
    /// The watcher reached the backend.
    case backendUp
    /// The backend's name means these addresses now.
    case addresses([SocketAddress])
    /// Other instances live than before.
    case instancesChanged
    /// Take no more connections, finish what is in flight, at the latest by then.
    case stop(by: MonotonicTime)
}

extension UpstreamSettings {
    /// As `Host` writes it.
    var authority: String {
        switch address {
        case .host(let host, let port):
            let name = host.contains(":") ? "[\(host)]" : host
            return port == (tls == nil ? 80 : 443) ? name : "\(name):\(port)"
        case .unix: return "localhost"
        }
    }
}
