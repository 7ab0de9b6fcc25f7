public import HTTPModel
public import Instances
public import Memory
public import Settings
internal import Synchronization
public import Time

/// The cookie jar: for each client the session ID and the instance that issued it.
///
/// Shared by all workers. It is cut into shards with a lock each, held for one operation of
/// `JarShard`; no operation holds two. Which shard a session is in follows from its ID, and its
/// cookies carry the shard's number in the four bits that 22 base64url characters have to spare.
/// Whoever makes cookies up can so choose a shard, and gains by it what sending one cookie again
/// and again would gain: nothing but that lock's time.
public final class Jar: Sendable {
    private static let shardCountMax = 16
    /// A smaller jar is not cut, so that it is really the least recently used that goes.
    private static let capacityOfManyShards = 1024

    private let capacity: Int
    /// Of sessions that were only bound the jar keeps no ID, little more than a tombstone.
    private let boundMax: Int
    let shards: [Locked<JarShard>]
    private let refused: [Locked<RefusedCookies>]
    private let sessionHash: KeyedHash
    private let cookieHash: KeyedHash
    private let sessionCount = Atomic(0)
    private let boundCount = Atomic(0)
    let scopes = Locked(CookieScopes())
    private let sweptShard = Atomic(0)

    /// An empty jar; `key` is fresh from the system's random source.
    public init(_ settings: JarSettings, session: SessionSettings, key: (UInt64, UInt64)) {
        let hash = KeyedHash(key0: key.0, key1: key.1)
        sessionHash = hash.derived(domain: 1)
        cookieHash = hash.derived(domain: 2)
        capacity = max(1, settings.capacity)
        boundMax = max(1, settings.tombstones)
        let count = capacity < Self.capacityOfManyShards ? 1 : Self.shardCountMax
        var limits = JarShard.Limits(
            idleTimeout: session.idleTimeout.nanoseconds,
            maxAge: session.maxAge.nanoseconds,
            cookies: max(16, capacity / count * 2),
            tombstones: Self.share(of: max(1, settings.tombstones), among: count)
        )
        limits.expiresSessions = session.carrierCookie != nil
        shards = (0..<count).map { [limits] _ in Locked(JarShard(limits: limits)) }
        refused = (0..<Self.shardCountMax).map { _ in Locked(RefusedCookies()) }
    }

    /// A shard's share, with some to spare where there are many, since keys spread unevenly.
    private static func share(of total: Int, among count: Int) -> Int {
        count == 1 ? total : total / count + total / count / 16 + 16
    }

    // MARK: - Keys

    func sessionKey(_ bytes: Span<UInt8>, _ range: ByteRange) -> Digest {
        sessionHash.digest(bytes, from: range.start, count: Int(range.count))
    }

    func cookieKey(_ bytes: Span<UInt8>, _ range: ByteRange) -> CookieKey {
        let digest = cookieHash.digest(bytes, from: range.start, count: Int(range.count))
        var shard = Int(truncatingIfNeeded: digest.high >> 60)
        if range.count == 22, let value = Base64URL.value(bytes[range.end - 1]) {
            shard = Int(value & 15)
        }
        return CookieKey(digest: digest, shard: shard & (shards.count - 1))
    }

    func shard(of key: Digest) -> Int {
        Int(truncatingIfNeeded: key.high >> 60) & (shards.count - 1)
    }

    /// Runs `body` alone with a shard, and keeps the count of all sessions.
    @inline(__always)
    func withShard<Result>(
        _ shard: Int,
        _ body: (inout sending JarShard) -> sending Result
    ) -> sending Result {
        shards[shard].withLock { state in
            let (before, boundBefore) = (state.sessionCount, state.boundCount)
            let result = body(&state)
            let change = state.sessionCount - before
            let boundChange = state.boundCount - boundBefore
            if change != 0 { sessionCount.add(change, ordering: .relaxed) }
            if boundChange != 0 { boundCount.add(boundChange, ordering: .relaxed) }
            return result
        }
    }

