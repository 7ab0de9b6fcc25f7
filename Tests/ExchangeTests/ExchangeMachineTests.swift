import Exchange
import HTTPModel
import Testing

/// How far a request has come when its upstream side fails.
private enum Progress: CaseIterable {
    case waiting
    case granted
    case sent
    case contentLetGo
    case responseSeen
    case responding
}

private let failures: [UpstreamFailure] = [
    .unreachable, .dropped, .noAnswer, .badResponse, .overloaded, .unverified,
]

private let methods: [HTTPModel.Method] = [
    .get, .head, .post, .put, .delete, .connect, .options, .trace, .patch, .other,
]

private func machine(
    _ method: HTTPModel.Method,
    carriesSession: Bool,
    _ progress: Progress
) -> ExchangeMachine {
    var machine = ExchangeMachine(method: method, carriesSession: carriesSession)
    advance(&machine, to: progress)
    return machine
}

private func advance(_ machine: inout ExchangeMachine, to progress: Progress) {
    if progress == .waiting { return }
    machine.connectionGranted()
    if progress == .granted { return }
    machine.requestBytesWritten()
    switch progress {
    case .waiting, .granted, .sent: break
    case .contentLetGo: machine.contentLetGo()
    case .responseSeen: machine.responseSeen()
    case .responding:
        machine.responseSeen()
        machine.responseBegun()
    }
}

/// The table of contract 4.1, written down a second time.
private func answer(
    _ failure: UpstreamFailure,
    carriesSession: Bool,
    isHarmless: Bool
) -> Answer {
    if carriesSession { return .sessionKept(repeatIsHarmless: isHarmless) }
    return switch failure {
    case .unreachable, .dropped: .unreachable
    case .noAnswer: .timeout
    case .badResponse: .badResponse
    case .overloaded: .overloaded
    case .unverified: .sessionKept(repeatIsHarmless: isHarmless)
    }
}

private let idempotent: Set<HTTPModel.Method> = [.get, .head, .options, .trace, .put, .delete]

struct ExchangeMachineTests {
    @Test("4.1, 4.2 each failure in each state: retry, answer or break off", arguments: methods)
    func table(_ method: HTTPModel.Method) {
        for failure in failures {
            for progress in Progress.allCases {
                for carriesSession in [false, true] {
                    var machine = machine(method, carriesSession: carriesSession, progress)
                    let nothingSent = progress == .waiting || progress == .granted
                    let isHarmless = nothingSent || idempotent.contains(method)
                    let isReplayable = nothingSent || progress == .sent
                    let expected: ExchangeMachine.FailureAction =
                        if progress == .responding {
                            .breakOff
                        } else if failure == .dropped && isHarmless && isReplayable {
                            .retry
                        } else {
                            .answer(
                                answer(
                                    failure,
                                    carriesSession: carriesSession,
                                    isHarmless: isHarmless
                                )
                            )
                        }
                    #expect(machine.isReplayable == isReplayable)
                    #expect(machine.isResponding == (progress == .responding))
                    let action = machine.upstreamFailed(failure)
                    #expect(
                        action == expected,
                        "\(failure) when \(progress), session: \(carriesSession)"
                    )
                }
            }
        }
    }

    @Test("4.2 once more and no further, wherever the second attempt fails", arguments: methods)
    func oneRetry(_ method: HTTPModel.Method) {
        for progress in Progress.allCases where progress != .responding {
            for carriesSession in [false, true] {
                var machine = machine(method, carriesSession: carriesSession, .granted)
                #expect(machine.upstreamFailed(.dropped) == .retry)
                #expect(machine.isReplayable)
                #expect(!machine.isResponding)
                advance(&machine, to: progress)
                let isHarmless =
                    progress == .waiting || progress == .granted || idempotent.contains(method)
                let expected = answer(
                    .dropped,
                    carriesSession: carriesSession,
                    isHarmless: isHarmless
                )
                #expect(machine.upstreamFailed(.dropped) == .answer(expected), "\(progress)")
                #expect(machine.upstreamFailed(.dropped) != .retry)
            }
        }
    }

    @Test("4.2 the second attempt's response that breaks is broken off")
    func retryBreaks() {
        var machine = machine(.get, carriesSession: true, .sent)
        #expect(machine.upstreamFailed(.dropped) == .retry)
        advance(&machine, to: .responding)
        #expect(machine.upstreamFailed(.dropped) == .breakOff)
        #expect(machine.upstreamFailed(.noAnswer) == .breakOff)
    }

    @Test("4.1 bytes of the first attempt do not forbid Retry-After once a retry waits")
    func waitingAgain() {
        var machine = machine(.get, carriesSession: true, .sent)
        #expect(machine.upstreamFailed(.dropped) == .retry)
        let kept = Answer.sessionKept(repeatIsHarmless: true)
        #expect(machine.upstreamFailed(.unreachable) == .answer(kept))
    }

    @Test("a connection that is given back unused leaves no trace")
    func connectionReturned() {
        var machine = machine(.post, carriesSession: true, .granted)
        machine.connectionReturned()
        #expect(machine.isReplayable)
        let kept = Answer.sessionKept(repeatIsHarmless: true)
        #expect(machine.upstreamFailed(.unreachable) == .answer(kept))
        machine.connectionGranted()
        #expect(machine.upstreamFailed(.dropped) == .retry)
    }

    @Test("bytes written without a connection, or while responding, change nothing")
    func strayWrites() {
        var waiting = machine(.post, carriesSession: false, .waiting)
        waiting.requestBytesWritten()
        #expect(waiting.upstreamFailed(.dropped) == .retry)
        var responding = machine(.post, carriesSession: false, .responding)
        responding.requestBytesWritten()
        #expect(responding.isResponding)
        #expect(responding.upstreamFailed(.dropped) == .breakOff)
    }
}
