internal import Instances
internal import Memory
public import Time

/// The backend's session cookie as a request has it, where that is the carrier.
///
/// Most have one value. Two are common where two applications share a host: each has a cookie of
/// the name with its own path, and the browser sends both to the longer one.
public final class BackendCookies: Sendable {
    /// More than this in one request are refused.
    static let valuesMax = 16

    /// The path that was asked for.
    let path: [UInt8]
    /// The values in their order, each by its digest.
    let keys: [Digest]
    /// Which of them the backend must not see, a bit for each.
    let cut: UInt64

    init(path: [UInt8], keys: [Digest], cut: UInt64) {
        self.path = path
        self.keys = keys
        self.cut = cut
    }

    /// The same, of which the backend sees none.
    var allCut: BackendCookies { BackendCookies(path: path, keys: keys, cut: .max) }
}

// Sessions that are cookies of the backend's own (contract 2.1).
extension Jar {
    /// The scopes to expire those of these values with that have ended, as far as this request is
    /// the first within ten seconds to be answered for them (contract 4.1).
    func claimExpiries(
        of keys: some Sequence<Digest>,
        path: [UInt8],
        now: MonotonicTime
    ) -> [CookieScope] {
        var claimed: [CookieScope] = []
        for key in keys {
            let number: UInt8
            switch withShard(shard(of: key), { $0.claim(session: key, now: now) }) {
            case .live: continue
            case .ended(let isClaimed, let scope):
                guard isClaimed else { continue }
                number = scope
            case .unknown:
                guard refused(key).withLock({ $0.claim(key, now: now) }) else { continue }
                number = CookieScopes.unbound
            }
            let scope = scopes.withLock { $0.scope(number, for: path) }
            if !claimed.contains(scope) { claimed.append(scope) }
        }
        return claimed
    }

    /// Ends the session of a request whose instance is gone, found out when it was to be written.
    ///
    /// - Precondition: the request carries a session.
    public func refuse(_ request: Judgement, now: MonotonicTime) -> SessionEnd {
        guard let session = request.session else {
            preconditionFailure("only what is carried can be refused")
        }
        var end = SessionEnd(reason: .backendRestart, expiresCookie: false)
        if let cookies = request.backendCookies {
            self.end(session, .restart, always: true, now)
            let kept = cookies.keys.indices.filter { request.cutCookies >> UInt64($0) & 1 == 0 }
                .map { cookies.keys[$0] }
            for key in kept where key != session.key {
                withShard(shard(of: key)) { shard in
                    shard.end(
                        session: key,
                        of: session.instance,
                        .restart,
                        always: false,
                        now: now
                    )
                }
            }
            let ended = kept.filter { key in
                if case .ended = withShard(shard(of: key), { $0.scope(session: key, now: now) }) {
                    true
                } else {
                    false
                }
            }
            end.scopes = claimExpiries(of: ended, path: cookies.path, now: now)
        } else {
            end = refuse(session, now: now)
        }
        end.isNavigation = request.isNavigation
        return end
    }

    /// Ends the session of a request that asks for just that, and says what to expire.
    public func forget(_ request: Judgement, now: MonotonicTime) -> SessionEnd {
        var end = SessionEnd(reason: .expired, expiresCookie: false)
        guard let session = request.session else { return end }
        end.expiresCookie = self.end(session, .endRule, now: now)
        if let cookies = request.backendCookies {
            end.scopes = claimExpiries(of: [session.key], path: cookies.path, now: now)
        }
        return end
    }

    /// Keeps a value of the backend's session cookie, which an instance has just issued.
    ///
    /// What the request had in its place ends: the client gives it up for the new one, and for ten
    /// seconds nobody may expire it, since that would take the new one away.
    func issue(
        _ key: Digest,
        scope: CookieScope?,
        instance: InstanceNumber,
        live: LiveInstances,
        request: borrowing Judgement,
        now: MonotonicTime
    ) {
        let number = scopes.withLock { $0.number(of: scope) }
        let old = request.backendCookies?.keys ?? []
        let isEcho = old.indices.contains { index in
            old[index] == key && request.cutCookies >> UInt64(index) & 1 == 0
        }
        withShard(shard(of: key)) { shard in
            shard.issue(
                key,
                scope: number,
                instance: instance,
                live: live,
                isEcho: isEcho,
                now: now
            )
        }
        for other in old where other != key { supersede(other, by: number, now) }
        makeRoom(forCaptured: key, now)
    }

    private func supersede(_ key: Digest, by scope: UInt8, _ now: MonotonicTime) {
        let index = shard(of: key)
        switch withShard(index, { $0.scope(session: key, now: now) }) {
        case .live(let old):
            // Another cookie of the same name, of another path, goes on.
            guard scopes.withLock({ $0.areSameCookie(old, scope) }) else { return }
            withShard(index) { shard in
                shard.end(session: key, of: nil, .replaced, always: false, now: now)
                shard.setClaimed(session: key, now: now)
            }
        case .ended(_, let old):
            let mayBeSame =
                min(old, scope) <= CookieScopes.unknown
                || scopes.withLock { $0.areSameCookie(old, scope) }
            if mayBeSame { withShard(index) { $0.setClaimed(session: key, now: now) } }
        case .unknown: refused(key).withLock { $0.setClaimed(key, now: now) }
        }
    }
}
