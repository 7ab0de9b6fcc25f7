public import HTTPModel
public import Instances
public import Memory
public import Settings
public import Time

/// The rules of contract section 2, compiled once from the settings; every worker reads the same.
///
/// The way of a request through them: `judge` when its head is there, `mayWrite` when a connection
/// is there, `judgeResponse` when the response head is there; then `Jar.capture`, `bind` or `end`
/// as that says. The append functions write what the answers need.
public final class SessionRules: Sendable {
    let carrier: FieldNameMatcher
    let forwardedAliases: [FieldNameMatcher]
    let cookieName: [UInt8]
    let hostCookieName: [UInt8]
    let cookieSettings: SessionSettings.Cookie
    let maxAgeSeconds: UInt64
    let captures: [CaptureMatcher]
    private let ends: RequestPatterns
    private let exempt: RequestPatterns
    private let required: RequestPatterns

    /// Compiles the settings.
    public init(_ settings: SessionSettings) {
        precondition(settings.capture.count <= SessionSettings.captureRulesMax)
        carrier = FieldNameMatcher(Array(settings.carrierHeader.utf8))
        forwardedAliases = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"]
            .map { FieldNameMatcher(Array($0.utf8)) }
        cookieName = Array(settings.cookie.name.utf8)
        hostCookieName = Array("__Host-".utf8) + cookieName
        cookieSettings = settings.cookie
        maxAgeSeconds = UInt64(max(0, settings.maxAge.nanoseconds / 1_000_000_000))
        captures = settings.capture.map { CaptureMatcher($0) }
        ends = RequestPatterns(settings.end)
        exempt = RequestPatterns(settings.exempt)
        required = RequestPatterns(settings.required)
    }

    /// Whether the jar cookie is `Secure` and has the `__Host-` prefix, on a connection that is TLS
    /// or of which a trusted proxy says so (`isSecure`).
    public func usesHostPrefix(isSecure: Bool) -> Bool {
        switch cookieSettings.secure {
        case .auto: isSecure
        case .always: true
        case .never: false
        }
    }

    /// Judges a request by its head.
    ///
    /// `bytes` of `input` begin with the head that `head` was parsed from.
    public func judge(
        _ head: borrowing RequestHead,
        in input: borrowing Buffer,
        jar: Jar,
        live: LiveInstances,
        isSecure: Bool,
        now: MonotonicTime
    ) -> Judgement {
        let bytes = input.bytes
        let found = scan(head, bytes, isSecure: isSecure)
        var judgement = Judgement()
        if let cause = found.refusal {
            judgement.verdict = .refused(cause)
            return judgement
        }
        judgement.hasJarCookie = found.hasJarCookie
        if found.carrierLine >= 0 { judgement.carrierLine = found.carrierLine }
        judgement.isExempt =
            exempt.match(head, bytes, refusingWayOut: true) || found.isPage(head.method)
        judgement.endsOnSuccess = ends.match(head, bytes)
        judgement.jsonRules = jsonRules(head, bytes)
        let cookie = found.cookie.map { jar.cookieKey(bytes, $0) }
        judgement.cookie = cookie

        if let value = found.carrierValue, !value.isEmpty {
            let key = jar.sessionKey(bytes, value)
            let situation = Situation(jar: jar, live: live, now: now)
            judgeHeader(key, cookie, situation, &judgement)
        } else if let cookie {
            // An empty session field of the client's must not stand beside the injected one.
            judgement.dropsCarrier = found.carrierLine >= 0
            let situation = Situation(jar: jar, live: live, now: now)
            judgeCookie(cookie, situation, &judgement)
        } else if !judgement.isExempt, required.match(head, bytes) {
            judgement.verdict = .missing
        }
        return judgement
    }

    /// Against what a request is judged.
    private struct Situation {
        var jar: Jar
        var live: LiveInstances
        var now: MonotonicTime
    }

    private func judgeHeader(
        _ key: Digest,
        _ cookie: CookieKey?,
        _ situation: Situation,
        _ judgement: inout Judgement
    ) {
        func carried(_ instance: InstanceNumber, isBound: Bool) -> CarriedSession {
            CarriedSession(
                sessionID: [],
                instance: instance,
                carrier: .header,
                isBound: isBound,
                key: key,
                cookie: cookie
            )
        }
        let now = situation.now
        switch situation.jar.lookUp(session: key, live: situation.live, now: now) {
        case .live(let instance):
            judgement.verdict = .live(carried(instance, isBound: true))
        case .unknown:
            judgement.verdict = .unknownID(carried(situation.live.current, isBound: false))
        case .ended where judgement.isExempt:
            judgement.leaveOutSession()
        case .ended(let reason):
            // Its cookie, if it names the same session, has ended with it: one 401 for both.
            let expires = cookie.map { endsCookie($0, situation) } ?? false
            judgement.verdict = .ended(SessionEnd(reason: reason.cleared, expiresCookie: expires))
        }
    }

    private func judgeCookie(
        _ cookie: CookieKey,
        _ situation: Situation,
        _ judgement: inout Judgement
    ) {
        let now = situation.now
        let result = situation.jar.lookUp(
            cookie: cookie,
            claims: !judgement.isExempt,
            live: situation.live,
            now: now
        )
        switch result {
        case .live(let sessionID, let key, let instance):
            judgement.verdict = .live(
                CarriedSession(
                    sessionID: sessionID,
                    instance: instance,
                    carrier: .jarCookie,
                    isBound: true,
                    key: key,
                    cookie: cookie
                )
            )
        case .ended, .unknown:
            guard !judgement.isExempt else {
                judgement.isSessionLeftOut = true
                return
            }
            judgement.verdict = .ended(end(of: cookie, result, situation))
        }
    }

    /// Whether the answer to a request whose header has ended expires its cookie too.
    private func endsCookie(_ cookie: CookieKey, _ situation: Situation) -> Bool {
        let result = situation.jar.lookUp(
            cookie: cookie,
            claims: true,
            live: situation.live,
            now: situation.now
        )
        return end(of: cookie, result, situation).expiresCookie
    }

    private func end(
        of cookie: CookieKey,
        _ result: CookieLookup,
        _ situation: Situation
    ) -> SessionEnd {
        switch result {
        case .live: SessionEnd(reason: .unknown, expiresCookie: false)
        case .ended(let reason, let expires):
            SessionEnd(reason: reason.cleared, expiresCookie: expires)
        case .unknown:
            SessionEnd(
                reason: .unknown,
                expiresCookie: situation.jar.claimUnknown(cookie, now: situation.now)
            )
        }
    }

    private func jsonRules(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> UInt64 {
        var rules: UInt64 = 0
        for index in captures.indices {
            guard let pattern = captures[index].pattern else { continue }
            if RequestPatterns.matches(pattern, head, bytes, refusingWayOut: false) {
                rules |= 1 << UInt64(index)
            }
        }
        return rules
    }
}

/// A capture rule, ready for comparing.
struct CaptureMatcher: Sendable {
    /// Of a header rule: the field.
    var field: FieldNameMatcher?
    /// Of a JSON rule: the requests.
    var pattern: RequestPattern?
    /// Of a JSON rule: the place in the content.
    var pointer: String?

    init(_ rule: CaptureRule) {
        switch rule {
        case .header(let name): field = FieldNameMatcher(Array(name.utf8))
        case .json(let text, let on):
            pointer = text
            pattern = on
        }
    }
}
