public import Memory

/// The loop's stock of buffers, so that connections hold one only while bytes wait in it.
///
/// Two sizes: what holds a head and small content, and what a large body flows through (measured:
/// a 256 KiB buffer costs 0.69 of the CPU of a 16 KiB one for it). The last one given back is the
/// first one handed out, while it is still in the cache.
public struct BufferPool: ~Copyable {
    /// For heads and small messages.
    public static var smallCapacity: Int { 16 * 1024 }
    /// For bodies that keep coming.
    public static var largeCapacity: Int { 256 * 1024 }

    private var small = Stock(keepCount: 64)
    private var large = Stock(keepCount: 4)

    /// An empty stock.
    public init() {}

    private struct Stock: ~Copyable {
        let keepCount: Int
        var buffers = Slab<Buffer>()
        var tokens: ContiguousArray<SlabToken> = []

        init(keepCount: Int) {
            self.keepCount = keepCount
            tokens.reserveCapacity(keepCount)
        }

        mutating func take() -> Buffer? {
            guard let token = tokens.popLast() else { return nil }
            return buffers.remove(token)
        }

        mutating func give(_ buffer: consuming Buffer) {
            guard tokens.count < keepCount else { return }
            tokens.append(buffers.insert(buffer))
        }
    }

    /// An empty buffer of the small size.
    public mutating func takeSmall() -> Buffer {
        if let buffer = small.take() { return buffer }
        return Buffer(capacity: Self.smallCapacity)
    }

    /// An empty buffer of the large size.
    public mutating func takeLarge() -> Buffer {
        if let buffer = large.take() { return buffer }
        return Buffer(capacity: Self.largeCapacity)
    }

    /// Takes memory back; what waited in the buffer is dropped.
    public mutating func give(_ buffer: consuming Buffer) {
        buffer.removeAll()
        switch buffer.capacity {
        case Self.smallCapacity: small.give(buffer)
        case Self.largeCapacity: large.give(buffer)
        default: break  // It had to grow for one big head; freed.
        }
    }

    /// Gives `buffer` memory if it has none; with `forMore`, an empty one gets the large size, so
    /// that a body that keeps coming takes fewer system calls.
    public mutating func equip(_ buffer: inout Buffer, forMore: Bool = false) {
        if buffer.capacity == 0 {
            buffer = forMore ? takeLarge() : takeSmall()
        } else if forMore && buffer.isEmpty && buffer.capacity < Self.largeCapacity {
            give(buffer.takeStorage())
            buffer = takeLarge()
        }
    }

    /// Takes the memory of an empty buffer back.
    public mutating func strip(_ buffer: inout Buffer) {
        if buffer.isEmpty && buffer.capacity > 0 {
            give(buffer.takeStorage())
        }
    }
}
