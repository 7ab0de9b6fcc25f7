public import HTTPModel
public import Memory
public import Sessions

/// How the content of a response travels to the client.
public enum DownstreamFraming: Equatable, Sendable {
    /// As the head says already: none, or as long as `Content-Length`.
    case asReceived
    /// Chunked anew.
    case chunked
    /// Until the connection is closed, for clients of HTTP/1.0.
    case untilClose

    /// The framing for a client, given how the backend framed the content.
    public init(_ framing: Framing, clientMinorVersion: UInt8) {
        switch framing {
        case .none, .length: self = .asReceived
        case .chunked, .untilClose: self = clientMinorVersion == 0 ? .untilClose : .chunked
        }
    }
}

extension ResponseHead {
    fileprivate var hasUpgrade: Bool {
        for index in 0..<fields.count where fields[index].id == .upgrade { return true }
        return false
    }

    /// Leaves out what announces trailers, for a client that gets none.
    public mutating func endTrailersHere() {
        for index in 0..<fields.count where fields[index].id == .trailer {
            fields[index].isHopByHop = true
        }
    }
}

/// What is changed in a response head.
public struct ResponseEdits: Sendable {
    /// How the content travels on.
    public var framing = DownstreamFraming.asReceived
    /// Say that the connection is closed after this response.
    public var closes = false
    /// Tell a client of HTTP/1.0 that its connection lives on.
    public var saysKeepAlive = false
    /// The new jar cookie, when the response issued a session.
    public var newCookie: JarCookie?
    /// Expire the client's jar cookie.
    public var expiresCookie = false
    /// Expire these cookies of the backend's own.
    public var expiredScopes: [CookieScope] = []
    /// What a rule has found was blanked in the content: what was said of it holds no more.
    public var isRedacted = false
    /// The length of that content, where it is to be said.
    public var contentLength: Int?
    /// The client's connection is TLS, or was in front of a trusted proxy.
    public var isSecure = false
    /// The answer depends on the jar cookie (contract 2.2).
    public var variesByCookie = false

    /// No change.
    public init() {}
}

/// Rewrites a response head for the client, straight from the bytes received into the bytes to
/// send; what does not change is copied in one piece.
public enum ResponseRewriter {
    /// Appends the head for the client to `out`, with the line `date` if it has none.
    ///
    /// - Precondition: `head` was parsed from the first waiting bytes of `input`.
    public static func write(
        _ head: borrowing ResponseHead,
        from input: borrowing Buffer,
        edits: ResponseEdits,
        date: borrowing Buffer,
        rules: SessionRules,
        into out: inout Buffer
    ) {
        out.reserve(head.byteCount + 512)
        writeStatusLine(head, from: input, into: &out)
        let privacy = edits.newCookie == nil ? nil : CachePrivacy(head, in: input)
        let end = head.byteCount - 2
        let count = head.fields.count
        var kept = count > 0 ? head.fields[0].name.start : end
        for index in 0..<count {
            let line = head.fields[index]
            let isShared =
                privacy?.dropsSharedLines == true && line.id == .cacheControl
                && CachePrivacy.isShared(line.value, in: input)
            guard
                line.isHopByHop || isShared
                    || line.id == .setCookie && rules.isHidden(line.value, in: input)
                    || edits.isRedacted && isOfContent(line, in: input)
            else { continue }
            out.append(input, from: kept, count: line.name.start - kept)
            kept = index + 1 < count ? head.fields[index + 1].name.start : end
        }
        out.append(input, from: kept, count: end - kept)
        if !head.hasDate { out.append(date, from: 0, count: date.count) }
        if edits.framing == .chunked { out.append("Transfer-Encoding: chunked\r\n") }
        if let length = edits.contentLength {
            out.append("Content-Length: ")
            out.append(decimal: UInt64(clamping: length))
            out.append("\r\n")
        }
        if let cookie = edits.newCookie {
            out.append("Set-Cookie: ")
            rules.appendSetCookie(cookie, isSecure: edits.isSecure, to: &out)
            out.append("\r\n")
        } else if edits.expiresCookie {
            out.append("Set-Cookie: ")
            rules.appendExpiredCookie(isSecure: edits.isSecure, to: &out)
            out.append("\r\n")
        }
        if !edits.expiredScopes.isEmpty {
            for scope in edits.expiredScopes {
                out.append("Set-Cookie: ")
                rules.appendExpiredCarrier(scope, to: &out)
                out.append("\r\n")
            }
        }
        if privacy?.addsPrivate == true { out.append("Cache-Control: private\r\n") }
        if edits.variesByCookie && CachePrivacy.needsVaryCookie(head, in: input) {
            out.append("Vary: Cookie\r\n")
        }
        if head.status == 101 || head.status == 426, head.hasUpgrade {
            writeUpgrade(head, from: input, edits: edits, into: &out)
        } else if edits.closes {
            out.append("Connection: close\r\n")
        } else if edits.saysKeepAlive {
            out.append("Connection: keep-alive\r\n")
        }
        out.append("\r\n")
    }

