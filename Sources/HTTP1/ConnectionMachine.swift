/// The life of one HTTP/1.1 connection: one exchange after another, then its end (RFC 9112 §9).
///
/// One machine for both ends. As the server we read requests and write responses; as the client we
/// write requests and read responses; "input" is what the peer sends. The rules:
/// - An exchange is over when both its request and its response are. Only then does the next head
///   come into view, so that pipelined requests wait in the buffer and are answered in order.
/// - A connection lives on if both heads say so and both messages were read or written whole.
/// - As the server, a response that is finished before its request ends the connection, but only
///   once the rest of the request has been read and dropped: to close with input unread sends a
///   reset, which can destroy the response on its way (RFC 9112 §9.6).
/// - As the client, such a response ends the connection at once.
///
/// Interim responses (1xx) are no events here: they do not change what may come next.
public struct ConnectionMachine: ~Copyable, Sendable {
    /// What to do when a half of an exchange is finished.
    public enum HalfFinished: Equatable, Sendable {
        /// Go on: the other half is not finished.
        case awaitOtherHalf
        /// Read or send the next request on this connection.
        case nextExchange
        /// Read what is left of the request, to a limit, drop it, and close.
        case drainThenClose
        /// Close the connection.
        case close
    }

    /// What a response head must say of the connection, when we are the server.
    public enum Persistence: Equatable, Sendable {
        /// The connection lives on, as far as can be told now.
        case keepAlive
        /// The connection ends with this exchange: `Connection: close`.
        case announceClose
    }

    /// What the end of the peer's input means.
    public enum InputEnd: Equatable, Sendable {
        /// Nothing is missing: close.
        case clean
        /// The response was to end so, and is whole: pass its end on, and close.
        case responseComplete
        /// The request is whole: go on to answer it, then close.
        case answerThenClose
        /// A message is cut: it must not be taken for a whole one; close.
        case truncated
    }

    /// What to do when the connection is not to live on.
    public enum Closing: Equatable, Sendable {
        /// Close it.
        case now
        /// It will be closed when the exchange is over.
        case afterExchange
    }

    private struct Exchange {
        enum Response: Equatable {
            case awaited
            case open(untilClose: Bool)
            case finished
        }

        var isRequestFinished = false
        var response = Response.awaited
        var isPersistent: Bool
    }

    private enum State {
        case idle
        case exchange(Exchange)
        /// The server's, after the response: only the rest of the request is still to come.
        case draining
        case closed
    }

    private let role: Role
    private var state = State.idle

    /// A connection that has just been opened.
    public init(role: Role) {
        self.role = role
    }

    /// Whether the next bytes of input are looked at as the head of a message.
    public var expectsHead: Bool {
        switch state {
        case .idle: role == .server
        case .exchange(let exchange): role == .client && exchange.response == .awaited
        case .draining, .closed: false
        }
    }

    /// Whether no exchange is under way: a request may be read or sent.
    public var isIdle: Bool {
        if case .idle = state { true } else { false }
    }

    /// A request head was read, or is about to be sent.
    ///
    /// - Precondition: `isIdle`.
    public mutating func requestHead(isPersistent: Bool) {
        precondition(isIdle, "one exchange at a time")
        state = .exchange(Exchange(isPersistent: isPersistent))
    }

    /// The last byte of the request was read or sent.
    public mutating func requestFinished() -> HalfFinished {
        switch state {
        case .exchange(var exchange):
            exchange.isRequestFinished = true
            return settle(exchange)
        case .idle:
            preconditionFailure("there is no request to finish")
        case .draining, .closed:
            state = .closed
            return .close
        }
    }

    /// The head of the final response is about to be sent, or was read.
    ///
    /// - Precondition: an exchange is under way whose response has not begun.
    public mutating func responseHead(isPersistent: Bool, endsAtClose: Bool) -> Persistence {
        switch state {
        case .exchange(var exchange):
            precondition(exchange.response == .awaited, "one response to a request")
            exchange.response = .open(untilClose: endsAtClose)
            exchange.isPersistent = exchange.isPersistent && isPersistent && !endsAtClose
            let persistence = exchange.isPersistent ? Persistence.keepAlive : .announceClose
            state = .exchange(exchange)
            return persistence
        case .closed:
            return .announceClose
        case .idle, .draining:
            preconditionFailure("there is no request to answer")
        }
    }

    /// The last byte of the response was sent or read.
    public mutating func responseFinished() -> HalfFinished {
        switch state {
        case .exchange(var exchange):
            precondition(exchange.response != .awaited, "the response has not begun")
            exchange.response = .finished
            return settle(exchange)
        case .closed:
            return .close
        case .idle, .draining:
            preconditionFailure("there is no response to finish")
        }
    }

    /// Decides what follows when a half of the exchange has just been finished.
    private mutating func settle(_ exchange: Exchange) -> HalfFinished {
        switch (exchange.isRequestFinished, exchange.response) {
        case (true, .finished) where exchange.isPersistent:
            state = .idle
            return .nextExchange
        case (true, .finished):
            state = .closed
            return .close
        case (false, .finished) where role == .server:
            state = .draining
            return .drainThenClose
        case (false, .finished):
            state = .closed
            return .close
        case (_, .awaited), (_, .open):
            state = .exchange(exchange)
            return .awaitOtherHalf
        }
    }

    /// The peer sends no more; `hasPartialHead` tells whether bytes of a head were waiting.
    public mutating func inputClosed(hasPartialHead: Bool = false) -> InputEnd {
        switch state {
        case .exchange(var exchange) where role == .server && exchange.isRequestFinished:
            exchange.isPersistent = false
            state = .exchange(exchange)
            return .answerThenClose
        case .exchange(let exchange):
            state = .closed
            let isComplete = role == .client && exchange.response == .open(untilClose: true)
            return isComplete ? .responseComplete : .truncated
        case .idle:
            state = .closed
            return hasPartialHead ? .truncated : .clean
        case .draining, .closed:
            state = .closed
            return .clean
        }
    }

    /// The connection is not to live on: the proxy stops, or a limit was reached.
    public mutating func mustClose() -> Closing {
        switch state {
        case .exchange(var exchange):
            exchange.isPersistent = false
            state = .exchange(exchange)
            return .afterExchange
        case .draining:
            return .afterExchange
        case .idle, .closed:
            state = .closed
            return .now
        }
    }
}
