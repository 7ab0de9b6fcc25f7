/// Every key of the configuration, by the section that it belongs to (contract section 9).
enum Schema {
    /// The sections by their dotted path, the file itself first, each with its keys in order.
    static let sections: [(path: String, keys: [String])] = [
        (
            "",
            [
                "preset", "listen", "upstream", "identity", "session", "jar", "stale", "cors",
                "limits", "timeouts", "admin", "log", "trusted_proxies", "via", "shutdown",
                "workers",
            ]
        ),
        ("listen", ["address", "tls", "http2"]),
        (
            "listen.tls",
            [
                "certificate", "key", "certificates", "client_ca", "client_auth", "min_version",
                "ciphers", "curves",
            ]
        ),
        ("listen.tls.certificates", ["certificate", "key"]),
        (
            "upstream",
            [
                "url", "connect_timeout", "response_timeout", "idle_timeout", "max_connections",
                "queue_timeout", "hold", "tls",
            ]
        ),
        ("upstream.tls", ["ca", "server_name", "verify", "certificate", "key"]),
        (
            "identity",
            [
                "path", "url", "from", "verify", "instances", "interval", "timeout", "max_probes",
                "grace", "augment", "unverified", "headers",
            ]
        ),
        (
            "session",
            [
                "carrier", "client_header", "client_unknown", "cookie", "idle_timeout", "max_age",
                "capture", "end", "exempt", "required", "cross_site", "endpoints", "status_path",
            ]
        ),
        ("session.carrier", ["header", "cookie"]),
        ("session.cookie", ["name", "same_site", "secure"]),
        ("session.capture", ["header", "cookie", "json", "on", "keep", "redact"]),
        ("session.end", ["on"]),
        ("jar", ["store", "capacity", "tombstones"]),
        ("stale", ["status", "format", "reason", "message", "pages"]),
        ("cors", ["origins", "preflight"]),
        ("limits", ["header_bytes", "header_count", "target_bytes", "body_bytes", "connections"]),
        ("timeouts", ["header", "body_idle", "keepalive", "write_idle"]),
        ("admin", ["listen", "probes"]),
        ("log", ["level", "format", "access"]),
        ("shutdown", ["grace"]),
    ]

    /// The keys of a section.
    static func keys(of path: String) -> [String] {
        sections.first { $0.path == path }?.keys ?? []
    }

    /// The full name of a key: `session.max_age`.
    static func name(_ path: String, _ key: String) -> String {
        path.isEmpty ? key : "\(path).\(key)"
    }

    /// What to say of a key that its section does not have.
    static func unknown(_ key: String, in path: String) -> String {
        let unknown = "unknown key " + Wording.quoted(key)
        let here = keys(of: path)
        let near = Nearest.word(to: key, among: here)
        if let near, Nearest.distance(key, near) <= 1 {
            return "\(unknown); did you mean '\(near)'?"
        }
        let homes = sections.filter { $0.keys.contains(key) }.map(\.path)
        if !homes.isEmpty {
            let places = homes.prefix(3).map { $0.isEmpty ? "the top of the file" : "'\($0)'" }
            return "\(unknown); it belongs to \(Wording.alternatives(Array(places)))"
        }
        if let near {
            return "\(unknown); did you mean '\(near)'?"
        }
        for section in sections {
            if let near = Nearest.word(to: key, among: section.keys) {
                return "\(unknown); did you mean '\(name(section.path, near))'?"
            }
        }
        let whose = path.isEmpty ? "" : " of '\(path)'"
        return "\(unknown); the keys\(whose) are \(here.joined(separator: ", "))"
    }
}

extension Settings {
    /// The full names of all keys of the contract, those that do not exist yet too.
    public static var everyKey: Set<String> {
        Schema.sections.reduce(into: []) { names, section in
            names.formUnion(section.keys.map { Schema.name(section.path, $0) })
        }
    }
}
