/// Why a message is refused.
public enum RefusalCause: UInt8, Sendable, CaseIterable {
    // The start line
    case notHTTP
    case emptyLines
    case badStartLine
    case badMethod
    case methodTooLong
    case badTarget
    case badTargetForm
    case targetTooLong
    case badVersion
    case versionNotSupported
    case badStatus
    // Lines and fields
    case bareLineFeed
    case bareCarriageReturn
    case foldedLine
    case badFieldName
    case spaceBeforeColon
    case badFieldValue
    case headTooLarge
    case tooManyFields
    // What the fields mean
    case hostMissing
    case hostRepeated
    case badHost
    case framingAlias
    case bothLengths
    case badContentLength
    case repeatedContentLength
    case codingInOldVersion
    case badTransferEncoding
    case unknownTransferCoding
    case unknownExpectation
    case tooManyConnectionOptions
    // Chunked content
    case badChunkSize
    case chunkTooLarge
    case badChunkExtension
    case chunkExtensionTooLong
    case badChunkEnd
    case badTrailer
    case trailersTooLarge
    case contentTooLarge

    /// The status that answers a request of this kind (RFC 9110 §15.5, §15.6).
    public var requestStatus: UInt16 {
        switch self {
        case .contentTooLarge: 413
        case .targetTooLong: 414
        case .unknownExpectation: 417
        case .headTooLarge, .tooManyFields, .trailersTooLarge: 431
        case .methodTooLong, .unknownTransferCoding: 501
        case .versionNotSupported: 505
        default: 400
        }
    }

    /// What is wrong, in a few words for logs and answers.
    public var description: StaticString {
        switch self {
        case .notHTTP: "not HTTP"
        case .emptyLines: "more than one empty line before the message"
        case .badStartLine: "malformed start line"
        case .badMethod: "malformed method"
        case .methodTooLong: "method too long"
        case .badTarget: "malformed request target"
        case .badTargetForm: "request target of a wrong form"
        case .targetTooLong: "request target too long"
        case .badVersion: "malformed HTTP version"
        case .versionNotSupported: "HTTP version not supported"
        case .badStatus: "malformed status"
        case .bareLineFeed: "line feed without carriage return"
        case .bareCarriageReturn: "carriage return without line feed"
        case .foldedLine: "folded field line"
        case .badFieldName: "malformed field name"
        case .spaceBeforeColon: "white space before the colon"
        case .badFieldValue: "control character in a field value"
        case .headTooLarge: "head too large"
        case .tooManyFields: "too many fields"
        case .hostMissing: "no Host"
        case .hostRepeated: "more than one Host"
        case .badHost: "malformed Host"
        case .framingAlias: "a field name that can be taken for a framing field"
        case .bothLengths: "both Content-Length and Transfer-Encoding"
        case .badContentLength: "malformed Content-Length"
        case .repeatedContentLength: "more than one Content-Length"
        case .codingInOldVersion: "Transfer-Encoding in HTTP/1.0"
        case .badTransferEncoding: "malformed Transfer-Encoding"
        case .unknownTransferCoding: "unknown transfer coding"
        case .unknownExpectation: "unknown expectation"
        case .tooManyConnectionOptions: "too many connection options"
        case .badChunkSize: "malformed chunk size"
        case .chunkTooLarge: "chunk too large"
        case .badChunkExtension: "malformed chunk extension"
        case .chunkExtensionTooLong: "chunk extensions too long"
        case .badChunkEnd: "malformed end of a chunk"
        case .badTrailer: "malformed trailer"
        case .trailersTooLarge: "trailers too large"
        case .contentTooLarge: "content too large"
        }
    }
}

/// Which end of a connection the proxy is.
public enum Role: UInt8, Sendable {
    /// Requests come in: the downstream side.
    case server
    /// Responses come in: the upstream side.
    case client
}

/// A message that is not passed on; the connection that it came on must be closed.
public struct Refusal: Equatable, Sendable {
    /// What the client is answered.
    public var status: UInt16
    /// Why.
    public var cause: RefusalCause

    /// A refusal with a status of its own.
    public init(status: UInt16, cause: RefusalCause) {
        self.status = status
        self.cause = cause
    }

    /// The refusal of what came in at one end: a response is at fault as a whole, 502.
    public init(_ cause: RefusalCause, role: Role) {
        self.init(status: role == .server ? cause.requestStatus : 502, cause: cause)
    }
}
