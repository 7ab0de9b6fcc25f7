/// Names one life of one place in a `Slab`.
///
/// The generation is what makes a late event for a place that has since been given away harmless:
/// its token no longer names anything.
public struct SlabToken: Hashable, Sendable {
    /// The place.
    public let index: UInt32
    /// Which tenant of the place; odd while it lives, so zero never names anything.
    public let generation: UInt32

    /// A token from its two halves, as carried through 64 bits of kernel data.
    public init(index: UInt32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    /// Names nothing, in any slab.
    public static let none = Self(index: 0, generation: 0)
}

/// Values that stay where they are, named by index and generation.
///
/// Access goes through one check and no reference counting or exclusivity book-keeping: on the way
/// of a request that is worth several hundred instructions against a class for each connection.
/// Places are never moved; memory grows by whole blocks and is kept.
@safe
public struct Slab<Element: ~Copyable>: ~Copyable {
    private static var blockCount: Int { 64 }

    private struct Place {
        var generation: UInt32 = 0
        var nextFree: UInt32 = .max
    }

    private var blocks: [UnsafeMutablePointer<Element>]
    private var places: ContiguousArray<Place> = []
    private var firstFree: UInt32 = .max
    /// How many values live in the slab.
    public private(set) var count = 0

    /// An empty slab.
    public init() {
        unsafe blocks = []
    }

    deinit {
        for index in places.indices where places[index].generation & 1 == 1 {
            unsafe pointer(index).deinitialize(count: 1)
        }
        for index in unsafe blocks.indices {
            unsafe blocks[index].deallocate()
        }
    }

    /// How many places there are, free ones included: the bound of `token(at:)`.
    public var placeCount: Int { places.count }

    private func pointer(_ index: Int) -> UnsafeMutablePointer<Element> {
        unsafe blocks[index / Self.blockCount] + index % Self.blockCount
    }

    /// Takes a value in and names it.
    public mutating func insert(_ element: consuming Element) -> SlabToken {
        if firstFree == .max {
            grow()
        }
        let index = firstFree
        let place = Int(index)
        firstFree = places[place].nextFree
        places[place].generation &+= 1
        unsafe pointer(place).initialize(to: element)
        count += 1
        return SlabToken(index: index, generation: places[place].generation)
    }

    private mutating func grow() {
        let first = places.count
        unsafe blocks.append(.allocate(capacity: Self.blockCount))
        for offset in 0..<Self.blockCount {
            let isLast = offset == Self.blockCount - 1
            places.append(Place(nextFree: isLast ? .max : UInt32(first + offset + 1)))
        }
        firstFree = UInt32(first)
    }

    /// Takes the value that `token` names out.
    ///
    /// - Precondition: the token names a living value.
    public mutating func remove(_ token: SlabToken) -> Element {
        precondition(contains(token), "the token names nothing")
        let place = Int(token.index)
        places[place].generation &+= 1
        places[place].nextFree = firstFree
        firstFree = token.index
        count -= 1
        return unsafe pointer(place).move()
    }

    /// Whether the token names a living value.
    public func contains(_ token: SlabToken) -> Bool {
        let place = Int(token.index)
        return token.generation & 1 == 1 && place < places.count
            && places[place].generation == token.generation
    }

    /// The token of the living value at a place, for sweeps over all.
    public func token(at index: Int) -> SlabToken? {
        let generation = places[index].generation
        return generation & 1 == 1
            ? SlabToken(index: UInt32(index), generation: generation) : nil
    }

    /// The value that a token names.
    ///
    /// - Precondition: the token names a living value.
    public subscript(token: SlabToken) -> Element {
        _read {
            precondition(contains(token), "the token names nothing")
            yield unsafe pointer(Int(token.index)).pointee
        }
        _modify {
            precondition(contains(token), "the token names nothing")
            yield unsafe &pointer(Int(token.index)).pointee
        }
    }
}
