import Instances
import Settings
import Testing
import Time

@Suite("3.4 several instances side by side")
struct SeveralInstancesTests {
    private let t = Transcript(.multi)

    /// Two instances, 1 and 2, to each of which there is a connection.
    private func two() {
        _ = t.answer("a", opened: 1, at: 1)
        t.holds(1, at: 1)
        _ = t.answer("b", opened: 2, at: 2)
        t.holds(2, at: 2)
    }

    @Test("3.4 multi: whoever answers lives beside the others")
    func join() {
        #expect(t.answer("a", opened: 1, at: 1).changes == [.first(number(1))])
        let seen = t.answer("b", opened: 0, at: 2)
        #expect(seen.instance == number(2))
        #expect(seen.changes == [.joined(number(2))])
        #expect(t.answer("a", opened: 3, at: 3).changes.isEmpty)
        let live = t.registry.live
        #expect(live.areMany && live.isLive(number(1)) && live.isLive(number(2)))
        #expect(live.current == number(2))
        #expect(!live.isLive(number(3)) && !live.isLive(.none) && !live.isLive(.unverified))
    }

    @Test("3.4 multi: gone when lost, missed often enough, and grace is over")
    func gone() {
        two()
        #expect(t.loses(1, at: 100))
        t.answers("b", times: 31, from: 101)
        #expect(t.settle(at: 5_000) == [], "it may still be there: too few have looked")
        t.answers("b", times: 1, from: 150)
        #expect(t.settle(at: 2_100) == [], "grace counts from the first that missed it")
        #expect(t.registry.live.isLive(number(1)))
        #expect(t.settle(at: 2_101) == [.gone(number(1))])
        #expect(!t.registry.live.isLive(number(1)))
        #expect(t.registry.live.isLive(number(2)), "its siblings' sessions work on")
        #expect(t.settle(at: 9_000) == [])
    }

    @Test("3.4 multi: as long as nobody answers at all, nothing is learnt of who was lost")
    func silence() {
        two()
        t.loses(1, at: 100)
        t.loses(2, at: 100)
        _ = t.report(.failed(.refused), opened: 200, at: 200)
        #expect(t.settle(at: 600_000) == [])
        #expect(t.registry.live.isLive(number(1)) && t.registry.live.isLive(number(2)))
    }

    @Test("3.4 multi: what was opened before the loss proves nothing")
    func olderConnections() {
        two()
        t.loses(1, at: 100)
        for _ in 0..<100 { _ = t.answer("b", opened: 99, at: 200) }
        #expect(t.settle(at: 9_000) == [])
    }

    @Test("3.4 multi: found again, all is as it was, and the search begins anew")
    func foundAgain() {
        two()
        t.loses(1, at: 100)
        t.answers("b", times: 40, from: 101)
        #expect(t.answer("a", opened: 1_000, at: 1_000).instance == number(1))
        #expect(t.settle(at: 2_500) == [])
        t.holds(1, at: 1_001)
        t.answers("b", times: 40, from: 2_000)
        #expect(t.settle(at: 9_000) == [])
        #expect(t.registry.live.isLive(number(1)))
    }

    @Test("3.4 multi: as long as some worker has a connection, it is not lost")
    func heldElsewhere() {
        two()
        t.holds(1, at: 3)
        #expect(!t.loses(1, at: 100))
        t.answers("b", times: 40, from: 101)
        #expect(t.settle(at: 9_000) == [])
        #expect(t.loses(1, at: 10_000))
    }

    @Test("3.4 multi: taken for gone by mistake, it gets its number and its sessions back")
    func backAgain() {
        two()
        t.loses(1, at: 100)
        t.answers("b", times: 32, from: 101)
        #expect(t.settle(at: 2_101) == [.gone(number(1))])
        let seen = t.answer("a", opened: 3_000, at: 3_000)
        #expect(seen.instance == number(1) && seen.changes == [.joined(number(1))])
        #expect(t.registry.live.isLive(number(1)))
        #expect(t.registry.live.current == number(2), "it is not the newest for that")
    }

    @Test("3.4 multi: one that never had a connection is looked for from its last sight on")
    func neverHeld() {
        two()
        _ = t.answer("c", opened: 3, at: 100)
        t.answers("b", times: 48, from: 101)
        #expect(t.settle(at: 2_101) == [.gone(number(3))])
    }

