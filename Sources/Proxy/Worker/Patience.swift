internal import Settings
internal import Time

/// How long a worker waits for what, ready to be added to `now`.
struct Patience: Sendable {
    // For clients.
    let header: Nanoseconds
    let bodyIdle: Nanoseconds
    let keepalive: Nanoseconds
    let writeIdle: Nanoseconds
    // For the backend.
    let connect: Nanoseconds
    let response: Nanoseconds
    let idle: Nanoseconds
    let identity: Nanoseconds
    let identityInterval: Nanoseconds
    let tetherRest: Nanoseconds
    /// Whether requests wait for a backend that is down; the pool knows how long.
    let isHolding: Bool

    /// Servers that close idle connections do so after two seconds at the soonest (gunicorn's
    /// threads; uvicorn's and Node's take five).
    static func tetherRest(_ identity: IdentitySettings) -> Duration {
        min(.seconds(1), identity.interval / 2)
    }

    init(_ settings: Settings) {
        header = Nanoseconds(settings.timeouts.header)
        bodyIdle = Nanoseconds(settings.timeouts.bodyIdle)
        keepalive = Nanoseconds(settings.timeouts.keepalive)
        writeIdle = Nanoseconds(settings.timeouts.writeIdle)
        connect = Nanoseconds(settings.upstream.connectTimeout)
        response = Nanoseconds(settings.upstream.responseTimeout)
        idle = Nanoseconds(settings.upstream.idleTimeout)
        identity = Nanoseconds(settings.identity.timeout)
        identityInterval = Nanoseconds(settings.identity.interval)
        isHolding = settings.upstream.hold > .zero
        tetherRest = Nanoseconds(Self.tetherRest(settings.identity))
    }
}
