public import Instances
public import Memory
public import Sessions

/// What subscribers are told of the backend (contract 5): which events, with which IDs, and what
/// they missed while they were away.
///
/// Each worker has one of these, and all of them note the same changes in the same order, so that a
/// subscriber may come back to another worker. Only the latest changes are kept; whoever was away
/// for longer is told how things are now. A subscriber costs 16 bytes here, and it is told what it
/// has not been told yet, however often and late it is asked for.
public struct BackendEvents: Sendable {
    /// What happens to the backend.
    public enum Change: Sendable {
        /// It answers again.
        case up
        /// It does not answer.
        case down
        /// Other instances live than before: an event for those whose session is none of theirs.
        case instances
    }

    /// The session that a client had when it subscribed.
    public enum Session: Equatable, Sendable {
        case none
        /// One of this instance.
        case live(InstanceNumber)
        case ended(ClearedReason)
    }

    /// What is known of a subscriber.
    public struct Subscriber: Equatable, Sendable {
        /// Up to which change it was told.
        fileprivate var sequence: UInt64
        /// Whose its session is; `unverified` where it has none.
        fileprivate var instance: InstanceNumber
        /// Whether its stream is chunked; else it lasts until its connection ends.
        public let isChunked: Bool

        /// Whether it had a session when it subscribed and has not been told otherwise.
        public var hasSession: Bool { instance != .unverified }
    }

    /// How many changes are kept for those who come back.
    public static let keptMax = 64

    private let origin: UInt64
    private var sequence: UInt64 = 0
    private var recent: [Change] = []
    /// Whether the backend answers; nil before that is known.
    private var isUp: Bool?

    /// Nothing has happened yet; `origin` tells this process from the one before.
    public init(origin: UInt64) {
        self.origin = origin
    }

    /// Whether the backend is known not to answer.
    public var isDown: Bool { isUp == false }

    /// Something happened.
    public mutating func note(_ change: Change) {
        sequence += 1
        if recent.count == Self.keptMax { recent.removeFirst() }
        recent.append(change)
        switch change {
        case .up: isUp = true
        case .down: isUp = false
        case .instances: break
        }
    }

    // MARK: Telling

    /// Begins a stream: appends what a new subscriber is to know at once.
    ///
    /// `lastEventID` is the field of one that comes back, `instanceID` the ID of the instance that
    /// lives, if that is one.
    public func subscribe(
        _ session: Session,
        lastEventID: [UInt8]?,
        isChunked: Bool,
        live: LiveInstances,
        instanceID: [UInt8]?,
        into out: inout Buffer
    ) -> Subscriber {
        let last = lastEventID.flatMap { parse($0) }
        var subscriber = Subscriber(
            sequence: last?.sequence ?? sequence,
            instance: .unverified,
            isChunked: isChunked
        )
        if case .live(let instance) = session { subscriber.instance = instance }
        out.append("retry: 2000\n")
        appendID(subscriber, into: &out)
        out.append("\n")
        switch session {
        case .ended(let reason): tellCleared(subscriber, reason.text, into: &out)
        case .none:
            // Its cookie was taken away while it was not listening.
            if let instance = last?.instance, !live.isLive(instance) {
                tellCleared(subscriber, "backend-restart", into: &out)
            }
        case .live: break
        }
        if last != nil {
            _ = tell(&subscriber, live: live, instanceID: instanceID, into: &out)
        } else if let isUp, !isUp || lastEventID != nil {
            tell(subscriber, isUp: isUp, instanceID, into: &out)
        }
        return subscriber
    }

    /// Appends what a subscriber has not been told yet; false where that is nothing.
    public func tell(
        _ subscriber: inout Subscriber,
        live: LiveInstances,
        instanceID: [UInt8]?,
        into out: inout Buffer
    ) -> Bool {
        let before = out.count
        if subscriber.hasSession, !live.isLive(subscriber.instance) {
            subscriber.instance = .unverified
            tellCleared(subscriber, "backend-restart", into: &out)
        }
        var missed = Int(clamping: sequence - min(subscriber.sequence, sequence))
        if missed > recent.count {
            missed = 0
            subscriber.sequence = sequence
            if let isUp { tell(subscriber, isUp: isUp, instanceID, into: &out) }
        }
        for change in recent.suffix(missed) {
            subscriber.sequence += 1
            switch change {
            case .up: tell(subscriber, isUp: true, instanceID, into: &out)
            case .down: tell(subscriber, isUp: false, instanceID, into: &out)
            case .instances:
                // Those with a session are told if it concerns them, and only then.
                guard !subscriber.hasSession else { continue }
                tell(subscriber, isUp: true, instanceID, into: &out)
            }
        }
        return out.count > before
    }

    private func tellCleared(
        _ subscriber: Subscriber,
        _ reason: StaticString,
        into out: inout Buffer
    ) {
        appendID(subscriber, into: &out)
        out.append("event: session-cleared\ndata: {\"reason\":\"")
        out.append(reason)
        out.append("\"}\n\n")
    }

    private func tell(
        _ subscriber: Subscriber,
        isUp: Bool,
        _ instanceID: [UInt8]?,
        into out: inout Buffer
    ) {
        appendID(subscriber, into: &out)
        guard isUp else {
            out.append("event: backend-down\ndata: {}\n\n")
            return
        }
        out.append("event: backend-up\ndata: {")
        if let instanceID {
            out.append("\"instanceId\":")
            let text = String(decoding: instanceID, as: UTF8.self)
            out.append(Array(AnswerWriter.jsonString(text).utf8))
        }
        out.append("}\n\n")
    }

    // MARK: IDs

    /// Which process, up to which change, and whose session: `19ac0f3e2b1-12-3`.
    private func appendID(_ subscriber: Subscriber, into out: inout Buffer) {
        out.append("id: ")
        out.append(hexadecimal: origin)
        out.append("-")
        out.append(decimal: subscriber.sequence)
        out.append("-")
        if subscriber.hasSession { out.append(decimal: UInt64(subscriber.instance.rawValue)) }
        out.append("\n")
    }

    /// An ID that this process gave; anything may stand there, so it only chooses what is told.
    private func parse(_ id: [UInt8]) -> (sequence: UInt64, instance: InstanceNumber?)? {
        guard id.count <= 64 else { return nil }
        let parts = id.split(separator: 0x2D, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard parts.count == 3, UInt64(parts[0], radix: 16) == origin,
            let told = UInt64(parts[1]), told <= sequence
        else { return nil }
        return (told, UInt32(parts[2]).map { InstanceNumber(rawValue: $0) })
    }

    // MARK: Framing

    /// Appends a piece of a stream to what goes out to a subscriber.
    public static func append(
        _ text: borrowing Buffer,
        isChunked: Bool,
        to out: inout Buffer
    ) {
        guard !text.isEmpty else { return }
        if isChunked {
            out.append(hexadecimal: UInt64(text.count))
            out.append("\r\n")
        }
        out.append(text, from: 0, count: text.count)
        if isChunked { out.append("\r\n") }
    }

    /// Appends the comment that says that the stream is still there.
    public static func appendComment(isChunked: Bool, to out: inout Buffer) {
        out.append(isChunked ? "3\r\n:\n\n\r\n" : ":\n\n")
    }

    /// Appends what ends a stream, which is nothing where its connection's end does.
    public static func appendEnd(isChunked: Bool, to out: inout Buffer) {
        if isChunked { out.append("0\r\n\r\n") }
    }
}
