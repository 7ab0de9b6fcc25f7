/// Where the identity question goes.
public struct HealthTarget: Sendable, Equatable {
    /// The two kinds of place that a backend listens on.
    public enum Place: Sendable, Equatable {
        /// A name or address literal (IPv6 without its brackets), and a port.
        case host(String, port: UInt16)
        /// A unix socket by its path.
        case unix(String)
    }

    /// TLS to the place; certificates and keys are files.
    public struct TLS: Sendable, Equatable {
        /// Who may vouch for the backend; nil for whom the system trusts.
        public var authorities: String?
        /// Whether its certificate is looked at.
        public var verifies = true
        /// The name that it must have; nil for the host.
        public var serverName: String?
        /// What is shown to a backend that asks.
        public var certificate: String?
        /// The private key of that.
        public var key: String?

        /// The defaults.
        public init() {}
    }

    /// Where to connect.
    public var place: Place
    /// TLS, or nil for bytes as they are.
    public var tls: TLS?
    /// The request target, sent as it is.
    public var path: String
    /// Fields of the question, which stand in place of libcurl's own ones of the same name.
    public var fields: [HealthField] = []
    /// The fields of an answer that are kept, by their names in lower case.
    public var wantedFields: [[UInt8]] = []
    /// For the whole of one question, from the first SYN to the last byte.
    public var timeout: Duration
    /// How much content is read; an answer with more is a failure.
    public var bodyBytesMax = 64 * 1024

    /// A target from its parts.
    public init(place: Place, path: String, timeout: Duration) {
        self.place = place
        self.path = path
        self.timeout = timeout
    }
}

/// A field of a question or of an answer.
public struct HealthField: Sendable, Equatable {
    /// The name; of an answer in lower case.
    public var name: [UInt8]
    /// The value, without blanks around it.
    public var value: [UInt8]

    /// A field from its parts.
    public init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

/// Which connection a question goes over.
public enum HealthConnection: Sendable, Equatable {
    /// A new one, closed after the answer.
    case once
    /// A new one, kept open if the backend lets it, for one more question.
    case keptOpen
    /// The one that was kept open, or if it is gone a new one; closed after the answer.
    case sameAgain
}

/// Why there is no whole answer.
public enum HealthFailure: Sendable, Equatable {
    /// Nobody listens there, or the way there is barred.
    case refused
    /// No name server knows the host.
    case unresolved
    /// It took longer than the target's `timeout`.
    case timedOut
    /// The content or the head is larger than what is read of it.
    case tooLarge
    /// What came back is not HTTP.
    case malformed
    /// The connection ended before the answer did, or its chunks make no sense.
    case dropped
    /// Something else, in libcurl's words.
    case other(String)
}

/// What came of a question.
public struct HealthAnswer: Sendable, Equatable {
    /// The status; 0 where none was read.
    public var status: UInt16
    /// Those that were wanted, of the head: not of 1xx answers, nor trailers.
    public var fields: [HealthField]
    /// The content, without its transfer coding; whole unless there is a `failure`.
    public var body: [UInt8]
    /// Why the answer is not whole; nil if it is.
    public var failure: HealthFailure?
    /// Whether it went over the connection that was kept open (`HealthConnection.sameAgain`).
    public var isSameConnection: Bool

    /// An answer from its parts.
    public init(
        status: UInt16,
        body: [UInt8],
        fields: [HealthField] = [],
        failure: HealthFailure? = nil,
        isSameConnection: Bool = false
    ) {
        self.status = status
        self.body = body
        self.fields = fields
        self.failure = failure
        self.isSameConnection = isSameConnection
    }
}

/// What a wait came back with; nothing at all when its time was up.
public struct HealthWait: Sendable, Equatable {
    /// The answer, if the question came to its end.
    public var answer: HealthAnswer?
    /// Which of the watched descriptors can be read.
    public var readable: [Int32]

    /// A wait's outcome from its parts.
    public init(answer: HealthAnswer? = nil, readable: [Int32] = []) {
        self.answer = answer
        self.readable = readable
    }
}

/// Why there is no client.
public enum HealthClientError: Error, Equatable, Sendable {
    /// The target cannot be asked: what about it is wrong.
    case target(String)
    /// libcurl refused an option, or has no memory: in its words.
    case library(String)
}
