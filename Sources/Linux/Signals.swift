internal import CLinux
internal import Glibc

/// The signals that the process acts on, as a descriptor.
public struct Signals: ~Copyable, Sendable {
    /// A signal that came in.
    public enum Signal: Sendable, Equatable {
        case terminate
        case interrupt
        case hangUp
    }

    private let descriptor: Descriptor

    /// Blocks them for this thread and every one made from here on, before any other is made.
    public init() throws(SystemError) {
        let number = clinux_block_signals()
        guard number >= 0 else { throw .last("signalfd") }
        descriptor = Descriptor(number)
    }

    /// The number to watch for reading.
    public var number: Int32 { descriptor.number }

    /// The next signal that came in, if any.
    public func next() -> Signal? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        // Safe because the kernel fills at most the structure.
        guard unsafe Glibc.read(descriptor.number, &information, size) == size else { return nil }
        switch Int32(information.ssi_signo) {
        case SIGTERM: return .terminate
        case SIGINT: return .interrupt
        case SIGHUP: return .hangUp
        default: return nil
        }
    }
}
