import Instances
import Testing
import Time

struct InstanceRegistryTests {
    private let t = Transcript()

    @Test("3.4 the first ID is the current instance, and said once")
    func first() {
        #expect(t.registry.live == LiveInstances(current: .none, epoch: 0))
        #expect(
            t.answer("a", opened: 1, at: 2)
                == seen(
                    number(1),
                    current: 1,
                    epoch: 1,
                    .first(number(1))
                )
        )
        #expect(t.answer("a", opened: 3, at: 4) == seen(number(1), current: 1, epoch: 1))
        #expect(t.registry.live == LiveInstances(current: number(1), epoch: 1))
    }

    @Test("3.4 a new ID replaces the old one, and every session of it is stale at once")
    func replaced() {
        _ = t.answer("a", opened: 1, at: 2)
        #expect(t.registry.live.isLive(number(1)))
        #expect(
            t.answer("b", opened: 3, at: 4)
                == seen(
                    number(2),
                    current: 2,
                    epoch: 2,
                    .replaced(old: number(1), new: number(2))
                )
        )
        #expect(!t.registry.live.isLive(number(1)))
        #expect(!t.registry.live.isLive(.none))
    }

    @Test("3.2 the first sight of a new ID raises the epoch, and nothing else does")
    func epoch() {
        _ = t.answer("a", opened: 1, at: 2)
        _ = t.answer("a", opened: 3, at: 4)
        _ = t.report(.failed(.refused), opened: 5, at: 5)
        _ = t.report(.none(.absent), opened: 5, at: 6)
        #expect(t.registry.live.epoch == 1)
        _ = t.answer("b", opened: 7, at: 8)
        _ = t.answer("a", opened: 3, at: 9)
        #expect(t.registry.live.epoch == 2)
    }

    @Test("3.4 a replaced instance that drains on its old connections is not back")
    func draining() {
        _ = t.answer("a", opened: 1, at: 2)
        _ = t.answer("b", opened: 3, at: 10)
        for opened in [0, 1, 3, 9, 10] as [Int64] {
            #expect(t.answer("a", opened: opened, at: 20) == seen(number(1), current: 2, epoch: 2))
        }
    }

    @Test("3.4 a replaced ID on a connection opened after that is current, under a new number")
    func returned() {
        _ = t.answer("a", opened: 1, at: 2)
        _ = t.answer("b", opened: 3, at: 10)
        #expect(
            t.answer("a", opened: 11, at: 12)
                == seen(
                    number(3),
                    current: 3,
                    epoch: 3,
                    .returned(old: number(2), new: number(3))
                )
        )
        #expect(!t.registry.live.isLive(number(1)), "its old sessions stay stale")
        #expect(t.answer("b", opened: 11, at: 13) == seen(number(2), current: 3, epoch: 3))
        #expect(t.answer("a", opened: 1, at: 14) == seen(number(3), current: 3, epoch: 3))
        #expect(
            t.answer("b", opened: 13, at: 14)
                == seen(
                    number(4),
                    current: 4,
                    epoch: 4,
                    .returned(old: number(3), new: number(4))
                )
        )
        #expect(
            t.answer("a", opened: 14, at: 14) == seen(number(3), current: 4, epoch: 4),
            "the latest of its numbers"
        )
    }

    @Test("3.3 a late answer of an instance that came and went unseen does not take over")
    func overtaken() {
        _ = t.answer("a", opened: 1, at: 2)
        _ = t.answer("c", opened: 20, at: 21)
        #expect(t.answer("b", opened: 10, at: 30) == seen(number(3), current: 2, epoch: 2))
        #expect(t.answer("b", opened: 12, at: 31) == seen(number(3), current: 2, epoch: 2))
        #expect(t.registry.id(of: number(3)) == Array("b".utf8))
        // Taken for late by mistake (its SYN was lost and sent again, say), it is not "returned".
        #expect(
            t.answer("b", opened: 40, at: 41)
                == seen(
                    number(4),
                    current: 4,
                    epoch: 3,
                    .replaced(old: number(2), new: number(4))
                )
        )
    }

    @Test("3.3 what counts is the earliest connection that ended in the current instance")
    func earliestConnection() {
        _ = t.answer("a", opened: 1, at: 2)
        _ = t.answer("b", opened: 20, at: 21)
        _ = t.answer("b", opened: 10, at: 22)
        #expect(
            t.answer("c", opened: 15, at: 23).changes == [
                .replaced(old: number(2), new: number(3))
            ]
        )
    }

    @Test("3.2 an ID never seen on an old connection asked again is new, not late")
    func routerProcess() {
        _ = t.answer("a", opened: 1, at: 2)
        _ = t.answer("b", opened: 20, at: 21)
        // The TCP end is a router: connection 1 reports whoever runs by now.
        #expect(
            t.answer("c", opened: 1, at: 30, previously: number(1))
                == seen(
                    number(3),
                    current: 3,
                    epoch: 3,
                    .replaced(old: number(2), new: number(3)),
                    .twoIDsOnOneConnection(earlier: number(1), now: number(3))
                )
        )
        // Nothing is late where the TCP end is not the process: the last one heard of counts.
        #expect(t.answer("d", opened: 25, at: 32).live.current == number(4))
    }

    @Test("3.2 an old connection asked again does not make the current instance as old as itself")
    func askedAgain() {
        _ = t.answer("a", opened: 1, at: 2)
        _ = t.answer("b", opened: 20, at: 21)
        _ = t.answer("b", opened: 1, at: 22, previously: number(1))
        _ = t.answer("b", opened: 1, at: 23, previously: number(2))
        #expect(t.answer("late", opened: 10, at: 24).live.current == number(2))
    }

    @Test("3.2 two IDs on one connection are warned of once")
    func twoIDsOnce() {
        _ = t.answer("a", opened: 1, at: 2)
        _ = t.answer("b", opened: 3, at: 4)
        #expect(
            t.answer("b", opened: 1, at: 5, previously: number(1)).changes == [
                .twoIDsOnOneConnection(earlier: number(1), now: number(2))
            ]
        )
        #expect(
            t.answer("a", opened: 1, at: 6, previously: number(2))
                == seen(
                    number(1),
                    current: 2,
                    epoch: 2
                ),
            "and an old connection brings nothing back"
        )
        #expect(t.answer("a", opened: 1, at: 7, previously: number(1)).changes.isEmpty)
    }

    @Test("3.2 the same ID under another number is the same end")
    func sameIDNewNumber() {
        _ = t.answer("a", opened: 1, at: 2)
        _ = t.answer("b", opened: 3, at: 4)
        _ = t.answer("a", opened: 5, at: 6)
        #expect(
            t.answer("a", opened: 1, at: 7, previously: number(1))
                == seen(
                    number(3),
                    current: 3,
                    epoch: 3
                )
        )
    }

    @Test("3.2 a connection bound to nothing asks again once an ID is known")
    func firstIDAfterNone() {
        #expect(t.report(.none(.absent), opened: 1, at: 2).instance == .none)
        _ = t.answer("a", opened: 3, at: 4)
        for earlier in [InstanceNumber.none, .unverified] {
            #expect(
                t.answer("a", opened: 1, at: 5, previously: earlier)
                    == seen(
                        number(1),
                        current: 1,
                        epoch: 1
                    )
            )
        }
    }
}
