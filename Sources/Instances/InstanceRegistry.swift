internal import Memory
public import Settings
public import Synchronization
public import Time

/// Which instance of the backend lives, known to all threads: the workers and the watcher report
/// what connections answered, and everyone reads the outcome without a lock.
///
/// A request costs one atomic load (`live`). The lock is taken when an identity answer comes: once
/// a connection, not once a request; and where several instances live, when they change. The rules
/// are `InstanceTable`'s.
public final class InstanceRegistry: Sendable {
    /// How many replaced IDs are remembered; the oldest are forgotten.
    public static let replacedMax = 1024

    /// Whether there may be several instances.
    public let mode: IdentitySettings.Instances
    private let table: Locked<InstanceTable>
    /// The snapshot, or where several live the name of one.
    @usableFromInline let packed: Atomic<UInt64>

    /// A registry that knows no instance yet; `grace` is how long one of several is looked for.
    public init(
        mode: IdentitySettings.Instances = .single,
        grace: Duration = .seconds(2),
        replacedMax: Int = InstanceRegistry.replacedMax
    ) {
        let empty = InstanceTable(mode: mode, grace: grace, replacedMax: replacedMax)
        self.mode = mode
        packed = Atomic(empty.live.packed)
        table = Locked(empty)
    }

    /// Which instances live, as of now.
    public var live: LiveInstances {
        let word = packed.load(ordering: .acquiring)
        return LiveInstances.isOfMany(word)
            ? table.withLock { $0.live } : LiveInstances(packed: word)
    }

    /// The same for who asks often, without a lock as long as `known`, what was read before, holds.
    @inlinable
    public func live(knowing known: inout LiveInstances) -> LiveInstances {
        let word = packed.load(ordering: .acquiring)
        guard LiveInstances.isOfMany(word) else { return LiveInstances(packed: word) }
        return liveAmongMany(word, &known)
    }

    @usableFromInline
    func liveAmongMany(_ word: UInt64, _ known: inout LiveInstances) -> LiveInstances {
        if known.packed != word { known = table.withLock { $0.live } }
        return known
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

    /// A connection that was bound to `old` is bound to `new` now; nil before its first answer, and
    /// when it is closed.
    ///
    /// True if it was the last one to an instance that lives: it is to be looked for.
    public func rebind(
        _ old: InstanceNumber?,
        to new: InstanceNumber?,
        now: MonotonicTime
    ) -> Bool {
        guard mode != .single, old != new else { return false }
        return table.withLock { $0.rebind(old, to: new, now: now) }
    }

    /// Finds out who is gone by now, and when to look again if nothing happens before.
    public func settle(now: MonotonicTime) -> (changes: [InstanceChange], again: MonotonicTime) {
        guard mode != .single else { return ([], .distantFuture) }
        return table.withLock { table in
            let changes = table.settle(now: now)
            packed.store(table.live.packed, ordering: .releasing)
            return (changes, table.nextSettling(now: now))
        }
    }

    /// Which instances' sessions are to be kept in the jar.
    public func undoubted(now: MonotonicTime) -> LiveInstances {
        mode == .auto ? table.withLock { $0.undoubted(now: now) } : live
    }

    /// The ID of an instance, unless it was replaced so long ago that it is forgotten.
    public func id(of number: InstanceNumber) -> [UInt8]? {
        table.withLock { $0.id(of: number) }
    }

    /// When the first connection was opened that ended in an instance which lives.
    public func since(_ number: InstanceNumber) -> MonotonicTime? {
        table.withLock { $0.since(number) }
    }

    /// The ID of an instance as logs show it: 8 characters and `…`, or all of a short one.
    public func shortID(of number: InstanceNumber) -> String {
        guard let id = id(of: number) else { return "unknown" }
        let text = String(decoding: id, as: UTF8.self)
        return text.count > 8 ? text.prefix(8) + "…" : text
    }
}
