public import CMemory
public import Synchronization

/// A value that several threads share, reached only under its lock.
///
/// Hold the lock for a handful of instructions: never across a system call, a callback that may
/// block, or another `Locked`. Inlinable, since a request takes it once or twice: measured, about
/// 500 instructions less.
public final class Locked<Value: ~Copyable>: Sendable {
    @usableFromInline let mutex: Mutex<Value>

    /// Wraps the first value.
    @inlinable
    public init(_ value: consuming sending Value) {
        mutex = Mutex(value)
    }

    /// Runs `body` alone with the value.
    @inlinable
    public func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try mutex.withLock { value throws(Failure) in
            // Safe because both only pass the address on as a name, for the thread sanitizer.
            let name = unsafe Unmanaged.passUnretained(self).toOpaque()
            unsafe cmemory_lock_acquired(name)
            defer { unsafe cmemory_lock_releasing(name) }
            return try body(&value)
        }
    }
}
