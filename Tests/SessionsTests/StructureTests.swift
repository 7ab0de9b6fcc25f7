import Instances
import Testing
import Time

@testable import Sessions

@Suite struct StructureTests {
    @Test("the index finds what is in it and nothing else, through growth and removal")
    func index() {
        var random = SeededRandom(seed: 11)
        var index = HashIndex()
        var model: [Digest: Int] = [:]
        // Few distinct tags, so that runs wrap around and tags collide.
        let digests = (0..<600).map { number in
            Digest(low: UInt64(number % 97) &* 0xFFFF_FFF1 & 0xFFFF_FFFF, high: UInt64(number))
        }
        func find(_ digest: Digest) -> Int? {
            var probe = index.probe(digest)
            while let place = index.next(&probe) {
                if digests[place] == digest { return place }
            }
            return nil
        }
        for step in 0..<40_000 {
            let place = Int.random(in: 0..<(step < 20_000 ? 600 : 60), using: &random)
            let digest = digests[place]
            #expect(find(digest) == model[digest])
            if model[digest] == nil {
                index.insert(digest, at: place)
                model[digest] = place
            } else {
                index.remove(digest, at: place)
                model[digest] = nil
            }
            #expect(index.count == model.count)
        }
        for digest in digests { #expect(find(digest) == model[digest]) }
    }

    @Test("removing what is not in the index does nothing")
    func absent() {
        var index = HashIndex()
        index.remove(Digest(low: 1, high: 1), at: 0)
        index.insert(Digest(low: 1, high: 1), at: 3)
        index.remove(Digest(low: 1, high: 1), at: 4)
        index.remove(Digest(low: 2, high: 1), at: 3)
        #expect(index.count == 1)
    }

    @Test("2.2 the oldest tombstone makes room for a newer one alone, and is counted")
    func tombstones() {
        var tombstones = Tombstones(limit: 3, lifetime: 100_000_000_000, hasClaims: false)
        let keys = (0..<5).map { Digest(low: UInt64($0), high: 0) }
        let start = MonotonicTime(nanoseconds: 1 << 40)
        for (second, key) in keys.prefix(3).enumerated() {
            tombstones.insert(key, .restart, now: start + .seconds(Int64(second)))
        }
        #expect(tombstones.displacedCount == 0)
        tombstones.remove(keys[1])
        tombstones.insert(keys[3], .idle, now: start + .seconds(3))
        #expect(tombstones.displacedCount == 0)
        tombstones.insert(keys[4], .age, now: start + .seconds(4))
        #expect(tombstones.displacedCount == 1)
        let found = keys.map { tombstones.find($0, now: start + .seconds(5))?.reason }
        #expect(found == [nil, nil, .restart, .idle, .age])
        // What is over by age is not counted as displaced.
        tombstones.insert(keys[0], .backend, now: start + .seconds(103))
        #expect(tombstones.displacedCount == 1)
        #expect(tombstones.find(keys[3], now: start + .seconds(103)) == nil)
    }

    @Test("a tombstone that is set again is renewed")
    func renewed() {
        var tombstones = Tombstones(limit: 2, lifetime: 100_000_000_000, hasClaims: true)
        let key = Digest(low: 1, high: 1)
        let start = MonotonicTime.zero
        tombstones.insert(key, .idle, now: start)
        tombstones.insert(key, .restart, now: start + .seconds(50))
        #expect(tombstones.count == 1)
        #expect(tombstones.find(key, now: start + .seconds(149))?.reason == .restart)
        #expect(tombstones.find(key, now: start + .seconds(150)) == nil)
    }

    @Test("4.1 a flood of made-up cookies stays in its table")
    func refusedFlood() {
        var refused = RefusedCookies()
        let start = MonotonicTime(nanoseconds: 1 << 40)
        var random = SeededRandom(seed: 5)
        let mine = Digest(low: random.next(), high: random.next())
        let isFirst = refused.claim(mine, now: start)
        var fooled = 0
        for _ in 0..<100 {
            if refused.claim(mine, now: start + .milliseconds(1)) { fooled += 1 }
        }
        #expect(fooled == 0)
        for _ in 0..<200_000 {
            let value = Digest(low: random.next(), high: random.next())
            _ = refused.claim(value, now: start + .milliseconds(2))
        }
        let isFirstAgain = refused.claim(mine, now: start + .seconds(20))
        let isSecond = refused.claim(mine, now: start + .seconds(20))
        #expect([isFirst, isFirstAgain, isSecond] == [true, true, false])
    }

    @Test("3.4 sessions are counted by instance; what comes to nothing takes no room")
    func instanceCounts() {
        var counts = InstanceCounts()
        for number in 1...3 {
            for _ in 0..<number { counts.add(1, to: .init(rawValue: UInt32(number))) }
        }
        #expect((1...3).map { counts.count(.init(rawValue: $0)) } == [1, 2, 3])
        counts.add(-1, to: .init(rawValue: 1))
        #expect(counts.count(.init(rawValue: 1)) == 0)
        #expect(counts.count(.init(rawValue: 9)) == 0)
    }
}
