/// Places for values that are named by a 64-bit key chosen elsewhere.
///
/// An open-addressed table finds the place of a key in some twenty instructions, where a
/// `Dictionary` takes about three hundred. Places are small numbers, so that lists through them
/// (`Order`) need no allocation, and they are given out again; memory is kept.
struct Roster<Element> {
    private var elements: ContiguousArray<Element> = []
    private var freePlaces: ContiguousArray<Int> = []
    private var keys: ContiguousArray<UInt64>
    /// The place plus one; zero in an empty slot.
    private var slots: ContiguousArray<Int>
    private(set) var count = 0

    init() {
        keys = .init(repeating: 0, count: 64)
        slots = .init(repeating: 0, count: 64)
    }

    /// How many places were ever given out: the bound of every place.
    var placeCount: Int { elements.count }

    subscript(place: Int) -> Element {
        get { elements[place] }
        _modify { yield &elements[place] }
    }

    /// The place of a key, or nil if it is not here.
    func place(of key: UInt64) -> Int? {
        var slot = home(key)
        while slots[slot] != 0 {
            if keys[slot] == key { return slots[slot] - 1 }
            slot = next(slot)
        }
        return nil
    }

    /// Takes a value in under a key that is not here yet.
    mutating func insert(_ element: Element, for key: UInt64) -> Int {
        precondition(place(of: key) == nil, "the key is here already")
        if (count + 1) * 2 > slots.count { grow() }
        let place: Int
        if let free = freePlaces.popLast() {
            place = free
            elements[free] = element
        } else {
            place = elements.count
            elements.append(element)
        }
        put(key, place)
        count += 1
        return place
    }

    /// Forgets the key at a place, which may be given out again.
    mutating func remove(_ place: Int, key: UInt64) {
        var hole = home(key)
        while slots[hole] != place + 1 {
            precondition(slots[hole] != 0, "the key is not here")
            hole = next(hole)
        }
        // What follows in the same run moves up, so that no search ends at the hole too early.
        var slot = next(hole)
        while slots[slot] != 0 {
            let distance = (slot &- home(keys[slot])) & (slots.count - 1)
            if distance >= (slot &- hole) & (slots.count - 1) {
                keys[hole] = keys[slot]
                slots[hole] = slots[slot]
                hole = slot
            }
            slot = next(slot)
        }
        slots[hole] = 0
        freePlaces.append(place)
        count -= 1
    }

    private func home(_ key: UInt64) -> Int {
        // Fibonacci hashing: the keys are dense numbers in either half of the 64 bits.
        let mixed = (key ^ (key >> 32)) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 32) & (slots.count - 1)
    }

    private func next(_ slot: Int) -> Int { (slot + 1) & (slots.count - 1) }

    private mutating func put(_ key: UInt64, _ place: Int) {
        var slot = home(key)
        while slots[slot] != 0 { slot = next(slot) }
        keys[slot] = key
        slots[slot] = place + 1
    }

    private mutating func grow() {
        let oldKeys = keys
        let oldSlots = slots
        keys = .init(repeating: 0, count: oldKeys.count * 2)
        slots = .init(repeating: 0, count: oldKeys.count * 2)
        for slot in oldSlots.indices where oldSlots[slot] != 0 {
            put(oldKeys[slot], oldSlots[slot] - 1)
        }
    }
}

/// An order of places, doubly linked so that any of them leaves it in a few instructions.
struct Order {
    private struct Link {
        var previous: Int
        var next: Int
    }

    private var links: ContiguousArray<Link> = []
    private var head = -1
    private var tail = -1
    private(set) var count = 0

    /// The place at the front, or nil.
    var first: Int? { head < 0 ? nil : head }

    /// The place at the back, or nil.
    var last: Int? { tail < 0 ? nil : tail }

    /// The place behind another, or nil.
    func place(after place: Int) -> Int? {
        let next = links[place].next
        return next < 0 ? nil : next
    }

    /// The place in front of another, or nil.
    func place(before place: Int) -> Int? {
        let previous = links[place].previous
        return previous < 0 ? nil : previous
    }

    mutating func insertFirst(_ place: Int) {
        makeRoom(for: place)
        links[place] = Link(previous: -1, next: head)
        if head < 0 {
            tail = place
        } else {
            links[head].previous = place
        }
        head = place
        count += 1
    }

    mutating func insertLast(_ place: Int) {
        makeRoom(for: place)
        links[place] = Link(previous: tail, next: -1)
        if tail < 0 {
            head = place
        } else {
            links[tail].next = place
        }
        tail = place
        count += 1
    }

    /// Takes out a place that is in the order.
    mutating func remove(_ place: Int) {
        let link = links[place]
        if link.previous < 0 {
            head = link.next
        } else {
            links[link.previous].next = link.next
        }
        if link.next < 0 {
            tail = link.previous
        } else {
            links[link.next].previous = link.previous
        }
        count -= 1
    }

    private mutating func makeRoom(for place: Int) {
        while links.count <= place { links.append(Link(previous: -1, next: -1)) }
    }
}
