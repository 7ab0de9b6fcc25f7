import Instances
import Testing
import Time

/// A word that makes the jitter nothing: the middle of the spread for an interval of 2 s.
private let middle: UInt64 = 200_000_000

struct WatcherScheduleTests {
    private var schedule = WatcherSchedule(interval: .seconds(2))

    private mutating func ask(at now: Int64) -> Bool {
        schedule.wake(now: time(now)) == .ask
    }

    private mutating func answered(at now: Int64) -> WatcherSchedule.Transition? {
        schedule.answered(.answered, random: middle, now: time(now))
    }

    private mutating func failed(
        _ cause: NoAnswerCause = .refused,
        at now: Int64
    ) -> WatcherSchedule.Transition? {
        schedule.answered(.failed(cause), random: middle, now: time(now))
    }

    @Test("3.3 asks at once, then every interval after the last question")
    mutating func regular() {
        #expect(schedule.isUp == nil)
        #expect(ask(at: 5))
        #expect(schedule.wake(now: time(6)) == .waitForAnswer)
        #expect(answered(at: 8) == .backendUp)
        #expect(schedule.isUp == true)
        #expect(schedule.wake(now: time(8)) == .wait(until: time(2005)))
        #expect(schedule.wake(now: time(2004)) == .wait(until: time(2005)))
        #expect(ask(at: 2005))
        #expect(answered(at: 2006) == nil)
        #expect(schedule.wake(now: time(2006)) == .wait(until: time(4005)))
    }

    @Test("3.3 an answer slower than the interval is followed by the next question at once")
    mutating func slowAnswer() {
        #expect(ask(at: 0))
        #expect(answered(at: 4000) == .backendUp)
        #expect(ask(at: 4000))
    }

    @Test(
        "3.3 the interval varies by up to a tenth",
        arguments: [
            (0, 1800), (200_000_000, 2000), (400_000_000, 2200), (400_000_001, 1800),
        ] as [(UInt64, Int64)]
    )
    mutating func jitter(_ word: UInt64, _ milliseconds: Int64) {
        _ = schedule.wake(now: time(0))
        _ = schedule.answered(.answered, random: word, now: time(1))
        #expect(schedule.wake(now: time(1)) == .wait(until: time(milliseconds)))
    }

    @Test(
        "3.3 any random word keeps the interval within a tenth",
        arguments: [
            0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFE, 1, 0x8000_0000_0000_0000,
            0x7FFF_FFFF_FFFF_FFFF,
        ] as [UInt64]
    )
    mutating func jitterBounds(_ word: UInt64) {
        _ = schedule.wake(now: time(0))
        _ = schedule.answered(.answered, random: word, now: time(1))
        guard case .wait(let until) = schedule.wake(now: time(1)) else {
            Issue.record("it is not time yet")
            return
        }
        #expect(until >= time(1800) && until <= time(2200))
    }

    @Test("3.3 a lost connection is a question at once, many are one")
    mutating func connectionLost() {
        _ = ask(at: 0)
        _ = answered(at: 1)
        schedule.connectionLost(.lost, now: time(500))
        schedule.connectionLost(.lost, now: time(500))
        schedule.connectionLost(.refused, now: time(501))
        #expect(ask(at: 501))
        #expect(schedule.wake(now: time(501)) == .waitForAnswer)
    }

    @Test("3.3 not more often than every 10 ms")
    mutating func pause() {
        _ = ask(at: 0)
        _ = answered(at: 1)
        schedule.connectionLost(.lost, now: time(2))
        #expect(schedule.wake(now: time(2)) == .wait(until: time(10)))
        schedule.connectionLost(.lost, now: time(9))
        #expect(schedule.wake(now: time(9)) == .wait(until: time(10)))
        #expect(ask(at: 10))
    }

    @Test("3.3 lost while a question is under way: its answer may be older, so one more follows")
    mutating func lostWhileAsking() {
        _ = ask(at: 0)
        schedule.connectionLost(.lost, now: time(3))
        schedule.connectionLost(.lost, now: time(4))
        #expect(schedule.wake(now: time(4)) == .waitForAnswer)
        #expect(answered(at: 5) == .backendUp)
        #expect(schedule.wake(now: time(5)) == .wait(until: time(10)))
        #expect(ask(at: 10))
        #expect(answered(at: 11) == nil)
        #expect(schedule.wake(now: time(11)) == .wait(until: time(2010)), "and only one")
    }

    @Test("3.3 while the backend is down, from 10 ms doubling to the interval")
    mutating func backOff() {
        var now: Int64 = 0
        var pauses: [Int64] = []
        for round in 0..<12 {
            #expect(ask(at: now))
            let expected: WatcherSchedule.Transition? =
                round == 0 ? .backendDown(.refused) : nil
            #expect(failed(at: now) == expected)
            guard case .wait(let until) = schedule.wake(now: time(now)) else { return }
            pauses.append((until - time(now)).nanoseconds / 1_000_000)
            now += pauses.last ?? 0
        }
        #expect(pauses == [10, 20, 40, 80, 160, 320, 640, 1280, 2000, 2000, 2000, 2000])
        #expect(schedule.isUp == false)
    }