    /// Whether a line says how long the content is, or what it is to the byte: other bytes go to
    /// the client, and nothing may vouch for them (RFC 9110 §7.7).
    private static func isOfContent(_ line: FieldLine, in input: borrowing Buffer) -> Bool {
        if line.id == .contentLength { return true }
        guard line.id == .other else { return false }
        let bytes = input.bytes
        return equalsIgnoringCase(bytes, line.name, "etag")
            || equalsIgnoringCase(bytes, line.name, "digest")
            || equalsIgnoringCase(bytes, line.name, "content-digest")
            || equalsIgnoringCase(bytes, line.name, "repr-digest")
            || equalsIgnoringCase(bytes, line.name, "content-md5")
            || equalsIgnoringCase(bytes, line.name, "accept-ranges")
            || equalsIgnoringCase(bytes, line.name, "last-modified")
    }

    /// What a 101 agrees to, or a 426 asks for (RFC 9110 §7.8), said anew, and what becomes of the
    /// connection.
    private static func writeUpgrade(
        _ head: borrowing ResponseHead,
        from input: borrowing Buffer,
        edits: ResponseEdits,
        into out: inout Buffer
    ) {
        for index in 0..<head.fields.count where head.fields[index].id == .upgrade {
            out.append("Upgrade: ")
            let value = head.fields[index].value
            out.append(input, from: value.start, count: Int(value.count))
            out.append("\r\n")
        }
        out.append("Connection: Upgrade")
        if edits.closes {
            out.append(", close")
        } else if edits.saysKeepAlive {
            out.append(", keep-alive")
        }
        out.append("\r\n")
    }

    /// Appends an interim head (RFC 9110 §15.2) for the client to `out`.
    public static func writeInterim(
        _ head: borrowing ResponseHead,
        from input: borrowing Buffer,
        rules: SessionRules,
        into out: inout Buffer
    ) {
        writeStatusLine(head, from: input, into: &out)
        for index in 0..<head.fields.count where !head.fields[index].isHopByHop {
            let line = head.fields[index]
            if line.id == .setCookie, rules.isHidden(line.value, in: input) { continue }
            let next = index + 1 < head.fields.count ? head.fields[index + 1].name.start : nil
            let lineEnd = next ?? head.byteCount - 2
            out.append(input, from: line.name.start, count: lineEnd - line.name.start)
        }
        out.append("\r\n")
    }

    private static func writeStatusLine(
        _ head: borrowing ResponseHead,
        from input: borrowing Buffer,
        into out: inout Buffer
    ) {
        out.append("HTTP/1.1 ")
        out.append(decimal: UInt64(head.status))
        out.append(" ")
        out.append(input, from: head.reason.start, count: Int(head.reason.count))
        out.append("\r\n")
    }
}
