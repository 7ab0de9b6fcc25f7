internal import HTTP1
internal import HTTPModel
internal import Instances
internal import Linux
internal import Memory
internal import Time

/// A connection to the backend.
struct Upstream: ~Copyable {
    /// What the connection is for at the moment.
    enum Phase: Equatable {
        /// The kernel is making it.
        case connecting
        /// Made; a carrier that waits until its asker was answered, or an asker that waits for its
        /// carrier.
        case connected
        /// The identity was asked for on it.
        case asking
        /// Made anew in place of one on which the identity answer did not come; it is not asked.
        case reconnecting
        /// In the pool.
        case idle
        /// An exchange has it; `exchange` names it.
        case leased
        /// The same, and the exchange is a tunnel.
        case tunnel
        /// Of no more use, but kept until it ends, as a sign that its instance lives.
        case witness
    }

    var wire: Wire
    /// Where its present socket connects to.
    var address: SocketAddress
    /// When its present socket began to connect.
    var openedAt: MonotonicTime
    var machine = ConnectionMachine(role: .client)
    var phase = Phase.connecting
    var exchange = SlabToken.none
    var deadline = MonotonicTime.distantFuture

    /// Who answers on it; nil before the first answer.
    var instance: InstanceNumber?
    /// The instance that it is counted for with the registry, where several may live.
    var held: InstanceNumber?
    /// When its instance was told on this very connection; nil if it was not asked on this one.
    var identifiedAt: MonotonicTime?
    /// Whether it carries what its asker was asked for (backends that close after each answer).
    var isCarrier = false
    /// Requests that were written to it.
    var requestCount = 0
    /// The first of the backend's addresses that was tried for it, and how many were in vain.
    var firstAddress = 0
    var failedAttempts = 0
    /// Whether the backend's name does not mean its address any more: it carries at most the
    /// request or tunnel that it has, or the request that it was made for.
    var isOutdated = false
    /// When the identity question under way was put.
    var askedAt = MonotonicTime.zero
    /// How long the question took, in nanoseconds, until a request has told.
    var verifyTime: Int64 = 0
    /// The identity question under way.
    var ask = IdentityAsk()
    /// What the `Connection` of the last response with chunked content nominates.
    var nominations: [[UInt8]] = []
    /// How far a response that is collected was taken, from the front of `wire.input`.
    var cursor = 0

    init(
        descriptor: consuming Descriptor,
        address: SocketAddress,
        openedAt: MonotonicTime
    ) {
        wire = Wire(descriptor, isWritable: false)
        self.address = address
        self.openedAt = openedAt
    }

    /// Puts a new socket in the place of one that came to nothing; nothing that was known of that
    /// one is known of this.
    mutating func replaceSocket(
        _ descriptor: consuming Descriptor,
        address: SocketAddress,
        openedAt: MonotonicTime
    ) {
        wire = Wire(descriptor, isWritable: false)
        self.address = address
        self.openedAt = openedAt
        instance = nil
        identifiedAt = nil
        ask = IdentityAsk()
    }

    /// How long the identity question took that was answered now, or came to nothing; 0 if none
    /// was put.
    mutating func takeVerifyTime(now: MonotonicTime) -> Int64 {
        defer { askedAt = .zero }
        return askedAt == .zero ? 0 : now.nanoseconds &- askedAt.nanoseconds
    }

    /// Takes what came in of the identity answer.
    mutating func takeIdentity(
        _ parser: HeadParser,
        _ head: inout ResponseHead,
        _ reader: IdentityReader
    ) -> IdentityAsk.Progress {
        ask.take(
            &wire.input,
            parser: parser,
            head: &head,
            reader: reader,
            ended: wire.inputEnded
        )
    }
}
