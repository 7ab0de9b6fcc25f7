internal import COpenSSL
public import Memory

/// One TLS connection over a socket that does not block, in either role.
///
/// It reads and writes the socket itself. A call that cannot go on says what the socket must be
/// ready for; the same call is then made again, a write with at least the same bytes.
@safe
public struct TLSSession: ~Copyable {
    /// What a call came to.
    public enum Outcome: Equatable, Sendable {
        /// So many bytes, at least one.
        case bytes(Int)
        /// Nothing before the socket is readable.
        case wantsRead
        /// Nothing before the socket is writable.
        case wantsWrite
        /// The peer has said that nothing more comes.
        case ended
        /// The connection is broken, or was cut without a word; nothing goes any more.
        case failed
    }

    /// What a handshake has come to.
    public enum Handshake: Equatable, Sendable {
        case done
        case wantsRead
        case wantsWrite
        case failed(TLSFailure)
    }

    /// What fits in one record.
    public static var recordSize: Int { 16 * 1024 }

    private let ssl: OpaquePointer
    // OpenSSL calls back into what the context owns.
    private let context: TLSContext
    private var isOpen = false
    private var isFailed = false
    private var hasSentClose = false
    /// Whether the last read has left something that waits inside OpenSSL or in the socket.
    public private(set) var hasMore = false

    /// A session that has not begun; nil without memory.
    ///
    /// A client tries to go on with `resumption`.
    public init?(
        _ context: TLSContext,
        socket: Int32,
        resumption: borrowing TLSResumption = TLSResumption()
    ) {
        ERR_clear_error()
        guard let ssl = unsafe SSL_new(context.pointer) else { return nil }
        guard unsafe copenssl_attach_socket(ssl, socket) == 1 else {
            unsafe SSL_free(ssl)
            return nil
        }
        unsafe self.ssl = ssl
        self.context = context
        if context.isServer {
            unsafe SSL_set_accept_state(ssl)
        } else {
            unsafe SSL_set_connect_state(ssl)
            // Safe because OpenSSL copies the name.
            if let name = context.serverName { unsafe copenssl_set_host_name(ssl, name) }
            unsafe resumption.apply(to: ssl)
        }
    }

    deinit {
        // Whatever the end was, what was negotiated may be resumed: the bytes tell what was cut.
        unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(ssl)
    }

    // MARK: Handshake

    /// Goes on with the handshake.
    public mutating func handshake() -> Handshake {
        if isOpen { return .done }
        ERR_clear_error()
        let code = unsafe SSL_do_handshake(ssl)
        if code == 1 {
            isOpen = true
            return .done
        }
        switch outcome(code) {
        case .wantsRead: return .wantsRead
        case .wantsWrite: return .wantsWrite
        case .bytes, .ended, .failed:
            isFailed = true
            return .failed(failure())
        }
    }

