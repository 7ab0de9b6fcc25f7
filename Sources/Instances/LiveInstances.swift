/// Which instances live, as one value that is read without a lock at every request.
public struct LiveInstances: Equatable, Sendable {
    /// The instance that answers now, or `none` while no ID has been reported; where several live
    /// side by side, the newest of them.
    public var current: InstanceNumber
    /// Grows at every first sight of a new ID.
    ///
    /// A connection that was verified in an earlier epoch asks again before its next request with
    /// a session (contract 3.2). Where several live it grows as well when one of them is gone, so
    /// that it names the whole value.
    public var epoch: UInt32
    /// All that live, where several do so side by side; nil where a new one replaces the old one.
    public let members: [InstanceNumber]?

    /// A snapshot from its parts.
    @inlinable
    public init(current: InstanceNumber, epoch: UInt32, members: [InstanceNumber]? = nil) {
        self.current = current
        self.epoch = epoch
        self.members = members
    }

    /// Whether a session that was bound to `instance` can still be known to the backend.
    @inlinable
    public func isLive(_ instance: InstanceNumber) -> Bool {
        instance == current || members != nil && isMember(instance)
    }

    /// Whether `instance` is one, and lives: a session that is bound to nobody has none.
    public func isOwn(_ instance: InstanceNumber) -> Bool {
        instance != .none && isLive(instance)
    }

    /// Whether a session goes to its own instance although others live too.
    public var areMany: Bool { members != nil }

    /// Few live at a time: looking at each costs less than any table.
    @inline(never)
    @usableFromInline
    func isMember(_ instance: InstanceNumber) -> Bool {
        members?.contains(instance) ?? false
    }
}

/// A snapshot in one word, which is never torn: `epoch << 32 | current`. The highest bit says that
/// several live, and that who they are is not in the word.
extension LiveInstances {
    @inlinable static var epochMax: UInt32 { .max >> 1 }
    @inlinable static var manyBit: UInt64 { 1 << 63 }

    @inlinable
    static func isOfMany(_ packed: UInt64) -> Bool { packed & manyBit != 0 }

    @inlinable
    init(packed: UInt64) {
        self.init(
            current: InstanceNumber(rawValue: UInt32(truncatingIfNeeded: packed)),
            epoch: UInt32(truncatingIfNeeded: packed >> 32) & Self.epochMax
        )
    }

    var packed: UInt64 {
        UInt64(epoch & Self.epochMax) << 32 | UInt64(current.rawValue)
            | (areMany ? Self.manyBit : 0)
    }
}
