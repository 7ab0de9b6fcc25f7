/// Defaults for kinds of backends; what a file says besides `preset` goes before them.
///
/// Each is spelled out in `config/presets`, and a test holds both to the same.
extension Settings {
    /// What the key `preset` may be.
    static let presets: KeyValuePairs<String, Settings?> = ["mcp": .mcp, "snowflake": .snowflake]

    /// Servers of the Model Context Protocol in those revisions that have sessions (Streamable
    /// HTTP, 2025-03-26 to 2025-11-25).
    ///
    /// A client acts on 404: it begins a new session. A 401 would make it ask for authorization.
    private static var mcp: Settings {
        var settings = Settings()
        // Each client keeps a connection for what its server says unasked.
        settings.upstream.maxConnections = 4096
        settings.session.carrierHeader = "Mcp-Session-Id"
        settings.session.hasJarCookies = false
        settings.session.capture = [.header(name: "Mcp-Session-Id")]
        settings.session.end = [
            RequestPattern(method: Array("DELETE".utf8), path: [0x2F], isPrefix: true)
        ]
        settings.stale.status = 404
        settings.stale.format = .jsonRPC
        settings.stale.message = "Session not found"
        settings.stale.pages = .answer
        return settings
    }

    /// The application that Lychgate was made for: FastAPI, `X-Session-ID`, `POST /api/connect`.
    private static var snowflake: Settings {
        func post(_ path: String) -> RequestPattern {
            RequestPattern(
                method: Array("POST".utf8),
                path: Array(path.utf8),
                isPrefix: false
            )
        }
        var settings = Settings()
        settings.session.capture = [
            .header(name: "X-Session-ID"),
            .json(pointer: "/sessionId", on: post("/api/connect")),
        ]
        settings.session.end = [post("/api/disconnect")]
        settings.session.exempt = [post("/api/connect")]
        return settings
    }
}

extension SettingsReader {
    /// Reads the key `preset`, wherever it stands: the others change what it sets.
    mutating func preset(_ root: Settings.Node) -> Settings? {
        guard case .mapping(let entries) = root.content,
            let entry = entries.first(where: { $0.key == "preset" })
        else { return nil }
        return choice(Item(name: "preset", node: entry.value), Settings.presets)
    }
}
