import Instances
import Settings
import Time

/// A registry with a clock in milliseconds, so that a test reads as a transcript.
struct Transcript {
    let registry: InstanceRegistry

    init(_ mode: IdentitySettings.Instances = .single) {
        registry = InstanceRegistry(mode: mode)
    }

    func answer(
        _ id: String,
        opened: Int64,
        at now: Int64,
        previously earlier: InstanceNumber? = nil
    ) -> Observation {
        report(.read(Array(id.utf8)), opened: opened, at: now, previously: earlier)
    }

    func report(
        _ report: IdentityReport,
        opened: Int64,
        at now: Int64,
        previously earlier: InstanceNumber? = nil
    ) -> Observation {
        registry.observe(
            report,
            connectionOpenedAt: time(opened),
            now: time(now),
            previously: earlier
        )
    }

    func twice(_ first: IdentityReport, _ second: IdentityReport, at now: Int64) -> Observation {
        registry.observeFirstContact(
            first: first,
            second: second,
            connectionOpenedAt: time(now),
            now: time(now)
        )
    }

    /// One connection of this instance more, or one less.
    @discardableResult
    func holds(_ raw: UInt32, at now: Int64) -> Bool {
        registry.rebind(nil, to: number(raw), now: time(now))
    }

    @discardableResult
    func loses(_ raw: UInt32, at now: Int64) -> Bool {
        registry.rebind(number(raw), to: nil, now: time(now))
    }

    func settle(at now: Int64) -> [InstanceChange] {
        registry.settle(now: time(now)).changes
    }

    /// So many answers, each on a connection of its own, opened and answered in one millisecond.
    func answers(_ id: String, times: Int, from start: Int64) {
        for index in 0..<Int64(times) { _ = answer(id, opened: start + index, at: start + index) }
    }
}

func time(_ milliseconds: Int64) -> MonotonicTime {
    MonotonicTime(nanoseconds: milliseconds * 1_000_000)
}

func number(_ rawValue: UInt32) -> InstanceNumber {
    InstanceNumber(rawValue: rawValue)
}

func seen(
    _ instance: InstanceNumber,
    current: UInt32,
    epoch: UInt32,
    _ changes: InstanceChange...
) -> Observation {
    Observation(
        instance: instance,
        live: LiveInstances(current: number(current), epoch: epoch),
        changes: changes
    )
}

func id(_ text: String) -> IdentityReport { .id(Array(text.utf8)) }
