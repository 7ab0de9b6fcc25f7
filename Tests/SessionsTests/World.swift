import HTTPModel
import Instances
import Memory
import Sessions
import Settings
import Time

/// Rules, a jar, a clock and a backend whose instance a test changes at will.
struct World {
    var rules: SessionRules
    var jar: Jar
    var live = LiveInstances(current: InstanceNumber(rawValue: 1), epoch: 1)
    var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
    var isSecure = false
    private var random: UInt64 = 0

    init(
        jar jarSettings: JarSettings = JarSettings(),
        pages: StaleSettings.Pages = .pass,
        origins: [String] = [],
        answersPreflights: Bool = false,
        _ change: (inout SessionSettings) -> Void = { _ in }
    ) {
        var settings = SessionSettings()
        change(&settings)
        var stale = StaleSettings()
        stale.pages = pages
        var cors = CORSSettings()
        cors.origins = origins
        cors.answersPreflights = answersPreflights
        rules = SessionRules(settings, stale: stale, cors: cors)
        jar = Jar(jarSettings, session: settings, key: (0x1234_5678, 0x9ABC_DEF0))
    }

    mutating func restart() {
        live.current = InstanceNumber(rawValue: live.current.rawValue + 1)
        live.epoch += 1
    }

    mutating func wait(_ duration: Duration) {
        now = now + duration
    }

    func judge(_ text: String) -> Judgement {
        judge(bytes: Array(text.utf8))
    }

    func judge(bytes: [UInt8]) -> Judgement {
        let request = Request(bytes: bytes)
        return rules.judge(
            request.head,
            in: request.buffer,
            jar: jar,
            live: live,
            isSecure: isSecure,
            now: now
        )
    }

    /// A GET of some path with these field lines.
    func get(_ fields: String..., path: String = "/api/data") -> Judgement {
        judge((["GET \(path) HTTP/1.1", "Host: a"] + fields).joined(separator: "\n"))
    }

    /// Issues a session, and gives the cookie value that the client gets.
    mutating func capture(
        _ sessionID: String,
        for request: Judgement = Judgement(),
        from instance: InstanceNumber? = nil
    ) -> String {
        random += 1
        guard
            let cookie = jar.capture(
                Array(sessionID.utf8),
                instance: instance ?? live.current,
                live: live,
                request: request,
                random: (random &* 0x9E37_79B9_7F4A_7C15, random),
                now: now
            )
        else { return "" }
        var line = Buffer()
        rules.appendSetCookie(cookie, isSecure: isSecure, to: &line)
        let text = string(line)
        let isPrefixed = rules.usesHostPrefix(isSecure: isSecure)
        let name = isPrefixed ? "__Host-lychgate=" : "lychgate="
        return String(text.prefix(while: { $0 != ";" }).dropFirst(name.count))
    }

    /// Lets a response act on the backend's own cookie, and gives the lines that expire one.
    @discardableResult
    func settle(
        _ text: String,
        to request: Judgement,
        endedByBackend: Bool = false,
        from instance: InstanceNumber? = nil
    ) -> [String] {
        let response = Response(text)
        let plan = rules.judgeResponse(
            response.head,
            in: response.buffer,
            request: request,
            jar: jar
        )
        let scopes = rules.settleBackendCookie(
            response.head,
            in: response.buffer,
            plan: plan,
            endedByBackend: endedByBackend,
            request: request,
            instance: instance ?? live.current,
            live: live,
            jar: jar,
            now: now
        )
        return lines(scopes)
    }

    /// The `Set-Cookie` values that expire the backend's cookies.
    func lines(_ scopes: [CookieScope]) -> [String] {
        scopes.map { scope in
            var line = Buffer()
            rules.appendExpiredCarrier(scope, to: &line)
            return string(line)
        }
    }

    /// What a 401 expires.
    func expired(_ request: Judgement) -> [String] {
        if case .ended(let end) = request.verdict { lines(end.scopes) } else { [] }
    }

    /// A request's `Cookie` values as the backend gets them.
    func upstreamCookies(_ text: String) -> [String] {
        let request = Request(text)
        let judgement = judge(text)
        var count = 0
        var values: [String] = []
        for index in 0..<request.head.fields.count
        where request.head.fields[index].id == .cookie {
            var out = Buffer()
            let isAnyLeft = rules.appendCookie(
                request.head.fields[index].value,
                in: request.buffer,
                cutting: judgement.cutCookies,
                count: &count,
                to: &out
            )
            if isAnyLeft { values.append(string(out)) }
        }
        return values
    }

    func respond(
        _ text: String,
        to request: Judgement,
        framing: Framing = .length(100)
    ) -> ResponsePlan {
        let response = Response(text, framing: framing)
        return rules.judgeResponse(response.head, in: response.buffer, request: request, jar: jar)
    }
}

/// A verdict in words, for comparing.
func name(_ judgement: Judgement) -> String {
    switch judgement.verdict {
    case .anonymous: "anonymous"
    case .live(let session): "live \(session.instance.rawValue) \(carrier(session))"
    case .unknownID: "unknownID"
    case .ended(let end):
        "\(end.reason.text)\(end.expiresCookie ? " expires" : "")"
            + "\(end.scopes.isEmpty ? "" : " expires \(end.scopes.count)")"
            + "\(end.isNavigation ? " navigation" : "")"
    case .missing: "missing"
    case .crossSite: "crossSite"
    case .refused(let cause): "refused \(cause)"
    }
}

private func carrier(_ session: CarriedSession) -> String {
    switch session.carrier {
    case .jarCookie: "cookie \(String(decoding: session.sessionID, as: UTF8.self))"
    case .header: "header"
    case .backendCookie: "backendCookie"
    }
}

/// A pattern as written in a configuration.
func pattern(_ text: String) -> RequestPattern {
    let parts = text.split(separator: " ")
    var path = String(parts.last ?? "")
    let isPrefix = path.hasSuffix("*")
    if isPrefix { path.removeLast() }
    return RequestPattern(
        method: parts.count == 2 ? Array(parts[0].utf8) : nil,
        path: Array(path.utf8),
        isPrefix: isPrefix
    )
}
