import HTTP1
import Testing

@Suite("The connection, as the server")
struct ServerConnectionTests {
    @Test("7 one exchange after another")
    func keepAlive() {
        var machine = ConnectionMachine(role: .server)
        for _ in 0..<3 {
            #expect(machine.expectsHead == true)
            machine.requestHead(isPersistent: true)
            #expect(machine.expectsHead == false)
            #expect(machine.requestFinished() == .awaitOtherHalf)
            #expect(machine.expectsHead == false)
            #expect(machine.responseHead(isPersistent: true, endsAtClose: false) == .keepAlive)
            #expect(machine.responseFinished() == .nextExchange)
        }
        #expect(machine.inputClosed() == .clean)
        #expect(machine.expectsHead == false)
    }

    @Test("7 a pipelined request is not looked at before the answer is out")
    func pipelining() {
        var machine = ConnectionMachine(role: .server)
        machine.requestHead(isPersistent: true)
        #expect(machine.requestFinished() == .awaitOtherHalf)
        #expect(machine.expectsHead == false)
        #expect(machine.responseHead(isPersistent: true, endsAtClose: false) == .keepAlive)
        #expect(machine.expectsHead == false)
        #expect(machine.responseFinished() == .nextExchange)
        #expect(machine.expectsHead == true)
    }

    @Test("a client that wants to close, HTTP/1.0 among them")
    func clientCloses() {
        var machine = ConnectionMachine(role: .server)
        machine.requestHead(isPersistent: false)
        #expect(machine.requestFinished() == .awaitOtherHalf)
        #expect(machine.responseHead(isPersistent: true, endsAtClose: false) == .announceClose)
        #expect(machine.responseFinished() == .close)
        #expect(machine.expectsHead == false)
    }

    @Test("a response that ends with the connection, to HTTP/1.0")
    func untilClose() {
        var machine = ConnectionMachine(role: .server)
        machine.requestHead(isPersistent: true)
        #expect(machine.requestFinished() == .awaitOtherHalf)
        #expect(machine.responseHead(isPersistent: true, endsAtClose: true) == .announceClose)
        #expect(machine.responseFinished() == .close)
    }

    @Test("a response before the request is whole: the rest is drained, then close")
    func earlyResponse() {
        var machine = ConnectionMachine(role: .server)
        machine.requestHead(isPersistent: true)
        #expect(machine.responseHead(isPersistent: true, endsAtClose: false) == .keepAlive)
        #expect(machine.responseFinished() == .drainThenClose)
        #expect(machine.expectsHead == false)
        #expect(machine.requestFinished() == .close)
        #expect(machine.inputClosed() == .clean)
    }

    @Test("the client goes while the rest of its request is drained")
    func drainedByClose() {
        var machine = ConnectionMachine(role: .server)
        machine.requestHead(isPersistent: true)
        _ = machine.responseHead(isPersistent: true, endsAtClose: false)
        #expect(machine.responseFinished() == .drainThenClose)
        #expect(machine.mustClose() == .afterExchange)
        #expect(machine.inputClosed() == .clean)
        #expect(machine.mustClose() == .now)
    }

    @Test("a response that overtakes the request and waits for it keeps the connection")
    func requestEndsDuringResponse() {
        var machine = ConnectionMachine(role: .server)
        machine.requestHead(isPersistent: true)
        #expect(machine.responseHead(isPersistent: true, endsAtClose: false) == .keepAlive)
        #expect(machine.requestFinished() == .awaitOtherHalf)
        #expect(machine.responseFinished() == .nextExchange)
    }

    @Test("7 half-close: a whole request is answered")
    func halfClose() {
        var machine = ConnectionMachine(role: .server)
        machine.requestHead(isPersistent: true)
        #expect(machine.requestFinished() == .awaitOtherHalf)
        #expect(machine.inputClosed() == .answerThenClose)
        #expect(machine.responseHead(isPersistent: true, endsAtClose: false) == .announceClose)
        #expect(machine.responseFinished() == .close)
    }

    @Test("the client goes within a request")
    func truncatedRequest() {
        var machine = ConnectionMachine(role: .server)
        machine.requestHead(isPersistent: true)
        #expect(machine.inputClosed() == .truncated)
        // What the upstream still says comes too late, and does no harm.
        #expect(machine.responseHead(isPersistent: true, endsAtClose: false) == .announceClose)
        #expect(machine.responseFinished() == .close)
        #expect(machine.requestFinished() == .close)
    }

