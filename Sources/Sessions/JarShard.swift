internal import Instances
internal import Time

/// One shard of the jar: the sessions whose IDs fall into it, and their cookies.
///
/// A session is one entry, found by two keys: the digest of its ID (client-held) and those of the
/// cookies that name it (most have one; one ID issued to several clients has several). The keys
/// have domains of their own. Cookies carry the number of their shard, so that both keys of a
/// session are always under the same lock and an ending takes them together.
///
/// Sessions that were *captured* and those that were only *bound* (a client sent an ID, and the
/// backend took it) are kept apart, each in the order of their last use: whoever makes IDs up can
/// fill the jar with bound ones, and must neither push captured ones out nor their tombstones. A
/// restart touches none of them: an entry whose instance no longer lives is ended when it is next
/// looked at, or by `reap`.
struct JarShard: ~Copyable {
    /// What bounds a shard, from the settings.
    struct Limits: Sendable {
        /// In nanoseconds, as `maxAge`: a `Duration` costs 100 instructions to convert.
        var idleTimeout: Int64
        var maxAge: Int64
        /// Above it, a session that has a cookie loses its oldest for the next one.
        var cookies: Int
        var tombstones: Int
        /// Whether sessions are cookies of the backend's own, which answers expire.
        var expiresSessions = false
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
        /// Of a cookie of the backend's own (`CookieScopes`).
        var scope: UInt8

        var isFree: Bool { newer == JarShard.free }
        /// Whether a response issued it: its ID is kept then, or, if it is a cookie of the
        /// backend's own, its scope.
        var isCaptured: Bool { !sessionID.isEmpty || scope != CookieScopes.unbound }
    }

    /// Sessions in the order of their last use.
    struct Order {
        var newest = JarShard.none
        var oldest = JarShard.none
        var count = 0
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
    private var captured = Order()
    private var bound = Order()
    /// Tombstones of captured sessions, which nothing but those of others displaces.
    var endedSessions: Tombstones
    /// Tombstones of sessions that were only bound.
    var endedBound: Tombstones
    var endedCookies: Tombstones
    var endCounts = EndCounts()
    var instanceCounts = InstanceCounts()
    var sweepPlace = 0

    init(limits: Limits) {
        self.limits = limits
        endedSessions = Tombstones(
            limit: limits.tombstones,
            lifetime: limits.maxAge,
            hasClaims: limits.expiresSessions
        )
        endedBound = Tombstones(
            limit: limits.tombstones,
            lifetime: limits.maxAge,
            hasClaims: limits.expiresSessions
        )
        endedCookies = Tombstones(
            limit: limits.tombstones,
            lifetime: limits.maxAge,
            hasClaims: true
        )
    }

    var sessionCount: Int { sessionIndex.count }
    var cookieCount: Int { cookieIndex.count }
    /// Sessions that were only bound.
    var boundCount: Int { bound.count }
    /// The least recently used session that was captured.
    var oldestCaptured: Int? { captured.oldest == Self.none ? nil : Int(captured.oldest) }
    /// The least recently used session that was only bound.
    var oldestBound: Int? { bound.oldest == Self.none ? nil : Int(bound.oldest) }

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
        let name = UInt32(truncatingIfNeeded: place)
        let newest = sessions[place].isCaptured ? captured.newest : bound.newest
        guard newest != name else { return }
        unlink(place)
        linkNewest(place)
    }

    /// The session is captured from now on, under this ID or with this scope.
    mutating func becomeCaptured(_ place: Int, _ sessionID: [UInt8], scope: UInt8 = 0) {
        unlink(place)
        sessions[place].sessionID = sessionID
        sessions[place].scope = scope
        linkNewest(place)
    }

    private mutating func linkNewest(_ place: Int) {
        if sessions[place].isCaptured {
            Self.link(place, in: &captured, &sessions)
        } else {
            Self.link(place, in: &bound, &sessions)
        }
    }

    private mutating func unlink(_ place: Int) {
        if sessions[place].isCaptured {
            Self.unlink(place, from: &captured, &sessions)
        } else {
            Self.unlink(place, from: &bound, &sessions)
        }
    }

    private static func link(
        _ place: Int,
        in order: inout Order,
        _ sessions: inout ContiguousArray<Session>
    ) {
        let name = UInt32(truncatingIfNeeded: place)
        sessions[place].newer = none
        sessions[place].older = order.newest
        if order.newest == none {
            order.oldest = name
        } else {
            sessions[Int(order.newest)].newer = name
        }
        order.newest = name
        order.count += 1
    }

    private static func unlink(
        _ place: Int,
        from order: inout Order,
        _ sessions: inout ContiguousArray<Session>
    ) {
        let newer = sessions[place].newer
        let older = sessions[place].older
        if newer == none {
            order.newest = older
        } else {
            sessions[Int(newer)].older = older
        }
        if older == none {
            order.oldest = newer
        } else {
            sessions[Int(older)].newer = newer
        }
        order.count -= 1
    }

    // MARK: - Entries

    /// Adds a session that is not there, as the most recently used.
    mutating func insertSession(
        _ key: Digest,
        _ sessionID: [UInt8],
        _ instance: InstanceNumber,
        _ now: MonotonicTime,
        scope: UInt8 = 0
    ) -> Int {
        let session = Session(
            key: key,
            sessionID: sessionID,
            created: now,
            lastUsed: now,
            instance: instance,
            newestCookie: Self.none,
            newer: Self.none,
            older: Self.none,
            scope: scope
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
