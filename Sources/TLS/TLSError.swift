internal import COpenSSL

/// What of certificates, keys and settings cannot be used, and why.
public struct TLSError: Error, Equatable, Sendable {
    /// Which of the things that a context is made of.
    public enum Subject: Equatable, Sendable {
        /// The certificate, or the chain, of an identity by its place in the list.
        case certificate(Int)
        /// The private key of an identity.
        case key(Int)
        /// The certificates that others are judged by.
        case authorities
        case ciphers
        case curves
        /// None of them: OpenSSL itself failed.
        case library
    }

    /// What is wrong.
    public let subject: Subject
    /// Why, in words that follow a colon.
    public let message: String

    init(_ subject: Subject, _ message: String) {
        self.subject = subject
        self.message = message
    }

    /// The oldest error of OpenSSL's that waits, in its words.
    static func words() -> String {
        let code = ERR_peek_error()
        guard code != 0, let text = unsafe ERR_reason_error_string(code) else {
            return "an unknown error"
        }
        return unsafe String(cString: text)
    }
}

/// Why a handshake came to nothing.
public enum TLSFailure: Equatable, Sendable, CustomStringConvertible {
    /// The peer went away in the middle of it.
    case cut
    /// It was no TLS but the beginning of a plain HTTP request.
    case plainRequest
    /// The peer's certificate was not accepted, for this reason.
    case unverified(String)
    /// Anything else, in OpenSSL's words.
    case other(String)

    /// For the log.
    public var description: String {
        switch self {
        case .cut: "the connection ended during the TLS handshake"
        case .plainRequest: "a plain HTTP request"
        case .unverified(let reason): "its certificate was not accepted: \(reason)"
        case .other(let reason): "the TLS handshake failed: \(reason)"
        }
    }
}
