internal import COpenSSL

/// How one listener talks to its clients.
public struct TLSServerSettings: Sendable, Equatable {
    /// What becomes of clients' certificates.
    public enum ClientAuth: Sendable, Equatable {
        /// One that is shown must be good; none is fine.
        case optional
        /// There must be one.
        case required
    }

    /// The versions that can be the least.
    public enum Version: Sendable, Equatable {
        case tls12
        case tls13
    }

    /// At least one; the first is shown to who asks for a name that none has, or for none.
    public var identities: [TLSIdentity]
    /// PEM: who may vouch for clients; nil to ask no client for a certificate.
    public var authorities: [UInt8]?
    /// What becomes of clients without a certificate.
    public var clientAuth = ClientAuth.required
    /// The least version.
    public var minVersion = Version.tls12
    /// Names in OpenSSL's spelling, those of TLS 1.3 (`TLS_…`) among them; nil for the defaults.
    ///
    /// These are Mozilla's "intermediate" ones: each has forward secrecy and is an AEAD.
    public var ciphers: [String]?
    /// Key exchange groups, the preferred first; nil for Mozilla's.
    public var curves: [String]?
    /// What can be agreed on by ALPN, the preferred first.
    public var protocols = ["http/1.1", "http/1.0"]

    /// The defaults.
    public init(identities: [TLSIdentity]) {
        self.identities = identities
    }

    static let defaultCiphers = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    ]
    static let defaultCurves = ["X25519", "P-256", "P-384"]
}

/// What a server's context needs beside OpenSSL's own: certificates by name, tickets, protocols.
@safe
final class ServerPart: Sendable {
    /// SSL_CTXs, owned, as numbers; the first is the default.
    private let contexts: [UInt]
    /// Which of them is for which name.
    private let places: [String: Int]
    fileprivate let tickets: TLSTicketKeys
    private let protocols: [UInt8]

    fileprivate init(
        contexts: [UInt],
        places: [String: Int],
        tickets: TLSTicketKeys,
        protocols: [String]
    ) {
        self.contexts = contexts
        self.places = places
        self.tickets = tickets
        self.protocols = ApplicationProtocols.wire(protocols)
    }

    deinit {
        for context in contexts { unsafe SSL_CTX_free(OpaquePointer(bitPattern: context)) }
    }

    /// The context for a name that a client asks for; nil for the default.
    private func context(for name: String) -> OpaquePointer? {
        var name = name.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        let parent = "*" + name.drop { $0 != "." }
        guard let place = places[name] ?? places[parent], place < contexts.count else {
            return nil
        }
        return unsafe OpaquePointer(bitPattern: contexts[place])
    }

    @unsafe
    private static func part(_ pointer: UnsafeMutableRawPointer) -> ServerPart {
        // Safe because a session keeps its TLSContext, and that its part.
        unsafe Unmanaged<ServerPart>.fromOpaque(pointer).takeUnretainedValue()
    }

