internal import CLinux
internal import Glibc

/// A descriptor by which one thread wakes another that polls it (an eventfd).
public struct Wakeup: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// One that has not been rung.
    public init() throws(SystemError) {
        let number = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        guard number >= 0 else { throw .last("eventfd") }
        descriptor = Descriptor(number)
    }

    /// The number to watch for reading.
    public var number: Int32 { descriptor.number }

    /// Makes it readable.
    public func ring() {
        var one: UInt64 = 1
        // Safe because eight bytes are read. It fails only when 2^64 rings wait already.
        _ = unsafe Glibc.write(descriptor.number, &one, 8)
    }

    /// Makes it unreadable again.
    public func silence() {
        var count: UInt64 = 0
        // Safe because eight bytes are written. It fails only when nobody rang.
        _ = unsafe Glibc.read(descriptor.number, &count, 8)
    }
}
