internal import Instances
internal import Time

/// One shard of the jar: the sessions whose IDs fall into it, and their cookies.
///
/// A session is one entry, found by two keys: the digest of its ID (client-held) and those of the
/// cookies that name it (most have one; one ID issued to several clients has several). The keys
/// have domains of their own. Cookies carry the number of their shard, so that both keys of a
/// session are always under the same lock and an ending takes them together.
///
/// Entries are kept in the order of their last use. A restart touches none of them: an entry whose
/// instance no longer lives is ended when it is next looked at, or by `reap`.
struct JarShard: ~Copyable {
    /// What bounds a shard, from the settings.
    struct Limits: Sendable {
        /// In nanoseconds, as `maxAge`: a `Duration` costs 100 instructions to convert.
        var idleTimeout: Int64
        var maxAge: Int64
        /// Above it, a session that has a cookie loses its oldest for the next one.
        var cookies: Int
        var tombstones: Int
    }

    /// The end of a list.
    static var none: UInt32 { .max }
    private static var free: UInt32 { .max - 1 }
    /// However few there are elsewhere, one session has no more.
    static var cookiesOfSessionMax: Int { 64 }

    struct Session {
        var key: Digest
        /// Empty for a session that only its client holds.
        var sessionID: [UInt8]
        var created: MonotonicTime
        var lastUsed: MonotonicTime
        var instance: InstanceNumber
        var newestCookie: UInt32
        var newer: UInt32
        var older: UInt32

        var isFree: Bool { newer == JarShard.free }
    }

    struct Cookie {
        var key: Digest
        var session: UInt32
        /// Of the same session, issued before this one; of the free list.
        var next: UInt32
    }

    let limits: Limits
    var sessions: ContiguousArray<Session> = []
    var cookies: ContiguousArray<Cookie> = []
    private var sessionIndex = HashIndex()
    private var cookieIndex = HashIndex()
    private var freeSession = JarShard.none
    private var freeCookie = JarShard.none
    private var newest = JarShard.none
    private var oldest = JarShard.none
    var endedSessions: Tombstones
    var endedCookies: Tombstones
    var endCounts = EndCounts()
    var instanceCounts = InstanceCounts()
    var sweepPlace = 0

    init(limits: Limits) {
        self.limits = limits
        endedSessions = Tombstones(
            limit: limits.tombstones,
            lifetime: limits.maxAge,
            hasClaims: false
        )
        endedCookies = Tombstones(
            limit: limits.tombstones,
            lifetime: limits.maxAge,
            hasClaims: true
        )
    }

    var sessionCount: Int { sessionIndex.count }
    var cookieCount: Int { cookieIndex.count }
    /// The least recently used session.
    var oldestSession: Int? { oldest == Self.none ? nil : Int(oldest) }

    // MARK: - Finding

    func session(_ key: Digest) -> Int? {
        var probe = sessionIndex.probe(key)
        while let place = sessionIndex.next(&probe) {
            if sessions[place].key == key { return place }
        }
        return nil
    }

    func cookie(_ key: Digest) -> Int? {
        var probe = cookieIndex.probe(key)
        while let place = cookieIndex.next(&probe) {
            if cookies[place].key == key { return place }
        }
        return nil
    }

    /// Why a session has ended by now, although nobody has noticed yet.
    func endReason(_ place: Int, _ live: LiveInstances, _ now: MonotonicTime) -> EndReason? {
        live.isLive(sessions[place].instance) ? overdue(place, now) : .restart
    }

    /// Whether its time is over, whatever its instance.
    func overdue(_ place: Int, _ now: MonotonicTime) -> EndReason? {
        if now.nanoseconds &- sessions[place].lastUsed.nanoseconds >= limits.idleTimeout {
            return .idle
        }
        let age = now.nanoseconds &- sessions[place].created.nanoseconds
        return age >= limits.maxAge ? .age : nil
    }

    // MARK: - The order of last use

    /// Makes a session the most recently used.
    mutating func touch(_ place: Int, _ now: MonotonicTime) {
        // Workers read the clock on their own, so `now` may be a little behind.
        if sessions[place].lastUsed < now { sessions[place].lastUsed = now }
        guard newest != UInt32(truncatingIfNeeded: place) else { return }
        unlink(place)
        linkNewest(place)
    }

