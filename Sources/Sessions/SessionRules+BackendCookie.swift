public import HTTPModel
public import Instances
public import Memory
internal import Settings
public import Time

// The carrier that is the backend's own cookie (contract 2.1).
extension SessionRules {
    /// Whether the carrier is a cookie of the backend's own, which the client keeps.
    public var hasBackendCookie: Bool { carrierCookie != nil }

    /// Judges the values of the backend's cookie, each by itself.
    ///
    /// What has ended goes no further. If something living is left the request goes on with that;
    /// else what has ended is answered, and only where nothing has does an unknown one count.
    /// Two living values are passed on both, as they would be without Lychgate: which one is meant
    /// the backend knows by their paths. Should they be of different instances, the first counts,
    /// which browsers send for the longest path.
    func judgeBackendCookies(
        _ name: [UInt8],
        _ head: borrowing RequestHead,
        _ bytes: Span<UInt8>,
        _ situation: Situation,
        _ judgement: inout Judgement
    ) {
        guard let keys = backendCookieKeys(name, head, bytes, situation.jar) else {
            judgement.verdict = .refused(.tooManySessions)
            return
        }
        var path = (head.path.start..<head.path.end).map { bytes[$0] }
        if path.isEmpty { path = [0x2F] }
        var cut: UInt64 = 0
        var living: (key: Digest, instance: InstanceNumber)?
        var unknown: Digest?
        var ended: [(key: Digest, reason: ClearedReason)] = []
        for (index, key) in keys.enumerated() {
            switch situation.lookUp(key) {
            case .live(let instance) where living == nil || living?.instance == instance:
                living = living ?? (key, instance)
                continue
            case .live: break
            case .unknown where clientUnknown == .forward:
                unknown = unknown ?? key
                continue
            case .unknown: ended.append((key, .unknown))
            case .ended(let reason): ended.append((key, reason.cleared))
            }
            cut |= 1 << UInt64(index)
        }
        judgement.backendCookies = BackendCookies(path: path, keys: keys, cut: cut)
        judgement.isSessionLeftOut = judgement.isExempt && living == nil && !ended.isEmpty
        func carried(_ key: Digest, _ instance: InstanceNumber, isBound: Bool) -> CarriedSession {
            CarriedSession(
                sessionID: [],
                instance: instance,
                carrier: .backendCookie,
                isBound: isBound,
                key: key,
                cookie: nil
            )
        }
        if let living {
            judgement.verdict = .live(carried(living.key, living.instance, isBound: true))
        } else if let first = ended.first, !judgement.isExempt {
            var end = SessionEnd(reason: first.reason, expiresCookie: false)
            end.isNavigation = judgement.isNavigation
            if situation.claims {
                end.scopes = situation.jar.claimExpiries(
                    of: ended.map(\.key),
                    path: path,
                    now: situation.now
                )
            }
            judgement.verdict = .ended(end)
        } else if let unknown {
            let current = situation.live.current
            judgement.verdict = .unknownID(carried(unknown, current, isBound: false))
        }
    }

    /// The session that a segment holds; an empty one is what careless clients make of a cookie
    /// that was expired, and none.
    private static func session(
        _ bytes: Span<UInt8>,
        _ segment: ByteRange,
        _ name: [UInt8]
    ) -> ByteRange? {
        guard let value = CookieSegments.value(bytes, segment, of: name) else { return nil }
        let session = CookieSegments.unquoted(bytes, value)
        return session.isEmpty ? nil : session
    }

    /// The digests of all values in their order, or nil if there are too many.
    private func backendCookieKeys(
        _ name: [UInt8],
        _ head: borrowing RequestHead,
        _ bytes: Span<UInt8>,
        _ jar: Jar
    ) -> [Digest]? {
        var keys: [Digest] = []
        for index in 0..<head.fields.count where head.fields[index].id == .cookie {
            var segments = CookieSegments(head.fields[index].value)
            while let segment = segments.next(bytes) {
                guard let value = Self.session(bytes, segment, name) else { continue }
                guard keys.count < BackendCookies.valuesMax else { return nil }
                keys.append(jar.sessionKey(bytes, value))
            }
        }
        return keys
    }

    /// Does to the jar what a response says of the backend's cookie, and says what to expire.
    public func settleBackendCookie(
        _ head: borrowing ResponseHead,
        in input: borrowing Buffer,
        plan: ResponsePlan,
        endedByBackend: Bool,
        request: borrowing Judgement,
        instance: InstanceNumber,
        live: LiveInstances,
        jar: Jar,
        now: MonotonicTime
    ) -> [CookieScope] {
        guard let carrierCookie else { return [] }
        let bytes = input.bytes
        var isSet = false
        for index in 0..<head.fields.count where head.fields[index].id == .setCookie {
            let value = head.fields[index].value
            guard let line = SetCookieLine(bytes, value, name: carrierCookie) else { continue }
            isSet = true
            guard !line.isDeletion else { continue }
            jar.issue(
                jar.sessionKey(bytes, line.value),
                scope: line.scope(bytes, requestPath: request.path),
                instance: instance,
                live: live,
                request: request,
                now: now
            )
        }
        guard let session = request.session else { return [] }
        if endedByBackend || plan.ends {
            _ = jar.end(session, endedByBackend ? .backend : .endRule, now: now)
            // The backend has said itself what the client is to hold.
            guard !isSet else { return [] }
            let path = request.path
            return jar.claimExpiries(of: [session.key], path: path, now: now)
        }
        if plan.binds, !isSet { jar.bind(session, instance: instance, now: now) }
        return []
    }

    /// Appends the `Set-Cookie` value that takes the backend's cookie away.
    public func appendExpiredCarrier(_ scope: CookieScope, to out: inout Buffer) {
        guard let carrierCookie else { return }
        out.append(carrierCookie)
        out.append("=; Path=")
        out.append(scope.path)
        if !scope.domain.isEmpty {
            out.append("; Domain=")
            out.append(scope.domain)
        }
        out.append("; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
        // A name that promises it has to keep it (RFC 6265bis §4.1.3).
        let isPromised = ["__secure-", "__host-"].contains { prefix in
            String(decoding: carrierCookie, as: UTF8.self).lowercased().hasPrefix(prefix)
        }
        if scope.isSecure || isPromised { out.append("; Secure") }
        out.append(scope.attributes)
    }

    /// Appends a `Cookie` value without those values of the backend's cookie that have ended.
    ///
    /// `cut` has a bit for each value, `count` counts them over all lines. False when nothing is
    /// left.
    public func appendCookie(
        _ value: ByteRange,
        in input: borrowing Buffer,
        cutting cut: UInt64,
        count: inout Int,
        to out: inout Buffer
    ) -> Bool {
        guard let carrierCookie else { return false }
        return appendCookie(value, in: input, to: &out) { bytes, segment in
            guard Self.session(bytes, segment, carrierCookie) != nil else { return false }
            defer { count += 1 }
            return cut >> UInt64(min(count, 63)) & 1 == 1
        }
    }
}

extension SessionRules.Situation {
    func lookUp(_ key: Digest) -> SessionLookup { jar.lookUp(session: key, live: live, now: now) }
}

extension Judgement {
    /// The path that was asked for, where a cookie of the backend's is the carrier.
    fileprivate var path: [UInt8] { backendCookies?.path ?? [0x2F] }
}