    @Test("3.2 multi: one that is silent is said once, whoever else reports")
    func silentOne() {
        two()
        let silent = t.report(.none(.absent), opened: 5, at: 5)
        #expect(silent.instance == .unverified)
        #expect(silent.changes == [.stoppedReporting(.absent)])
        #expect(t.answer("a", opened: 6, at: 6).changes == [])
        #expect(t.report(.none(.absent), opened: 7, at: 7).changes == [])
    }

    @Test("3.4 what a reader has read holds until the epoch changes, and no longer")
    func reader() {
        var known = LiveInstances(current: .none, epoch: 0)
        #expect(t.registry.live(knowing: &known).members == [])
        two()
        let live = t.registry.live(knowing: &known)
        #expect(live == t.registry.live && live.members == [number(1), number(2)])
        #expect(t.registry.live(knowing: &known) == live)
        t.loses(1, at: 100)
        t.answers("b", times: 32, from: 101)
        _ = t.settle(at: 2_101)
        #expect(t.registry.live(knowing: &known).members == [number(2)])
    }
}

@Suite("3.4 auto: one, until it shows that there are several")
struct AutoInstancesTests {
    private let t = Transcript(.auto)

    /// Instance 2 replaced 1 at 10.
    private func replaced() {
        _ = t.answer("a", opened: 1, at: 2)
        #expect(
            t.answer("b", opened: 3, at: 10).changes == [.replaced(old: number(1), new: number(2))]
        )
    }

    @Test("3.4 auto: an old process that drains, or a late answer of the watcher, switches nothing")
    func draining() {
        replaced()
        for opened in [0, 1, 3, 9, 10] as [Int64] {
            let seen = t.answer("a", opened: opened, at: 20)
            #expect(seen.changes == [] && seen.instance == number(1))
            #expect(!seen.live.areMany && !seen.live.isLive(number(1)))
        }
    }

    @Test("3.4 auto: a replaced ID on a connection opened later: both live, with their sessions")
    func returned() {
        replaced()
        let seen = t.answer("a", opened: 11, at: 12)
        #expect(seen.changes == [.several(returned: number(1), besides: number(2))])
        #expect(seen.changes.first?.isWarning == true)
        #expect(seen.instance == number(1))
        #expect(seen.live.isLive(number(1)) && seen.live.isLive(number(2)))
        #expect(t.answer("c", opened: 13, at: 13).changes == [.joined(number(3))])
    }

    @Test("3.4 auto: until it is clear, sessions of the replaced are kept for a minute")
    func doubt() {
        replaced()
        #expect(t.registry.undoubted(now: time(20)).isLive(number(1)))
        #expect(!t.registry.live.isLive(number(1)))
        #expect(!t.registry.undoubted(now: time(60_011)).isLive(number(1)))
        #expect(t.registry.undoubted(now: time(60_011)).isLive(number(2)))
    }

    @Test("3.4 auto: single again when one has been alone for a minute")
    func alone() {
        replaced()
        _ = t.answer("a", opened: 11, at: 12)
        t.holds(2, at: 12)
        t.answers("b", times: 40, from: 20)
        #expect(t.settle(at: 2_100) == [.gone(number(1))])
        #expect(t.settle(at: 62_099) == [])
        #expect(t.registry.live.areMany)
        #expect(t.settle(at: 62_100) == [.alone(number(2))])
        #expect(!t.registry.live.areMany && t.registry.live.isLive(number(2)))
        #expect(
            t.answer("d", opened: 63_000, at: 63_001).changes == [
                .replaced(old: number(2), new: number(3))
            ]
        )
        #expect(t.registry.live.current == number(3))
    }

    @Test("3.3 auto: taken for late by mistake, its sessions work once it is the current one")
    func overtaken() {
        _ = t.answer("a", opened: 1, at: 2)
        _ = t.answer("c", opened: 20, at: 21)
        #expect(t.answer("b", opened: 10, at: 30).instance == number(3))
        #expect(
            t.answer("b", opened: 40, at: 41).changes == [.replaced(old: number(2), new: number(3))]
        )
        #expect(t.registry.live.isLive(number(3)))
    }
}
