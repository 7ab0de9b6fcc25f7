/// Names one life of one place in a `Slab`.
///
/// The generation is what makes a late event for a place that has since been given away harmless:
/// its token no longer names anything.
@frozen
public struct SlabToken: Hashable, Sendable {
    /// The place.
    public let index: UInt32
    /// Which tenant of the place; odd while it lives, so zero never names anything.
    public let generation: UInt32

    /// A token from its two halves, as carried through 64 bits of kernel data.
    @inlinable
    public init(index: UInt32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    /// Names nothing, in any slab.
    @inlinable public static var none: Self { Self(index: 0, generation: 0) }
}

/// What a slab knows of one of its places.
@frozen
@usableFromInline
struct SlabPlace {
    @usableFromInline var generation: UInt32 = 0
    @usableFromInline var nextFree: UInt32

    @inlinable
    init(nextFree: UInt32) {
        self.nextFree = nextFree
    }
}

/// Values that stay where they are, named by index and generation.
///
/// Access goes through one check and no reference counting or exclusivity book-keeping: on the way
/// of a request that is worth several hundred instructions against a class for each connection.
/// Places are never moved; memory grows by whole blocks and is kept.
///
/// All of it is inlinable, so that it is compiled for each kind of element: unspecialised, one
/// access looks up type metadata at run time and costs more than the request's own work.
@safe
@frozen
public struct Slab<Element: ~Copyable>: ~Copyable {
    @usableFromInline var blocks: [UnsafeMutablePointer<Element>]
    @usableFromInline var places: ContiguousArray<SlabPlace> = []
    @usableFromInline var firstFree: UInt32 = .max
    @usableFromInline var living = 0

    @inlinable static var blockCount: Int { 64 }

    /// How many values live in the slab.
    @inlinable public var count: Int { living }

    /// An empty slab.
    @inlinable
    public init() {
        unsafe blocks = []
    }

    @inlinable
    deinit {
        for index in places.indices where places[index].generation & 1 == 1 {
            unsafe pointer(index).deinitialize(count: 1)
        }
        for index in unsafe blocks.indices {
            unsafe blocks[index].deallocate()
        }
    }

    /// How many places there are, free ones included: the bound of `token(at:)`.
    @inlinable public var placeCount: Int { places.count }

    @inlinable
    @inline(__always)
    func pointer(_ index: Int) -> UnsafeMutablePointer<Element> {
        unsafe blocks[index / Self.blockCount] + index % Self.blockCount
    }

    /// Takes a value in and names it.
    @inlinable
    public mutating func insert(_ element: consuming Element) -> SlabToken {
        if firstFree == .max {
            grow()
        }
        let index = firstFree
        let place = Int(index)
        firstFree = places[place].nextFree
        places[place].generation &+= 1
        unsafe pointer(place).initialize(to: element)
        living += 1
        return SlabToken(index: index, generation: places[place].generation)
    }

    @inlinable
    mutating func grow() {
        let first = places.count
        unsafe blocks.append(.allocate(capacity: Self.blockCount))
        for offset in 0..<Self.blockCount {
            let isLast = offset == Self.blockCount - 1
            places.append(SlabPlace(nextFree: isLast ? .max : UInt32(first + offset + 1)))
        }
        firstFree = UInt32(first)
    }

    /// Takes the value that `token` names out.
    ///
    /// - Precondition: the token names a living value.
    @inlinable
    public mutating func remove(_ token: SlabToken) -> Element {
        precondition(contains(token), "the token names nothing")
        let place = Int(token.index)
        places[place].generation &+= 1
        places[place].nextFree = firstFree
        firstFree = token.index
        living -= 1
        return unsafe pointer(place).move()
    }

    /// Whether the token names a living value.
    @inlinable
    public func contains(_ token: SlabToken) -> Bool {
        let place = Int(token.index)
        return token.generation & 1 == 1 && place < places.count
            && places[place].generation == token.generation
    }

    /// The token of the living value at a place, for sweeps over all.
    @inlinable
    public func token(at index: Int) -> SlabToken? {
        let generation = places[index].generation
        return generation & 1 == 1
            ? SlabToken(index: UInt32(index), generation: generation) : nil
    }

    /// The value that a token names.
    ///
    /// - Precondition: the token names a living value.
    public subscript(token: SlabToken) -> Element {
        @inlinable
        _read {
            precondition(contains(token), "the token names nothing")
            yield unsafe pointer(Int(token.index)).pointee
        }
        @inlinable
        _modify {
            precondition(contains(token), "the token names nothing")
            yield unsafe &pointer(Int(token.index)).pointee
        }
    }
}