    // MARK: - Requests

    /// What the jar knows about a cookie; with `claims`, this request may be answered 401.
    func lookUp(
        cookie key: CookieKey,
        claims: Bool,
        live: LiveInstances,
        now: MonotonicTime
    ) -> CookieLookup {
        withShard(key.shard) { shard in
            shard.lookUp(cookie: key.digest, claims: claims, live: live, now: now)
        }
    }

    /// What the jar knows about a session ID that a client sent.
    func lookUp(session key: Digest, live: LiveInstances, now: MonotonicTime) -> SessionLookup {
        withShard(shard(of: key)) { shard in
            shard.lookUp(session: key, live: live, now: now)
        }
    }

    /// True for the one request within ten seconds that expires a cookie which does not name a
    /// living session (contract 4.1, the late-answer rule).
    func claimExpiry(of cookie: CookieKey, now: MonotonicTime) -> Bool {
        let result = withShard(cookie.shard) { $0.claim(cookie: cookie.digest, now: now) }
        switch result {
        case .live: return false
        case .ended(let isClaimed): return isClaimed
        case .unknown: return claimUnknown(cookie, now: now)
        }
    }

    /// The same for a cookie that a shard has just said it does not know.
    func claimUnknown(_ cookie: CookieKey, now: MonotonicTime) -> Bool {
        refused(cookie.digest).withLock { $0.claim(cookie.digest, now: now) }
    }

    func refused(_ digest: Digest) -> Locked<RefusedCookies> {
        refused[Int(truncatingIfNeeded: digest.high >> 60)]
    }

    // MARK: - Responses

    /// Keeps a session that an instance issued, and makes the cookie for it; none where the answer
    /// came late, and a living instance has issued the same ID.
    ///
    /// `request` is the verdict on the request: the session it carried is replaced by this one, and
    /// a jar cookie that it had, even one not used, is dead from now on. `random` is fresh from the
    /// system's random source for each call.
    public func capture(
        _ sessionID: [UInt8],
        instance: InstanceNumber,
        live: LiveInstances,
        request: Judgement,
        random: (UInt64, UInt64),
        now: MonotonicTime
    ) -> JarCookie? {
        let key = sessionHash.digest(sessionID.span)
        let shard = shard(of: key)
        let cookie = JarCookie(random, shard: shard)
        let cookieDigest = cookieHash.digest(cookie.text.span)
        let isCaptured = withShard(shard) { state in
            state.capture(
                key,
                sessionID: sessionID,
                cookie: cookieDigest,
                instance: instance,
                live: live,
                now: now
            )
        }
        guard isCaptured else { return nil }
        if let carried = request.session, carried.carrier == .header, carried.key != key {
            end(carried, .replaced, always: false, now)
        }
        if let old = request.cookie {
            supersede(old, now)
        }
        makeRoom(forCaptured: key, now)
        return cookie
    }

    /// The same with a session ID that stands in a response head.
    public func capture(
        _ value: ByteRange,
        in input: borrowing Buffer,
        instance: InstanceNumber,
        live: LiveInstances,
        request: Judgement,
        random: (UInt64, UInt64),
        now: MonotonicTime
    ) -> JarCookie? {
        let bytes = input.bytes
        var sessionID: [UInt8] = []
        sessionID.reserveCapacity(Int(value.count))
        for place in value.start..<value.end { sessionID.append(bytes[place]) }
        return capture(
            sessionID,
            instance: instance,
            live: live,
            request: request,
            random: random,
            now: now
        )
    }

    /// Binds a client-held session that the jar did not know to the instance that accepted it.
    ///
    /// What ended while the request was on its way stays ended.
    public func bind(_ session: CarriedSession, instance: InstanceNumber, now: MonotonicTime) {
        guard !session.isBound, instance != .unverified else { return }
        withShard(shard(of: session.key)) { shard in
            shard.bind(session.key, instance: instance, now: now)
        }
        makeRoom(forBound: session.key)
    }

