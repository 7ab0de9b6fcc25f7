extension RequestPattern {
    /// What a pattern looks like, for messages.
    static let expected = "a request pattern ([METHOD ]/path, a '*' only at the end)"

    /// `POST /api/connect`, `/static/*`, `/health`.
    init(parsing text: String) throws(Mistake) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard let target = words.last, words.count <= 2 else {
            throw .because("one blank stands between the method and the path")
        }
        var method: [UInt8]?
        if words.count == 2, let word = words.first {
            guard RequestWords.isToken(word) else {
                throw .because("\(Wording.quoted(String(word))) is not a method")
            }
            let upper = word.uppercased()
            if upper != word && RequestWords.methods.contains(upper) {
                throw .because("did you mean '\(upper) \(target)'?")
            }
            method = Array(word.utf8)
        }
        guard target.hasPrefix("/") else { throw .because("the path must begin with '/'") }
        var path = Array(target.utf8)
        let isPrefix = path.last == UInt8(ascii: "*")
        if isPrefix {
            path.removeLast()
        }
        guard !path.contains(UInt8(ascii: "*")) else {
            throw .because("'*' may stand only at the end")
        }
        guard path.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .because("the path is visible ASCII; encode the rest as %XX")
        }
        guard !path.contains(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) else {
            throw .because("patterns are compared with the path, without '?' and '#'")
        }
        guard path.count <= RequestWords.byteCountMax else { throw .because("it is too long") }
        self.init(method: method, path: path, isPrefix: isPrefix)
    }
}

/// The small words of HTTP and JSON that settings are made of.
enum RequestWords {
    /// How long a path, a pointer or a name may be.
    static let byteCountMax = 1024

