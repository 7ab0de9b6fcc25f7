internal import Memory
internal import Synchronization
public import Time

/// Which instance of the backend lives, known to all threads: the workers and the watcher report
/// what connections answered, and everyone reads the outcome without a lock.
///
/// A request costs one atomic load (`live`). The lock is taken when an identity answer comes: once
/// a connection, not once a request. The rules are `InstanceTable`'s.
public final class InstanceRegistry: Sendable {
    /// How many replaced IDs are remembered; the oldest are forgotten.
    public static let replacedMax = 1024

    private let table: Locked<InstanceTable>
    /// `epoch << 32 | current`: a snapshot in one word is never torn.
    private let packed = Atomic<UInt64>(0)

    /// A registry that knows no instance yet.
    public convenience init() {
        self.init(replacedMax: Self.replacedMax)
    }

    init(replacedMax: Int) {
        table = Locked(InstanceTable(replacedMax: replacedMax))
    }

    /// Which instances live, as of now.
    public var live: LiveInstances {
        LiveInstances(packed: packed.load(ordering: .acquiring))
    }

    /// Whether a connection whose first answer was `report` is to ask once more before it is
    /// observed, with both answers, by `observeFirstContact`.
    ///
    /// So while no ID is known: a backend that makes an ID for each request is found out here.
    public func needsSecondAsk(after report: IdentityReport) -> Bool {
        guard case .id = report, live.current == .none else { return false }
        return table.withLock { $0.needsSecondAsk }
    }

    /// Takes in what a connection answered, and says what it is bound to from now on.
    ///
    /// - Parameters:
    ///   - report: The answer.
    ///   - connectionOpenedAt: The clock read anew just before the connection's `connect`: the
    ///     order in which connections were opened is what tells a late answer from news.
    ///   - now: When the answer was read.
    ///   - earlier: What the connection was bound to before, if it was asked before.
    /// - Returns: What the connection is bound to, which instances live, and what is news.
    public func observe(
        _ report: IdentityReport,
        connectionOpenedAt: MonotonicTime,
        now: MonotonicTime,
        previously earlier: InstanceNumber? = nil
    ) -> Observation {
        table.withLock { table in
            let seen = table.observe(
                report,
                openedAt: connectionOpenedAt,
                now: now,
                earlier: earlier
            )
            packed.store(seen.live.packed, ordering: .releasing)
            return seen
        }
    }

    /// Takes in both answers of a connection that was to ask twice (`needsSecondAsk`).
    public func observeFirstContact(
        first: IdentityReport,
        second: IdentityReport,
        connectionOpenedAt: MonotonicTime,
        now: MonotonicTime
    ) -> Observation {
        table.withLock { table in
            let seen = table.observeFirstContact(
                first: first,
                second: second,
                openedAt: connectionOpenedAt,
                now: now
            )
            packed.store(seen.live.packed, ordering: .releasing)
            return seen
        }
    }

    /// The ID of an instance, unless it was replaced so long ago that it is forgotten.
    public func id(of number: InstanceNumber) -> [UInt8]? {
        table.withLock { $0.id(of: number) }
    }

    /// The ID of an instance as logs show it: 8 characters and `…`, or all of a short one.
    public func shortID(of number: InstanceNumber) -> String {
        guard let id = id(of: number) else { return "unknown" }
        let text = String(decoding: id, as: UTF8.self)
        return text.count > 8 ? text.prefix(8) + "…" : text
    }
}

extension LiveInstances {
    fileprivate init(packed: UInt64) {
        self.init(
            current: InstanceNumber(rawValue: UInt32(truncatingIfNeeded: packed)),
            epoch: UInt32(truncatingIfNeeded: packed >> 32)
        )
    }

    fileprivate var packed: UInt64 { UInt64(epoch) << 32 | UInt64(current.rawValue) }
}
