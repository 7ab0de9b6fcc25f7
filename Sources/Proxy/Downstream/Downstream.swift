internal import Exchange
internal import HTTP1
internal import Instances
internal import Linux
internal import Memory
internal import Sessions
internal import Time

/// A client's connection.
struct Downstream: ~Copyable {
    /// What the connection is for at the moment.
    enum Phase: Equatable {
        /// TLS is being agreed on.
        case handshake
        /// Waits for a request head, or is reading one.
        case head
        /// An exchange is under way; `exchange` names it.
        case exchange
        /// The exchange is a tunnel.
        case tunnel
        /// It is told of events for as long as both sides are there.
        case events(BackendEvents.Subscriber, isStranger: Bool)
        /// The response is complete and goes out; then comes the next head, or the end.
        case flushing(then: Sequel)
        /// Our side is shut down; what the client still sends is read and dropped for a while, so
        /// that it sees the answer and not a reset (RFC 9112 §9.6).
        case lingering(until: MonotonicTime)
    }

    /// What follows once a response has gone out.
    enum Sequel: Equatable {
        case nextHead
        case close
        /// Close so that a client that is still sending sees the answer.
        case linger
    }

    var wire: Wire
    var client: ClientFacts
    var machine = ConnectionMachine(role: .server)
    var phase = Phase.head
    var exchange = SlabToken.none
    /// When the client must have sent what is due.
    var deadline = MonotonicTime.distantFuture
    /// When it must have taken something of what waits for it.
    var writeDeadline = MonotonicTime.distantFuture

    /// Whether it counts against `limits.connections`; one that does not is being turned away.
    var hasPlace = true
    /// Whether the present request came over TLS, to us or to a trusted proxy in front.
    var isSecure = false
    /// The page that the present request comes from, if it may read our own answers.
    var origin: ListedOrigin?
    /// How far the present request's bytes were taken, from the front of `wire.input`, where the
    /// request stands as received while it can be replayed.
    var cursor = 0
    /// How much more chunked content the present request may have.
    var contentBytesLeft = UInt64.max
    /// What the `Connection` of the last request with chunked content nominates.
    var nominations: [[UInt8]] = []
    /// Whether a part of the next head has been looked at.
    var headBegan = false
    /// For the access line of the present request.
    var note = AccessNote()
    var noteInstance: InstanceNumber?

    init(descriptor: consuming Descriptor, client: ClientFacts) {
        wire = Wire(descriptor, isWritable: true)
        self.client = client
    }

    /// Drops the bytes of the request that were taken, which are no longer needed.
    mutating func dropTaken() {
        wire.input.consume(cursor)
        cursor = 0
    }
}