    /// The methods that are often meant when one is written in lower case.
    static let methods = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ]

    /// A token of RFC 9110 section 5.6.2.
    static func isToken(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.count <= byteCountMax && text.utf8.allSatisfy(isTokenByte)
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    /// The target of a request that Lychgate makes itself: a path and perhaps a query.
    static func target(_ text: String) throws(Mistake) -> String {
        guard text.hasPrefix("/") else { throw .because("it must begin with '/'") }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }) else {
            throw .because("it is visible ASCII without '#'; encode the rest as %XX")
        }
        guard text.utf8.count <= byteCountMax else { throw .because("it is too long") }
        return text
    }

    /// The path of requests that Lychgate answers itself.
    static func path(_ text: String) throws(Mistake) -> String {
        let target = try target(text)
        guard !target.utf8.contains(UInt8(ascii: "?")), !target.utf8.contains(UInt8(ascii: "*"))
        else { throw .because("it is one path, without '?' and '*'") }
        return target
    }

    /// What the paths of Lychgate's own pages begin with.
    static func endpoints(_ text: String) throws(Mistake) -> String {
        let path = try path(text)
        guard path.hasSuffix("/") else { throw .because("it must end with '/'") }
        guard path != "/" else { throw .because("nothing would be left for the backend") }
        return path
    }

    /// An RFC 6901 pointer to a value inside of a document.
    static func pointer(_ text: String) throws(Mistake) -> String {
        guard text.hasPrefix("/") else { throw .because("it must begin with '/'") }
        guard text.utf8.count <= byteCountMax else { throw .because("it is too long") }
        guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            throw .because("it must not contain control characters")
        }
        var rest = text.utf8[...]
        while let tilde = rest.firstIndex(of: UInt8(ascii: "~")) {
            rest = rest[tilde...].dropFirst()
            guard rest.first == UInt8(ascii: "0") || rest.first == UInt8(ascii: "1") else {
                throw .because("'~' is written '~0' and '/' is written '~1' (RFC 6901)")
            }
        }
        return text
    }

    /// The name of a field that may carry a session upstream.
    static func carrierName(_ text: String) throws(Mistake) -> String {
        guard isToken(text) else { throw .because("it is not a field name") }
        let name = folded(text)
        if framing.contains(name) || meaningful.contains(name) || name.hasPrefix("x-forwarded-")
            || name.hasPrefix("sec-fetch-")
        {
            throw .because("this field has a meaning of its own")
        }
        return text
    }

    /// The name of a response field that issues a session.
    static func captureName(_ text: String) throws(Mistake) -> String {
        guard isToken(text) else { throw .because("it is not a field name") }
        let name = folded(text)
        if framing.contains(name) {
            throw .because("this field is about the connection and its messages")
        }
        if name == "set-cookie" {
            throw .because("a cookie is captured with 'cookie: NAME'")
        }
        return text
    }

    /// The name of the jar cookie.
    static func cookieName(_ text: String) throws(Mistake) -> String {
        guard isToken(text) else { throw .because("it is not a cookie name") }
        guard text.utf8.count <= 64 else { throw .because("it has at most 64 bytes") }
        let lower = text.lowercased()
        if lower.hasPrefix("__host-") || lower.hasPrefix("__secure-") {
            throw .because("the prefix is added where it is due")
        }
        return text
    }

    /// The name of a cookie that the backend sets.
    static func backendCookieName(_ text: String) throws(Mistake) -> String {
        guard isToken(text) else { throw .because("it is not a cookie name") }
        guard text.utf8.count <= 64 else { throw .because("it has at most 64 bytes") }
        return text
    }

    /// A place of the same origin that browsers are sent to.
    static func place(_ text: String) throws(Mistake) -> String {
        let target = try target(text)
        // "//host" and, for browsers, "/\host" are places on another host (RFC 3986 §4.2).
        guard !target.hasPrefix("//"), !target.utf8.contains(UInt8(ascii: "\\")) else {
            throw .because("it is a place on another host")
        }
        return target
    }

    /// An origin as browsers write it (RFC 6454 §6.2).
    static func origin(_ text: String) throws(Mistake) -> String {
        if text == "*" || text == "null" {
            throw .because("each origin that is trusted is named")
        }
        let lower = text.lowercased()
        let schemes: [(String, UInt16)] = [("http://", 80), ("https://", 443)]
        guard let (scheme, port) = schemes.first(where: { lower.hasPrefix($0.0) }) else {
            throw .because("it begins with http:// or https://")
        }
        let rest = lower.dropFirst(scheme.utf8.count)
        guard !rest.contains(where: { "/?#@".contains($0) }) else {
            throw .because("it ends after the host and perhaps a port")
        }
        guard case .host(_, let number) = try Address.hostAndPort(rest, defaultPort: port) else {
            throw .because(nil)
        }
        let suffix = ":\(port)"
        return scheme
            + (number == port && rest.hasSuffix(suffix) ? rest.dropLast(suffix.utf8.count) : rest)
    }

    /// Text that goes into an answer.
    static func sentence(_ text: String, byteCountMax: Int) throws(Mistake) -> String {
        guard !text.isEmpty else { throw .because("it is empty") }
        guard text.utf8.count <= byteCountMax else {
            throw .because("it has at most \(byteCountMax) bytes")
        }
        guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            throw .because("it must not contain control characters")
        }
        return text
    }

    /// Lower case and with `-` for `_`, which many servers take for the same.
    private static func folded(_ name: String) -> String {
        String(name.lowercased().map { $0 == "_" ? "-" : $0 })
    }

    /// Hop-by-hop fields (RFC 9110 section 7.6.1) and those that frame a message.
    static let framing: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate",
        "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade", "content-length",
    ]

    /// Fields that Lychgate, a browser or a server reads for something else than a session.
    private static let meaningful: Set<String> = [
        "host", "cookie", "set-cookie", "content-type", "content-encoding", "expect", "via",
        "forwarded", "max-forwards", "origin", "referer", "range", "accept", "date",
        "http2-settings", "user-agent", "x-request-id",
    ]
}