    private static func choose(
        _ ssl: OpaquePointer?,
        _: UnsafeMutablePointer<Int32>?,
        _ argument: UnsafeMutableRawPointer?
    ) -> Int32 {
        guard let argument = unsafe argument,
            let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)
        else { return SSL_TLSEXT_ERR_OK }
        let text = unsafe String(cString: name)
        if let context = unsafe part(argument).context(for: text) {
            unsafe SSL_set_SSL_CTX(ssl, context)
        }
        return SSL_TLSEXT_ERR_OK
    }

    private static func agree(
        _: OpaquePointer?,
        _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
        _ count: UnsafeMutablePointer<UInt8>?,
        _ offer: UnsafePointer<UInt8>?,
        _ offerCount: UInt32,
        _ argument: UnsafeMutableRawPointer?
    ) -> Int32 {
        guard let argument = unsafe argument else { return SSL_TLSEXT_ERR_NOACK }
        let protocols = unsafe part(argument).protocols
        var place: UnsafeMutablePointer<UInt8>?
        // Safe because what is chosen points into the client's offer, which outlives the call.
        let found = unsafe SSL_select_next_proto(
            &place,
            count,
            protocols,
            UInt32(protocols.count),
            offer,
            offerCount
        )
        // RFC 7301 §3.2: who offers nothing that we speak is told so.
        guard found == OPENSSL_NPN_NEGOTIATED, let chosen = unsafe chosen else {
            return SSL_TLSEXT_ERR_ALERT_FATAL
        }
        unsafe chosen.pointee = UnsafePointer(place)
        return SSL_TLSEXT_ERR_OK
    }

    private static func ticket(
        _ ssl: OpaquePointer?,
        _ name: UnsafeMutablePointer<UInt8>?,
        _ vector: UnsafeMutablePointer<UInt8>?,
        _ cipher: OpaquePointer?,
        _ mac: OpaquePointer?,
        _ seals: Int32
    ) -> Int32 {
        guard let context = unsafe SSL_get_SSL_CTX(ssl),
            let argument = unsafe SSL_CTX_get_ex_data(context, 0),
            let name = unsafe name, let vector = unsafe vector
        else { return 0 }
        let tickets = unsafe part(argument).tickets
        return unsafe seals == 1
            ? tickets.seal(name, vector, cipher, mac) : tickets.open(name, vector, cipher, mac)
    }

    /// Has OpenSSL call back into this.
    @unsafe
    fileprivate func install() {
        let this = unsafe Unmanaged.passUnretained(self).toOpaque()
        for number in contexts {
            guard let context = unsafe OpaquePointer(bitPattern: number) else { continue }
            unsafe copenssl_on_server_name(
                context,
                { unsafe ServerPart.choose($0, $1, $2) },
                this
            )
            unsafe SSL_CTX_set_alpn_select_cb(
                context,
                { unsafe ServerPart.agree($0, $1, $2, $3, $4, $5) },
                this
            )
            unsafe SSL_CTX_set_ex_data(context, 0, this)
            unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(context) {
                unsafe ServerPart.ticket($0, $1, $2, $3, $4, $5)
            }
        }
    }
}

/// Makes a server's contexts, one for each set of certificates that are shown together.
private struct ServerBuilder {
    struct Identity {
        let chain: [Certificate]
        let key: PrivateKey
        let kind: Int32
        let names: [String]
    }

    let settings: TLSServerSettings
    let identities: [Identity]
    let authorities: [Certificate]

    init(_ settings: TLSServerSettings) throws(TLSError) {
        self.settings = settings
        var read: [Identity] = []
        for (place, files) in settings.identities.enumerated() {
            let chain = try Certificates.read(files.chain, .certificate(place))
            let key = try Certificates.readKey(files.key, .key(place))
            let kind = chain.first?.keyKind ?? 0
            read.append(
                Identity(chain: chain, key: key, kind: kind, names: chain.first?.names ?? [])
            )
        }
        identities = read
        authorities =
            try settings.authorities.map { bytes throws(TLSError) in
                try Certificates.read(bytes, .authorities)
            } ?? []
    }

    /// The certificates for a name: of each kind of key the first.
    func places(for name: String) -> [Int] {
        var kinds: Set<Int32> = []
        return identities.indices.filter {
            identities[$0].names.contains(name) && kinds.insert(identities[$0].kind).inserted
        }
    }

    /// A context that shows these certificates.
    func context(_ places: [Int]) throws(TLSError) -> OpaquePointer {
        let builder = try ContextBuilder.make(server: true)
        for place in places {
            try builder.use(identities[place].chain, identities[place].key, place: place)
        }
        try setCryptography(builder)
        try setClientAuth(builder)
        return unsafe builder.share()
    }

