/// Names an upstream connection; chosen by the shell, and unique while the pool knows it.
public struct ConnectionID: RawRepresentable, Hashable, Sendable {
    /// Any 64 bits, such as a slab token's.
    public let rawValue: UInt64

    /// A name from its bits.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// Names an exchange that needs a connection; chosen by the shell, and unique while it waits.
public struct ExchangeID: RawRepresentable, Hashable, Sendable {
    /// Any 64 bits, such as a slab token's.
    public let rawValue: UInt64

    /// A name from its bits.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// What a pool may use up.
public struct PoolLimits: Sendable, Equatable {
    /// Connections of this pool in any state; a pair always fits, even when this is 1.
    public var connectionsMax: Int
    /// How long an exchange may wait for a connection.
    public var queueTimeout: Duration
    /// How long a connection may be idle.
    public var idleTimeout: Duration
    /// Where several instances live, connections that may be on their way to find one.
    public var probesMax: Int
    /// After how long without use the connection that is kept to an instance is asked again, so
    /// that the backend does not take it for idle.
    public var tetherRest: Duration
    /// Whether a session may go over a connection that did not say whose it is.
    public var trustsUnverified: Bool
    /// How long an exchange may wait for a backend that is down; zero for not at all.
    public var hold: Duration
    /// How many may do so at a time: those above it fail as if there were no `hold`.
    public var heldMax: Int
    /// Whether connections are asked who answers.
    ///
    /// Otherwise all are taken for lasting, and none is opened in reserve: it might block a backend
    /// that serves one at a time.
    public var asks: Bool

    /// Limits from their parts.
    public init(
        connectionsMax: Int,
        queueTimeout: Duration,
        idleTimeout: Duration,
        probesMax: Int = 64,
        tetherRest: Duration = .seconds(1),
        trustsUnverified: Bool = false,
        hold: Duration = .zero,
        heldMax: Int = 1024,
        asks: Bool = true
    ) {
        self.connectionsMax = connectionsMax
        self.queueTimeout = queueTimeout
        self.idleTimeout = idleTimeout
        self.probesMax = probesMax
        self.tetherRest = tetherRest
        self.trustsUnverified = trustsUnverified
        self.hold = hold
        self.heldMax = heldMax
        self.asks = asks
    }
}

/// What becomes of an exchange that asked for a connection.
public enum LeaseAction: Sendable, Equatable {
    /// The connection is the exchange's: take the verdict, write, and release it.
    case use(ConnectionID)
    /// The exchange waits; ask for the identity on this idle connection again.
    case askAgain(ConnectionID)
    /// The exchange waits.
    case wait
}

/// What to do once a connection is established.
public enum ConnectedAction: Sendable, Equatable {
    /// Ask for the identity on this connection: the one that is connected, or its asker.
    case ask(on: ConnectionID)
    /// Open a carrier for it, report `openingCarrier`, and do not ask before it is connected.
    case openCarrier
    /// Close it: nobody needs it any more.
    case close
}

/// What to do once the identity answer is in.
///
/// `closing` is the other connection of a pair; close it first.
public enum ReadyAction: Sendable, Equatable {
    /// The connection `on` is the exchange's: take the verdict, write, and release it.
    case grant(ExchangeID, on: ConnectionID, closing: ConnectionID?)
    /// Keep the connection that was asked.
    case idle(closing: ConnectionID?)
    /// Close the connection that was asked.
    case close(closing: ConnectionID?)
}

/// What to do with a connection that an exchange is done with.
public enum ReleaseAction: Sendable, Equatable {
    /// It is the next exchange's: take the verdict, write, and release it.
    case grant(ExchangeID)
    /// Ask for the identity on it again, for the exchange that waits.
    case askAgain
    /// Keep it.
    case idle
    /// Close it.
    case close
}

/// Why there is no connection where one was being opened.
public enum OpeningFailure: Sendable, Equatable {
    /// Refused, unreachable, or no such socket: there is no backend now.
    case refused
    /// Not established, or the identity not answered, in time.
    case timedOut
    /// Lost before the identity was answered, or given up by the shell.
    case closed
}

/// What follows from the loss of a connection.
///
/// A connection lost in use fails nobody here: the shell knows whose it was.
public struct LossAction: Sendable, Equatable {
    /// Exchanges that waited and are to fail now; none of their requests was sent.
    public var failed: [ExchangeID] = []
    /// The other connection of a pair, to be closed.
    public var closing: ConnectionID?

    /// Nothing follows, unless it is given.
    public init(failed: [ExchangeID] = [], closing: ConnectionID? = nil) {
        self.failed = failed
        self.closing = closing
    }
}

/// How many connections are in which state, for the metrics.
public struct PoolCounts: Sendable, Equatable {
    /// Not established yet, or established and not to be asked yet.
    public var opening = 0
    /// Waiting for the identity answer.
    public var asking = 0
    /// Verified and free.
    public var idle = 0
    /// In use by an exchange.
    public var leased = 0
    /// Exchanges in the queue.
    public var waiting = 0

    /// Counts from their parts.
    public init(opening: Int = 0, asking: Int = 0, idle: Int = 0, leased: Int = 0, waiting: Int = 0)
    {
        self.opening = opening
        self.asking = asking
        self.idle = idle
        self.leased = leased
        self.waiting = waiting
    }
}
