/// The number that this process gave to an instance of the backend; small, so that a jar entry
/// and a connection can hold it and a comparison costs nothing.
///
/// The same instance ID gets a new number when it comes back after having been replaced.
@frozen
public struct InstanceNumber: RawRepresentable, Hashable, Sendable {
    /// Counted from 1; zero is `none`.
    public let rawValue: UInt32

    /// A number as counted.
    @inlinable
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// No instance is known: the backend has not reported an ID.
    public static let none = Self(rawValue: 0)
    /// What a connection has whose identity answer gave no ID although the backend reported one
    /// before; never the number of a live instance.
    public static let unverified = Self(rawValue: .max)
}
