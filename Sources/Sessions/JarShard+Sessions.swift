internal import Instances
internal import Time

/// What a shard knows about a jar cookie.
enum CookieLookup: Sendable {
    case live(sessionID: [UInt8], key: Digest, instance: InstanceNumber)
    case ended(EndReason, expiresCookie: Bool)
    case unknown
}

/// What a shard knows about a session ID that a client sent.
enum SessionLookup: Sendable {
    case live(InstanceNumber)
    case ended(EndReason)
    case unknown
}

/// What a shard says when asked to let a cookie be expired.
enum ClaimResult: Sendable {
    /// It names a living session.
    case live
    /// Whether the asker is the one to expire it.
    case ended(Bool)
    case unknown
}

extension JarShard {
    /// Looks a cookie up; a living session becomes the most recently used.
    ///
    /// With `claims`, the first within ten seconds to be told that it has ended is the one to
    /// expire it.
    mutating func lookUp(
        cookie key: Digest,
        claims: Bool,
        live: LiveInstances,
        now: MonotonicTime
    ) -> CookieLookup {
        if let cookie = cookie(key) {
            let place = Int(cookies[cookie].session)
            guard let reason = endReason(place, live, now) else {
                touch(place, now)
                return .live(
                    sessionID: sessions[place].sessionID,
                    key: sessions[place].key,
                    instance: sessions[place].instance
                )
            }
            end(place, reason, now)
        }
        guard let found = endedCookies.find(key, now: now) else { return .unknown }
        let isClaimed = claims && endedCookies.claim(found.place, now: now)
        return .ended(found.reason, expiresCookie: isClaimed)
    }

    /// Looks a session ID up; a living session becomes the most recently used.
    mutating func lookUp(
        session key: Digest,
        live: LiveInstances,
        now: MonotonicTime
    ) -> SessionLookup {
        if let place = session(key) {
            guard let reason = endReason(place, live, now) else {
                touch(place, now)
                return .live(sessions[place].instance)
            }
            end(place, reason, now)
            return .ended(reason)
        }
        return tombstone(of: key, now).map { .ended($0) } ?? .unknown
    }

    /// Keeps a session that the backend issued, and a new cookie for it.
    ///
    /// An ID that had ended lives again. The same ID from another instance is another session:
    /// whoever held a cookie of the old one does not get the new one by it. And a late answer of an
    /// instance that is gone does not end the session that its successor issued: false then.
    mutating func capture(
        _ key: Digest,
        sessionID: [UInt8],
        cookie: Digest,
        instance: InstanceNumber,
        live: LiveInstances,
        now: MonotonicTime
    ) -> Bool {
        guard endFormer(key, issuedBy: instance, live: live, now: now) else { return false }
        endedSessions.remove(key)
        endedBound.remove(key)
        let place: Int
        if let known = session(key) {
            place = known
            becomeCaptured(place, sessionID)
            sessions[place].created = now
            touch(place, now)
            dropCookies(of: place, now)
        } else {
            place = insertSession(key, sessionID, instance, now)
        }
        insertCookie(cookie, of: place)
        return true
    }

    /// Ends the session of an ID that is issued again, unless it goes on; false if the issuer is
    /// gone, and the session is that of an instance that lives.
    ///
    /// Where several instances live, one that gives out an ID of another's is not late.
    mutating func endFormer(
        _ key: Digest,
        issuedBy instance: InstanceNumber,
        live: LiveInstances,
        now: MonotonicTime
    ) -> Bool {
        guard let place = session(key) else { return true }
        if sessions[place].instance == instance {
            if let reason = overdue(place, now) { end(place, reason, now) }
            return true
        }
        let isFormerLive = live.isLive(sessions[place].instance)
        let isLate = instance != .none && instance != .unverified && !live.isLive(instance)
        if isLate, isFormerLive { return false }
        end(place, isFormerLive && live.areMany ? .replaced : .restart, now)
        return true
    }

    /// Binds a session ID that the jar does not know to an instance.
    ///
    /// What has ended meanwhile stays ended, what is bound stays bound.
    mutating func bind(_ key: Digest, instance: InstanceNumber, now: MonotonicTime) {
        guard session(key) == nil, tombstone(of: key, now) == nil else { return }
        _ = insertSession(key, [], instance, now)
    }

