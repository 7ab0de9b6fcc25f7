/// Why a request is refused with 400 (contract 2.1).
public enum RefusalCause: Sendable, Equatable {
    /// The session field stands in the head twice.
    case repeatedSession
    /// A field becomes the session field when `_` is read as `-`, as WSGI and CGI servers do.
    case sessionAlias
    /// The same for `X-Forwarded-For`, `-Proto` or `-Host`.
    case forwardedAlias
    /// The session field, which clients may not send (`session.client_header: reject`).
    case clientHeader
    /// The backend's session cookie stands there more often than any client has reason to.
    case tooManySessions
}

/// What becomes of a request, as far as its session decides it.
public enum Verdict: Sendable {
    /// It has no session, or one that an exempt request goes on without.
    case anonymous
    /// It has a session that its instance still knows; to be written only where `mayWrite` says so.
    case live(CarriedSession)
    /// Its client holds a session that the jar has never seen: only the backend can know it.
    case unknownID(CarriedSession)
    /// Its session has ended: answered 401.
    case ended(SessionEnd)
    /// It has none although `session.required` asks for one: answered 401, `NO_SESSION_ID`.
    case missing
    /// Another site makes it, with a session of the jar's (contract 2.5): answered 403.
    case crossSite
    /// Answered 400.
    case refused(RefusalCause)
}

/// The verdict on a request, and what its head says about the way of its response.
public struct Judgement: Sendable {
    /// What becomes of the request.
    public var verdict = Verdict.anonymous
    /// Whether it is never answered 401 by Lychgate (contract 2.4).
    public var isExempt = false
    /// The page that it comes from, if that is listed: it may read our own answers (contract 4.4).
    public var origin: ListedOrigin?
    /// Whether the health answer that it asks for is to be completed (`identity.augment`).
    public var isAugmented = false
    /// Whether it goes on without the stale or unknown session that it came with: it is exempt.
    public var isSessionLeftOut = false
    /// Whether some `Cookie` field has a jar cookie, which the backend must not see.
    public var hasJarCookie = false
    /// Whether the client's own session field, if there is one, is not passed on.
    public var dropsCarrier = false
    /// The field line of the client's own session field.
    public var carrierLine: Int? {
        get { carrierLineNumber < 0 ? nil : Int(carrierLineNumber) }
        set { carrierLineNumber = newValue.map { Int32(clamping: $0) } ?? -1 }
    }
    private var carrierLineNumber: Int32 = -1
    /// Which capture rules are JSON rules that match the request, a bit for each.
    public var jsonRules: UInt64 = 0
    /// Whether an end rule matches: a 2xx answer ends the session.
    public var endsOnSuccess = false
    /// Whether a browser navigates, and a 401 is to be a way to the page of `stale.pages` instead.
    public var isNavigation = false
    /// The page of Lychgate's own that it is for; then nothing goes upstream.
    public var ownPage: OwnPage?
    /// The jar cookie that it has, used or not.
    public var cookie: CookieKey?
    /// The backend's session cookie, where that is the carrier; a class, so that all others pay
    /// for one word.
    public var backendCookies: BackendCookies?

    /// The verdict on a request without anything.
    public init() {}

    /// Lets an exempt request go on without its session, found stale only when it was to be
    /// written (contract 2.4).
    public mutating func leaveOutSession() {
        verdict = .anonymous
        isSessionLeftOut = true
        dropsCarrier = carrierLine != nil
        backendCookies = backendCookies?.allCut
    }

    /// Which values of the backend's session cookie it must not see, a bit for each.
    public var cutCookies: UInt64 { backendCookies?.cut ?? 0 }

    /// The session that goes upstream with the request.
    public var session: CarriedSession? {
        switch verdict {
        case .live(let session), .unknownID(let session): session
        case .anonymous, .ended, .missing, .crossSite, .refused: nil
        }
    }

    /// Whether the session ID is to be written into the head that goes upstream; the response then
    /// gains `Vary: Cookie`.
    public var injects: Bool {
        guard case .live(let session) = verdict else { return false }
        return session.carrier == .jarCookie
    }

    /// The first JSON rule that matches the request, as an index into `session.capture`.
    ///
    /// Compressed content cannot be read: such a request goes upstream without `Accept-Encoding`.
    public var captureJSON: Int? { jsonRules == 0 ? nil : jsonRules.trailingZeroBitCount }

    /// Whether something looks into the content of the answer, which then must not be compressed.
    public var readsContent: Bool { jsonRules != 0 || isAugmented }
}