    private borrowing func failure() -> TLSFailure {
        if context.isServer, unsafe copenssl_is_plain(ssl) == 1 { return .plainRequest }
        let verdict = unsafe SSL_get_verify_result(ssl)
        if verdict != Int(X509_V_OK), let text = unsafe X509_verify_cert_error_string(verdict) {
            return .unverified(unsafe String(cString: text))
        }
        let code = ERR_peek_error()
        if code == 0 || copenssl_reason(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING {
            return .cut
        }
        return .other(TLSError.words())
    }

    /// Whether the handshake went on from an earlier session.
    public var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

    /// The subject of the certificate that the peer has shown and that was accepted, as RFC 2253
    /// writes it, in visible ASCII; nil without one.
    public var peerSubject: [UInt8]? {
        guard let certificate = unsafe SSL_get0_peer_certificate(ssl),
            let name = unsafe X509_get_subject_name(certificate)
        else { return nil }
        return unsafe Certificates.text(of: name)
    }

    /// Keeps what a later session can go on from, in the place of what was kept; in TLS 1.3 it
    /// comes with the first bytes after the handshake.
    public borrowing func keep(in resumption: inout TLSResumption) {
        guard let session = unsafe SSL_get1_session(ssl) else { return }
        if unsafe SSL_SESSION_is_resumable(session) == 1 {
            unsafe resumption.replace(with: session)
        } else {
            unsafe SSL_SESSION_free(session)
        }
    }

    // MARK: Content

    /// Reads as much as there is and as fits; what has not shaken hands yet does so before, as it
    /// does before a write.
    ///
    /// - Precondition: the buffer has room.
    public mutating func read(into buffer: inout Buffer) -> Outcome {
        precondition(buffer.writableCount > 0)
        guard !isFailed else { return .failed }
        let ssl = unsafe ssl
        var last = Int32(1)
        var isDone = false
        // Safe because OpenSSL writes at most the room's size.
        let count = unsafe buffer.fill { room in
            var filled = 0
            while filled < room.count && !isDone {
                var count = 0
                ERR_clear_error()
                last = unsafe SSL_read_ex(
                    ssl,
                    room.baseAddress.map { unsafe $0 + filled },
                    room.count - filled,
                    &count
                )
                filled += count
                isDone =
                    unsafe last != 1
                    || SSL_has_pending(ssl) == 0 && copenssl_is_drained(ssl) == 1
            }
            return filled
        }
        if last == 1 {
            isOpen = true
            hasMore = !isDone
            return .bytes(count)
        }
        let outcome = outcome(last)
        // What was read comes first; an end or a failure is told again by the next read.
        hasMore = count > 0 && outcome != .wantsRead
        guard count == 0 else { return .bytes(count) }
        if outcome == .failed { isFailed = true }
        return outcome
    }

    /// Whether something waits, without taking it; what is meant for TLS alone is taken in.
    public mutating func peek() -> Outcome {
        guard !isFailed else { return .failed }
        var byte: UInt8 = 0
        var count = 0
        ERR_clear_error()
        // Safe because one byte has room for one.
        let code = unsafe SSL_peek_ex(ssl, &byte, 1, &count)
        if code == 1 { return .bytes(count) }
        let outcome = outcome(code)
        if outcome == .failed { isFailed = true }
        return outcome
    }

    /// Writes at most a record's content of a part of what waits in a buffer.
    public mutating func write(
        _ buffer: borrowing Buffer,
        from offset: Int,
        count: Int
    ) -> Outcome {
        guard !isFailed else { return .failed }
        let size = min(count, Self.recordSize)
        let bytes = buffer.bytes.extracting(offset..<offset + size)
        let ssl = unsafe ssl
        var written = 0
        ERR_clear_error()
        // Safe because OpenSSL only reads the span's bytes during the call.
        let code = unsafe bytes.withUnsafeBytes { waiting in
            unsafe SSL_write_ex(ssl, waiting.baseAddress, waiting.count, &written)
        }
        if code == 1 {
            isOpen = true
            return .bytes(written)
        }
        let outcome = outcome(code)
        if outcome == .failed { isFailed = true }
        return outcome
    }

    /// Says that nothing more will be written; again where it wants the socket to be writable.
    public mutating func sendClose() -> Outcome {
        guard isOpen, !isFailed, !hasSentClose else { return .ended }
        ERR_clear_error()
        let code = unsafe SSL_shutdown(ssl)
        hasSentClose = code >= 0
        return hasSentClose ? .ended : outcome(code)
    }

    private borrowing func outcome(_ code: Int32) -> Outcome {
        switch unsafe SSL_get_error(ssl, code) {
        case SSL_ERROR_WANT_READ: .wantsRead
        case SSL_ERROR_WANT_WRITE: .wantsWrite
        case SSL_ERROR_ZERO_RETURN: .ended
        default: .failed
        }
    }
}

/// What a client keeps of its last session, so that the next one costs less.
@safe
public struct TLSResumption: ~Copyable {
    private var session: OpaquePointer?

    /// Nothing to go on from.
    public init() {}

    deinit { unsafe SSL_SESSION_free(session) }

    @unsafe
    mutating func replace(with fresh: OpaquePointer) {
        unsafe SSL_SESSION_free(session)
        unsafe session = fresh
    }

    @unsafe
    borrowing func apply(to ssl: OpaquePointer) {
        guard let session = unsafe session else { return }
        _ = unsafe SSL_set_session(ssl, session)
    }
}