    /// Ends a session that some instance issued, or any with this ID where `instance` is nil.
    ///
    /// With `always`, the ID is remembered even if the shard did not know it. A session of the same
    /// ID that another instance issued meanwhile is not meant, and lives.
    mutating func end(
        session key: Digest,
        of instance: InstanceNumber?,
        _ reason: EndReason,
        always: Bool,
        now: MonotonicTime
    ) {
        if let place = session(key) {
            if let instance, instance != sessions[place].instance { return }
            end(place, reason, now)
        } else if always, tombstone(of: key, now) == nil {
            // The jar never captured it, so its tombstone is of the kind that a client can cause.
            endedBound.insert(key, reason, now: now)
        }
    }

    /// The client has another cookie now: ends this one, and its session if it was the last one.
    ///
    /// Nobody may expire the cookie for ten seconds, since that would delete the new one.
    mutating func supersede(cookie key: Digest, now: MonotonicTime) -> ClaimResult {
        if let cookie = cookie(key) {
            let place = Int(cookies[cookie].session)
            if sessions[place].newestCookie == cookie, cookies[cookie].next == Self.none {
                end(place, .replaced, now)
            } else {
                removeCookie(cookie)
                endedCookies.insert(key, .replaced, now: now)
            }
        }
        guard let found = endedCookies.find(key, now: now) else { return .unknown }
        endedCookies.setClaimed(found.place, now: now)
        return .ended(false)
    }

    /// Whether the asker is the one to expire a cookie.
    mutating func claim(cookie key: Digest, now: MonotonicTime) -> ClaimResult {
        if cookie(key) != nil { return .live }
        guard let found = endedCookies.find(key, now: now) else { return .unknown }
        return .ended(endedCookies.claim(found.place, now: now))
    }

    /// Ends the least recently used captured session, if there is one besides `kept`.
    mutating func evictCaptured(sparing kept: Digest, now: MonotonicTime) -> Bool {
        guard let place = oldestCaptured, sessions[place].key != kept else { return false }
        end(place, .capacity, now)
        return true
    }

    /// Forgets the least recently used session that was only bound, if there is one besides `kept`.
    ///
    /// Nothing remains of it: the jar knew it only from its client, and knows it no more.
    mutating func evictBound(sparing kept: Digest) -> Bool {
        guard let place = oldestBound, sessions[place].key != kept else { return false }
        endCounts[.capacity] += 1
        removeSession(place)
        return true
    }

    /// Why a session ID is known to have ended.
    private func tombstone(of key: Digest, _ now: MonotonicTime) -> EndReason? {
        endedSessions.find(key, now: now)?.reason ?? endedBound.find(key, now: now)?.reason
    }

    /// Goes on looking for entries that have ended, over at most `limit` places.
    ///
    /// True when it came to the last place; the next call starts afresh.
    mutating func reap(
        limit: Int,
        live: LiveInstances,
        now: MonotonicTime,
        into reaped: inout EndCounts
    ) -> Bool {
        endedSessions.expire(limit: limit, now: now)
        endedBound.expire(limit: limit, now: now)
        endedCookies.expire(limit: limit, now: now)
        let last = min(sessions.count, sweepPlace + limit)
        while sweepPlace < last {
            if !sessions[sweepPlace].isFree, let reason = endReason(sweepPlace, live, now) {
                end(sweepPlace, reason, now)
                reaped[reason] += 1
            }
            sweepPlace += 1
        }
        guard sweepPlace >= sessions.count else { return false }
        sweepPlace = 0
        return true
    }

    /// Ends a session: the entry goes, tombstones remain of its ID and of each of its cookies.
    mutating func end(_ place: Int, _ reason: EndReason, _ now: MonotonicTime) {
        var cookie = sessions[place].newestCookie
        while cookie != Self.none {
            endedCookies.insert(cookies[Int(cookie)].key, reason, now: now)
            cookie = cookies[Int(cookie)].next
        }
        let scope = sessions[place].scope
        if sessions[place].isCaptured {
            endedSessions.insert(sessions[place].key, reason, scope: scope, now: now)
        } else {
            endedBound.insert(sessions[place].key, reason, now: now)
        }
        endCounts[reason] += 1
        removeSession(place)
    }

    /// Makes room for one more cookie of a session that has some.
    private mutating func dropCookies(of place: Int, _ now: MonotonicTime) {
        var count = 0
        var last = Self.none
        var cookie = sessions[place].newestCookie
        while cookie != Self.none {
            count += 1
            last = cookie
            cookie = cookies[Int(cookie)].next
        }
        guard last != Self.none else { return }
        if count >= Self.cookiesOfSessionMax || cookieCount >= limits.cookies {
            endedCookies.insert(cookies[Int(last)].key, .capacity, now: now)
            removeCookie(Int(last))
        }
    }
}
