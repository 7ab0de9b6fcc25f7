import HTTPModel
import Instances
import Linux
import Memory
import Testing
import Time

@testable import Proxy

struct UpstreamTests {
    @Test("3.2 a socket in another's place knows nothing of who answered on that one")
    func replaced() throws {
        let address = try #require(
            try SocketAddress.resolve(host: "127.0.0.1", port: 0, toListen: true).first
        )
        let listener = try ListeningSocket(ip: address, isShared: false)
        let first = try Socket.connect(to: listener.address)
        var upstream = Upstream(descriptor: first, address: address, openedAt: .zero)
        upstream.instance = InstanceNumber(rawValue: 1)
        upstream.ask.firstReport = .id(Array("A".utf8))
        upstream.wire.input.append("HTTP/1.1 200 OK\r\n")
        upstream.wire.isReadable = true

        let later = MonotonicTime(nanoseconds: 5)
        let second = try Socket.connect(to: listener.address)
        upstream.replaceSocket(second, address: listener.address, openedAt: later)
        #expect((upstream.instance == nil) as Bool)
        #expect((upstream.ask.firstReport == nil) as Bool)
        #expect((upstream.openedAt == later) as Bool)
        #expect((upstream.address == listener.address) as Bool)
        #expect((upstream.wire.isQuiet() && !upstream.wire.isWritable) as Bool)
    }

    @Test("7 a connection is fit for another message only if nothing waits on it, read or not")
    func quiet() throws {
        let address = try #require(
            try SocketAddress.resolve(host: "127.0.0.1", port: 0, toListen: true).first
        )
        let listener = try ListeningSocket(ip: address, isShared: false)
        var wire = Wire(try Socket.connect(to: listener.address), isWritable: true)
        #expect((wire.isQuiet()) as Bool)
        wire.isReadable = true
        #expect((!wire.isQuiet()) as Bool)
        wire.isReadable = false
        wire.isPeerDone = true
        #expect((!wire.isQuiet()) as Bool)
        wire.isPeerDone = false
        wire.input.append("x")
        #expect((!wire.isQuiet()) as Bool)
    }
}
