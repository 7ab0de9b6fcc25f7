internal import COpenSSL

/// What the sessions of one listener, or all those to one backend, have in common.
///
/// It does not change once it is made, and any number of threads may use it at a time.
@safe
public final class TLSContext: Sendable {
    // Pointers cannot be sent to other threads, though OpenSSL locks what is behind this one: so
    // it is kept as a number.
    private let address: UInt
    let isServer: Bool
    /// What a client asks the server for by name; nil where it knows only an address.
    let serverName: String?
    /// Whether peers are asked for a certificate.
    public let asksPeers: Bool
    /// What OpenSSL calls back into.
    private let part: ServerPart?

    init(owning pointer: OpaquePointer, serverName: String?) {
        address = UInt(bitPattern: pointer)
        isServer = false
        self.serverName = serverName
        asksPeers = true
        part = nil
    }

    init(owning pointer: OpaquePointer, part: ServerPart, asksPeers: Bool) {
        address = UInt(bitPattern: pointer)
        isServer = true
        serverName = nil
        self.asksPeers = asksPeers
        self.part = part
    }

    deinit { unsafe SSL_CTX_free(pointer) }

    var pointer: OpaquePointer? { unsafe OpaquePointer(bitPattern: address) }
}

/// A certificate with the chain behind it, and its private key: two PEM files.
public struct TLSIdentity: Sendable, Equatable {
    /// The certificate, then those that lead to an authority.
    public var chain: [UInt8]
    /// The private key of the first one.
    public var key: [UInt8]

    /// An identity from the content of its files.
    public init(chain: [UInt8], key: [UInt8]) {
        self.chain = chain
        self.key = key
    }
}

/// An SSL_CTX while it is made; freed if that comes to nothing.
@safe
struct ContextBuilder: ~Copyable {
    let pointer: OpaquePointer

    private init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    static func make(server isServer: Bool) throws(TLSError) -> ContextBuilder {
        ERR_clear_error()
        let method = unsafe isServer ? TLS_server_method() : TLS_client_method()
        guard let made = unsafe SSL_CTX_new(method) else {
            throw TLSError(.library, TLSError.words())
        }
        let builder = unsafe ContextBuilder(owning: made)
        unsafe copenssl_set_modes(made, SSL_SESS_CACHE_OFF)
        guard unsafe copenssl_set_min_version(made, TLS1_2_VERSION) == 1 else {
            throw TLSError(.library, TLSError.words())
        }
        return builder
    }

    deinit { unsafe SSL_CTX_free(pointer) }

    /// The context, which somebody else frees.
    func share() -> OpaquePointer {
        unsafe SSL_CTX_up_ref(pointer)
        return unsafe pointer
    }

    /// Has the context show this certificate.
    func use(
        _ chain: [Certificate],
        _ key: PrivateKey,
        place: Int
    ) throws(TLSError) {
        ERR_clear_error()
        guard let own = chain.first, unsafe SSL_CTX_use_certificate(pointer, own.pointer) == 1
        else { throw TLSError(.certificate(place), "it cannot be used (\(TLSError.words()))") }
        guard unsafe X509_check_private_key(own.pointer, key.pointer) == 1 else {
            throw TLSError(.key(place), "it is not the key of the certificate")
        }
        guard unsafe SSL_CTX_use_PrivateKey(pointer, key.pointer) == 1 else {
            throw TLSError(.key(place), "it cannot be used (\(TLSError.words()))")
        }
        for certificate in chain.dropFirst() {
            guard unsafe copenssl_add_chain(pointer, certificate.pointer) == 1 else {
                throw TLSError(.certificate(place), "its chain: \(TLSError.words())")
            }
        }
    }

    /// Has peers be judged by these authorities alone.
    func trust(_ authorities: [Certificate]) throws(TLSError) {
        guard let store = unsafe X509_STORE_new() else {
            throw TLSError(.library, TLSError.words())
        }
        unsafe SSL_CTX_set_cert_store(pointer, store)
        for certificate in authorities {
            guard unsafe X509_STORE_add_cert(store, certificate.pointer) == 1 else {
                throw TLSError(.authorities, "a certificate in it: \(TLSError.words())")
            }
        }
    }
}

// MARK: Client

/// How a client talks to one server.
public struct TLSClientSettings: Sendable, Equatable {
    /// PEM: who may vouch for the server; nil for whom the system trusts.
    public var authorities: [UInt8]?
    /// Whether the server's certificate is looked at.
    public var verifies = true
    /// The name, or the address, that it must have.
    public var serverName: String
    /// Whether that is an IP address.
    public var isAddress: Bool
    /// What is shown to a server that asks.
    public var identity: TLSIdentity?

    /// Verification against the system's authorities.
    public init(serverName: String, isAddress: Bool) {
        self.serverName = serverName
        self.isAddress = isAddress
    }
}

extension TLSContext {
    /// A context for connections to one server, which speak HTTP/1.1.
    public static func client(_ settings: TLSClientSettings) throws(TLSError) -> TLSContext {
        let builder = try ContextBuilder.make(server: false)
        let context = unsafe builder.pointer
        if settings.verifies {
            if let authorities = settings.authorities {
                try builder.trust(Certificates.read(authorities, .authorities))
            } else {
                _ = unsafe SSL_CTX_set_default_verify_paths(context)
            }
            unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
            // Safe because OpenSSL copies what it is given.
            let parameters = unsafe SSL_CTX_get0_param(context)
            let flags = UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)
            unsafe X509_VERIFY_PARAM_set_hostflags(parameters, flags)
            let isSet =
                unsafe settings.isAddress
                ? X509_VERIFY_PARAM_set1_ip_asc(parameters, settings.serverName)
                : X509_VERIFY_PARAM_set1_host(parameters, settings.serverName, 0)
            guard isSet == 1 else { throw TLSError(.library, TLSError.words()) }
        } else {
            unsafe SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
        }
        if let identity = settings.identity {
            try builder.use(
                Certificates.read(identity.chain, .certificate(0)),
                Certificates.readKey(identity.key, .key(0)),
                place: 0
            )
        }
        let protocols = ApplicationProtocols.wire(["http/1.1"])
        // This one gives 0 for success. Safe because OpenSSL copies the list.
        guard unsafe SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count)) == 0
        else { throw TLSError(.library, TLSError.words()) }
        return unsafe TLSContext(
            owning: builder.share(),
            serverName: settings.isAddress ? nil : settings.serverName
        )
    }
}

/// Names of protocols as ALPN writes them (RFC 7301).
enum ApplicationProtocols {
    static func wire(_ names: [String]) -> [UInt8] {
        names.flatMap { [UInt8(truncatingIfNeeded: $0.utf8.count)] + Array($0.utf8) }
    }
}
