import Exchange
import HTTPModel
import Testing

/// The life of a request towards the backend: event, expected action (contract 4.1, 4.2).
struct ExchangeMachineTests {
    private func machine(
        _ method: Method = .get,
        session: Bool = false
    ) -> ExchangeMachine {
        ExchangeMachine(method: method, carriesSession: session)
    }

    private static let failures: [UpstreamFailure] = [
        .unreachable, .dropped, .noAnswer, .badResponse, .overloaded, .unverified,
    ]

    @Test("4.1 without a session: 502, 504, 503, each by its cause")
    func anonymous() {
        let expected: [(UpstreamFailure, Answer)] = [
            (.unreachable, .unreachable), (.noAnswer, .timeout), (.badResponse, .badResponse),
            (.overloaded, .overloaded),
        ]
        for (failure, answer) in expected {
            var machine = machine()
            #expect(machine.upstreamFailed(failure) == .answer(answer))
        }
    }

    @Test("4.1 with a session every failure keeps it; Retry-After only where that is harmless")
    func withSession() {
        for failure in Self.failures where failure != .dropped {
            var waiting = machine(.post, session: true)
            #expect(
                waiting.upstreamFailed(failure) == .answer(.sessionKept(repeatIsHarmless: true)),
                "nothing was sent"
            )
            var sent = machine(.post, session: true)
            sent.connectionGranted()
            sent.requestBytesWritten()
            #expect(
                sent.upstreamFailed(failure) == .answer(.sessionKept(repeatIsHarmless: false))
            )
            var safe = machine(.put, session: true)
            safe.connectionGranted()
            safe.requestBytesWritten()
            #expect(safe.upstreamFailed(failure) == .answer(.sessionKept(repeatIsHarmless: true)))
        }
    }

    @Test(
        "4.2 dropped: once more if idempotent, and no further",
        arguments: [Method.get, .head, .put, .delete, .options, .trace]
    )
    func idempotent(method: Method) {
        var machine = machine(method)
        machine.connectionGranted()
        machine.requestBytesWritten()
        #expect(machine.upstreamFailed(.dropped) == .retry)
        machine.connectionGranted()
        machine.requestBytesWritten()
        #expect(machine.upstreamFailed(.dropped) == .answer(.unreachable))
    }

    @Test("4.2 dropped: not again if not idempotent", arguments: [Method.post, .patch, .other])
    func notIdempotent(method: Method) {
        var machine = machine(method)
        machine.connectionGranted()
        machine.requestBytesWritten()
        #expect(machine.upstreamFailed(.dropped) == .answer(.unreachable))
    }

    @Test("4.2 dropped before a byte was written: once more, whatever the method")
    func nothingSent() {
        var machine = machine(.post)
        machine.connectionGranted()
        #expect(machine.upstreamFailed(.dropped) == .retry)
        #expect(machine.upstreamFailed(.dropped) == .answer(.unreachable))
    }

    @Test("4.2 dropped after content was streamed away: not again")
    func streamedAway() {
        var machine = machine(.put)
        machine.connectionGranted()
        machine.requestBytesWritten()
        machine.contentLetGo()
        #expect(machine.upstreamFailed(.dropped) == .answer(.unreachable))
    }

    @Test("4.2 dropped after something of a response was seen: not again")
    func responseSeen() {
        var machine = machine()
        machine.connectionGranted()
        machine.requestBytesWritten()
        machine.responseSeen()
        #expect(machine.upstreamFailed(.dropped) == .answer(.unreachable))
    }

    @Test("4.2 only a lost connection is worth another try")
    func otherFailures() {
        for failure in Self.failures where failure != .dropped {
            var machine = machine()
            machine.connectionGranted()
            machine.requestBytesWritten()
            #expect(machine.upstreamFailed(failure) != .retry)
        }
    }

    @Test("4.2 once the client has seen a response begin, it is broken off, never answered")
    func responding() {
        for failure in Self.failures {
            for session in [true, false] {
                var machine = machine(session: session)
                machine.connectionGranted()
                machine.requestBytesWritten()
                machine.responseBegun()
                #expect(machine.isResponding)
                #expect(machine.upstreamFailed(failure) == .breakOff)
            }
        }
    }
}
