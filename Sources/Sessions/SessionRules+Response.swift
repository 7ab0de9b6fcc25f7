public import HTTPModel
public import Memory
internal import Settings

extension SessionRules {
    /// Judges the head of a final response.
    ///
    /// `request` is the verdict that `judge` gave, with what has changed since.
    public func judgeResponse(
        _ head: borrowing ResponseHead,
        in input: borrowing Buffer,
        request: borrowing Judgement,
        jar: Jar
    ) -> ResponsePlan {
        let bytes = input.bytes
        let session = request.session
        let isSuccess = head.status >= 200 && head.status < 300
        var plan = ResponsePlan()
        plan.ends = isSuccess && request.endsOnSuccess && session != nil
        if let session, !session.isBound, isSuccess, !request.isExempt { plan.binds = true }

        let json = isSuccess ? request.jsonRules : 0
        for index in captures.indices {
            if let field = captures[index].field {
                if capture(field, head, bytes, session, jar, &plan) { break }
            } else if let name = captures[index].cookie {
                if capture(cookie: name, head, bytes, session, jar, &plan) { break }
            } else if json >> UInt64(index) & 1 == 1, plan.content == .stream {
                collect(.capture, head, bytes, &plan)
            }
        }
        if redactingRules & json != 0, plan.content == .stream {
            collect(.redaction, head, bytes, &plan)
        }
        if head.status == 401, session != nil {
            collect(.reason, head, bytes, &plan)
        }
        // A part of an answer is not to be completed.
        if request.isAugmented, isSuccess, head.status != 206 {
            if plan.content == .stream { collect(.health, head, bytes, &plan) }
            plan.augments = plan.content != .stream
        }
        return plan
    }

    /// Looks at a header rule; true when it matches, be it an echo.
    private func capture(
        _ field: FieldNameMatcher,
        _ head: borrowing ResponseHead,
        _ bytes: Span<UInt8>,
        _ session: CarriedSession?,
        _ jar: Jar,
        _ plan: inout ResponsePlan
    ) -> Bool {
        var found: ByteRange?
        for index in 0..<head.fields.count {
            let line = head.fields[index]
            guard field.match(bytes, line.name) == .exact else { continue }
            guard let first = found else {
                found = line.value
                continue
            }
            if !RequestScan.equal(bytes, first, line.value) {
                plan.warning = .ambiguousField
                return false
            }
        }
        return found.map { capture($0, bytes, session, jar, &plan) } ?? false
    }

    /// Looks at a cookie rule; of several lines the last one counts, as for browsers.
    private func capture(
        cookie name: [UInt8],
        _ head: borrowing ResponseHead,
        _ bytes: Span<UInt8>,
        _ session: CarriedSession?,
        _ jar: Jar,
        _ plan: inout ResponsePlan
    ) -> Bool {
        var last: SetCookieLine?
        for index in 0..<head.fields.count where head.fields[index].id == .setCookie {
            last = SetCookieLine(bytes, head.fields[index].value, name: name) ?? last
        }
        guard let last, !last.isDeletion else { return false }
        return capture(last.value, bytes, session, jar, &plan)
    }

    private func capture(
        _ value: ByteRange,
        _ bytes: Span<UInt8>,
        _ session: CarriedSession?,
        _ jar: Jar,
        _ plan: inout ResponsePlan
    ) -> Bool {
        guard Self.isValid(bytes, value) else {
            // Careless backends send the field empty where there is no session.
            if !value.isEmpty { plan.warning = .invalidValue }
            return false
        }
        if let session, session.key == jar.sessionKey(bytes, value) { return true }
        plan.captured = value
        return true
    }

    /// Asks for the content, if it is JSON that can be read.
    private func collect(
        _ use: ResponsePlan.Content,
        _ head: borrowing ResponseHead,
        _ bytes: Span<UInt8>,
        _ plan: inout ResponsePlan
    ) {
        guard Self.hasJSON(head, bytes), head.framing != .none else { return }
        if Self.isEncoded(head, bytes) {
            if use.isOfRule { plan.warning = .encodedContent }
            return
        }
        if case .length(let count) = head.framing, count > UInt64(ResponsePlan.contentBytesMax) {
            if use.isOfRule { plan.warning = .contentTooLong }
            return
        }
        plan.content = use
    }

