public import HTTPModel
public import Memory
public import Sessions
public import Settings

/// What is known of a client from its connection alone.
public struct ClientFacts: Sendable {
    /// Whether what it says in `X-Forwarded-*` is believed (`trusted_proxies`).
    public var isTrusted: Bool
    /// Whether its connection is TLS.
    public var isSecure: Bool
    /// Whether what it says in `X-Client-Cert-Subject` is passed on.
    public var maySaySubject = true
    /// Its address, and then the whole line of that field for the certificate that it has shown:
    /// one array, since each is counted for every request.
    private var text: [UInt8]
    private let ipCount: Int

    /// Facts of one connection; the IP address as text, `unix` for a unix socket.
    public init(ip: [UInt8], isTrusted: Bool, isSecure: Bool) {
        text = ip
        ipCount = ip.count
        self.isTrusted = isTrusted
        self.isSecure = isSecure
    }

    /// Notes the subject of the certificate that the client has shown.
    public mutating func setCertificate(subject: [UInt8]) {
        text = ip + Array("X-Client-Cert-Subject: ".utf8) + subject + Array("\r\n".utf8)
    }

    /// Its IP address as text.
    public var ip: [UInt8] { Array(text.prefix(ipCount)) }

    fileprivate func appendIP(to out: inout Buffer) {
        out.append(text.span.extracting(first: ipCount))
    }

    fileprivate func appendSubjectLine(to out: inout Buffer) {
        if text.count > ipCount { out.append(text.span.extracting(droppingFirst: ipCount)) }
    }
}

extension RequestHead {
    /// Whether the client's connection is TLS, or that of a trusted proxy's client was.
    public func isSecure(_ client: ClientFacts, in input: borrowing Buffer) -> Bool {
        if client.isSecure || !client.isTrusted { return client.isSecure }
        let bytes = input.bytes
        for index in 0..<fields.count where fields[index].id == .xForwardedProto {
            return equalsIgnoringCase(bytes, fields[index].value, "https")
        }
        return false
    }
}

/// What is changed in a request head for its session's sake.
public struct RequestEdits: Sendable {
    /// The session ID to inject, if the jar holds the session.
    public var injected: [UInt8]?
    /// The field line that is left out: a session field of the client's that does not count.
    public var droppedLine: Int?
    /// Cut the jar cookie out of `Cookie`.
    public var cutsJarCookie = false
    /// Cut these values of the backend's session cookie out of `Cookie`, a bit for each.
    public var cutCookies: UInt64 = 0
    /// Ask for an answer that is not compressed, because a rule reads it.
    public var asksIdentityCoding = false

    /// No change.
    public init() {}
}

/// Rewrites a request head for the backend, straight from the bytes received into the bytes to
/// send (contract section 7).
///
/// Whatever lies between two lines that change is copied in one piece, so names, order,
/// duplicates and spacing stay as they were.
public struct RequestRewriter: Sendable {
    private let carrierName: [UInt8]
    private let via: [UInt8]?
    private let defaultHost: [UInt8]

    /// A rewriter for the whole configuration; `defaultHost` is for requests without one.
    public init(settings: Settings, defaultHost: [UInt8]) {
        carrierName = Array(settings.session.carrierHeader.utf8)
        via = settings.via.map { Array(" \($0)\r\n".utf8) }
        self.defaultHost = defaultHost
    }

    /// Appends the head for the backend to `out`; `requestID` is for requests without one.
    ///
    /// - Precondition: `head` was parsed from the first waiting bytes of `input`.
    public func write(
        _ head: borrowing RequestHead,
        from input: borrowing Buffer,
        client: ClientFacts,
        edits: RequestEdits,
        requestID: RequestID,
        of requestIDs: RequestIDs,
        rules: SessionRules,
        into out: inout Buffer
    ) {
        out.reserve(head.byteCount + 512)
        writeRequestLine(head, from: input, into: &out)
        let end = head.byteCount - 2
        let count = head.fields.count
        var kept = count > 0 ? head.fields[0].name.start : end
        var hasHost = false
        var hasRequestID = false
        var acceptsTrailers = false
        var cookieCount = 0
        for index in 0..<count {
            let line = head.fields[index]
            if line.id == .host { hasHost = true }
            if isUntouched(line, head, client: client, edits: edits)
                && edits.droppedLine != index
            {
                continue
            }
            if line.id == .xRequestID && !hasRequestID
                && RequestIDs.isPassedOn(line, in: input.bytes)
            {
                hasRequestID = true
                continue
            }
            out.append(input, from: kept, count: line.name.start - kept)
            kept = index + 1 < count ? head.fields[index + 1].name.start : end
            switch line.id {
            case .host: writeHost(head, from: input, into: &out)
            case .cookie:
                writeCookie(line, from: input, edits, rules, count: &cookieCount, into: &out)
            case .maxForwards: MaxForwards.write(line, from: input, into: &out)
            case .te: acceptsTrailers = acceptsTrailers || Self.listsTrailers(line, in: input)
            default: break
            }
        }
        out.append(input, from: kept, count: end - kept)
        if !hasHost { writeHost(head, from: input, into: &out) }
        if head.framing == .chunked { out.append("Transfer-Encoding: chunked\r\n") }
        if head.asksUpgrade || acceptsTrailers {
            writeConnection(head, from: input, acceptsTrailers: acceptsTrailers, into: &out)
        }
        if hasRequestID {
            out.append("X-Forwarded-For: ")
        } else {
            out.append("X-Request-ID: ")
            requestIDs.append(requestID, to: &out)
            out.append("\r\nX-Forwarded-For: ")
        }
        writeForwarding(head, from: input, client: client, into: &out)
        if edits.asksIdentityCoding { out.append("Accept-Encoding: identity\r\n") }
        if let injected = edits.injected {
            out.append(carrierName)
            out.append(": ")
            out.append(injected)
            out.append("\r\n")
        }
        out.append("\r\n")
    }

