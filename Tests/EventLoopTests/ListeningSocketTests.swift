import Glibc
import Linux
import Memory
import Testing

struct ListeningSocketTests {
    @Test(
        "6 an IP address: the port that the kernel chose, and who connects",
        arguments: ["127.0.0.1", "::1"]
    )
    func ip(_ host: String) throws {
        let listener = try ListeningSocket(ip: loopback(host), isShared: false)
        #expect(listener.address.port != 0)
        #expect(listener.address.ipText == host)
        let shown = host.contains(":") ? "[\(host)]" : host
        #expect(listener.address.text == "\(shown):\(listener.address.port)")
        let ends = try Ends(to: listener)
        #expect(ends.peer.ipText == host)
        #expect(ends.peer.port != listener.address.port)
        #expect(Socket.connectionError(ends.near.number) == nil)
        switch listener.accept() {
        case .none: break
        default: Issue.record("only one connection was made")
        }
    }

    @Test("6 an address that is taken is refused, unless both share it")
    func taken() throws {
        let first = try ListeningSocket(ip: loopback(), isShared: false)
        let address = first.address
        #expect { _ = try ListeningSocket(ip: address, isShared: false) } throws: {
            ($0 as? SystemError)?.isAddressInUse == true
        }
        let shared = try ListeningSocket(ip: loopback(), isShared: true)
        let second = try ListeningSocket(ip: shared.address, isShared: true)
        #expect(second.address == shared.address)
        #expect(second.number != shared.number)
    }

    @Test("to find out whether an address is free, nobody is let in")
    func requireFree() throws {
        let first = try ListeningSocket(ip: loopback(), isShared: true)
        let taken = first.address
        #expect { try ListeningSocket.requireFree(taken) } throws: {
            ($0 as? SystemError)?.isAddressInUse == true
        }
        let free = try ListeningSocket(ip: loopback(), isShared: false).address
        try ListeningSocket.requireFree(free)
        let again = try ListeningSocket(ip: free, isShared: false)
        #expect(again.address == free)
    }

    @Test("a duplicate takes from the same queue")
    func duplicate() throws {
        let listener = try ListeningSocket(ip: loopback(), isShared: false)
        let other = try listener.duplicate()
        #expect(other.address == listener.address)
        let near = try Socket.connect(to: listener.address)
        try waitReadable(other.number)
        guard case .accepted = other.accept() else {
            Issue.record("nothing in the queue")
            return
        }
        guard case .none = listener.accept() else {
            Issue.record("taken twice")
            return
        }
        #expect(Socket.connectionError(near.number) == nil)
    }

    @Test("6 a unix socket, and its name taken away")
    func unix() throws {
        let place = try SocketPlace("unix")
        let listener = try ListeningSocket(unix: place.address)
        #expect(listener.address.unixPath == place.path)
        #expect(listener.address.text == "unix:\(place.path)")
        let ends = try Ends(to: listener)
        #expect(ends.peer.isUnix)
        #expect(ends.peer.ipText == "unix")
        #expect(place.exists)
        listener.address.removeName()
        #expect(!place.exists)
        #expect { _ = try Socket.connect(to: place.address) } throws: {
            ($0 as? SystemError)?.isRefused == true
        }
    }

    @Test("6 a unix socket that nobody listens at any more is taken over")
    func abandoned() throws {
        let place = try SocketPlace("abandoned")
        do {
            let listener = try ListeningSocket(unix: place.address)
            _ = try Ends(to: listener)
        }
        #expect(place.exists)
        #expect { _ = try Socket.connect(to: place.address) } throws: {
            ($0 as? SystemError)?.isRefused == true
        }
        let successor = try ListeningSocket(unix: place.address)
        let ends = try Ends(to: successor)
        #expect(ends.peer.isUnix)
    }

    @Test("6 a unix socket in use, and a file that is none, are refused and left alone")
    func inUse() throws {
        let place = try SocketPlace("in-use")
        let listener = try ListeningSocket(unix: place.address)
        #expect { _ = try ListeningSocket(unix: place.address) } throws: {
            ($0 as? SystemError)?.isAddressInUse == true
        }
        // The attempt has left a connection, which came and went.
        guard case .accepted = listener.accept() else {
            Issue.record("the attempt did not ask who listens")
            return
        }
        _ = try Ends(to: listener)

        let file = try SocketPlace("file")
        let number = unsafe creat(file.path, 0o600)
        #expect(number >= 0)
        close(number)
        #expect(throws: SystemError.self) { _ = try ListeningSocket(unix: file.address) }
        #expect(file.exists)
    }

    @Test("a unix path is at most 107 bytes, without NUL, and not empty")
    func paths() {
        #expect(SocketAddress(unixPath: String(repeating: "a", count: 107)) != nil)
        #expect(SocketAddress(unixPath: String(repeating: "a", count: 108)) == nil)
        #expect(SocketAddress(unixPath: "") == nil)
        #expect(SocketAddress(unixPath: "a\0b") == nil)
    }

    @Test("a name that means nothing is said so")
    func resolve() {
        #expect(throws: ResolveError.self) {
            // Too long to be asked for anywhere.
            let host = String(repeating: "a", count: 300)
            return try SocketAddress.resolve(host: host, port: 1, toListen: true)
        }
    }
}
