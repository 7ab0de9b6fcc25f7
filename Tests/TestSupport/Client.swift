/// A client as browsers are: it keeps cookies, reuses its connection and opens another if need be.
public final class Client {
    private let endpoint: Endpoint
    private var connection: HTTPConnection?
    /// The cookies it holds, by name.
    public var cookies: [String: String] = [:]
    /// Lines that it adds to each request, for example a session that it holds itself.
    public var fields: [String] = []
    /// How many connections it has opened.
    public private(set) var connectionCount = 0

    /// A client without cookies and without a connection yet.
    public init(_ endpoint: Endpoint) {
        self.endpoint = endpoint
    }

    /// Sends a request with its cookies and fields, and keeps what the answer sets.
    @discardableResult
    public func ask(
        _ method: String,
        _ target: String,
        _ more: [String] = [],
        body: [UInt8]? = nil
    ) throws -> HTTPResponse {
        var lines = fields + more
        if !cookies.isEmpty {
            let pairs = cookies.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }
            lines.append("Cookie: " + pairs.joined(separator: "; "))
        }
        let connection = try self.connection ?? open()
        let response: HTTPResponse
        do {
            response = try connection.ask(method, target, lines, body: body)
        } catch {
            self.connection = nil
            throw error
        }
        if connection.hasUnread {
            self.connection = nil
            throw HTTPFailure.malformed("more than one answer to \(method) \(target)")
        }
        if response["Connection"]?.lowercased() == "close" || response.version == "HTTP/1.0" {
            self.connection = nil
        }
        keepCookies(of: response)
        return response
    }

    /// GET.
    @discardableResult
    public func get(_ target: String, _ more: [String] = []) throws -> HTTPResponse {
        try ask("GET", target, more)
    }

    /// POST of nothing, or of this.
    @discardableResult
    public func post(_ target: String, _ body: String = "") throws -> HTTPResponse {
        try ask("POST", target, body: Array(body.utf8))
    }

    private func open() throws -> HTTPConnection {
        let opened = try HTTPConnection(to: endpoint)
        connection = opened
        connectionCount += 1
        return opened
    }

    /// Closes the connection; the next request opens another.
    public func drop() { connection = nil }

    private func keepCookies(of response: HTTPResponse) {
        for line in response.values("Set-Cookie") {
            let cookie = SetCookie(line)
            cookies[cookie.name] = cookie.isExpired ? nil : cookie.value
        }
    }
}

/// A `Set-Cookie` line in parts.
public struct SetCookie: Sendable {
    /// The cookie's name.
    public var name: String
    /// The cookie's value.
    public var value: String
    /// The attributes, names in lower case.
    public var attributes: [String: String] = [:]

    /// Takes a line apart.
    public init(_ line: String) {
        let parts = line.split(separator: ";").map { part in
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let words = pair.map { word in
                String(word.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            }
            return (words[0], words.count > 1 ? words[1] : "")
        }
        (name, value) = parts.first ?? ("", "")
        for (name, value) in parts.dropFirst() {
            attributes[name.lowercased()] = value
        }
    }

    /// Whether it deletes the cookie.
    public var isExpired: Bool {
        attributes["max-age"] == "0"
            || (attributes["max-age"] == nil && attributes["expires"]?.contains("1970") == true)
    }
}