    private func setCryptography(_ builder: borrowing ContextBuilder) throws(TLSError) {
        let context = unsafe builder.pointer
        let version = settings.minVersion == .tls13 ? TLS1_3_VERSION : TLS1_2_VERSION
        guard unsafe copenssl_set_min_version(context, version) == 1 else {
            throw TLSError(.library, TLSError.words())
        }
        let ciphers = settings.ciphers ?? []
        let modern = ciphers.filter { $0.hasPrefix("TLS_") }
        let named = ciphers.filter { !$0.hasPrefix("TLS_") }
        // OpenSSL's own list for TLS 1.2 has some that are too old; its list for 1.3 has none.
        let older = named.isEmpty ? TLSServerSettings.defaultCiphers : named
        for name in older where unsafe SSL_CTX_set_cipher_list(context, name) != 1 {
            throw TLSError(.ciphers, "OpenSSL knows no cipher '\(name)'")
        }
        for name in modern where unsafe SSL_CTX_set_ciphersuites(context, name) != 1 {
            throw TLSError(.ciphers, "OpenSSL knows no cipher '\(name)'")
        }
        _ = unsafe SSL_CTX_set_cipher_list(context, older.joined(separator: ":"))
        if !modern.isEmpty {
            _ = unsafe SSL_CTX_set_ciphersuites(context, modern.joined(separator: ":"))
        }
        let curves = settings.curves ?? TLSServerSettings.defaultCurves
        for name in curves where unsafe copenssl_set_groups(context, name) != 1 {
            throw TLSError(.curves, "OpenSSL knows no curve '\(name)'")
        }
        guard unsafe copenssl_set_groups(context, curves.joined(separator: ":")) == 1 else {
            throw TLSError(.curves, TLSError.words())
        }
    }

    private func setClientAuth(_ builder: borrowing ContextBuilder) throws(TLSError) {
        let context = unsafe builder.pointer
        if !authorities.isEmpty {
            try builder.trust(authorities)
            for certificate in authorities {
                unsafe SSL_CTX_add_client_CA(context, certificate.pointer)
            }
            let must = settings.clientAuth == .required
            let mode = SSL_VERIFY_PEER | (must ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
            unsafe SSL_CTX_set_verify(context, mode, nil)
        }
        // A ticket tells who the client was found to be, by the rules of then.
        let rules = (settings.authorities ?? []) + [settings.clientAuth == .required ? 1 : 0]
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe SHA256(rules, rules.count, &digest)
        unsafe SSL_CTX_set_session_id_context(context, digest, UInt32(digest.count))
    }
}

extension TLSContext {
    /// A context for a listener; sessions are resumed by tickets of `tickets`.
    public static func server(
        _ settings: TLSServerSettings,
        tickets: TLSTicketKeys
    ) throws(TLSError) -> TLSContext {
        let builder = try ServerBuilder(settings)
        let first = builder.identities.first?.names.first
        var sets = [first.map { builder.places(for: $0) } ?? [0]]
        var places: [String: Int] = [:]
        for name in builder.identities.flatMap(\.names) where places[name] == nil {
            let set = builder.places(for: name)
            places[name] = sets.firstIndex(of: set) ?? sets.count
            if !sets.contains(set) { sets.append(set) }
        }
        var contexts: [UInt] = []
        do throws(TLSError) {
            for set in sets {
                contexts.append(unsafe UInt(bitPattern: try builder.context(set)))
            }
        } catch {
            for context in contexts { unsafe SSL_CTX_free(OpaquePointer(bitPattern: context)) }
            throw error
        }
        let part = ServerPart(
            contexts: contexts,
            places: places,
            tickets: tickets,
            protocols: settings.protocols
        )
        unsafe part.install()
        guard let address = contexts.first, let base = unsafe OpaquePointer(bitPattern: address)
        else { throw TLSError(.library, "no certificate") }
        unsafe SSL_CTX_up_ref(base)
        return unsafe TLSContext(
            owning: base,
            part: part,
            asksPeers: settings.authorities != nil
        )
    }
}
