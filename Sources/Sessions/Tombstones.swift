internal import Time

/// What remains of ended sessions, or of their cookies, so that they are still recognised.
///
/// Bounded, in the order of ending: when it is full, the oldest makes room for a newer one, and is
/// counted. Nothing else removes a tombstone but its age and `remove` (the ID was issued again);
/// live sessions are kept elsewhere. One takes 32 bytes and its cell in the index, and 8 more where
/// claims are kept.
struct Tombstones {
    /// What is known of something that ended.
    struct Found: Equatable {
        /// For `claim`, until the next mutation.
        var place: Int
        var reason: EndReason
        /// Of a cookie of the backend's (`CookieScopes`).
        var scope: UInt8 = 0
    }

    /// The bits of a stamp that are not time.
    private static let stampBits: Int64 = 0x7FF

    /// The time, the reason and the scope share a word, the reason in the lowest three bits.
    private struct Record {
        var digest: Digest
        var stamp: Int64
        var newer: UInt32
        var older: UInt32

        init(_ digest: Digest, _ reason: EndReason, _ scope: UInt8, _ now: MonotonicTime) {
            self.digest = digest
            stamp =
                now.nanoseconds & ~Tombstones.stampBits | Int64(scope) << 3
                | Int64(reason.rawValue)
            newer = .max
            older = .max
        }

        var reason: EndReason {
            EndReason(rawValue: UInt8(truncatingIfNeeded: stamp & 7)) ?? .restart
        }

        var scope: UInt8 { UInt8(truncatingIfNeeded: stamp >> 3) }
    }

    private let limit: Int
    private let lifetime: Int64
    private let hasClaims: Bool
    private var records: ContiguousArray<Record> = []
    private var claims: ContiguousArray<MonotonicTime> = []
    private var index = HashIndex()
    private var newest = UInt32.max
    private var oldest = UInt32.max
    private var firstFree = UInt32.max
    /// How many made room for newer ones before their time.
    private(set) var displacedCount = 0

    /// None yet, at most `limit`, each kept for so many nanoseconds.
    init(limit: Int, lifetime: Int64, hasClaims: Bool) {
        self.limit = limit
        self.lifetime = lifetime
        self.hasClaims = hasClaims
    }

    /// How many are kept.
    var count: Int { index.count }

    /// Why what has this digest ended, if that is still known.
    func find(_ digest: Digest, now: MonotonicTime) -> Found? {
        guard let place = place(digest), !isOver(place, now) else { return nil }
        return Found(place: place, reason: records[place].reason, scope: records[place].scope)
    }

    /// Remembers that something ended now.
    mutating func insert(
        _ digest: Digest,
        _ reason: EndReason,
        scope: UInt8 = 0,
        now: MonotonicTime
    ) {
        remove(digest)
        guard limit > 0 else { return }
        expire(limit: 2, now: now)
        if count >= limit {
            displacedCount += 1
            drop(Int(oldest))
        }
        let place = takePlace(Record(digest, reason, scope, now))
        index.insert(digest, at: place)
        records[place].older = newest
        if newest == .max {
            oldest = UInt32(truncatingIfNeeded: place)
        } else {
            records[Int(newest)].newer = UInt32(truncatingIfNeeded: place)
        }
        newest = UInt32(truncatingIfNeeded: place)
    }

    /// Forgets one, because its session lives again.
    mutating func remove(_ digest: Digest) {
        if let place = place(digest) { drop(place) }
    }

    /// Drops the oldest whose time is over, at most `limit`; says how many.
    @discardableResult
    mutating func expire(limit: Int, now: MonotonicTime) -> Int {
        var dropped = 0
        while dropped < limit, oldest != .max, isOver(Int(oldest), now) {
            drop(Int(oldest))
            dropped += 1
        }
        return dropped
    }

    /// True once in ten seconds for each place: whoever gets it sends the expired cookie.
    mutating func claim(_ place: Int, now: MonotonicTime) -> Bool {
        guard hasClaims, claims[place].allowsClaim(now) else { return false }
        claims[place] = now
        return true
    }

    /// Lets nobody claim it for ten seconds.
    mutating func setClaimed(_ place: Int, now: MonotonicTime) {
        if hasClaims { claims[place] = now }
    }

    /// Lets whoever comes next claim it.
    mutating func letClaim(_ place: Int) {
        if hasClaims { claims[place] = .neverClaimed }
    }

    private func isOver(_ place: Int, _ now: MonotonicTime) -> Bool {
        now.nanoseconds &- records[place].stamp & ~Self.stampBits >= lifetime
    }

    private func place(_ digest: Digest) -> Int? {
        var probe = index.probe(digest)
        while let place = index.next(&probe) {
            if records[place].digest == digest { return place }
        }
        return nil
    }

    private mutating func takePlace(_ record: Record) -> Int {
        guard firstFree != .max else {
            records.append(record)
            if hasClaims { claims.append(.neverClaimed) }
            return records.count - 1
        }
        let place = Int(firstFree)
        firstFree = records[place].newer
        records[place] = record
        if hasClaims { claims[place] = .neverClaimed }
        return place
    }

    private mutating func drop(_ place: Int) {
        let record = records[place]
        index.remove(record.digest, at: place)
        if record.newer == .max {
            newest = record.older
        } else {
            records[Int(record.newer)].older = record.older
        }
        if record.older == .max {
            oldest = record.newer
        } else {
            records[Int(record.older)].newer = record.newer
        }
        records[place].newer = firstFree
        firstFree = UInt32(truncatingIfNeeded: place)
    }
}

extension MonotonicTime {
    /// So long ago that a claim made then hinders nobody.
    static var neverClaimed: Self { Self(nanoseconds: .min / 2) }

    /// Whether, this being the last claim, the expired cookie may be sent again.
    ///
    /// An answer that was on its way while the client logged in anew must not delete the fresh
    /// cookie: for ten seconds after the first 401 for a value, others carry none (contract 4.1).
    func allowsClaim(_ now: Self) -> Bool {
        now.nanoseconds &- nanoseconds >= 10_000_000_000
    }
}
