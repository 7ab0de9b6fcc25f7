internal import Instances
internal import Time

/// What a shard says when asked to let a cookie of the backend's own be expired.
enum SessionClaim: Sendable {
    /// It names a living session.
    case live(scope: UInt8)
    /// Whether the asker is the one to expire it.
    case ended(Bool, scope: UInt8)
    case unknown
}

// Sessions that are cookies of the backend's own: the client holds the value, an answer expires it.
extension JarShard {
    /// Keeps a value that the backend issued.
    ///
    /// An echo is the value that the request had: it is not issued anew, so what ended meanwhile
    /// stays ended and its age goes on. Any other lives again, even if its value had ended. A late
    /// answer of an instance that is gone leaves the same value of one that lives as it is.
    mutating func issue(
        _ key: Digest,
        scope: UInt8,
        instance: InstanceNumber,
        live: LiveInstances,
        isEcho: Bool,
        now: MonotonicTime
    ) {
        guard endFormer(key, issuedBy: instance, live: live, now: now) else { return }
        if isEcho, letClaim(session: key, now: now) { return }
        endedSessions.remove(key)
        endedBound.remove(key)
        guard let place = session(key) else {
            _ = insertSession(key, [], instance, now, scope: scope)
            return
        }
        if sessions[place].scope != scope { becomeCaptured(place, [], scope: scope) }
        if !isEcho { sessions[place].created = now }
        touch(place, now)
    }

    /// Whether the asker is the one to expire a value.
    mutating func claim(session key: Digest, now: MonotonicTime) -> SessionClaim {
        if let place = session(key) { return .live(scope: sessions[place].scope) }
        if let found = endedSessions.find(key, now: now) {
            return .ended(endedSessions.claim(found.place, now: now), scope: found.scope)
        }
        if let found = endedBound.find(key, now: now) {
            return .ended(endedBound.claim(found.place, now: now), scope: found.scope)
        }
        return .unknown
    }

    /// The client of a value that has ended holds it again, by an answer that came late.
    ///
    /// Whatever it got in its place is gone, and the next 401 is to expire it. False if it has not
    /// ended.
    private mutating func letClaim(session key: Digest, now: MonotonicTime) -> Bool {
        if let found = endedSessions.find(key, now: now) {
            endedSessions.letClaim(found.place)
        } else if let found = endedBound.find(key, now: now) {
            endedBound.letClaim(found.place)
        } else {
            return false
        }
        return true
    }

    /// Nobody may expire the value for ten seconds: the client has got another one in its place.
    mutating func setClaimed(session key: Digest, now: MonotonicTime) {
        if let found = endedSessions.find(key, now: now) {
            endedSessions.setClaimed(found.place, now: now)
        } else if let found = endedBound.find(key, now: now) {
            endedBound.setClaimed(found.place, now: now)
        }
    }

    /// What is known of a value, without claiming anything.
    func scope(session key: Digest, now: MonotonicTime) -> SessionClaim {
        if let place = session(key) { return .live(scope: sessions[place].scope) }
        let found = endedSessions.find(key, now: now) ?? endedBound.find(key, now: now)
        return found.map { .ended(false, scope: $0.scope) } ?? .unknown
    }
}
