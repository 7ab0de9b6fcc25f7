import Testing
import Time

private func at(_ nanoseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: nanoseconds) }

struct TimeTests {
    @Test("a duration in nanoseconds, cut to whole ones and saturating")
    func nanoseconds() {
        #expect(Duration.zero.nanoseconds == 0)
        #expect(Duration.milliseconds(50).nanoseconds == 50_000_000)
        #expect(Duration.nanoseconds(-1).nanoseconds == -1)
        #expect(Duration.seconds(-2).nanoseconds == -2_000_000_000)
        let attoseconds = Duration(secondsComponent: 0, attosecondsComponent: 1_999_999_999)
        #expect(attoseconds.nanoseconds == 1)
        #expect(Duration.nanoseconds(Int64.max).nanoseconds == .max)
        #expect(Duration.nanoseconds(Int64.min + 1).nanoseconds == .min + 1)
        #expect(Duration.seconds(9_223_372_037).nanoseconds == .max)
        #expect(Duration.seconds(Int64.max).nanoseconds == .max)
        #expect(Duration.seconds(-9_223_372_037).nanoseconds == .min)
        #expect(Duration.seconds(Int64.min).nanoseconds == .min)
        #expect(Nanoseconds(.seconds(1)).count == 1_000_000_000)
        #expect(Nanoseconds(.seconds(Int64.max)).count == .max)
    }

    @Test("a point in time moves, and stops at the distant future")
    func addition() {
        #expect(at(5) + .nanoseconds(7) == at(12))
        #expect(at(5) + .nanoseconds(-7) == at(-2))
        #expect(at(1) + .seconds(Int64.max) == .distantFuture)
        #expect(at(.max - 1) + .nanoseconds(1) == .distantFuture)
        #expect(at(.max - 1) + .nanoseconds(2) == .distantFuture)
        #expect(MonotonicTime.distantFuture + .seconds(1) == .distantFuture)
        #expect(at(5) + Nanoseconds(.nanoseconds(7)) == at(12))
        #expect(at(.max) + Nanoseconds(.nanoseconds(1)) == .distantFuture)
        #expect(at(1) + Nanoseconds(.seconds(Int64.max)) == .distantFuture)
    }

    @Test("the time between two points, and their order")
    func difference() {
        #expect(at(12) - at(5) == .nanoseconds(7))
        #expect(at(5) - at(12) == .nanoseconds(-7))
        #expect(MonotonicTime.distantFuture - .zero == .nanoseconds(Int64.max))
        #expect(at(1) < at(2))
        #expect(!(at(2) < at(2)))
        #expect(at(.max - 1) < .distantFuture)
        #expect(.zero < at(1))
    }
}