    private func writeHost(
        _ head: borrowing RequestHead,
        from input: borrowing Buffer,
        into out: inout Buffer
    ) {
        out.append("Host: ")
        if head.authority.isEmpty {
            out.append(defaultHost)
        } else {
            out.append(input, from: head.authority.start, count: Int(head.authority.count))
        }
        out.append("\r\n")
    }

    private func writeRequestLine(
        _ head: borrowing RequestHead,
        from input: borrowing Buffer,
        into out: inout Buffer
    ) {
        out.append(input, from: head.methodRange.start, count: Int(head.methodRange.count))
        out.append(" ")
        if head.targetForm == .absolute {
            // RFC 9112 §3.2.4: an absolute-form OPTIONS without a path means "*".
            let path = head.pathAndQuery
            if path.isEmpty && head.method == .options {
                out.append("*")
            } else {
                if path.isEmpty || input.bytes[path.start] == UInt8(ascii: "?") { out.append("/") }
                out.append(input, from: path.start, count: Int(path.count))
            }
        } else {
            out.append(input, from: head.target.start, count: Int(head.target.count))
        }
        out.append(" HTTP/1.1\r\n")
    }

    private func isUntouched(
        _ line: FieldLine,
        _ head: borrowing RequestHead,
        client: ClientFacts,
        edits: RequestEdits
    ) -> Bool {
        if line.isHopByHop { return false }
        switch line.id {
        case .xForwardedFor, .xRequestID: return false
        case .xForwardedHost, .xForwardedProto, .forwarded: return client.isTrusted
        case .xClientCertSubject: return client.maySaySubject
        case .cookie: return !edits.cutsJarCookie && edits.cutCookies == 0
        case .acceptEncoding: return !edits.asksIdentityCoding
        case .maxForwards: return !head.method.countsForwards
        // RFC 9112 §3.2.2: the authority of an absolute target takes the place of Host.
        case .host: return head.targetForm != .absolute
        // RFC 9110 §10.1.1: what HTTP/1.0 expects is ignored.
        case .expect: return head.minorVersion > 0
        default: return true
        }
    }

    /// Whether a `TE` line says that trailers are welcome (RFC 9110 §10.1.4).
    private static func listsTrailers(_ line: FieldLine, in input: borrowing Buffer) -> Bool {
        let bytes = input.bytes
        var codings = ListCursor(line.value)
        while let coding = codings.next(bytes) {
            if equalsIgnoringCase(bytes, coding, "trailers") { return true }
        }
        return false
    }

    /// What our own connection is told: the upgrade that the client offers, trailers are welcome.
    private func writeConnection(
        _ head: borrowing RequestHead,
        from input: borrowing Buffer,
        acceptsTrailers: Bool,
        into out: inout Buffer
    ) {
        let saysTrailers = acceptsTrailers && head.minorVersion > 0
        let offersUpgrade = Upgrade.isOffered(by: head, in: input)
        if saysTrailers { out.append("TE: trailers\r\n") }
        if offersUpgrade {
            out.append("Upgrade: ")
            Upgrade.writeOffer(of: head, from: input, into: &out)
            out.append("\r\n")
        }
        switch (offersUpgrade, saysTrailers) {
        case (true, true): out.append("Connection: Upgrade, TE\r\n")
        case (true, false): out.append("Connection: Upgrade\r\n")
        case (false, true): out.append("Connection: TE\r\n")
        case (false, false): break
        }
    }

    /// The other cookies of a `Cookie` line that has one to cut, if there are any.
    private func writeCookie(
        _ line: FieldLine,
        from input: borrowing Buffer,
        _ edits: borrowing RequestEdits,
        _ rules: SessionRules,
        count: inout Int,
        into out: inout Buffer
    ) {
        let before = out.count
        out.append(input, from: line.name.start, count: Int(line.name.count))
        out.append(": ")
        let isAnyLeft =
            edits.cutsJarCookie
            ? rules.appendCookieWithoutJar(line.value, in: input, to: &out)
            : rules.appendCookie(
                line.value,
                in: input,
                cutting: edits.cutCookies,
                count: &count,
                to: &out
            )
        if isAnyLeft {
            out.append("\r\n")
        } else {
            out.truncate(to: before)
        }
    }

    /// `X-Forwarded-*`, of which the first is begun already, and `Via`.
    private func writeForwarding(
        _ head: borrowing RequestHead,
        from input: borrowing Buffer,
        client: ClientFacts,
        into out: inout Buffer
    ) {
        var saidHost = false
        var saidProto = false
        if client.isTrusted {
            for index in 0..<head.fields.count {
                let line = head.fields[index]
                saidHost = saidHost || line.id == .xForwardedHost
                saidProto = saidProto || line.id == .xForwardedProto
                if line.id == .xForwardedFor && !line.value.isEmpty {
                    out.append(input, from: line.value.start, count: Int(line.value.count))
                    out.append(", ")
                }
            }
        }
        client.appendIP(to: &out)
        if !saidProto {
            out.append(
                client.isSecure
                    ? "\r\nX-Forwarded-Proto: https" : "\r\nX-Forwarded-Proto: http"
            )
        }
        if !saidHost && !head.authority.isEmpty {
            out.append("\r\nX-Forwarded-Host: ")
            out.append(input, from: head.authority.start, count: Int(head.authority.count))
        }
        out.append("\r\n")
        client.appendSubjectLine(to: &out)
        if let via {
            out.append(head.minorVersion == 0 ? "Via: 1.0" : "Via: 1.1")
            out.append(via)
        }
    }
}
