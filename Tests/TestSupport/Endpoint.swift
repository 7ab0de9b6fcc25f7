internal import Glibc
internal import Memory

/// Where a test connects to or lets something listen.
public enum Endpoint: Sendable, Hashable, CustomStringConvertible {
    /// An IPv4 or IPv6 literal and a port.
    case tcp(String, Int)
    /// The same over TLS, by a certificate for the literal that the file's authority vouches for.
    case tls(String, Int, authority: String)
    /// A unix socket by its path.
    case unix(String)

    /// As it stands in a configuration: `127.0.0.1:80`, `[::1]:80`, `unix:/path`.
    public var description: String {
        switch self {
        case .tcp(let host, let port) where host.contains(":"): "[\(host)]:\(port)"
        case .tcp(let host, let port), .tls(let host, let port, _): "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// As it stands in `upstream`.
    public var url: String {
        switch self {
        case .tcp: "http://\(description)"
        case .tls: "https://\(description)"
        case .unix: description
        }
    }

    /// The same port, over TLS.
    public func secured(by authority: String) -> Self {
        if case .tcp(let host, let port) = self {
            .tls(host, port, authority: authority)
        } else {
            self
        }
    }

    /// A port of 127.0.0.1 that nothing listens on and nothing will be given by chance.
    ///
    /// It lies below the ephemeral range: a connection to a backend that is down must not meet
    /// itself, nor another test's client sit on the port. Each process of tests counts up from
    /// a place of its own.
    public static func free(host: String = "127.0.0.1") -> Self {
        while true {
            let port = nextPort.withLock { (next: inout sending Int) -> Int in
                next = next >= 31_999 ? 12_000 : next + 1
                return next
            }
            let endpoint = Self.tcp(host, port)
            if Descriptor.canBind(endpoint) {
                return endpoint
            }
        }
    }

    private static let nextPort = Locked<Int>(12_000 + Int(getpid()) % 199 * 100)

    var family: Int32 {
        switch self {
        case .tcp(let host, _), .tls(let host, _, _): host.contains(":") ? AF_INET6 : AF_INET
        case .unix: AF_UNIX
        }
    }

    /// Calls `body` with the address in the kernel's form.
    func withAddress<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        switch self {
        case .tcp(let host, let port) where host.contains(":"):
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = in_port_t(port).bigEndian
            unsafe inet_pton(AF_INET6, host, &address.sin6_addr)
            return unsafe Self.lend(&address, body)
        case .tcp(let host, let port), .tls(let host, let port, _):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            unsafe inet_pton(AF_INET, host, &address.sin_addr)
            return unsafe Self.lend(&address, body)
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
                let bytes = Array(path.utf8.prefix(room.count - 1))
                unsafe room.copyBytes(from: bytes)
            }
            return unsafe Self.lend(&address, body)
        }
    }

    private static func lend<Address, Result>(
        _ address: inout Address,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        let size = socklen_t(MemoryLayout<Address>.size)
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, size)
            }
        }
    }
}
