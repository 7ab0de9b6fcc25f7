internal import Glibc

/// A system call that failed: which one, and the kernel's reason.
public struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The call, as its manual page is named.
    public let call: String
    /// The error number, as in `errno(3)`.
    public let code: Int32

    /// An error of a call.
    public init(call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    /// The error of the call that has just failed on this thread.
    static func last(_ call: String) -> Self {
        Self(call: call, code: errno)
    }

    /// There is no address to connect to.
    public static var noAddress: Self { Self(call: "connect", code: EDESTADDRREQ) }

    /// Nothing listens at the address.
    public var isRefused: Bool { code == ECONNREFUSED || code == ENOENT }
    /// The process or the machine has no descriptor left.
    public var isOutOfDescriptors: Bool { code == EMFILE || code == ENFILE }
    /// It failed for want of something that may be there again in a moment: descriptors, memory,
    /// ports, or room in a unix socket's queue.
    public var isPassing: Bool {
        switch code {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL, EAGAIN: true
        default: false
        }
    }
    /// Somebody listened, and was gone before the connection was accepted.
    public var isReset: Bool { code == ECONNRESET || code == EPIPE }
    /// The address is taken.
    public var isAddressInUse: Bool { code == EADDRINUSE }

    /// For a log line.
    public var description: String {
        "\(call): \(Self.text(code))"
    }

    private static func text(_ code: Int32) -> String {
        // Safe because strerror gives a string that lives until the next call on this thread.
        guard let text = unsafe strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}

/// What a read or a write came to.
public enum Transfer: Equatable {
    /// So many bytes were moved; at least one.
    case bytes(Int)
    /// Nothing can be moved now.
    case wouldBlock
    /// The peer has sent all that it will.
    case endOfInput
    /// The connection is broken; the error number.
    case failed(Int32)
}
