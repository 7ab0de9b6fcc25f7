public import HTTPModel

/// Why an exchange cannot go on with the upstream connection that it has or waits for.
public enum UpstreamFailure: Equatable, Sendable {
    /// No connection could be made: refused, unreachable, or not in `connect_timeout`.
    case unreachable
    /// The connection was lost before the response was complete.
    case dropped
    /// The response did not begin within `response_timeout`.
    case noAnswer
    /// What came is no HTTP response, or one that could be read in two ways.
    case badResponse
    /// No connection became free within `queue_timeout`.
    case overloaded
    /// The request carries a session, and the backend does not say who it is any more.
    case unverified
}

/// The life of one request after its verdict: where it stands towards the backend, and what a
/// failure there means for the client (contract 4.1, 4.2).
///
/// Events in, decisions out. The shell keeps the bytes: while `isReplayable` it holds on to the
/// request as received, so that it can be sent once more.
public struct ExchangeMachine: Sendable {
    private enum State: Equatable {
        /// No connection yet.
        case waiting
        /// A connection is ours; whether a byte of the request was taken by the kernel.
        case sending(anyBytes: Bool)
        /// The client has begun to receive the backend's response.
        case responding
    }

    private let method: Method
    private var carriesSession: Bool
    private var state = State.waiting
    private var wasRetried = false
    /// Whether any byte of it was ever sent: then it may be tried again, but not be held.
    public private(set) var wasSent = false
    /// Whether any byte of a response has come.
    public private(set) var sawResponse = false
    /// Whether the whole of what was sent can be sent again.
    public private(set) var isReplayable = true

    /// A request that waits for a connection.
    public init(method: Method, carriesSession: Bool) {
        self.method = method
        self.carriesSession = carriesSession
    }

    /// Whether the response has begun to go to the client.
    public var isResponding: Bool { state == .responding }

    /// The request goes on without its session, which is stale: it is exempt.
    public mutating func sessionLeftOut() {
        carriesSession = false
    }

    /// A connection was leased for the request.
    public mutating func connectionGranted() {
        state = .sending(anyBytes: false)
    }

    /// The connection was given back unused, for another one.
    public mutating func connectionReturned() {
        state = .waiting
    }

    /// The kernel took bytes of the request for the upstream connection.
    public mutating func requestBytesWritten() {
        guard state == .sending(anyBytes: false) else { return }
        state = .sending(anyBytes: true)
        wasSent = true
    }

    /// Content that was sent is no longer at hand.
    public mutating func contentLetGo() {
        isReplayable = false
    }

    /// Bytes of the response came in.
    public mutating func responseSeen() {
        sawResponse = true
        isReplayable = false
    }

    /// The response's final head is about to go to the client.
    public mutating func responseBegun() {
        state = .responding
        isReplayable = false
    }

    /// What to do about a failure.
    public enum FailureAction: Equatable, Sendable {
        /// Send it once more, on a connection that was verified afresh.
        case retry
        /// Tell the client.
        case answer(Answer)
        /// Close the client's connection so that the response does not look complete.
        case breakOff
    }

    /// The upstream side failed.
    public mutating func upstreamFailed(_ failure: UpstreamFailure) -> FailureAction {
        let anyBytes: Bool
        switch state {
        case .responding: return .breakOff
        case .waiting: anyBytes = false
        case .sending(let any): anyBytes = any
        }
        let isHarmless = !anyBytes || method.isIdempotent
        if failure == .dropped && !wasRetried && isReplayable && isHarmless {
            wasRetried = true
            state = .waiting
            return .retry
        }
        return .answer(answer(for: failure, isHarmless: isHarmless))
    }

    /// Contract 4.1: with a session, every failure is a 503 that keeps the session.
    private func answer(for failure: UpstreamFailure, isHarmless: Bool) -> Answer {
        if carriesSession || failure == .unverified {
            return .sessionKept(repeatIsHarmless: isHarmless)
        }
        return switch failure {
        case .unreachable, .dropped, .unverified: .unreachable
        case .noAnswer: .timeout
        case .badResponse: .badResponse
        case .overloaded: .overloaded
        }
    }
}
