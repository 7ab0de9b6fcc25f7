import Testing

/// One way to have sessions, and one kind of backend that is restarted.
struct StormMode: Sendable, CustomTestStringConvertible {
    var name: String
    /// How the clients hold their sessions, in turn.
    var carriers: [StormClient.Carrier] = [.jarCookie, .header]
    var clients = 32
    /// Of the backend.
    var options: [String] = []
    var configuration = usual
    /// How many of the restarts of all modes are its own, of 60.
    var share: Int
    /// How many processes share the port; one is killed at a time, every fifth time all of them.
    var workers = 1
    /// After at most so many served requests comes the next restart.
    var calm = 300
    /// The backend may not say in time who it is: sessions get 503 then (3.2), and those that are
    /// issued meanwhile are bound to nobody.
    var isSilentAtTimes = false
    /// While the backend is down, requests of which nothing was sent wait (4.2).
    var holds = false
    /// Every now and then a client talks over a WebSocket (4.3).
    var hasSockets = false
    /// With TLS on both sides.
    var isSecure = false

    var testDescription: String { name }

    static let all = [
        Self(name: "cookie and header", share: 15),
        Self(
            name: "backend's cookie",
            carriers: [.backendCookie],
            options: ["--set-cookie", "SID", "--read-cookie", "SID"],
            configuration: backendCookie,
            share: 8
        ),
        Self(
            name: "several instances",
            options: ["--share"],
            configuration: "identity: { instances: multi, grace: 200ms, interval: 100ms }\n"
                + usual,
            share: 8,
            workers: 3
        ),
        Self(
            name: "slow health",
            options: ["--health-delay", "50-400"],
            share: 5,
            calm: 200
        ),
        Self(
            name: "slow health, too late",
            options: ["--health-delay", "50-500"],
            configuration: "identity: { timeout: 350ms }\n" + usual,
            share: 5,
            calm: 100,
            isSilentAtTimes: true
        ),
        Self(
            name: "each closed",
            clients: 8,
            options: ["--close"],
            share: 7,
            calm: 100
        ),
        Self(
            name: "hold",
            configuration: "upstream: { url: UPSTREAM, hold: 20s }\n" + usual,
            share: 6,
            holds: true
        ),
        Self(
            name: "WebSocket",
            configuration: "identity: { interval: 100ms }\n" + usual,
            share: 6,
            hasSockets: true
        ),
        Self(
            name: "TLS on both sides",
            share: 6,
            isSecure: true
        ),
    ]
}
