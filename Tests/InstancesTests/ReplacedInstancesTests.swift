import Testing
import Time

@testable import Instances

struct ReplacedInstancesTests {
    @Test("3.4 replaced IDs are remembered up to a bound, the oldest forgotten")
    func bound() {
        let t = Transcript()
        let max = InstanceRegistry.replacedMax
        for index in 0...(max + 1) {
            _ = t.answer("id-\(index)", opened: Int64(index), at: Int64(index))
        }
        // Instance 1 is forgotten, instances 2 to max + 1 are replaced, max + 2 is current.
        #expect(t.registry.live.current == number(UInt32(max + 2)))
        #expect(t.registry.id(of: number(1)) == nil)
        #expect(t.registry.id(of: number(2)) == Array("id-1".utf8))
        #expect(t.registry.id(of: number(UInt32(max + 2))) == Array("id-\(max + 1)".utf8))
        #expect(t.registry.id(of: .none) == nil)
        #expect(t.registry.id(of: .unverified) == nil)
        // Forgotten, but late all the same: its connection is older than the current instance.
        let late = t.answer("id-0", opened: 0, at: 5000)
        #expect(late.changes.isEmpty)
        #expect(late.live.current == number(UInt32(max + 2)))
        #expect(!late.live.isLive(late.instance))
    }

    @Test("an ID forgotten under its old number is still found under its new one")
    func forgetsNumbersNotIDs() {
        var replaced = ReplacedInstances(capacity: 2)
        func entry(_ number: UInt32, _ id: UInt8) -> ReplacedInstances.Entry {
            .init(
                number: InstanceNumber(rawValue: number),
                id: [id],
                replacedAt: .zero,
                wasCurrent: true
            )
        }
        replaced.add(entry(1, 7))
        replaced.add(entry(2, 7))
        replaced.add(entry(3, 8))
        #expect(replaced.id(of: number(1)) == nil)
        #expect(replaced.entry([7]) == entry(2, 7))
        replaced.add(entry(4, 9))
        #expect(replaced.entry([7]) == nil)
        #expect(replaced.entry([8]) == entry(3, 8))
        #expect(replaced.count == 2)
    }

    @Test("an ID is shown by its first eight characters")
    func shortID() {
        let t = Transcript()
        _ = t.answer("abc123-def456", opened: 1, at: 1)
        #expect(t.registry.shortID(of: number(1)) == "abc123-d…")
        _ = t.answer("abcdefgh", opened: 2, at: 2)
        #expect(t.registry.shortID(of: number(2)) == "abcdefgh")
        #expect(t.registry.shortID(of: number(9)) == "unknown")
    }
}
