import Foundation
import Instances
import Sessions
import Settings
import Synchronization
import Testing
import Time

@Suite struct ConcurrencyTests {
    /// Runs `body` on so many threads, all released at once.
    private func race(_ count: Int, _ body: @Sendable @escaping (Int) -> Void) async {
        let waiting = Counter()
        let finished = Counter()
        for number in 0..<count {
            Thread.detachNewThread {
                waiting.add()
                while waiting.value < count { sched_yield() }
                body(number)
                finished.add()
            }
        }
        while finished.value < count { await Task.yield() }
    }

    @Test("4.1 of many parallel requests with one dead cookie exactly one expires it")
    func oneExpiry() async {
        for kind in 0..<3 {
            for round in 0..<50 {
                var world = World()
                var cookie = "unknown-\(round)"
                var reason = "unknown"
                if kind > 0 {
                    cookie = world.capture("s-1")
                    world.restart()
                    reason = "backend-restart"
                }
                if kind == 2 {
                    // Already ended when they come.
                    _ = world.get("X-Session-ID: s-1")
                }
                let shared = world
                let expected = reason
                let line = "Cookie: lychgate=\(cookie)"
                let expirations = Counter()
                let others = Counter()
                await race(8) { _ in
                    for _ in 0..<4 {
                        switch name(shared.get(line)) {
                        case "\(expected) expires": expirations.add()
                        case expected: others.add()
                        default: break
                        }
                    }
                }
                #expect(expirations.value == 1)
                #expect(others.value == 31)
            }
        }
    }

    @Test("4.1 of many parallel refusals at the moment of writing exactly one expires the cookie")
    func oneRefusal() async {
        for _ in 0..<50 {
            var world = World()
            let cookie = world.capture("s-1")
            let session = world.get("Cookie: lychgate=\(cookie)").session
            world.restart()
            let shared = world
            let expirations = Counter()
            await race(8) { number in
                guard let session else { return }
                if number % 2 == 0 {
                    if shared.jar.refuse(session, now: shared.now).expiresCookie {
                        expirations.add()
                    }
                } else if name(shared.get("Cookie: lychgate=\(cookie)")).contains("expires") {
                    expirations.add()
                }
            }
            #expect(expirations.value == 1)
        }
    }

    @Test("sessions of many threads at once: the counts stay true")
    func manyThreads() async {
        var settings = JarSettings()
        settings.capacity = 2000
        let world = World(jar: settings)
        await race(4) { number in
            var mine = world
            for step in 0..<1500 {
                let cookie = mine.capture("t\(number)-\(step)")
                _ = mine.get("Cookie: lychgate=\(cookie)")
                if step % 3 == 0, let session = mine.get("X-Session-ID: t\(number)-\(step)").session
                {
                    _ = mine.jar.end(session, .endRule, now: mine.now)
                }
                if step % 50 == 0 {
                    _ = mine.jar.reap(limit: 100, live: mine.live, now: mine.now)
                }
            }
        }
        let statistics = world.jar.statistics()
        #expect(statistics.sessions <= 2000)
        #expect(statistics.sessions > 1900)
        #expect(statistics.ended.total + statistics.sessions == 6000)
        #expect(world.jar.count(boundTo: world.live.current) == statistics.sessions)
    }
}

private final class Counter: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .sequentiallyConsistent) }

    func add() {
        count.add(1, ordering: .sequentiallyConsistent)
    }
}
