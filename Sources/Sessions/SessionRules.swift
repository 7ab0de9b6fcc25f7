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
    /// Without a name, which no field has, where the carrier is a cookie.
    let carrier: FieldNameMatcher
    let carrierCookie: [UInt8]?
    let forwardedAliases: [FieldNameMatcher]
    /// The length of the longest of their names.
    let aliasLengthMax: Int
    let cookieName: [UInt8]
    let hostCookieName: [UInt8]
    let cookieSettings: SessionSettings.Cookie
    /// Whether clients are given jar cookies (`session.cookie`).
    public let hasJarCookies: Bool
    let maxAgeSeconds: UInt64
    let captures: [CaptureMatcher]
    private let hasJSONRules: Bool
    /// Which capture rules blank what they find, a bit for each.
    let redactingRules: UInt64
    /// Whether a capture rule takes a cookie away from the client.
    public let hidesCookies: Bool
    let clientHeader: SessionSettings.ClientHeader
    let clientUnknown: SessionSettings.ClientUnknown
    let crossSite: SessionSettings.CrossSite
    let origins: [[UInt8]]
    private let hasOrigins: Bool
    /// Whether preflights of listed origins are answered here (`cors.preflight`).
    public let answersPreflights: Bool
    /// Requests for the health answer, if it is to be completed (`identity.augment`).
    private let augmented: RequestPattern?
    let pages: StaleSettings.Pages
    /// Whether some path is answered by Lychgate itself: the prefix of its pages, and one more.
    let hasOwnPages: Bool
    let endpoints: [UInt8]?
    let statusPath: [UInt8]?
    private let loginPage: RequestPatterns
    private let ends: RequestPatterns
    private let exempt: RequestPatterns
    private let required: RequestPatterns

    /// Compiles the settings; with `guardsCertificates` the backend is told of clients'
    /// certificates, which nobody may imitate.
    public init(
        _ settings: SessionSettings,
        stale: StaleSettings = StaleSettings(),
        cors: CORSSettings = CORSSettings(),
        identity: IdentitySettings = IdentitySettings(),
        guardsCertificates: Bool = false
    ) {
        precondition(settings.capture.count <= SessionSettings.captureRulesMax)
        carrierCookie = settings.carrierCookie.map { Array($0.utf8) }
        carrier = FieldNameMatcher(
            settings.carrierCookie == nil ? Array(settings.carrierHeader.utf8) : []
        )
        clientHeader = settings.clientHeader
        clientUnknown = settings.clientUnknown
        crossSite = settings.crossSite
        origins = cors.origins.map { Array($0.utf8) }
        hasOrigins = !cors.origins.isEmpty
        answersPreflights = hasOrigins && cors.answersPreflights
        augmented = identity.augment ? identity.pattern(method: "GET") : nil
        pages = stale.pages
        endpoints = settings.endpoints.map { Array($0.utf8) }
        statusPath = settings.statusPath.map { Array($0.utf8) }
        hasOwnPages = endpoints != nil || statusPath != nil
        loginPage = RequestPatterns(stale.pages.target.map { [$0] } ?? [])
        let forwarded = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"]
        let names = forwarded + (guardsCertificates ? ["x-client-cert-subject"] : [])
        forwardedAliases = names.map { FieldNameMatcher(Array($0.utf8)) }
        aliasLengthMax = names.reduce(0) { max($0, $1.utf8.count) }
        cookieName = Array(settings.cookie.name.utf8)
        hostCookieName = Array("__Host-".utf8) + cookieName
        cookieSettings = settings.cookie
        hasJarCookies = settings.carrierCookie == nil && settings.hasJarCookies
        maxAgeSeconds = UInt64(max(0, settings.maxAge.nanoseconds / 1_000_000_000))
        let captures = settings.capture.map { CaptureMatcher($0) }
        self.captures = captures
        hasJSONRules = captures.contains { $0.pattern != nil }
        redactingRules = captures.indices.reduce(0) { bits, index in
            captures[index].redacts ? bits | 1 << UInt64(index) : bits
        }
        hidesCookies = captures.contains { $0.cookie != nil && !$0.keepsCookie }
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
        if hasOrigins { judgement.origin = listedOrigin(head, bytes) }
        if let cause = found.refusal {
            judgement.verdict = .refused(cause)
            return judgement
        }
        let situation = Situation(jar: jar, live: live, now: now)
        if let page = ownPage(head, bytes) {
            judgeOwn(page, head, bytes, found, situation, &judgement)
            return judgement
        }
        judgement.hasJarCookie = found.hasJarCookie
        if found.carrierLine >= 0 { judgement.carrierLine = found.carrierLine }
        judgeKind(head, bytes, found, &judgement)
        judgement.endsOnSuccess = ends.match(head, bytes)
        if hasJSONRules { judgement.jsonRules = jsonRules(head, bytes) }
        if let augmented {
            judgement.isAugmented = RequestPatterns.matches(
                augmented,
                head,
                bytes,
                refusingWayOut: false
            )
        }
        if let carrierCookie {
            judgeBackendCookies(carrierCookie, head, bytes, situation, &judgement)
        } else {
            judgeCarriers(head, bytes, found, situation, &judgement)
        }
        if case .anonymous = judgement.verdict, !judgement.isExempt, required.match(head, bytes) {
            judgement.verdict = .missing
        }
        return judgement
    }

    /// The session field and the jar cookie: the field goes first.
    func judgeCarriers(
        _ head: borrowing RequestHead,
        _ bytes: Span<UInt8>,
        _ found: borrowing RequestScan,
        _ situation: Situation,
        _ judgement: inout Judgement
    ) {
        let cookie = found.cookie.map { situation.jar.cookieKey(bytes, $0) }
        judgement.cookie = cookie
        if clientHeader == .reject, found.carrierLine >= 0 {
            judgement.verdict = .refused(.clientHeader)
        } else if clientHeader == .track, let value = found.carrierValue, !value.isEmpty {
            let key = situation.jar.sessionKey(bytes, value)
            judgeHeader(key, cookie, situation, &judgement)
        } else {
            // An empty session field of the client's must not stand beside the injected one.
            judgement.dropsCarrier =
                found.carrierLine >= 0 && (cookie != nil || clientHeader == .strip)
            guard let cookie else { return }
            judgeCookie(cookie, situation, &judgement)
            if crossSite == .refuse, case .live = judgement.verdict,
                isUnsafe(head), isForeign(head, bytes)
            {
                judgement.verdict = .crossSite
            }
        }
    }

    /// Whether it is exempt, or navigates (contract 2.4).
    private func judgeKind(
        _ head: borrowing RequestHead,
        _ bytes: Span<UInt8>,
        _ found: borrowing RequestScan,
        _ judgement: inout Judgement
    ) {
        judgement.isExempt =
            exempt.match(head, bytes, refusingWayOut: true) || isPreflight(head, bytes)
        switch pages {
        case .pass: if found.isPage(head.method) { judgement.isExempt = true }
        case .answer: break
        case .redirect:
            if loginPage.match(head, bytes) {
                judgement.isExempt = true
            } else if found.isNavigation {
                judgement.isNavigation = !judgement.isExempt
            } else if found.isPage(head.method) {
                judgement.isExempt = true
            }
        }
    }

    /// Against what a request is judged.
    struct Situation {
        var jar: Jar
        var live: LiveInstances
        var now: MonotonicTime
        /// Whether what has ended is answered 401, which may expire a cookie.
        var claims = true
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
        case .unknown where clientUnknown == .forward:
            judgement.verdict = .unknownID(carried(situation.live.current, isBound: false))
        case .unknown where judgement.isExempt, .ended where judgement.isExempt:
            judgement.leaveOutSession()
        case .unknown: judgement.verdict = ended(.unknown, cookie, situation, judgement)
        case .ended(let reason):
            judgement.verdict = ended(reason.cleared, cookie, situation, judgement)
        }
    }

    /// The verdict on a session field that has ended: its cookie, if it names the same session, has
    /// ended with it, and one 401 is for both.
    private func ended(
        _ reason: ClearedReason,
        _ cookie: CookieKey?,
        _ situation: Situation,
        _ judgement: borrowing Judgement
    ) -> Verdict {
        let expires = cookie.map { endsCookie($0, situation) } ?? false
        var end = SessionEnd(reason: reason, expiresCookie: expires)
        end.isNavigation = judgement.isNavigation
        return .ended(end)
    }

    private func judgeCookie(
        _ cookie: CookieKey,
        _ situation: Situation,
        _ judgement: inout Judgement
    ) {
        let now = situation.now
        let result = situation.jar.lookUp(
            cookie: cookie,
            claims: situation.claims && !judgement.isExempt,
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
            var end = end(of: cookie, result, situation)
            end.isNavigation = judgement.isNavigation
            judgement.verdict = .ended(end)
        }
    }

    /// Whether the answer to a request whose header has ended expires its cookie too.
    private func endsCookie(_ cookie: CookieKey, _ situation: Situation) -> Bool {
        let result = situation.jar.lookUp(
            cookie: cookie,
            claims: situation.claims,
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
                expiresCookie: situation.claims
                    && situation.jar.claimUnknown(cookie, now: situation.now)
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
