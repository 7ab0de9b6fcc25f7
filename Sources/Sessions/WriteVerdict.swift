public import Instances
public import Settings

/// Whether a request with a session may be written to a connection (contract 3.2).
public enum WriteVerdict: Sendable, Equatable {
    /// It may.
    case write
    /// The session's instance is gone: `Jar.refuse`, then 401 (or, of an exempt request, go on
    /// without).
    case stale
    /// The connection did not say whose it is: 503.
    case unverified
    /// The session lives, but not at the other end of this connection: another one is needed.
    case otherInstance
}

/// Decides at the moment of writing, after any wait, whether a session may go over a connection.
///
/// A session goes to its own instance alone, and only while that lives. One that the jar does not
/// know goes to a live instance, but not to one that took over after the request came: what its
/// client held then was issued by an older instance, so it is stale, known or not. Only where no
/// instance was known at that time, nothing can be said against the first that appears. Where
/// several instances live, it goes to any that was known when the request came.
public func mayWrite(
    _ session: CarriedSession,
    to connection: InstanceNumber,
    live: LiveInstances,
    policy: IdentitySettings.Unverified
) -> WriteVerdict {
    let isAnyone = !session.isBound && session.instance == .none
    if live.areMany, !session.isBound, !isAnyone {
        return mayWriteUnknown(session, to: connection, live: live, policy: policy)
    }
    if !isAnyone, !live.isLive(session.instance) { return .stale }
    if connection == .unverified { return policy == .forward ? .write : .unverified }
    if isAnyone { return live.isLive(connection) ? .write : .otherInstance }
    return connection == session.instance ? .write : .otherInstance
}

/// Later instances have higher numbers, but for those that come back, which are older.
private func mayWriteUnknown(
    _ session: CarriedSession,
    to connection: InstanceNumber,
    live: LiveInstances,
    policy: IdentitySettings.Unverified
) -> WriteVerdict {
    func isOldEnough(_ instance: InstanceNumber) -> Bool {
        instance.rawValue <= session.instance.rawValue
    }
    guard live.members?.contains(where: isOldEnough) ?? false else { return .stale }
    if connection == .unverified { return policy == .forward ? .write : .unverified }
    return live.isLive(connection) && isOldEnough(connection) ? .write : .otherInstance
}

/// To which instance a session is bound that a response on a connection issues or accepts.
///
/// Where the policy is to trust connections that do not say whose they are, they count as the
/// current instance's: a session bound to nobody would be stale at its next request.
public func issuer(
    on connection: InstanceNumber,
    live: LiveInstances,
    policy: IdentitySettings.Unverified
) -> InstanceNumber {
    connection == .unverified && policy == .forward ? live.current : connection
}