    private mutating func linkNewest(_ place: Int) {
        let name = UInt32(truncatingIfNeeded: place)
        sessions[place].newer = Self.none
        sessions[place].older = newest
        if newest == Self.none {
            oldest = name
        } else {
            sessions[Int(newest)].newer = name
        }
        newest = name
    }

    private mutating func unlink(_ place: Int) {
        let newer = sessions[place].newer
        let older = sessions[place].older
        if newer == Self.none {
            newest = older
        } else {
            sessions[Int(newer)].older = older
        }
        if older == Self.none {
            oldest = newer
        } else {
            sessions[Int(older)].newer = newer
        }
    }

    // MARK: - Entries

    /// Adds a session that is not there, as the most recently used.
    mutating func insertSession(
        _ key: Digest,
        _ sessionID: [UInt8],
        _ instance: InstanceNumber,
        _ now: MonotonicTime
    ) -> Int {
        let session = Session(
            key: key,
            sessionID: sessionID,
            created: now,
            lastUsed: now,
            instance: instance,
            newestCookie: Self.none,
            newer: Self.none,
            older: Self.none
        )
        let place: Int
        if freeSession == Self.none {
            place = sessions.count
            sessions.append(session)
        } else {
            place = Int(freeSession)
            freeSession = sessions[place].older
            sessions[place] = session
        }
        sessionIndex.insert(key, at: place)
        instanceCounts.add(1, to: instance)
        linkNewest(place)
        return place
    }

    /// Takes a session and its cookies out, without a trace.
    mutating func removeSession(_ place: Int) {
        while sessions[place].newestCookie != Self.none {
            removeCookie(Int(sessions[place].newestCookie))
        }
        unlink(place)
        sessionIndex.remove(sessions[place].key, at: place)
        instanceCounts.add(-1, to: sessions[place].instance)
        sessions[place].sessionID = []
        sessions[place].newer = Self.free
        sessions[place].older = freeSession
        freeSession = UInt32(truncatingIfNeeded: place)
    }

    /// Adds a cookie that is not there to a session.
    mutating func insertCookie(_ key: Digest, of session: Int) {
        let cookie = Cookie(
            key: key,
            session: UInt32(truncatingIfNeeded: session),
            next: sessions[session].newestCookie
        )
        let place: Int
        if freeCookie == Self.none {
            place = cookies.count
            cookies.append(cookie)
        } else {
            place = Int(freeCookie)
            freeCookie = cookies[place].next
            cookies[place] = cookie
        }
        cookieIndex.insert(key, at: place)
        sessions[session].newestCookie = UInt32(truncatingIfNeeded: place)
    }

    /// Takes a cookie out, without a trace.
    mutating func removeCookie(_ place: Int) {
        let cookie = cookies[place]
        let name = UInt32(truncatingIfNeeded: place)
        let session = Int(cookie.session)
        if sessions[session].newestCookie == name {
            sessions[session].newestCookie = cookie.next
        } else {
            var before = Int(sessions[session].newestCookie)
            while cookies[before].next != name {
                before = Int(cookies[before].next)
            }
            cookies[before].next = cookie.next
        }
        cookieIndex.remove(cookie.key, at: place)
        cookies[place].next = freeCookie
        freeCookie = name
    }
}

/// How many sessions are bound to each instance; there are a few at most.
struct InstanceCounts {
    private struct Pair {
        var instance: InstanceNumber
        var count: Int
    }

    private var pairs: [Pair] = []

    /// How many are bound to an instance.
    func count(_ instance: InstanceNumber) -> Int {
        for pair in pairs where pair.instance == instance { return pair.count }
        return 0
    }

    /// Changes the count of an instance; what comes to nothing is forgotten.
    mutating func add(_ change: Int, to instance: InstanceNumber) {
        for index in pairs.indices where pairs[index].instance == instance {
            pairs[index].count += change
            if pairs[index].count == 0 { pairs.remove(at: index) }
            return
        }
        pairs.append(Pair(instance: instance, count: change))
    }
}