    private static func hasJSON(_ head: borrowing ResponseHead, _ bytes: Span<UInt8>) -> Bool {
        for index in 0..<head.fields.count where head.fields[index].id == .contentType {
            return isJSON(bytes, head.fields[index].value)
        }
        return false
    }

    /// `application/json` or a type that ends in `+json` (RFC 6839 §3.1), parameters aside.
    static func isJSON(_ bytes: Span<UInt8>, _ value: ByteRange) -> Bool {
        var end = value.start
        while end < value.end, bytes[end] != 0x3B { end &+= 1 }
        let type = bytes.trimmed(value.start, end)
        if equalsIgnoringCase(bytes, type, "application/json") { return true }
        guard type.count > 5 else { return false }
        let suffix = ByteRange(offset: type.end - 5, count: 5)
        return equalsIgnoringCase(bytes, suffix, "+json")
    }

    private static func isEncoded(_ head: borrowing ResponseHead, _ bytes: Span<UInt8>) -> Bool {
        for index in 0..<head.fields.count where head.fields[index].id == .contentEncoding {
            let value = head.fields[index].value
            if !value.isEmpty, !equalsIgnoringCase(bytes, value, "identity") { return true }
        }
        return false
    }

    // MARK: - What was found in the content

    /// The pointers of the JSON rules that match a request, in their order; the first that finds
    /// a valid value counts.
    public func jsonPointers(_ request: borrowing Judgement) -> [String] {
        var pointers: [String] = []
        for index in captures.indices where request.jsonRules >> UInt64(index) & 1 == 1 {
            if let pointer = captures[index].pointer { pointers.append(pointer) }
        }
        return pointers
    }

    /// The pointers to what the client must not see in the content of an answer to a request.
    public func redactedPointers(_ request: borrowing Judgement) -> [String] {
        var pointers: [String] = []
        for index in captures.indices
        where (request.jsonRules & redactingRules) >> UInt64(index) & 1 == 1 {
            if let pointer = captures[index].pointer { pointers.append(pointer) }
        }
        return pointers
    }

    /// Whether a `Set-Cookie` line is of a cookie that a rule captures and the client must not see.
    public func isHidden(_ setCookie: ByteRange, in input: borrowing Buffer) -> Bool {
        guard hidesCookies else { return false }
        let bytes = input.bytes
        for capture in captures where !capture.keepsCookie {
            guard let name = capture.cookie else { continue }
            if SetCookieLine(bytes, setCookie, name: name) != nil { return true }
        }
        return false
    }

    /// Whether a value may become a session ID: nothing that could split a field is ever injected.
    public static func isValid(_ sessionID: [UInt8]) -> Bool {
        let value = ByteRange(offset: 0, count: sessionID.count)
        return sessionID.count <= sessionIDBytesMax && isValid(sessionID.span, value)
    }

    /// The longest session ID that is captured.
    public static let sessionIDBytesMax = 4096

    static func isValid(_ bytes: Span<UInt8>, _ value: ByteRange) -> Bool {
        guard value.count >= 1, Int(value.count) <= sessionIDBytesMax else { return false }
        for place in value.start..<value.end where bytes[place] < 0x21 || bytes[place] > 0x7E {
            return false
        }
        return true
    }

    /// Whether a valid value is the one that the request carried: backends echo, and what is
    /// echoed is not issued anew.
    public func isEcho(_ sessionID: [UInt8], of request: borrowing Judgement, jar: Jar) -> Bool {
        let value = ByteRange(offset: 0, count: sessionID.count)
        return request.session?.key == jar.sessionKey(sessionID.span, value)
    }

    /// Whether the backend's own 401 with this `reason` says that the session is gone (contract
    /// 2.3).
    public static func endsSession(reason: [UInt8]) -> Bool {
        reason == Array("SESSION_NOT_FOUND".utf8) || reason == Array("auth-error".utf8)
    }
}
