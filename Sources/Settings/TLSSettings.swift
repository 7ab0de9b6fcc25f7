/// A file that the configuration names, and where it does so.
public struct FileName: Sendable, Equatable {
    /// Its path, as written.
    public var path: String
    /// Where the path stands.
    public var place: Settings.Place

    /// A file named at a place.
    public init(path: String, place: Settings.Place) {
        self.path = path
        self.place = place
    }
}

/// Where a backend is to be found, and whether over TLS.
public struct UpstreamURL: Sendable, Equatable {
    /// Where it listens.
    public var address: Address
    /// Whether it speaks TLS: `https`.
    public var isSecure: Bool

    /// A place with or without TLS.
    public init(_ address: Address, isSecure: Bool = false) {
        self.address = address
        self.isSecure = isSecure
    }
}

/// How to talk to a backend with TLS.
public struct UpstreamTLSSettings: Sendable, Equatable {
    /// Who may vouch for the backend; nil for whom the system trusts.
    public var ca: FileName?
    /// The name that its certificate must have; nil for the host of the URL.
    public var serverName: String?
    /// Whether its certificate is looked at.
    public var verify = true
    /// What is shown to a backend that asks.
    public var certificate: FileName?
    /// The private key of that.
    public var key: FileName?

    /// The defaults.
    public init() {}
}

/// A certificate and its key.
public struct CertificateFiles: Sendable, Equatable {
    /// PEM: the certificate, then its chain.
    public var certificate: FileName
    /// PEM: its private key.
    public var key: FileName

    /// A pair of files.
    public init(certificate: FileName, key: FileName) {
        self.certificate = certificate
        self.key = key
    }
}

/// TLS on a listener.
public struct ListenTLSSettings: Sendable, Equatable {
    /// What becomes of clients that show no certificate.
    public enum ClientAuth: Sendable, Equatable {
        case optional
        case required
    }

    /// The least version.
    public enum Version: Sendable, Equatable {
        case tls12
        case tls13
    }

    /// Words of a list, and where the list stands.
    public struct Names: Sendable, Equatable {
        /// In the order of the file.
        public var names: [String]
        /// Where they stand.
        public var place: Settings.Place

        /// Names at a place.
        public init(_ names: [String], at place: Settings.Place) {
            self.names = names
            self.place = place
        }
    }

    /// At least one; chosen by the name that a client asks for, the first one if none fits.
    public var certificates: [CertificateFiles] = []
    /// Who may vouch for clients; nil to ask for no certificates.
    public var clientCA: FileName?
    /// Whether they must have one.
    public var clientAuth = ClientAuth.required
    /// The least version.
    public var minVersion = Version.tls12
    /// In OpenSSL's spelling; nil for the defaults.
    public var ciphers: Names?
    /// Key exchange groups; nil for the defaults.
    public var curves: Names?

    /// The defaults, without a certificate.
    public init() {}
}

extension Settings {
    /// Whether some clients are known by certificates, which the backend is told.
    public var asksClientCertificates: Bool {
        listen.contains { $0.tls?.clientCA != nil }
    }
}
