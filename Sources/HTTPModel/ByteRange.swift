/// A run of bytes within the head that it was parsed from, counted from the head's first byte.
public struct ByteRange: Hashable, Sendable {
    /// Where it begins.
    public var offset: UInt32
    /// How many bytes it has.
    public var count: UInt32

    /// A run at a place.
    @inlinable
    @inline(__always)
    public init(offset: Int, count: Int) {
        self.offset = UInt32(truncatingIfNeeded: offset)
        self.count = UInt32(truncatingIfNeeded: count)
    }

    /// Nothing, at the head's first byte.
    @inlinable public static var empty: Self { Self(offset: 0, count: 0) }

    /// The place of its first byte.
    @inlinable public var start: Int { Int(offset) }
    /// The place behind its last byte.
    @inlinable public var end: Int { Int(offset) + Int(count) }
    /// Whether it has no bytes.
    @inlinable public var isEmpty: Bool { count == 0 }
}
