public import HTTPModel
public import Instances
public import Memory
public import Time

// Sessions of the session field where there are no jar cookies (`session.cookie: off`).
extension Jar {
    /// Keeps a session that an instance has just issued, and that its client alone holds.
    ///
    /// What the request carried ends: the client gives it up for the new one.
    public func issue(
        _ sessionID: [UInt8],
        instance: InstanceNumber,
        live: LiveInstances,
        request: Judgement,
        now: MonotonicTime
    ) {
        let value = ByteRange(offset: 0, count: sessionID.count)
        issue(sessionKey(sessionID.span, value), instance, live, request, now)
    }

    /// The same with a session ID that stands in a response head.
    public func issue(
        _ value: ByteRange,
        in input: borrowing Buffer,
        instance: InstanceNumber,
        live: LiveInstances,
        request: Judgement,
        now: MonotonicTime
    ) {
        issue(sessionKey(input.bytes, value), instance, live, request, now)
    }

    private func issue(
        _ key: Digest,
        _ instance: InstanceNumber,
        _ live: LiveInstances,
        _ request: Judgement,
        _ now: MonotonicTime
    ) {
        withShard(shard(of: key)) { shard in
            shard.issue(
                key,
                scope: CookieScopes.unknown,
                instance: instance,
                live: live,
                isEcho: false,
                now: now
            )
        }
        if let carried = request.session, carried.key != key {
            end(carried, .replaced, always: false, now)
        }
        makeRoom(forCaptured: key, now)
    }
}
