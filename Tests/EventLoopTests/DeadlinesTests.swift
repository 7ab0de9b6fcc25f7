import EventLoop
import Testing
import Time

private func at(_ milliseconds: Int64) -> MonotonicTime {
    MonotonicTime(nanoseconds: milliseconds * 1_000_000)
}

private func sweeps(_ deadlines: inout Deadlines, _ now: MonotonicTime) -> Bool {
    deadlines.beginSweep(now: now)
}

struct DeadlinesTests {
    @Test("nothing is due until something is noted")
    func idle() {
        var deadlines = Deadlines()
        #expect(deadlines.wakeTime == nil)
        #expect(!sweeps(&deadlines, at(1_000_000)))
        deadlines.note(.distantFuture)
        #expect(deadlines.wakeTime == nil)
    }

    @Test("the earliest deadline is the one to wake for, and not before it")
    func earliest() {
        var deadlines = Deadlines()
        deadlines.note(at(500))
        deadlines.note(at(300))
        deadlines.note(at(400))
        #expect(deadlines.wakeTime == at(300))
        #expect(!sweeps(&deadlines, at(299)))
        #expect(deadlines.wakeTime == at(300))
        #expect(sweeps(&deadlines, at(300)))
        #expect(deadlines.wakeTime == nil)
        #expect(!sweeps(&deadlines, at(301)))
    }

    @Test("sweeps keep their distance, and a deadline is late by no more than that")
    func granularity() {
        var deadlines = Deadlines()
        deadlines.note(at(100))
        #expect(sweeps(&deadlines, at(100)))
        deadlines.note(at(110))
        deadlines.note(at(90))
        #expect(deadlines.wakeTime == at(150))
        #expect(!sweeps(&deadlines, at(149)))
        #expect(sweeps(&deadlines, at(150)))
        deadlines.note(at(260))
        #expect(deadlines.wakeTime == at(260))
    }

    @Test("a loop that sleeps until it is told to sweeps each connection in time")
    func loop() {
        var due: [MonotonicTime] = (0..<50).map { at(Int64($0 * $0 * 7 % 1000 + 1)) }
        var deadlines = Deadlines()
        for deadline in due { deadlines.note(deadline) }
        var sweeps = 0
        while let now = deadlines.wakeTime {
            guard deadlines.beginSweep(now: now) else {
                Issue.record("woken in vain")
                return
            }
            sweeps += 1
            for deadline in due where deadline <= now {
                #expect(now - deadline <= Deadlines.granularity)
            }
            due.removeAll { $0 <= now }
            for deadline in due { deadlines.note(deadline) }
        }
        #expect(due.isEmpty)
        #expect(sweeps <= 21)
    }
}
