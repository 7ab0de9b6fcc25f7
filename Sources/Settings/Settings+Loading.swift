extension Settings {
    /// What the command line says, which counts more than the file.
    public struct Overrides: Sendable, Equatable {
        /// The only address to listen on.
        public var listen: Address?
        /// Where the backend listens.
        public var upstream: UpstreamURL?
        /// Event loops.
        public var workers: Int?

        /// Nothing overridden.
        public init() {}
    }

    /// The settings that a file and the command line give together, or all that is wrong.
    ///
    /// Without a file everything has its default, except that some upstream must be named.
    public static func load(
        _ document: Document?,
        environment: @escaping (String) -> String?,
        overrides: Overrides = Overrides()
    ) -> Result<Settings, Problems> {
        let early = document?.problems ?? []
        let root = document?.root
        if root == nil && !early.isEmpty {
            return .failure(Problems(early))
        }
        var reader = SettingsReader(environment: environment)
        var settings = root.map { reader.settings($0) } ?? Settings()
        if reader.places["session.exempt"] == nil {
            // A preset has others besides.
            settings.session.exempt.insert(settings.identity.pattern(method: nil), at: 0)
        }
        if reader.places["listen"] == nil {
            settings.listen = [ListenSettings(address: .host("127.0.0.1", port: 8080))]
        }
        if settings.session.carrierCookie != nil {
            settings.session.capture = []
        }
        settings.apply(overrides)
        if root?.content != .refused && !reader.hasFailed("") {
            reader.checkUpstream(settings, overrides, hasFile: document != nil)
            reader.checkTLS(settings, overrides)
            reader.checkConflicts(settings)
        }
        let problems = early + reader.problems
        return problems.isEmpty ? .success(settings) : .failure(Problems(problems))
    }

    private mutating func apply(_ overrides: Overrides) {
        if let address = overrides.listen {
            listen = [ListenSettings(address: address)]
        }
        if let url = overrides.upstream { upstream.take(url) }
        workers = overrides.workers ?? workers
    }
}

extension UpstreamSettings {
    /// Takes a URL; what is said of TLS counts where it is of that kind.
    mutating func take(_ url: UpstreamURL) {
        address = url.address
        isSecure = url.isSecure
    }
}

extension IdentitySettings {
    /// The requests that ask for the identity path, with a method or with any.
    public func pattern(method: String?) -> RequestPattern {
        let path = path.utf8.prefix { $0 != UInt8(ascii: "?") }
        let method = method.map { Array($0.utf8) }
        return RequestPattern(method: method, path: Array(path), isPrefix: false)
    }
}

/// What no single key tells.
extension SettingsReader {
    fileprivate mutating func checkUpstream(
        _ settings: Settings,
        _ overrides: Settings.Overrides,
        hasFile: Bool
    ) {
        if overrides.upstream == nil && places["upstream.url"] == nil {
            if let place = places["upstream"] {
                report("expected a 'url' for 'upstream', found none", at: place)
            } else {
                let example = "http://127.0.0.1:8000"
                let flag = "give --upstream \(example)"
                let message = "no upstream: set 'upstream: \(example)' in the file or \(flag)"
                report(message, at: hasFile ? .start : .none)
            }
            return
        }
        let place = overrides.upstream == nil ? goodPlace(of: "upstream.url") : Settings.Place.none
        guard let place, !hasFailed("upstream") else { return }
        for listener in settings.listen where settings.upstream.address.reaches(listener.address) {
            report("the upstream is the address that Lychgate itself listens on", at: place)
            return
        }
    }

    /// What is said of TLS must be of use.
    fileprivate mutating func checkTLS(_ settings: Settings, _ overrides: Settings.Overrides) {
        guard let place = places["upstream.tls"], overrides.upstream == nil,
            goodPlace(of: "upstream.url") != nil, !hasFailed("identity.url"),
            !settings.upstream.isSecure, settings.identity.elsewhere?.isSecure != true
        else { return }
        report("'upstream.tls' needs a 'url' that begins with https://", at: place)
    }

    fileprivate mutating func checkConflicts(_ settings: Settings) {
        let session = settings.session
        if let place = goodPlace(of: "session.idle_timeout"),
            goodPlace(of: "session.max_age") != nil,
            session.idleTimeout > session.maxAge
        {
            let age = Wording.duration(session.maxAge)
            report("'session.idle_timeout' is longer than 'session.max_age' (\(age))", at: place)
        }
        if let place = goodPlace(of: "limits.target_bytes"),
            goodPlace(of: "limits.header_bytes") != nil,
            settings.limits.targetBytes > settings.limits.headerBytes
        {
            let size = Wording.size(settings.limits.headerBytes)
            let message = "'limits.target_bytes' is greater than 'limits.header_bytes' (\(size))"
            report(message + ", of which the target is a part", at: place)
        }
        checkCarrier(session)
        checkIdentity(settings)
        checkHolder(session)
        if let endpoints = session.endpoints, session.statusPath?.hasPrefix(endpoints) == true,
            let place = places["session.status_path"]
        {
            report("'session.status_path' lies below 'session.endpoints'", at: place)
        }
        if session.cookie.sameSite == .none && session.cookie.secure == .never,
            let place = places["session.cookie.same_site"]
        {
            report("browsers refuse 'same_site: none' with 'secure: never'", at: place)
        }
        if let place = places["session.required"], places["session.exempt"] != nil,
            session.required.contains(where: session.exempt.contains)
        {
            report("'session.required' and 'session.exempt' name the same requests", at: place)
        }
    }

    /// Without jar cookies, somebody else has to hold the session: its client, who must see it.
    private mutating func checkHolder(_ session: SessionSettings) {
        guard !session.hasJarCookies, session.carrierCookie == nil,
            let place = places["session.cookie"]
        else { return }
        let isHidden = session.capture.contains { rule in
            switch rule {
            case .header: false
            case .cookie(_, let keep): !keep
            case .json(_, _, let redact): redact
            }
        }
        if session.clientHeader != .track || isHidden {
            let because = "it is neither in a jar cookie nor held by its client"
            report(
                "with 'session.cookie: off' nobody would hold the session: \(because)",
                at: place
            )
        }
    }

    /// What does not go together with the backend's own cookie, or with a cookie that is captured.
    private mutating func checkCarrier(_ session: SessionSettings) {
        let jar = session.cookie.name
        let names = [jar, "__Host-" + jar]
        if let carrier = session.carrierCookie {
            let because = "the client keeps the cookie of 'session.carrier'"
            if let place = places["session.capture"] {
                report("leave 'session.capture' out: \(because)", at: place)
            }
            if let place = places["session.client_header"], session.clientHeader != .track {
                report("leave 'session.client_header' out: \(because)", at: place)
            }
            if let place = places["session.carrier.cookie"], names.contains(carrier) {
                report("'session.carrier.cookie' is the name of the jar cookie", at: place)
            }
        }
        let isJarCaptured = session.capture.contains { rule in
            if case .cookie(let name, _) = rule { names.contains(name) } else { false }
        }
        if isJarCaptured, let place = places["session.capture"] {
            report("'session.capture' has a cookie with the name of the jar cookie", at: place)
        }
    }
}
