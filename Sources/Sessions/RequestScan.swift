internal import HTTPModel

/// What the fields of a request say to the session rules; found in one walk.
struct RequestScan {
    var refusal: RefusalCause?
    /// The line of the client's own session field, or -1.
    var carrierLine = -1
    var carrierValue: ByteRange?
    /// The value of the one jar cookie that counts here.
    var cookie: ByteRange?
    var hasCookieConflict = false
    var hasJarCookie = false
    private var hasDestination = false
    private var isScripted = false
    private var isDocument = true
    private var hasAccept = false
    private var wantsHTML = false

    /// Whether a browser loads this to show a page (contract 2.4, `stale.pages: pass`).
    func isPage(_ method: Method) -> Bool {
        guard method == .get || method == .head else { return false }
        return hasDestination ? !isScripted : wantsHTML
    }

    /// Whether a browser goes to another page, in a window or a frame.
    var isNavigation: Bool { hasDestination ? isDocument : wantsHTML }

    /// `Sec-Fetch-Dest`; said twice, it must be a page's both times.
    mutating func addDestination(_ bytes: Span<UInt8>, _ value: ByteRange) {
        hasDestination = true
        if equalsIgnoringCase(bytes, value, "empty")
            || equalsIgnoringCase(bytes, value, "websocket")
        {
            isScripted = true
        }
        if !equalsIgnoringCase(bytes, value, "document")
            && !equalsIgnoringCase(bytes, value, "iframe")
            && !equalsIgnoringCase(bytes, value, "frame")
        {
            isDocument = false
        }
    }

    /// The first `Accept`.
    mutating func addAccept(_ bytes: Span<UInt8>, _ value: ByteRange) {
        guard !hasAccept else { return }
        hasAccept = true
        let start = ByteRange(offset: value.start, count: min(9, Int(value.count)))
        wantsHTML = equalsIgnoringCase(bytes, start, "text/html")
    }

    /// A jar cookie that is read on this connection.
    ///
    /// Two different values are none: a cookie that another host of the domain has tossed in must
    /// not choose the session. An empty one is what careless clients make of an expired cookie.
    mutating func addCookie(_ bytes: Span<UInt8>, _ value: ByteRange) {
        if value.isEmpty { return }
        guard let first = cookie else {
            if !hasCookieConflict { cookie = value }
            return
        }
        if !RequestScan.equal(bytes, first, value) {
            cookie = nil
            hasCookieConflict = true
        }
    }

    static func equal(_ bytes: Span<UInt8>, _ first: ByteRange, _ second: ByteRange) -> Bool {
        guard first.count == second.count else { return false }
        var index = 0
        while index < Int(first.count) {
            if bytes[first.start &+ index] != bytes[second.start &+ index] { return false }
            index &+= 1
        }
        return true
    }

    static func equal(_ bytes: Span<UInt8>, _ run: ByteRange, _ other: [UInt8]) -> Bool {
        guard Int(run.count) == other.count else { return false }
        var place = run.start
        for expected in other {
            if bytes[place] != expected { return false }
            place &+= 1
        }
        return true
    }
}

extension SessionRules {
    /// Walks through the field lines of a request.
    func scan(
        _ head: borrowing RequestHead,
        _ bytes: Span<UInt8>,
        isSecure: Bool
    ) -> RequestScan {
        let prefixed = usesHostPrefix(isSecure: isSecure)
        var found = RequestScan()
        var index = 0
        while index < head.fields.count {
            let line = head.fields[index]
            switch line.id {
            case .cookie where hasJarCookies:
                scanCookies(bytes, line.value, prefixed, &found)
            case .accept: found.addAccept(bytes, line.value)
            case .secFetchDest: found.addDestination(bytes, line.value)
            default: break
            }
            scanName(bytes, line, index, &found)
            index &+= 1
        }
        return found
    }

    @inline(__always)
    private func scanName(
        _ bytes: Span<UInt8>,
        _ line: FieldLine,
        _ index: Int,
        _ found: inout RequestScan
    ) {
        switch carrier.match(bytes, line.name) {
        case .none: break
        case .alias: found.refusal = .sessionAlias
        case .exact:
            if found.carrierLine >= 0 { found.refusal = found.refusal ?? .repeatedSession }
            found.carrierLine = index
            found.carrierValue = line.value
        }
        guard line.id == .other, line.name.count >= 15, line.name.count <= aliasLengthMax
        else { return }
        for field in forwardedAliases where field.match(bytes, line.name) == .alias {
            found.refusal = found.refusal ?? .forwardedAlias
        }
    }

    private func scanCookies(
        _ bytes: Span<UInt8>,
        _ value: ByteRange,
        _ prefixed: Bool,
        _ found: inout RequestScan
    ) {
        var segments = CookieSegments(value)
        while let segment = segments.next(bytes) {
            guard let cookie = jarCookie(bytes, segment) else { continue }
            found.hasJarCookie = true
            if cookie.isPrefixed == prefixed { found.addCookie(bytes, cookie.value) }
        }
    }
}
