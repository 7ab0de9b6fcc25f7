internal import Foundation
internal import Glibc
internal import Memory

/// Something that runs on a thread of its own, and its result.
///
/// Tests over sockets block, so they use threads and not the few of Swift's own pool.
public final class Background<Value: Sendable>: Sendable {
    private let result = Locked<Result<Value, any Error>?>(nil)
    private let changed = NSCondition()

    /// Starts `body` at once.
    public init(_ body: @escaping @Sendable () throws -> Value) {
        let (result, changed) = (result, changed)
        Thread.detachNewThread {
            let outcome = Result { try body() }
            changed.lock()
            result.withLock { $0 = outcome }
            changed.broadcast()
            changed.unlock()
        }
    }

    /// Whether it has ended.
    public var isDone: Bool { result.withLock { $0 != nil } }

    /// Waits for the end and gives what came of it.
    public func value() throws -> Value {
        changed.lock()
        defer { changed.unlock() }
        while true {
            if let outcome = result.withLock({ (held: inout sending Result<Value, any Error>?) in
                held
            }) {
                return try outcome.get()
            }
            changed.wait()
        }
    }
}

/// Runs `body` on `count` threads at the same time and gives the results in order.
public func inParallel<Value: Sendable>(
    _ count: Int,
    _ body: @escaping @Sendable (Int) throws -> Value
) throws -> [Value] {
    let running = (0..<count).map { index in Background { try body(index) } }
    return try running.map { try $0.value() }
}

/// Looks again and again whether the condition holds; false when the time is over.
public func becomesTrue(seconds: Double = 5, _ condition: () throws -> Bool) rethrows -> Bool {
    let start = ContinuousClock.now
    while try !condition() {
        if ContinuousClock.now - start > .seconds(seconds) { return false }
        poll(nil, 0, 2)
    }
    return true
}
