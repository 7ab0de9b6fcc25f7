public import Memory
public import Sessions
public import Settings

/// An answer that Lychgate makes itself (contract 4.1); there is no other place that writes one.
public enum Answer: Equatable, Sendable {
    /// The session that the request carries has ended.
    case sessionEnded(SessionEnd)
    /// The path needs a session, and the request carries none.
    case sessionMissing
    /// The same where a browser navigates, and is sent to the page of `stale.pages`.
    case loginNeeded
    /// Another site makes the request, with a session of the jar's.
    case crossSite
    /// The backend cannot be asked, and the session is kept.
    case sessionKept(repeatIsHarmless: Bool)
    /// Without a session: no connection to the backend, or one that was lost.
    case unreachable
    /// Without a session: the backend did not answer in time.
    case timeout
    /// Without a session: what the backend answered is malformed.
    case badResponse
    /// Without a session: no connection to the backend became free in time.
    case overloaded
    /// A preflight of a page that is listed, which is answered here (contract 4.4).
    case preflight(Preflight)
    /// An OPTIONS whose `Max-Forwards` ends here: for the proxy itself (RFC 9110 §9.3.7).
    case ownOptions
    /// The session that the request carries lives, as far as that is known.
    case sessionState(SessionState)
    /// It carries none; beside that, who the backend is, if that is one.
    case noSession(instanceID: [UInt8])
    /// The session was to be forgotten, and is.
    case sessionForgotten(SessionEnd)
    /// A stream of events begins; its connection is closed behind it.
    case eventStream(isChunked: Bool)
    /// The module `guard.js`, unless the client has it.
    case guardModule(isKnown: Bool)
    /// Lychgate has no such page.
    case notFound
    /// The page is not for such requests, but for these.
    case methodNotAllowed(StaticText)
    /// The request is refused as it is; its connection is closed.
    case refused(status: UInt16, reason: StaticText)
}

/// A constant text that can be compared.
public struct StaticText: Equatable, Sendable, CustomStringConvertible {
    /// The text.
    public let text: StaticString

    /// A constant.
    public init(_ text: StaticString) { self.text = text }

    /// Whether both say the same.
    public static func == (left: Self, right: Self) -> Bool {
        left.description == right.description
    }

    /// The text.
    public var description: String { "\(text)" }
}

/// What an answer has to fit: the request and its connection.
public struct AnswerFrame: Sendable {
    /// Leave out the content: the request was HEAD.
    public var isHead = false
    /// The connection is closed afterwards.
    public var closes = false
    /// Tell a client of HTTP/1.0 that its connection lives on.
    public var saysKeepAlive = false
    /// The client's connection is TLS, or was in front of a trusted proxy.
    public var isSecure = false
    /// The page that the request comes from, if it may read the answer.
    public var origin: ListedOrigin?

    /// A frame for a plain request on a connection that lives on.
    public init() {}
}

/// Writes answers, with the texts that the configuration chose.
public struct AnswerWriter: Sendable {
    private let staleStatus: UInt16
    private let staleContent: [UInt8]
    private let loginPage: [UInt8]?

    /// A writer for the whole configuration.
    public init(settings: Settings) {
        staleStatus = settings.stale.status
        if case .redirect(let place) = settings.stale.pages {
            loginPage = Array(place.utf8)
        } else {
            loginPage = nil
        }
        let reason = Self.jsonString(settings.stale.reason)
        let message = Self.jsonString(settings.stale.message)
        let content =
            switch settings.stale.format {
            case .json: "{\"valid\":false,\"reason\":\(reason),\"message\":\(message)}"
            case .jsonRPC:
                // The content of the request is not read, so its ID is not known (JSON-RPC 2.0 §5).
                "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,"
                    + "\"message\":\(message),\"data\":{\"reason\":\(reason)}}}"
            }
        staleContent = Array(content.utf8)
    }

