internal import CLinux
internal import Glibc

/// An address that a socket binds or connects to.
public struct SocketAddress: Sendable, Equatable {
    /// The structure that the kernel takes, as bytes.
    private let storage: [UInt8]

    private init(storage: [UInt8]) {
        self.storage = storage
    }

    // Safe because the pointer is valid for `length` bytes.
    init(copying pointer: UnsafePointer<sockaddr>, length: socklen_t) {
        unsafe storage = Array(UnsafeRawBufferPointer(start: pointer, count: Int(length)))
    }

    /// A unix socket by its path, at most 107 bytes; nil for a longer one.
    public init?(unixPath: String) {
        var address = sockaddr_un()
        let path = Array(unixPath.utf8)
        guard !path.isEmpty, path.count < MemoryLayout.size(ofValue: address.sun_path),
            !path.contains(0)
        else { return nil }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
            for index in path.indices { unsafe room[index] = path[index] }
        }
        storage = unsafe withUnsafeBytes(of: &address) { unsafe Array($0) }
    }

    /// The address family.
    var family: Int32 {
        storage.count >= 2 ? Int32(UInt16(storage[1]) << 8 | UInt16(storage[0])) : AF_UNSPEC
    }

    /// Whether it is a unix socket.
    public var isUnix: Bool { family == AF_UNIX }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>?, socklen_t) -> Result) -> Result {
        unsafe storage.withUnsafeBytes { bytes in
            let pointer = unsafe bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            return unsafe body(pointer, socklen_t(bytes.count))
        }
    }

    /// The port, or 0 for a unix socket.
    public var port: UInt16 {
        isUnix || storage.count < 4 ? 0 : UInt16(storage[2]) << 8 | UInt16(storage[3])
    }

    /// The 16 bytes of the IP address as two numbers, IPv4 in `::ffff:0:0/96`; nil for unix.
    public var ip: (high: UInt64, low: UInt64)? {
        if family == AF_INET, storage.count >= 8 {
            var low: UInt64 = 0xFFFF
            for index in 4..<8 { low = low << 8 | UInt64(storage[index]) }
            return (0, low)
        }
        guard family == AF_INET6, storage.count >= 24 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for index in 8..<16 { high = high << 8 | UInt64(storage[index]) }
        for index in 16..<24 { low = low << 8 | UInt64(storage[index]) }
        return (high, low)
    }

    /// The IP address in its text form, IPv4 mapped to IPv6 as plain IPv4; `unix` for unix.
    public var ipText: String {
        guard let ip else { return "unix" }
        if ip.high == 0, ip.low >> 32 == 0xFFFF {
            let low = ip.low
            return "\(low >> 24 & 255).\(low >> 16 & 255).\(low >> 8 & 255).\(low & 255)"
        }
        var text = [CChar](repeating: 0, count: 64)
        let found = unsafe storage.withUnsafeBytes { bytes in
            // Safe because the address lies at byte 8, and the text has room for its longest form.
            unsafe inet_ntop(AF_INET6, bytes.baseAddress.map { unsafe $0 + 8 }, &text, 64) != nil
        }
        guard found else { return "unknown" }
        return String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }

    /// For log lines: `127.0.0.1:8080`, `[::1]:8080`, `unix:/path`.
    public var text: String {
        if isUnix {
            return "unix:"
                + String(decoding: storage.dropFirst(2).prefix { $0 != 0 }, as: UTF8.self)
        }
        let ip = ipText
        return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    }

    /// The path of a unix socket.
    public var unixPath: String? {
        isUnix ? String(decoding: storage.dropFirst(2).prefix { $0 != 0 }, as: UTF8.self) : nil
    }

    /// Takes a unix socket's name out of the file system, so that nobody connects to it any more.
    public func removeName() {
        if let unixPath {
            // Safe because unlink only reads the path.
            _ = unsafe unlink(unixPath)
        }
    }

    /// Whether a host is an address as it stands, with nothing to be resolved.
    public static func isLiteral(_ host: String) -> Bool {
        var address = in6_addr()
        // Safe because the names are only read, and an address of either family fits.
        let isIPv4 = unsafe inet_pton(AF_INET, host, &address) == 1
        let isIPv6 = unsafe inet_pton(AF_INET6, host, &address) == 1
        return isIPv4 || isIPv6
    }

    /// The same addresses, each once, the families by turns, that of the first one first
    /// (RFC 8305 §4).
    ///
    /// Within a family they keep their order. So a family that does not work costs one attempt and
    /// not as many as it has addresses.
    public static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
        guard let first = addresses.first else { return [] }
        var same: [SocketAddress] = []
        var others: [SocketAddress] = []
        for address in addresses where !same.contains(address) && !others.contains(address) {
            if address.family == first.family {
                same.append(address)
            } else {
                others.append(address)
            }
        }
        var mixed: [SocketAddress] = []
        for place in 0..<max(same.count, others.count) {
            if place < same.count { mixed.append(same[place]) }
            if place < others.count { mixed.append(others[place]) }
        }
        return mixed
    }

    /// The addresses of a name or literal, in the resolver's order.
    ///
    /// Blocks: for start-up and a thread of its own only.
    public static func resolve(
        host: String,
        port: UInt16,
        toListen: Bool
    ) throws(ResolveError) -> [SocketAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = toListen ? AI_PASSIVE : 0
        var list: UnsafeMutablePointer<addrinfo>?
        // Safe because getaddrinfo makes the list, and it is freed once, below.
        let code = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            throw ResolveError(
                host: host,
                message: unsafe String(cString: gai_strerror(code))
            )
        }
        defer { unsafe freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let pointer = unsafe entry.pointee.ai_addr {
                unsafe found.append(
                    SocketAddress(copying: pointer, length: entry.pointee.ai_addrlen)
                )
            }
            unsafe next = entry.pointee.ai_next
        }
        return found
    }
}

/// A host name that could not be turned into an address.
public struct ResolveError: Error, CustomStringConvertible {
    /// The name.
    public let host: String
    /// The resolver's reason.
    public let message: String

    /// For a log line.
    public var description: String { "cannot resolve '\(host)': \(message)" }
}