    /// Ends a session for `endRule` or `backend`; true when the response expires the jar cookie.
    public func end(_ session: CarriedSession, _ reason: EndReason, now: MonotonicTime) -> Bool {
        // By a rule it is known to have been one, even where its first request was its last.
        end(session, reason, always: reason == .endRule, now)
        return session.cookie.map { claimExpiry(of: $0, now: now) } ?? false
    }

    /// Ends a session of the jar or of a header whose instance is gone, found out when its request
    /// was to be written.
    public func refuse(_ session: CarriedSession, now: MonotonicTime) -> SessionEnd {
        end(session, .restart, always: true, now)
        let expires = session.cookie.map { claimExpiry(of: $0, now: now) } ?? false
        return SessionEnd(reason: .backendRestart, expiresCookie: expires)
    }

    func end(
        _ session: CarriedSession,
        _ reason: EndReason,
        always: Bool,
        _ now: MonotonicTime
    ) {
        let isAnyones = !session.isBound && session.instance == .none
        let key = session.key
        let isBackends = session.carrier == .backendCookie
        withShard(shard(of: key)) { shard in
            var isNews = isBackends
            if isBackends, case .ended = shard.scope(session: key, now: now) { isNews = false }
            shard.end(
                session: key,
                of: isAnyones ? nil : session.instance,
                reason,
                always: always,
                now: now
            )
            // Its client may have been given another value before this one was known to have ended.
            guard isNews else { return }
            if !refused(key).withLock({ $0.claim(key, now: now) }) {
                shard.setClaimed(session: key, now: now)
            }
        }
    }

    private func supersede(_ cookie: CookieKey, _ now: MonotonicTime) {
        let result = withShard(cookie.shard) { $0.supersede(cookie: cookie.digest, now: now) }
        if case .unknown = result {
            refused(cookie.digest).withLock { $0.setClaimed(cookie.digest, now: now) }
        }
    }

    // MARK: - Room

    /// Makes room for a captured session: the least recently used one of the shard that grew goes,
    /// which with many shards is one of the least recently used of all.
    func makeRoom(forCaptured key: Digest, _ now: MonotonicTime) {
        let bound = boundCount.load(ordering: .relaxed)
        guard sessionCount.load(ordering: .relaxed) - bound > capacity else { return }
        evict(from: shard(of: key)) { $0.evictCaptured(sparing: key, now: now) }
    }

    /// Makes room for a bound session at the cost of other bound ones: whoever makes IDs up pushes
    /// out no session that was captured.
    private func makeRoom(forBound key: Digest) {
        guard boundCount.load(ordering: .relaxed) > boundMax else { return }
        evict(from: shard(of: key)) { $0.evictBound(sparing: key) }
    }

    private func evict(from first: Int, _ evictOne: (inout sending JarShard) -> sending Bool) {
        var index = first
        for _ in shards.indices {
            if withShard(index, evictOne) { return }
            index = (index + 1) & (shards.count - 1)
        }
    }

    /// Ends what has ended by now, over at most `limit` entries, and goes on from there next time.
    ///
    /// A restart ends all sessions at once and touches none; this gives their memory to new ones.
    public func reap(limit: Int, live: LiveInstances, now: MonotonicTime) -> Reaped {
        let index = sweptShard.load(ordering: .relaxed) & (shards.count - 1)
        var reaped = Reaped()
        let (counts, isAtEnd) = withShard(index) { shard in
            var counts = EndCounts()
            let isAtEnd = shard.reap(limit: limit, live: live, now: now, into: &counts)
            return (counts, isAtEnd)
        }
        reaped.ended = counts
        if isAtEnd {
            sweptShard.add(1, ordering: .relaxed)
            reaped.isPassDone = index == shards.count - 1
        }
        return reaped
    }
}

/// What one step of `Jar.reap` did.
public struct Reaped: Sendable {
    /// How many sessions it ended.
    public var ended = EndCounts()
    /// Whether it came to the end of the jar; the next step begins anew.
    public var isPassDone = false
}