    /// Appends the whole answer to `out`, with the line `date`.
    public func write(
        _ answer: Answer,
        frame: AnswerFrame,
        date: borrowing Buffer,
        rules: SessionRules,
        into out: inout Buffer
    ) {
        let status = status(of: answer)
        out.append("HTTP/1.1 ")
        out.append(decimal: UInt64(status))
        out.append(" ")
        out.append(Self.reasonPhrase(status))
        out.append("\r\n")
        out.append(date, from: 0, count: date.count)
        appendKind(of: answer, status, into: &out)
        if case .preflight(let preflight) = answer {
            rules.appendCORS(preflight, to: &out)
        } else {
            rules.appendCORS(frame.origin, to: &out)
        }
        switch answer {
        case .sessionEnded(let end):
            appendChallenge(status, into: &out)
            out.append("X-Session-Cleared: ")
            out.append(end.reason.text)
            out.append("\r\n")
            if status == 303 { appendLocation(into: &out) }
            appendExpiries(end, isSecure: frame.isSecure, rules, into: &out)
        case .sessionForgotten(let end):
            appendExpiries(end, isSecure: frame.isSecure, rules, into: &out)
        case .sessionMissing, .noSession: appendChallenge(status, into: &out)
        case .methodNotAllowed(let methods):
            out.append("Allow: ")
            out.append(methods.text)
            out.append("\r\n")
        case .loginNeeded: appendLocation(into: &out)
        case .sessionKept(repeatIsHarmless: true), .overloaded:
            out.append("Retry-After: 1\r\n")
        case .sessionKept, .unreachable, .timeout, .badResponse, .ownOptions, .crossSite,
            .preflight, .refused, .sessionState, .eventStream, .guardModule, .notFound:
            break
        }
        if frame.closes {
            out.append("Connection: close\r\n")
        } else if frame.saysKeepAlive {
            out.append("Connection: keep-alive\r\n")
        }
        if case .eventStream(let isChunked) = answer {
            out.append(isChunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n")
        } else if let content = pageContent(of: answer) {
            append(content, isHead: frame.isHead, into: &out)
        } else if status == 304 {
            out.append("\r\n")
        } else if hasContent(answer, status) {
            appendContent(of: answer, isHead: frame.isHead, into: &out)
        } else {
            // RFC 9110 §8.6: a 204 has no length.
            out.append(status == 204 ? "\r\n" : "Content-Length: 0\r\n\r\n")
        }
    }

    private func appendExpiries(
        _ end: SessionEnd,
        isSecure: Bool,
        _ rules: SessionRules,
        into out: inout Buffer
    ) {
        if end.expiresCookie {
            out.append("Set-Cookie: ")
            rules.appendExpiredCookie(isSecure: isSecure, to: &out)
            out.append("\r\n")
        }
        for scope in end.scopes {
            out.append("Set-Cookie: ")
            rules.appendExpiredCarrier(scope, to: &out)
            out.append("\r\n")
        }
    }

    private func append(_ content: [UInt8], isHead: Bool, into out: inout Buffer) {
        out.append("Content-Length: ")
        out.append(decimal: UInt64(content.count))
        out.append("\r\n\r\n")
        if !isHead { out.append(content) }
    }

    func hasContent(_ answer: Answer, _ status: UInt16) -> Bool {
        answer != .ownOptions && status != 303 && status != 204
    }

    /// Where navigations are sent to.
    private func appendLocation(into out: inout Buffer) {
        out.append("Location: ")
        out.append(loginPage ?? [0x2F])
        out.append("\r\n")
    }

    /// The status of an answer.
    public func status(of answer: Answer) -> UInt16 {
        switch answer {
        case .sessionEnded(let end): end.isNavigation && loginPage != nil ? 303 : staleStatus
        case .sessionMissing, .noSession: 401
        case .notFound: 404
        case .methodNotAllowed: 405
        case .guardModule(let isKnown): isKnown ? 304 : 200
        case .sessionState, .sessionForgotten, .eventStream: 200
        case .loginNeeded: 303
        case .crossSite: 403
        case .sessionKept, .overloaded: 503
        case .unreachable, .badResponse: 502
        case .timeout: 504
        case .ownOptions: 200
        case .preflight: 204
        case .refused(let status, _): status
        }
    }

    /// RFC 9110 §15.5.2: a 401 names a way to authenticate.
    private func appendChallenge(_ status: UInt16, into out: inout Buffer) {
        if status == 401 {
            out.append("WWW-Authenticate: Session realm=\"lychgate\"\r\n")
        }
    }

    private func appendContent(of answer: Answer, isHead: Bool, into out: inout Buffer) {
        let content: StaticString
        var detail = StaticString("")
        switch answer {
        case .sessionEnded:
            append(staleContent, isHead: isHead, into: &out)
            return
        case .sessionMissing:
            content = #"{"valid":false,"reason":"NO_SESSION_ID","message":"No session ID provided"#
        case .sessionKept:
            content = """
                {"valid":true,"reason":"backend-unreachable",\
                "message":"The backend cannot be reached - try again later
                """
        case .unreachable:
            content = #"{"reason":"backend-unreachable","message":"The backend cannot be reached"#
        case .timeout:
            content = #"{"reason":"timeout","message":"The backend did not answer in time"#
        case .badResponse:
            content = #"{"reason":"bad-response","message":"The backend's answer is malformed"#
        case .overloaded:
            content = #"{"reason":"overloaded","message":"Too many requests at once"#
        case .crossSite:
            content = #"{"reason":"CROSS_ORIGIN","message":"Another site made this request"#
        case .ownOptions, .preflight, .loginNeeded, .sessionState, .noSession, .sessionForgotten,
            .eventStream, .guardModule, .notFound, .methodNotAllowed:
            return
        case .refused(_, let reason):
            content = #"{"reason":"bad-request","message":""#
            detail = reason.text
        }
        let length = content.utf8CodeUnitCount + detail.utf8CodeUnitCount + 2
        out.append("Content-Length: ")
        out.append(decimal: UInt64(length))
        out.append("\r\n\r\n")
        guard !isHead else { return }
        out.append(content)
        out.append(detail)
        out.append("\"}")
    }

    private static func reasonPhrase(_ status: UInt16) -> StaticString {
        switch status {
        case 200: "OK"
        case 204: "No Content"
        case 303: "See Other"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 417: "Expectation Failed"
        case 419: "Session Expired"
        case 431: "Request Header Fields Too Large"
        case 440: "Session Expired"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Refused"
        }
    }

    /// A JSON string literal (RFC 8259 §7).
    public static func jsonString(_ text: String) -> String {
        var literal = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": literal += "\\\""
            case "\\": literal += "\\\\"
            case "\n": literal += "\\n"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                literal += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: literal.unicodeScalars.append(scalar)
            }
        }
        return literal + "\""
    }
}