    @Test("the client goes within a head")
    func truncatedHead() {
        var machine = ConnectionMachine(role: .server)
        #expect(machine.inputClosed(hasPartialHead: true) == .truncated)
        #expect(machine.expectsHead == false)
    }

    @Test("the proxy stops: between two requests, and within one")
    func mustClose() {
        var idle = ConnectionMachine(role: .server)
        #expect(idle.mustClose() == .now)
        #expect(idle.expectsHead == false)

        var busy = ConnectionMachine(role: .server)
        busy.requestHead(isPersistent: true)
        #expect(busy.mustClose() == .afterExchange)
        #expect(busy.requestFinished() == .awaitOtherHalf)
        #expect(busy.responseHead(isPersistent: true, endsAtClose: false) == .announceClose)
        #expect(busy.responseFinished() == .close)
    }

    @Test("the proxy stops while the response is on its way")
    func mustCloseLate() {
        var machine = ConnectionMachine(role: .server)
        machine.requestHead(isPersistent: true)
        #expect(machine.requestFinished() == .awaitOtherHalf)
        #expect(machine.responseHead(isPersistent: true, endsAtClose: false) == .keepAlive)
        #expect(machine.mustClose() == .afterExchange)
        #expect(machine.responseFinished() == .close)
    }
}

@Suite("The connection, as the client")
struct ClientConnectionTests {
    @Test("one exchange after another")
    func keepAlive() {
        var machine = ConnectionMachine(role: .client)
        for _ in 0..<3 {
            #expect(machine.isIdle == true)
            #expect(machine.expectsHead == false)
            machine.requestHead(isPersistent: true)
            #expect(machine.isIdle == false)
            #expect(machine.expectsHead == true)
            #expect(machine.requestFinished() == .awaitOtherHalf)
            #expect(machine.responseHead(isPersistent: true, endsAtClose: false) == .keepAlive)
            #expect(machine.expectsHead == false)
            #expect(machine.responseFinished() == .nextExchange)
        }
        #expect(machine.inputClosed() == .clean)
        #expect(machine.isIdle == false)
    }

    @Test("3.2 a backend that closes after each answer")
    func serverCloses() {
        var machine = ConnectionMachine(role: .client)
        machine.requestHead(isPersistent: true)
        #expect(machine.requestFinished() == .awaitOtherHalf)
        #expect(machine.responseHead(isPersistent: false, endsAtClose: false) == .announceClose)
        #expect(machine.responseFinished() == .close)
        #expect(machine.inputClosed() == .clean)
    }

    @Test("an end of input completes a response that was to end so")
    func untilClose() {
        var machine = ConnectionMachine(role: .client)
        machine.requestHead(isPersistent: true)
        #expect(machine.requestFinished() == .awaitOtherHalf)
        #expect(machine.responseHead(isPersistent: false, endsAtClose: true) == .announceClose)
        #expect(machine.inputClosed() == .responseComplete)
        #expect(machine.isIdle == false)
    }

    @Test("4.2 an end of input within a response is a truncation")
    func truncated() {
        var machine = ConnectionMachine(role: .client)
        machine.requestHead(isPersistent: true)
        #expect(machine.requestFinished() == .awaitOtherHalf)
        #expect(machine.responseHead(isPersistent: true, endsAtClose: false) == .keepAlive)
        #expect(machine.inputClosed() == .truncated)
    }

    @Test("4.2 an end of input before a response is none")
    func noResponse() {
        var machine = ConnectionMachine(role: .client)
        machine.requestHead(isPersistent: true)
        #expect(machine.requestFinished() == .awaitOtherHalf)
        #expect(machine.inputClosed() == .truncated)
        #expect(machine.expectsHead == false)
    }

    @Test("a response that is whole before the request ends the connection")
    func earlyResponse() {
        var machine = ConnectionMachine(role: .client)
        machine.requestHead(isPersistent: true)
        #expect(machine.responseHead(isPersistent: true, endsAtClose: false) == .keepAlive)
        #expect(machine.responseFinished() == .close)
        #expect(machine.requestFinished() == .close)
    }

    @Test("a request that is closed by us is answered, then the connection ends")
    func mustClose() {
        var machine = ConnectionMachine(role: .client)
        machine.requestHead(isPersistent: true)
        #expect(machine.mustClose() == .afterExchange)
        #expect(machine.requestFinished() == .awaitOtherHalf)
        #expect(machine.responseHead(isPersistent: true, endsAtClose: false) == .announceClose)
        #expect(machine.responseFinished() == .close)
    }
}
