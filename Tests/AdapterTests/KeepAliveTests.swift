import Glibc
import Linux
import Testing

/// A peer that is gone without a word is found out by the kernel.
@Suite("TCP keep-alive")
struct KeepAliveTests {
    private func option(_ number: Int32, _ level: Int32, _ option: Int32) -> Int32 {
        var value: Int32 = -1
        var length = socklen_t(MemoryLayout<Int32>.size)
        _ = unsafe getsockopt(number, level, option, &value, &length)
        return value
    }

    private func options(_ number: Int32) -> [Int32] {
        let tcp = Int32(IPPROTO_TCP)
        return [
            option(number, SOL_SOCKET, SO_KEEPALIVE), option(number, tcp, TCP_KEEPIDLE),
            option(number, tcp, TCP_KEEPINTVL), option(number, tcp, TCP_KEEPCNT),
        ]
    }

    @Test("both ends have it: those that are made, and those that are accepted, by inheritance")
    func bothEnds() throws {
        let any = try SocketAddress.resolve(host: "127.0.0.1", port: 0, toListen: true)
        let listener = try ListeningSocket(ip: any[0], isShared: true)
        let client = try Socket.connect(to: listener.address)
        #expect(options(client.number) == [1, 60, 10, 3])
        guard case .accepted(let accepted, _) = listener.accept() else {
            Issue.record("nothing was accepted")
            return
        }
        #expect(options(accepted.number) == [1, 60, 10, 3])
    }
}
