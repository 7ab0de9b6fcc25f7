import Foundation
import Memory
import Testing

private struct Failure: Error, Equatable {}

struct LockedTests {
    @Test("threads that add at the same time lose nothing")
    func threads() {
        let pair = Locked<(Int, Int)>((0, 0))
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<20_000 {
                pair.withLock { pair in
                    pair.0 += 1
                    pair.1 -= 1
                }
            }
        }
        #expect(pair.withLock { $0.0 } == 160_000)
        #expect(pair.withLock { $0.1 } == -160_000)
    }

    @Test("no one sees another's work half done")
    func alone() {
        let list = Locked<[Int]>([])
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            for _ in 0..<2000 {
                let isWhole = list.withLock { list in
                    let before = list.isEmpty
                    list.append(thread)
                    defer { list.removeAll(keepingCapacity: true) }
                    return before && list == [thread]
                }
                if !isWhole { Issue.record("two at once") }
            }
        }
        #expect(list.withLock { $0.isEmpty })
    }

    @Test("an error comes out, and the lock is free again")
    func failing() {
        let number = Locked<Int>(1)
        #expect(throws: Failure()) {
            try number.withLock { number throws(Failure) in
                number = 2
                throw Failure()
            }
        }
        #expect(number.withLock { $0 } == 2)
    }

    @Test("a value that cannot be copied goes with its lock")
    func uncopyable() {
        let deaths = Deaths()
        do {
            let locked = Locked(Mortal(name: 1, deaths: deaths))
            locked.withLock { $0.name += 1 }
            #expect(locked.withLock { $0.name } == 2)
            #expect(deaths.count == 0)
        }
        #expect(deaths.count == 1)
    }
}
