internal import Linux
internal import TLS

/// A listening socket, and what its connections speak.
struct Listener: ~Copyable, Sendable {
    let socket: ListeningSocket
    /// TLS, or nil for bytes as they are.
    let tls: TLSContext?
}
