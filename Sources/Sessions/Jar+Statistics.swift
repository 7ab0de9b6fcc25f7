public import Instances
internal import Memory

/// What a jar holds and what became of its sessions.
public struct JarStatistics: Sendable, Equatable {
    /// Sessions kept, those that have ended unnoticed included.
    public var sessions = 0
    /// Cookies that name them.
    public var cookies = 0
    /// Session IDs that are known to have ended.
    public var endedSessions = 0
    /// Cookies that are known to have ended.
    public var endedCookies = 0
    /// Tombstones of session IDs that made room for newer ones before their time: such an ID would
    /// be forwarded again, so `jar.tombstones` is too small.
    public var displacedTombstones = 0
    /// Sessions that ended since the start.
    public var ended = EndCounts()
}

extension Jar {
    /// Adds up all shards; not for the way of a request.
    public func statistics() -> JarStatistics {
        var sum = JarStatistics()
        for shard in shards {
            let part = shard.withLock { state in
                JarStatistics(
                    sessions: state.sessionCount,
                    cookies: state.cookieCount,
                    endedSessions: state.endedSessions.count + state.endedBound.count,
                    endedCookies: state.endedCookies.count,
                    displacedTombstones: state.endedSessions.displacedCount,
                    ended: state.endCounts
                )
            }
            sum.sessions += part.sessions
            sum.cookies += part.cookies
            sum.endedSessions += part.endedSessions
            sum.endedCookies += part.endedCookies
            sum.displacedTombstones += part.displacedTombstones
            sum.ended += part.ended
        }
        return sum
    }

    /// How many sessions are bound to an instance: as many as end when it is gone.
    public func count(boundTo instance: InstanceNumber) -> Int {
        var sum = 0
        for shard in shards {
            sum += shard.withLock { $0.instanceCounts.count(instance) }
        }
        return sum
    }
}
