internal import Linux
internal import Memory
public import Settings
internal import TLS

/// What the configuration's certificates and keys came to: loaded before anything runs, so that
/// whatever is wrong with them is said with its line and column.
public struct TLSContexts: Sendable {
    /// For connections to the backend; nil for bytes as they are.
    let upstream: TLSContext?
    /// For each entry of `listen`; nil for bytes as they are.
    let listeners: [TLSContext?]
    /// Shared by all listeners and threads; nil where none has TLS.
    let tickets: TLSTicketKeys?

    /// Nothing with TLS.
    static let none = TLSContexts(upstream: nil, listeners: [], tickets: nil)

    /// For an entry of `listen` by its place.
    func listener(_ place: Int) -> TLSContext? {
        listeners.indices.contains(place) ? listeners[place] : nil
    }

    /// More than this is no file of certificates that anybody has.
    private static let fileBytesMax = 4 * 1024 * 1024

    /// Reads all files that the settings name; relative names are looked for in `directory`.
    public static func load(
        _ settings: Settings,
        directory: String
    ) -> Result<TLSContexts, Settings.Problems> {
        var loader = Loader(directory: directory)
        let upstream = loader.upstream(settings.upstream)
        if upstream == nil, let elsewhere = settings.identity.elsewhere, elsewhere.isSecure {
            // The watcher's library reads the files itself; what is wrong with them is said here.
            _ = loader.client(settings.upstream.tlsSettings, of: elsewhere.address)
        }
        var tickets: TLSTicketKeys?
        if settings.listen.contains(where: { $0.tls != nil }) {
            do throws(SecureRandomError) {
                tickets = try TLSTicketKeys()
            } catch {
                loader.problems.append(Settings.Problem("no random bytes for TLS", at: .none))
            }
        }
        let listeners = settings.listen.map { listener in
            listener.tls.flatMap { tls in tickets.flatMap { loader.listener(tls, $0) } }
        }
        guard loader.problems.isEmpty else {
            return .failure(Settings.Problems(loader.problems))
        }
        return .success(
            TLSContexts(upstream: upstream, listeners: listeners, tickets: tickets)
        )
    }

    /// Reads, and keeps what is wrong.
    private struct Loader {
        let directory: String
        var problems: [Settings.Problem] = []

        mutating func bytes(_ file: FileName) -> [UInt8]? {
            let path = file.path.hasPrefix("/") ? file.path : directory + "/" + file.path
            do throws(SystemError) {
                let bytes = try Files.read(path, limit: TLSContexts.fileBytesMax)
                if bytes.count <= TLSContexts.fileBytesMax { return bytes }
                report(file, "it is larger than 4 MiB")
            } catch {
                report(file, "\(error)")
            }
            return nil
        }

        mutating func report(_ file: FileName, _ message: String) {
            let name = Wording.quoted(file.path)
            problems.append(Settings.Problem("cannot use \(name): \(message)", at: file.place))
        }

        /// A certificate and its key; both are read, so that both can be found missing.
        mutating func identity(_ files: CertificateFiles) -> TLSIdentity? {
            let chain = bytes(files.certificate)
            let key = bytes(files.key)
            guard let chain, let key else { return nil }
            return TLSIdentity(chain: chain, key: key)
        }

        mutating func upstream(_ upstream: UpstreamSettings) -> TLSContext? {
            upstream.tls.flatMap { client($0, of: upstream.address) }
        }

        mutating func client(_ settings: UpstreamTLSSettings, of address: Address) -> TLSContext? {
            guard case .host(let host, _) = address else { return nil }
            let files = settings.identityFiles
            let count = problems.count
            let name = settings.serverName ?? host
            var client = TLSClientSettings(
                serverName: name.hasSuffix(".") ? String(name.dropLast()) : name,
                isAddress: SocketAddress.isLiteral(name)
            )
            client.verifies = settings.verify
            client.authorities = settings.ca.flatMap { bytes($0) }
            client.identity = files.flatMap { identity($0) }
            guard problems.count == count else { return nil }
            do throws(TLSError) {
                return try TLSContext.client(client)
            } catch {
                report(error, files.map { [$0] } ?? [], settings.ca)
                return nil
            }
        }

        mutating func listener(
            _ settings: ListenTLSSettings,
            _ tickets: TLSTicketKeys
        ) -> TLSContext? {
            let count = problems.count
            let identities = settings.certificates.compactMap { identity($0) }
            let authorities = settings.clientCA.flatMap { bytes($0) }
            guard problems.count == count else { return nil }
            var server = TLSServerSettings(identities: identities)
            server.authorities = authorities
            server.clientAuth = settings.clientAuth == .required ? .required : .optional
            server.minVersion = settings.minVersion == .tls13 ? .tls13 : .tls12
            server.ciphers = settings.ciphers?.names
            server.curves = settings.curves?.names
            do throws(TLSError) {
                return try TLSContext.server(server, tickets: tickets)
            } catch {
                report(error, settings.certificates, settings.clientCA, settings)
                return nil
            }
        }

        private mutating func report(
            _ error: TLSError,
            _ files: [CertificateFiles],
            _ authorities: FileName?,
            _ listener: ListenTLSSettings? = nil
        ) {
            switch error.subject {
            case .certificate(let place) where files.indices.contains(place):
                report(files[place].certificate, error.message)
            case .key(let place) where files.indices.contains(place):
                report(files[place].key, error.message)
            case .authorities:
                if let authorities { report(authorities, error.message) }
            case .ciphers, .curves, .certificate, .key, .library:
                let names = error.subject == .curves ? listener?.curves : listener?.ciphers
                let place = error.subject == .library ? nil : names?.place
                problems.append(Settings.Problem("TLS: \(error.message)", at: place ?? .none))
            }
        }
    }
}

extension UpstreamTLSSettings {
    /// What is shown to a backend that asks.
    var identityFiles: CertificateFiles? {
        guard let certificate, let key else { return nil }
        return CertificateFiles(certificate: certificate, key: key)
    }
}
