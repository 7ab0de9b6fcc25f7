import Instances
import Testing
import Time

struct LinePaceTests {
    @Test("4 of a flood of lines some are written, then one a second, and the rest is counted")
    func flood() {
        var pace = LinePace()
        var written = 0
        var counted = 0
        for millisecond in 100_000..<110_000 as Range<Int64> {
            if pace.admits(now: time(millisecond)) { written += 1 }
            if let more = pace.takeLeftOut(now: time(millisecond)) { counted += more }
        }
        #expect(written >= 32)
        #expect(written <= 32 + 10)
        counted += pace.takeLeftOut(now: time(111_000)) ?? 0
        #expect(written + counted == 10_000)
        #expect(pace.takeLeftOut(now: time(112_000)) == nil)
    }

    @Test("4 after a calm time as many are written as at first")
    func calm() {
        var pace = LinePace()
        for _ in 0..<100 { _ = pace.admits(now: time(1_000)) }
        #expect(pace.takeLeftOut(now: time(1_500)) == nil)
        #expect(pace.takeLeftOut(now: time(2_000)) == 68)
        let written = (0..<100).count { _ in pace.admits(now: time(3_600_000)) }
        #expect(written == 32)
    }
}
