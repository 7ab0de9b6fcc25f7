internal import Glibc

/// A file descriptor that it owns, and closes when it goes.
public struct Descriptor: ~Copyable, Sendable {
    /// The number, for handing to a poller; never to be closed by others.
    public let number: Int32

    /// Takes a number over.
    init(_ number: Int32) {
        self.number = number
    }

    deinit {
        // EINTR is no reason to repeat: Linux has freed the number by then.
        _ = close(number)
    }

    /// A second descriptor of the same open file.
    public func duplicate() throws(SystemError) -> Descriptor {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw .last("fcntl") }
        return Descriptor(copy)
    }
}
