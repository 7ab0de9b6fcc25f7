import Foundation
import Memory
import Testing

struct LockedTests {
    @Test("eight threads count to the same sum as one")
    func threads() {
        let sum = Locked(0)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<10_000 { sum.withLock { $0 += 1 } }
        }
        #expect(sum.withLock { $0 } == 80_000)
    }

    private struct Refused: Error {}

    @Test("an error leaves the lock open")
    func errors() {
        let value = Locked(1)
        #expect(throws: Refused.self) {
            try value.withLock { (_: inout Int) throws(Refused) -> Void in throw Refused() }
        }
        #expect(value.withLock { $0 } == 1)
    }
}
