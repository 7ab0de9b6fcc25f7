import Instances
import Testing
import Time

struct NoIdentityTests {
    private let t = Transcript()

    @Test("3.1 an old backend is said once, and invalidates nothing")
    func oldBackend() {
        #expect(
            t.report(.none(.absent), opened: 1, at: 2)
                == seen(
                    .none,
                    current: 0,
                    epoch: 0,
                    .oldBackend(.absent)
                )
        )
        #expect(t.report(.none(.malformed), opened: 3, at: 4) == seen(.none, current: 0, epoch: 0))
        #expect(t.registry.live.isLive(.none))
    }

    @Test("3.1 no answer at all is no old backend")
    func failedFirst() {
        #expect(t.report(.failed(.refused), opened: 1, at: 2) == seen(.none, current: 0, epoch: 0))
        #expect(t.report(.failed(.timedOut), opened: 1, at: 2) == seen(.none, current: 0, epoch: 0))
    }

    @Test("3.2 a backend that stops reporting is said once until it reports again")
    func stopsReporting() {
        _ = t.answer("a", opened: 1, at: 2)
        #expect(
            t.report(.none(.malformed), opened: 3, at: 4)
                == seen(
                    .unverified,
                    current: 1,
                    epoch: 1,
                    .stoppedReporting(.malformed)
                )
        )
        #expect(
            t.report(.none(.absent), opened: 5, at: 6)
                == seen(
                    .unverified,
                    current: 1,
                    epoch: 1
                )
        )
        #expect(
            t.answer("a", opened: 7, at: 8)
                == seen(
                    number(1),
                    current: 1,
                    epoch: 1,
                    .reportsAgain(number(1))
                )
        )
        #expect(t.answer("a", opened: 7, at: 8).changes.isEmpty)
        #expect(t.report(.none(.absent), opened: 9, at: 9).changes == [.stoppedReporting(.absent)])
        #expect(
            t.answer("b", opened: 10, at: 10).changes == [
                .replaced(old: number(1), new: number(2))
            ]
        )
        #expect(
            t.report(.none(.absent), opened: 11, at: 11).changes == [
                .stoppedReporting(.absent)
            ]
        )
    }

    @Test("3.2 silence is not broken by a replaced instance that drains")
    func silenceAndDraining() {
        _ = t.answer("a", opened: 1, at: 2)
        _ = t.answer("b", opened: 3, at: 4)
        _ = t.report(.none(.absent), opened: 5, at: 6)
        #expect(t.answer("a", opened: 1, at: 7).changes.isEmpty)
        #expect(t.report(.none(.absent), opened: 5, at: 8).changes.isEmpty)
    }

    @Test("3.2 a question without an answer leaves its connection unverified, and says nothing")
    func failedLater() {
        _ = t.answer("a", opened: 1, at: 2)
        #expect(
            t.report(.failed(.timedOut), opened: 3, at: 4)
                == seen(
                    .unverified,
                    current: 1,
                    epoch: 1
                )
        )
        #expect(t.registry.live.isLive(number(1)), "older verified connections go on serving")
        #expect(!t.registry.live.isLive(.unverified))
    }

    @Test(
        "3.1 an ID that is empty, too long or has control bytes counts as none",
        arguments: [
            [], Array(repeating: 0x61, count: 257), [0x61, 0x00], [0x0A], [0x1F], [0x7F, 0x61],
        ] as [[UInt8]]
    )
    func unusable(_ bytes: [UInt8]) {
        #expect(IdentityReport.read(bytes) == .none(.unusable))
        #expect(
            t.report(.id(bytes), opened: 1, at: 2)
                == seen(
                    .none,
                    current: 0,
                    epoch: 0,
                    .oldBackend(.unusable)
                )
        )
        let second: IdentityReport = .id(bytes + [0x0B])
        #expect(t.twice(.id(bytes), second, at: 3).instance == .none)
        #expect(t.registry.needsSecondAsk(after: id("a")))
    }

    @Test("3.1 an ID of 256 bytes, with spaces and UTF-8, is an ID")
    func usable() {
        let bytes = Array("é 2024-12-06T12:00:00Z".utf8) + Array(repeating: 0x7E, count: 233)
        #expect(bytes.count == 256)
        #expect(IdentityReport.read(bytes) == .id(bytes))
    }
}

struct FirstContactTests {
    private let t = Transcript()

    @Test("3.1 while no ID is known, a connection that reports one asks twice")
    func needsSecondAsk() {
        #expect(t.registry.needsSecondAsk(after: id("a")))
        #expect(!t.registry.needsSecondAsk(after: .none(.absent)))
        #expect(!t.registry.needsSecondAsk(after: .failed(.refused)))
        #expect(
            t.twice(id("a"), id("a"), at: 1)
                == seen(
                    number(1),
                    current: 1,
                    epoch: 1,
                    .first(number(1))
                )
        )
        #expect(!t.registry.needsSecondAsk(after: id("a")))
        #expect(!t.registry.needsSecondAsk(after: id("b")))
    }

    @Test("3.1 two IDs there are an ID for each request, which is none: warned once")
    func idPerRequest() {
        #expect(
            t.twice(id("a"), id("b"), at: 1)
                == seen(
                    .none,
                    current: 0,
                    epoch: 0,
                    .idPerRequest
                )
        )
        #expect(t.twice(id("c"), id("d"), at: 2) == seen(.none, current: 0, epoch: 0))
        #expect(t.twice(id("c"), id("c"), at: 2) == seen(.none, current: 0, epoch: 0))
        #expect(t.answer("e", opened: 3, at: 4) == seen(.none, current: 0, epoch: 0))
        #expect(t.report(.none(.absent), opened: 5, at: 6) == seen(.none, current: 0, epoch: 0))
        #expect(!t.registry.needsSecondAsk(after: id("f")))
    }

    @Test("3.1 a second question without an ID leaves the first answer standing")
    func secondAnswerLost() {
        #expect(t.twice(id("a"), .failed(.dropped), at: 1).changes == [.first(number(1))])
        #expect(t.twice(id("a"), .none(.absent), at: 1) == seen(number(1), current: 1, epoch: 1))
    }

    @Test("3.1 a first contact that another worker was faster with")
    func race() {
        #expect(t.registry.needsSecondAsk(after: id("a")))
        _ = t.twice(id("a"), id("a"), at: 1)
        #expect(t.twice(id("a"), id("a"), at: 2) == seen(number(1), current: 1, epoch: 1))
        #expect(
            t.twice(id("b"), id("c"), at: 3)
                == seen(
                    number(3),
                    current: 3,
                    epoch: 3,
                    .replaced(old: number(1), new: number(2)),
                    .replaced(old: number(2), new: number(3)),
                    .twoIDsOnOneConnection(earlier: number(2), now: number(3))
                )
        )
    }

    @Test("a change says whether it is a warning")
    func warnings() {
        let quiet: [InstanceChange] = [
            .first(number(1)), .replaced(old: number(1), new: number(2)), .reportsAgain(number(1)),
        ]
        let loud: [InstanceChange] = [
            .returned(old: number(1), new: number(2)), .oldBackend(.absent),
            .stoppedReporting(.absent), .idPerRequest,
            .twoIDsOnOneConnection(earlier: number(1), now: number(2)),
        ]
        #expect(quiet.allSatisfy { !$0.isWarning })
        #expect(loud.allSatisfy { $0.isWarning })
    }
}
