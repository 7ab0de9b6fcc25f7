/// The number that this process gave to an instance of the backend; small, so that a jar entry
/// and a connection can hold it and a comparison costs nothing.
///
/// The same instance ID gets a new number when it comes back after having been replaced.
public struct InstanceNumber: RawRepresentable, Hashable, Sendable {
    /// Counted from 1; zero is `none`.
    public let rawValue: UInt32

    /// A number as counted.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// No instance is known: the backend has not reported an ID.
    public static let none = Self(rawValue: 0)
    /// What a connection has whose identity answer gave no ID although the backend reported one
    /// before; never the number of a live instance.
    public static let unverified = Self(rawValue: .max)
}

/// Which instances live, as one value that is read without a lock at every request.
public struct LiveInstances: Equatable, Sendable {
    /// The instance that answers now, or `none` while no ID has been reported.
    public var current: InstanceNumber
    /// Grows at every first sight of a new ID; a connection that was verified in an earlier epoch
    /// asks again before its next request with a session (contract 3.2).
    public var epoch: UInt32

    /// A snapshot from its parts.
    public init(current: InstanceNumber, epoch: UInt32) {
        self.current = current
        self.epoch = epoch
    }

    /// Whether a session that was bound to `instance` can still be known to the backend.
    public func isLive(_ instance: InstanceNumber) -> Bool { instance == current }
}
