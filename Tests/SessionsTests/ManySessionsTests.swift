import HTTPModel
import Instances
import Settings
import TestSupport
import Testing
import Time

@testable import Sessions

/// A jar with very many sessions; `make sessions` runs it with a million, alone in its process, so
/// that what it prints of memory is the jar's.
@Suite("very many sessions", .serialized)
struct ManySessionsTests {
    private static let count = Place.number("LYCHGATE_SESSIONS", default: 20_000)
    private static let isAlone = count > 20_000
    private static let few = 1_000
    /// As the control thread does it.
    private static let batch = 256
    private static let clock = ContinuousClock()
    private static let now = MonotonicTime(nanoseconds: 1 << 40)

    /// A jar, the registry that it is asked with, and some of the cookies that it gave out.
    private struct Filled {
        let jar: Jar
        let registry = InstanceRegistry()
        var cookies: [CookieKey] = []
        private var lastInstance = 0

        init(capacity: Int) {
            var settings = JarSettings()
            settings.capacity = capacity
            settings.tombstones = capacity
            jar = Jar(settings, session: SessionSettings(), key: (1, 2))
            restart()
        }

        mutating func restart() {
            lastInstance += 1
            let time = ManySessionsTests.now + .milliseconds(Int64(lastInstance))
            _ = registry.observe(
                .id(Array("instance-\(lastInstance)".utf8)),
                connectionOpenedAt: time,
                now: time
            )
        }

        /// Captures sessions whose IDs are UUIDs, and keeps the cookies of a thousand of them.
        mutating func add(_ count: Int, seed: UInt64) {
            var random = SeededRandom(seed: seed)
            let live = registry.live
            let step = max(1, count / ManySessionsTests.few)
            cookies = []
            var id = Array("00000000-aaaa-bbbb-cccc-dddddddddddd".utf8)
            for number in 0..<count {
                var rest = number
                for place in 0..<8 {
                    id[place] = UInt8(0x30 + rest % 10)
                    rest /= 10
                }
                guard
                    let cookie = jar.capture(
                        id,
                        instance: live.current,
                        live: live,
                        request: Judgement(),
                        random: (random.next(), random.next()),
                        now: ManySessionsTests.now
                    )
                else { continue }
                if number % step == 0 {
                    let range = ByteRange(offset: 0, count: cookie.text.count)
                    cookies.append(jar.cookieKey(cookie.text.span, range))
                }
            }
        }

        /// How many of the kept cookies name living sessions.
        func living() -> Int {
            let live = registry.live
            return cookies.count { cookie in
                let found = jar.lookUp(
                    cookie: cookie,
                    claims: true,
                    live: live,
                    now: ManySessionsTests.now
                )
                if case .live = found { return true }
                return false
            }
        }

        /// The time of a lookup, as it is when nothing else disturbs it.
        func lookUpTime() -> Duration {
            let best = (0..<20).map { _ in
                ManySessionsTests.clock.measure { _ = living() }
            }.min()
            return (best ?? .zero) / max(1, cookies.count)
        }
    }

    /// What the process has in memory, in bytes.
    private static var resident: Int {
        let words = Place.text("/proc/self/statm").split(separator: " ")
        return words.count > 1 ? (Int(words[1]) ?? 0) * 4096 : 0
    }

    private static func report(_ text: String) {
        if isAlone { print("sessions: " + text) }
    }

    private static func nanoseconds(_ duration: Duration) -> Int {
        Int(duration / .nanoseconds(1))
    }

    @Test("3.4 a restart ends any number of sessions at once, and touches none of them")
    func restart() {
        var filled = Filled(capacity: Self.count * 2)
        let before = Self.resident
        let filling = Self.clock.measure { filled.add(Self.count, seed: 1) }
        let bytes = (Self.resident - before) / Self.count
        Self.report("\(Self.count) take \(bytes) bytes each, their IDs of 36 included")
        Self.report("a capture takes \(Self.nanoseconds(filling) / Self.count) ns")
        #expect(!Self.isAlone || bytes <= 236)
        let restarts = (0..<9).map { _ in Self.clock.measure { filled.restart() } }
        let longest = restarts.max() ?? .zero
        Self.report("clearing all takes at most \(Self.nanoseconds(longest)) ns")
        // Of nine, since other processes want the processor too.
        #expect(restarts.min() ?? .seconds(1) < .milliseconds(1))
        #expect(filled.jar.statistics().sessions == Self.count)
        #expect(filled.living() == 0)

        // Giving the memory back takes no longer at a time than so many entries do.
        var steps: [Duration] = []
        var ended = 0
        var isBounded = true
        while ended < Self.count - filled.cookies.count, steps.count < Self.count {
            var reaped = Reaped()
            steps.append(
                Self.clock.measure {
                    reaped = filled.jar.reap(
                        limit: Self.batch,
                        live: filled.registry.live,
                        now: Self.now
                    )
                }
            )
            isBounded = isBounded && reaped.ended.total <= Self.batch
            ended += reaped.ended.total
        }
        #expect(isBounded)
        steps.sort()
        Self.report(
            "reaping takes \(steps.count) steps, each \(Self.nanoseconds(steps[steps.count / 2]))"
                + " ns, \(Self.nanoseconds(steps[steps.count - 1])) ns at most"
        )
        #expect(filled.jar.statistics().sessions == 0)
        let tombstones = (Self.resident - before) / Self.count
        Self.report(
            "once they are tombstones, \(tombstones) bytes each, room for new ones included"
        )
        filled.add(Self.count, seed: 2)
        #expect(filled.living() == filled.cookies.count)
        let both = (Self.resident - before) / Self.count
        Self.report("with as many new ones, \(both) bytes for each pair")
    }

    @Test("3.2 looking a session up costs the same among very many as among a thousand")
    func lookUp() {
        var small = Filled(capacity: Self.count * 2)
        small.add(Self.few, seed: 1)
        var large = Filled(capacity: Self.count * 2)
        large.add(Self.count, seed: 1)
        #expect(small.living() == Self.few)
        #expect(large.living() == large.cookies.count)
        let (among, alone) = (large.lookUpTime(), small.lookUpTime())
        Self.report(
            "a lookup takes \(Self.nanoseconds(alone)) ns among \(Self.few),"
                + " \(Self.nanoseconds(among)) ns among \(Self.count)"
        )
        // What is further away in memory costs more, but nothing is searched.
        #expect(among < alone * 20)
    }
}
