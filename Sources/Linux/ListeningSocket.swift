internal import CLinux
internal import Glibc

/// A socket that accepts connections.
public struct ListeningSocket: ~Copyable, Sendable {
    private static var backlog: Int32 { 4096 }
    private let descriptor: Descriptor
    /// Where it listens, with the port that the kernel chose if it was asked to.
    public let address: SocketAddress

    private init(descriptor: consuming Descriptor, address: SocketAddress) {
        self.descriptor = descriptor
        self.address = address
    }

    /// The number to watch.
    public var number: Int32 { descriptor.number }

    /// Listens at an IP address; with `isShared`, other sockets of this process may, too, and the
    /// kernel spreads connections over them.
    public init(ip address: SocketAddress, isShared: Bool) throws(SystemError) {
        let descriptor = try Self.makeSocket(for: address)
        if isShared {
            try Socket.set(descriptor.number, SOL_SOCKET, SO_REUSEPORT)
        }
        // Accepted connections inherit these.
        try Socket.set(descriptor.number, Int32(IPPROTO_TCP), TCP_NODELAY)
        try Socket.keepAlive(descriptor.number)
        try Self.bindAndListen(descriptor.number, address)
        let bound = try Self.ownAddress(descriptor.number)
        self.init(descriptor: descriptor, address: bound)
    }

    /// Finds out whether an IP address can be listened at, without listening: SO_REUSEPORT would
    /// share it with another process in silence.
    ///
    /// Nobody can connect to what is only bound, so no client is lost when it is closed again.
    public static func requireFree(_ address: SocketAddress) throws(SystemError) {
        let descriptor = try makeSocket(for: address)
        let bound = unsafe address.withPointer { unsafe Glibc.bind(descriptor.number, $0, $1) }
        guard bound == 0 else { throw .last("bind") }
    }

    private static func makeSocket(for address: SocketAddress) throws(SystemError) -> Descriptor {
        let descriptor = try Socket.make(family: address.family)
        try Socket.set(descriptor.number, SOL_SOCKET, SO_REUSEADDR)
        if address.family == AF_INET6 {
            try Socket.set(descriptor.number, Int32(IPPROTO_IPV6), IPV6_V6ONLY)
        }
        return descriptor
    }

    /// Listens at a unix socket, in place of one that nobody listens at any more.
    public init(unix address: SocketAddress) throws(SystemError) {
        let descriptor = try Socket.make(family: AF_UNIX)
        do {
            try Self.bindAndListen(descriptor.number, address)
        } catch  where error.isAddressInUse {
            guard let path = address.unixPath, Self.isSocket(path), Self.isAbandoned(address)
            else { throw error }
            // Safe because unlink only reads the path.
            _ = unsafe unlink(path)
            try Self.bindAndListen(descriptor.number, address)
        }
        self.init(descriptor: descriptor, address: address)
    }

    /// Whether a socket has the name; connecting to any other file is refused like to an abandoned
    /// socket, and it must not be taken for one.
    private static func isSocket(_ path: String) -> Bool {
        var status = stat()
        // Safe because the call reads the path and fills the structure.
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    private static func isAbandoned(_ address: SocketAddress) -> Bool {
        do {
            _ = try Socket.connect(to: address)
            return false
        } catch {
            return error.code == ECONNREFUSED
        }
    }

    private static func bindAndListen(
        _ number: Int32,
        _ address: SocketAddress
    ) throws(SystemError) {
        let bound = unsafe address.withPointer { unsafe bind(number, $0, $1) }
        guard bound == 0 else { throw .last("bind") }
        guard listen(number, backlog) == 0 else { throw .last("listen") }
    }

    private static func ownAddress(_ number: Int32) throws(SystemError) -> SocketAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // Safe because the kernel fills at most `length` bytes of the storage.
        let found = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            let address = unsafe UnsafeMutableRawPointer(pointer).assumingMemoryBound(
                to: sockaddr.self
            )
            guard unsafe getsockname(number, address, &length) == 0 else {
                return nil as SocketAddress?
            }
            return unsafe SocketAddress(copying: address, length: length)
        }
        guard let found else { throw .last("getsockname") }
        return found
    }

    /// A second one for the same queue of connections, for another thread.
    public func duplicate() throws(SystemError) -> ListeningSocket {
        ListeningSocket(descriptor: try descriptor.duplicate(), address: address)
    }

    /// What accepting came to.
    public enum Outcome: ~Copyable {
        /// A connection, non-blocking, and who is at its other end.
        case accepted(Descriptor, peer: SocketAddress)
        /// None waits.
        case none
        /// Try again when a descriptor is free.
        case exhausted(SystemError)
    }

    /// Takes the next connection.
    public func accept() -> Outcome {
        while true {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            // Safe because the kernel fills at most `length` bytes of the storage.
            let (number, peer) = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
                let address = unsafe UnsafeMutableRawPointer(pointer)
                    .assumingMemoryBound(to: sockaddr.self)
                let number = unsafe clinux_accept(descriptor.number, address, &length)
                let size = socklen_t(MemoryLayout<sockaddr_storage>.size)
                return unsafe (number, SocketAddress(copying: address, length: min(length, size)))
            }
            if number >= 0 { return .accepted(Descriptor(number), peer: peer) }
            switch errno {
            case EINTR, ECONNABORTED, EPROTO, EPERM, ENETDOWN, EHOSTDOWN, EHOSTUNREACH,
                ENETUNREACH:
                continue  // That connection is gone (accept(2), "Error handling"); the next one.
            case EAGAIN: return .none
            default: return .exhausted(.last("accept4"))
            }
        }
    }
}
