public import HTTPModel
public import Memory

/// How much a head may have.
public struct HeadLimits: Sendable, Hashable {
    /// The bytes of a whole head, from its first to its last line.
    public var headerBytes: Int
    /// The field lines.
    public var headerCount: Int
    /// The bytes of a request target.
    public var targetBytes: Int

    /// Limits; by default those of the configuration.
    public init(
        headerBytes: Int = 32 * 1024,
        headerCount: Int = 100,
        targetBytes: Int = 8 * 1024
    ) {
        self.headerBytes = headerBytes
        self.headerCount = headerCount
        self.targetBytes = targetBytes
    }
}

/// What came of parsing a head.
public enum HeadParse: Equatable, Sendable {
    /// The whole head is there and sound.
    case complete
    /// All is in order so far; the head goes on behind the last byte.
    case incomplete
    /// The head is not passed on, whatever follows.
    case refused(Refusal)
}

/// Parses the heads of HTTP/1.x messages, strictly (RFC 9112).
///
/// Each call parses from the first waiting byte. What two recipients might read in two ways is
/// refused: request smuggling lives on that. The departures from the letter of the RFCs, each
/// with its reason where it is made, are few: `HTTP/1.1 200` without the space behind the status
/// is read, since many servers send it; an empty Host and a comma in it are refused; identical
/// lengths repeated are refused instead of merged.
///
/// The verdict on a head does not depend on how it arrives: what is refused is refused at the
/// first byte that is wrong. After anything but `complete` the head's content means nothing.
public struct HeadParser: Sendable {
    /// How much a head may have.
    public let limits: HeadLimits
    let protected: [[UInt8]]

    /// A parser; `protected` are lower-case names of more fields that `Connection` cannot nominate.
    public init(limits: HeadLimits = HeadLimits(), protected: [[UInt8]] = []) {
        self.limits = limits
        self.protected = protected
    }

    /// Parses a request head from the first waiting byte on.
    public func parseRequest(
        _ input: borrowing Buffer,
        into head: inout RequestHead
    ) -> HeadParse {
        // What lies behind the limit is not looked at, so that it cannot change the verdict.
        let bytes = input.bytes.extracting(first: max(0, limits.headerBytes))
        var facts = FieldFacts()
        var scan = scanRequestLine(bytes, &head)
        if case .reached(let place) = scan {
            head.fields.removeAll()
            scan = scanFields(bytes, place, &head.fields, &facts)
        }
        switch scan {
        case .incomplete:
            return bytes.count < limits.headerBytes ? .incomplete : refuse(.headTooLarge)
        case .refused(let cause):
            return refuse(cause)
        case .reached(let place):
            head.byteCount = place
            guard let cause = settle(bytes, facts, &head) else { return .complete }
            return refuse(cause)
        }
    }

    /// Parses the head of a response to a request of some method, from the first waiting byte on.
    public func parseResponse(
        _ input: borrowing Buffer,
        to method: Method,
        into head: inout ResponseHead
    ) -> HeadParse {
        // What lies behind the limit is not looked at, so that it cannot change the verdict.
        let bytes = input.bytes.extracting(first: max(0, limits.headerBytes))
        var facts = FieldFacts()
        var scan = scanStatusLine(bytes, &head)
        if case .reached(let place) = scan {
            head.fields.removeAll()
            scan = scanFields(bytes, place, &head.fields, &facts)
        }
        switch scan {
        case .incomplete:
            guard bytes.count >= limits.headerBytes else { return .incomplete }
            return .refused(Refusal(.headTooLarge, role: .client))
        case .refused(let cause):
            return .refused(Refusal(cause, role: .client))
        case .reached(let place):
            head.byteCount = place
            guard let cause = settle(bytes, facts, method, &head) else { return .complete }
            return .refused(Refusal(cause, role: .client))
        }
    }

    private func refuse(_ cause: RefusalCause) -> HeadParse {
        .refused(Refusal(cause, role: .server))
    }

    /// What the fields of a request mean, once all are there; nil if they are sound.
    private func settle(
        _ bytes: Span<UInt8>,
        _ facts: FieldFacts,
        _ head: inout RequestHead
    ) -> RefusalCause? {
        if let cause = checkHost(bytes, facts, &head) { return cause }
        switch decideFraming(
            bytes,
            head.fields,
            facts,
            of: .request(minorVersion: head.minorVersion)
        ) {
        case .refused(let cause): return cause
        case .decided(let framing, _): head.framing = framing
        }
        let options: ConnectionOptions
        switch readConnectionOptions(bytes, facts, &head.fields) {
        case .refused(let cause): return cause
        case .read(let found): options = found
        }
        head.isPersistent = options.isPersistent(minorVersion: head.minorVersion)
        head.asksUpgrade =
            options.hasUpgrade && facts.has(.upgrade) && head.minorVersion > 0
        head.expectsContinue = false
        guard facts.has(.expect) else { return nil }
        guard expectsOnlyContinue(bytes, head.fields) else { return .unknownExpectation }
        // RFC 9110 §10.1.1: ignored where the client cannot know what 100 means.
        head.expectsContinue = head.minorVersion > 0
        return nil
    }

    /// What the fields of a response mean, once all are there; nil if they are sound.
    private func settle(
        _ bytes: Span<UInt8>,
        _ facts: FieldFacts,
        _ method: Method,
        _ head: inout ResponseHead
    ) -> RefusalCause? {
        let endsConnection: Bool
        switch decideFraming(
            bytes,
            head.fields,
            facts,
            of: .response(minorVersion: head.minorVersion, status: head.status, to: method)
        ) {
        case .refused(let cause): return cause
        case .decided(let framing, let ends):
            head.framing = framing
            endsConnection = ends
        }
        switch readConnectionOptions(bytes, facts, &head.fields) {
        case .refused(let cause): return cause
        case .read(let options):
            head.isPersistent =
                !endsConnection && options.isPersistent(minorVersion: head.minorVersion)
        }
        head.hasDate = facts.has(.date)
        // RFC 9110 §8.6: a length in 1xx and 204 is not to be sent, so it is not sent on.
        if head.status < 200 || head.status == 204, facts.has(.contentLength) {
            for index in 0..<head.fields.count where head.fields[index].id == .contentLength {
                head.fields[index].isHopByHop = true
            }
        }
        return nil
    }
}