    @Test("3.3 up again: said once, and the next back-off begins at 10 ms again")
    mutating func upAgain() {
        _ = ask(at: 0)
        #expect(answered(at: 1) == .backendUp)
        schedule.connectionLost(.lost, now: time(100))
        #expect(ask(at: 100))
        #expect(failed(.dropped, at: 101) == .backendDown(.dropped))
        #expect(ask(at: 111))
        #expect(failed(at: 111) == nil)
        #expect(ask(at: 131))
        #expect(answered(at: 132) == .backendUp)
        schedule.connectionLost(.lost, now: time(200))
        #expect(ask(at: 200))
        #expect(failed(.timedOut, at: 5200) == .backendDown(.timedOut))
        #expect(schedule.wake(now: time(5200)) == .wait(until: time(5210)))
    }

    @Test("3.3 while it is down, a refused connection is no news")
    mutating func refusedWhileDown() {
        var now: Int64 = 0
        for _ in 0..<5 {
            _ = ask(at: now)
            _ = failed(at: now)
            guard case .wait(let until) = schedule.wake(now: time(now)) else { return }
            now = until.nanoseconds / 1_000_000
        }
        #expect(now == 310)
        schedule.connectionLost(.refused, now: time(200))
        #expect(schedule.wake(now: time(200)) == .wait(until: time(310)))
    }

    @Test("3.3 while it is down, a lost connection is: something was there")
    mutating func lostWhileDown() {
        var now: Int64 = 0
        for _ in 0..<5 {
            _ = ask(at: now)
            _ = failed(at: now)
            guard case .wait(let until) = schedule.wake(now: time(now)) else { return }
            now = until.nanoseconds / 1_000_000
        }
        schedule.connectionLost(.lost, now: time(200))
        #expect(ask(at: 200))
        #expect(failed(at: 200) == nil)
        #expect(schedule.wake(now: time(200)) == .wait(until: time(210)), "from 10 ms again")
    }

    @Test("an interval shorter than 10 ms is 10 ms, and one beyond the clock never comes")
    func extremes() {
        var short = WatcherSchedule(interval: .zero)
        _ = short.wake(now: time(0))
        _ = short.answered(.answered, random: 0, now: time(0))
        #expect(short.wake(now: time(0)) == .wait(until: time(10)))
        var long = WatcherSchedule(interval: .seconds(Int64.max))
        _ = long.wake(now: time(0))
        _ = long.answered(.answered, random: .max, now: time(0))
        #expect(long.wake(now: time(0)) == .wait(until: .distantFuture))
        for _ in 0..<100 {
            _ = long.answered(.failed(.refused), random: .max, now: time(0))
        }
    }

    @Test("3.4 to look around is some questions at once, then as always")
    mutating func lookAround() {
        #expect(ask(at: 0))
        _ = schedule.answered(.answered, random: middle, now: time(1))
        #expect(!ask(at: 500))
        schedule.lookAround(questions: 3)
        for now in [500, 510, 520, 530] as [Int64] {
            #expect(ask(at: now), "at \(now)")
            _ = schedule.answered(.answered, random: middle, now: time(now + 1))
        }
        #expect(!ask(at: 540))
        #expect(!ask(at: 2_529))
        #expect(ask(at: 2_530))
    }

    @Test("3.4 where each connection has an ID of its own it looks around ever more rarely")
    mutating func idPerConnection() {
        var now: Int64 = 0
        var times: [Int64] = []
        while now < 3_600_000 {
            switch schedule.wake(now: time(now)) {
            case .ask:
                times.append(now)
                now += 1
                _ = schedule.answered(.answered, isNew: true, random: middle, now: time(now))
                // The change that it was.
                schedule.lookAround(questions: 16)
            case .wait(let until):
                now = until.nanoseconds / 1_000_000
            case .waitForAnswer:
                Issue.record("nothing is under way")
                return
            }
        }
        #expect(schedule.isIDPerConnection)
        let hurried = zip(times, times.dropFirst()).count { $1 - $0 < 100 }
        // 7 pauses up to 256 s, then one each 5 minutes.
        #expect(hurried / 16 <= 8 + 13)
        #expect(hurried / 16 >= 12)
        #expect(times.count < 1_800 + 17 * 21)
    }

    @Test("3.4 several instances are looked for again after a pause, and are no ID per connection")
    mutating func lookAroundTwice() {
        schedule.lookAround(questions: 2)
        for (now, isNew) in [(0, true), (10, true), (20, true)] as [(Int64, Bool)] {
            #expect(ask(at: now))
            _ = schedule.answered(.answered, isNew: isNew, random: middle, now: time(now + 1))
        }
        #expect(!schedule.isIDPerConnection)
        schedule.lookAround(questions: 2)
        #expect(!ask(at: 2_010))
        for now in [2_011, 2_021] as [Int64] {
            #expect(ask(at: now))
            _ = schedule.answered(.answered, random: middle, now: time(now + 1))
        }
        #expect(!schedule.isIDPerConnection)
    }

    @Test("3.4 a look that is due does not hurry the questions to a backend that is down")
    mutating func lookAroundWhileDown() {
        #expect(ask(at: 0))
        #expect(failed(at: 1) == .backendDown(.refused))
        #expect(ask(at: 11))
        _ = failed(at: 12)
        schedule.lookAround(questions: 2)
        #expect(!ask(at: 31))
        #expect(ask(at: 32))
    }
}
