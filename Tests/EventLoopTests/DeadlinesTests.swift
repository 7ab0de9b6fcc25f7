import EventLoop
import Testing
import Time

struct DeadlinesTests {
    private func at(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    @Test("a loop without deadlines sleeps for ever")
    func idle() {
        var deadlines = Deadlines()
        #expect(deadlines.wakeTime == nil)
        let sweeps = deadlines.beginSweep(now: at(1_000_000))
        #expect(!sweeps)
    }

    @Test("the earliest deadline wakes it, and a sweep forgets all")
    func earliest() {
        var deadlines = Deadlines()
        deadlines.note(at(500))
        deadlines.note(at(300))
        deadlines.note(at(900))
        #expect(deadlines.wakeTime == at(300))
        let early = deadlines.beginSweep(now: at(299))
        #expect(!early)
        let due = deadlines.beginSweep(now: at(300))
        #expect(due)
        #expect(deadlines.wakeTime == nil)
    }

    @Test("sweeps keep their distance, however many deadlines pass")
    func granularity() {
        var deadlines = Deadlines()
        deadlines.note(at(100))
        let first = deadlines.beginSweep(now: at(100))
        #expect(first)
        deadlines.note(at(101))
        #expect(deadlines.wakeTime == at(150))
        let tooSoon = deadlines.beginSweep(now: at(149))
        #expect(!tooSoon)
        let second = deadlines.beginSweep(now: at(150))
        #expect(second)
    }
}
