extension Address {
    /// What an address looks like, for messages.
    static let expected = "an address (host:port, [v6]:port or unix:/path)"
    /// What a backend's address looks like, for messages.
    static let expectedURL = "a URL (http://host:port, https://host:port or unix:/path)"

    /// `host:port`, `[v6]:port` or `unix:/path`.
    init(parsing text: String) throws(Mistake) {
        if text.hasPrefix("unix:") {
            self = .unix(try Self.socketPath(text.dropFirst(5)))
            return
        }
        if text.contains("://") {
            throw .because("a URL stands only in 'upstream'")
        }
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), UInt16(text) ?? 0 > 0 {
            throw .because("did you mean '127.0.0.1:\(text)'?")
        }
        self = try Self.hostAndPort(Substring(text), defaultPort: nil)
    }

    /// The name, or the address, that a certificate is to have.
    static func serverName(_ text: String) throws(Mistake) -> String {
        if AddressBlock.parseIPv6(Substring(text)) != nil { return text }
        try checkHost(Substring(text))
        return text
    }

    /// The path of a unix socket, as long as `sockaddr_un` has room for.
    fileprivate static func socketPath(_ path: Substring) throws(Mistake) -> String {
        guard path.hasPrefix("/") else {
            throw .because("the path of a unix socket must begin with '/'")
        }
        guard path.utf8.count <= 107 else {
            throw .because("the path of a unix socket has at most 107 bytes")
        }
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw .because("the path must not contain blanks or control characters")
        }
        return String(path)
    }

    static func hostAndPort(
        _ text: Substring,
        defaultPort: UInt16?
    ) throws(Mistake) -> Address {
        let host: Substring
        let rest: Substring
        if text.hasPrefix("[") {
            let inside = text.dropFirst()
            guard let close = inside.firstIndex(of: "]") else { throw .because("']' is missing") }
            host = inside[..<close]
            rest = inside[close...].dropFirst()
            guard AddressBlock.parseIPv6(host) != nil else {
                throw .because("\(Wording.quoted(String(host))) is not an IPv6 address")
            }
        } else {
            host = text.prefix { $0 != ":" }
            rest = text[host.endIndex...]
            if rest.dropFirst().contains(":"), AddressBlock.parseIPv6(text) != nil {
                throw .because("an IPv6 address stands in brackets: [v6]:port")
            }
            try checkHost(host)
        }
        if rest.isEmpty, let defaultPort {
            return .host(String(host), port: defaultPort)
        }
        guard rest.hasPrefix(":") else { throw .because("the port is missing") }
        let digits = rest.dropFirst()
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = UInt16(digits), port > 0
        else {
            throw .because("the port must be a number from 1 to 65535")
        }
        return .host(String(host), port: port)
    }

    /// An IPv4 address, or a name of letters, digits, `-` and `_` in labels of 1 to 63.
    private static func checkHost(_ host: Substring) throws(Mistake) {
        guard !host.isEmpty else { throw .because("the host is missing") }
        if host.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }) {
            if host.contains(".") && AddressBlock.parseIPv4(host) != nil { return }
            let what = host.contains(".") ? "is not an IPv4 address" : "is not a host"
            throw .because("\(Wording.quoted(String(host))) \(what)")
        }
        let name = host.hasSuffix(".") ? host.dropLast() : host
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let isName =
            name.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count)
                    && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.utf8.allSatisfy(isNameByte)
            }
        guard isName else {
            throw .because("\(Wording.quoted(String(host))) is not a host name")
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default:
            false
        }
    }

    /// The same for two ways of writing one address.
    var canonical: Address {
        guard case .host(let host, let port) = self else { return self }
        if let literal = AddressBlock.parseLiteral(Substring(host)) {
            let high = String(literal.high, radix: 16)
            return .host("\(high):\(String(literal.low, radix: 16))", port: port)
        }
        return .host(host.lowercased(), port: port)
    }

    /// Whether a connection to this address arrives at a listener on that one.
    func reaches(_ listener: Address) -> Bool {
        if canonical == listener.canonical { return true }
        guard case .host(let host, let port) = self,
            case .host(let other, let otherPort) = listener, port == otherPort,
            let any = AddressBlock.parseLiteral(Substring(other)), any.isUnspecified
        else { return false }
        return host.lowercased() == "localhost"
            || AddressBlock.parseLiteral(Substring(host))?.isLoopback ?? false
    }
}

extension UpstreamURL {
    /// `http://host[:port]`, `https://host[:port]` or `unix:/path`.
    init(parsing text: String) throws(Mistake) {
        if text.hasPrefix("unix:") {
            self.init(.unix(try Address.socketPath(text.dropFirst(5))))
            return
        }
        let scheme = text.prefix { $0 != ":" }.lowercased()
        guard text.dropFirst(scheme.count).hasPrefix("://") else {
            if (try? Address(parsing: text)) != nil {
                throw .because("did you mean 'http://\(text)'?")
            }
            throw .because(nil)
        }
        guard scheme == "http" || scheme == "https" else {
            throw .because("the scheme must be http or https")
        }
        var rest = text.dropFirst(scheme.count + 3)
        if rest.hasSuffix("/") {
            rest.removeLast()
        }
        if rest.contains("@") {
            throw .because("a user name in it is not supported")
        }
        if rest.contains(where: { $0 == "/" || $0 == "?" || $0 == "#" }) {
            throw .because("it must end after the port: the path is the client's")
        }
        let isSecure = scheme == "https"
        self.init(
            try Address.hostAndPort(rest, defaultPort: isSecure ? 443 : 80),
            isSecure: isSecure
        )
    }
}
