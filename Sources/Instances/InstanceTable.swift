internal import Settings
internal import Time

/// The rules for which instances live (contract 3.2, 3.4), as a pure value; `InstanceRegistry`
/// shares one between threads.
///
/// **Single.** One process listens at a time, so what a connection reports depends on when it was
/// opened, not on when the answer comes. Three cases follow that a plain "new ID replaces the old"
/// gets wrong:
/// - A replaced instance that still answers on its old connections (it drains) is not back.
/// - An ID never seen, from a connection opened before the one by which the current instance was
///   first known, is not news but late: that instance came and went unseen. It gets a number that
///   never lives.
/// - A replaced ID on a connection opened after the replacement was seen is what no restart
///   causes. It becomes current, with a new number, and a warning.
///
/// **Multi.** Whoever answers lives, beside the others, until it is gone by the rules of `Members`.
///
/// **Auto.** Single until that third case; then multi, and the replaced instances that answer get
/// their old numbers back, with which their sessions work again. Single again when one has been
/// alone for a minute.
struct InstanceTable {
    private struct Current {
        var number: InstanceNumber
        var id: [UInt8]
        /// When the first of the connections that end in it was opened.
        var openedAt: MonotonicTime
    }

    static let aloneMin: Duration = .seconds(60)
    /// For so long the sessions of an instance that was replaced stay in the jar, should it turn
    /// out to be one of several.
    static let doubtMax: Duration = .seconds(60)

    let mode: IdentitySettings.Instances
    private let grace: Duration
    private var current: Current?
    private var replaced: ReplacedInstances
    /// Whether several live side by side; then `members` are those, and `current` is nil.
    private(set) var areMany: Bool
    private var members = Members()
    /// Since when one of several has been alone.
    private var aloneSince: MonotonicTime?
    /// How many open connections end in an instance.
    private var holders: [InstanceNumber: Int] = [:]
    private var epoch: UInt32 = 0
    private var lastNumber = InstanceNumber.none
    private var isIDPerRequest = false
    private var saidOldBackend = false
    private var saidTwoIDs = false
    private var isSilent = false

    init(
        mode: IdentitySettings.Instances = .single,
        grace: Duration = .seconds(2),
        replacedMax: Int
    ) {
        self.mode = mode
        self.grace = grace
        areMany = mode == .multi
        replaced = ReplacedInstances(capacity: replacedMax)
    }

    var live: LiveInstances {
        guard areMany else {
            return LiveInstances(current: current?.number ?? .none, epoch: epoch)
        }
        return LiveInstances(
            current: members.newest?.number ?? .none,
            epoch: epoch,
            members: members.numbers
        )
    }

    /// Which instances' sessions are to be kept: those that live, and under `auto` those of which
    /// it may turn out that they do.
    func undoubted(now: MonotonicTime) -> LiveInstances {
        guard mode == .auto, !areMany, let current else { return live }
        let inDoubt = replaced.numbers(replacedAfter: now + (.zero - Self.doubtMax))
        guard !inDoubt.isEmpty else { return live }
        return LiveInstances(
            current: current.number,
            epoch: epoch,
            members: inDoubt + [current.number]
        )
    }

    /// Whether any ID was ever reported.
    private var isKnown: Bool { lastNumber != .none }

    var needsSecondAsk: Bool { !isKnown && !isIDPerRequest }

    func id(of number: InstanceNumber) -> [UInt8]? {
        if current?.number == number { return current?.id }
        return members.id(of: number) ?? replaced.id(of: number)
    }

    func since(_ number: InstanceNumber) -> MonotonicTime? {
        if current?.number == number { return current?.openedAt }
        return members.list.first { $0.number == number }?.openedAt
    }

    /// A connection's first answer, or with `earlier` a later one.
    mutating func observe(
        _ report: IdentityReport,
        openedAt: MonotonicTime,
        now: MonotonicTime,
        earlier: InstanceNumber?
    ) -> Observation {
        switch report {
        case .id(let id) where !IdentityReport.isUsable(id): silence(.unusable)
        case .id where isIDPerRequest: observation(.none)
        case .id(let id): sight(of: id, openedAt: openedAt, now: now, earlier: earlier)
        case .none(let cause): silence(cause)
        case .failed: observation(isKnown ? .unverified : .none)
        }
    }

    /// Both answers of one connection, asked twice because no ID was known when it asked.
    mutating func observeFirstContact(
        first: IdentityReport,
        second: IdentityReport,
        openedAt: MonotonicTime,
        now: MonotonicTime
    ) -> Observation {
        guard case .id(let one) = first, IdentityReport.isUsable(one),
            case .id(let other) = second, IdentityReport.isUsable(other), one != other
        else {
            return observe(first, openedAt: openedAt, now: now, earlier: nil)
        }
        if isIDPerRequest {
            return observation(.none)
        }
        guard isKnown else {
            isIDPerRequest = true
            return observation(.none, [.idPerRequest])
        }
        // Someone else's first contact was faster, and found one ID: so this is not an ID for each
        // request, but a connection with more than one process at its end.
        let before = observe(first, openedAt: openedAt, now: now, earlier: nil)
        var seen = observe(second, openedAt: openedAt, now: now, earlier: before.instance)
        seen.changes.insert(contentsOf: before.changes, at: 0)
        return seen
    }

    private func observation(
        _ instance: InstanceNumber,
        _ changes: [InstanceChange] = []
    ) -> Observation {
        Observation(instance: instance, live: live, changes: changes)
    }

    private mutating func silence(_ cause: NoIdentityCause) -> Observation {
        if isIDPerRequest {
            return observation(.none)
        }
        if isKnown {
            let isNews = !isSilent
            isSilent = true
            return observation(.unverified, isNews ? [.stoppedReporting(cause)] : [])
        }
        let isNews = !saidOldBackend
        saidOldBackend = true
        return observation(.none, isNews ? [.oldBackend(cause)] : [])
    }

    private mutating func sight(
        of id: [UInt8],
        openedAt: MonotonicTime,
        now: MonotonicTime,
        earlier: InstanceNumber?
    ) -> Observation {
        // Before `place`, which may let the oldest of the replaced instances be forgotten.
        let earlierID = earlier.flatMap { self.id(of: $0) }
        var seen = place(id, openedAt: openedAt, now: now, isFirstAsk: earlier == nil)
        // Of several, one may be silent for good: that is said once.
        if isSilent, !areMany, seen.instance == current?.number {
            isSilent = false
            if seen.changes.isEmpty {
                seen.changes.append(.reportsAgain(seen.instance))
            }
        }
        if let earlier, let earlierID, earlierID != id, !saidTwoIDs {
            saidTwoIDs = true
            seen.changes.append(.twoIDsOnOneConnection(earlier: earlier, now: seen.instance))
        }
        return seen
    }

    /// Finds the instance of an ID, or makes it one; decides whether it becomes the current one.
    private mutating func place(
        _ id: [UInt8],
        openedAt: MonotonicTime,
        now: MonotonicTime,
        isFirstAsk: Bool
    ) -> Observation {
        if areMany { return placeAmongMany(id, openedAt: openedAt, now: now) }
        guard let known = current else {
            guard let number = install(id, openedAt: openedAt) else {
                return observation(.unverified)
            }
            return observation(number, [.first(number)])
        }
        if id == known.id {
            // Where the TCP end is not the process, a connection older than the process comes to
            // report it when asked again; that says nothing of when the process began.
            if isFirstAsk {
                current?.openedAt = min(known.openedAt, openedAt)
            }
            return observation(known.number)
        }
        let gone = replaced.entry(id)
        if let gone, openedAt <= gone.replacedAt {
            return observation(gone.number)
        }
        if gone == nil, isFirstAsk, openedAt < known.openedAt {
            return observation(overtaken(id, by: known) ?? .unverified)
        }
        if let gone, gone.wasCurrent, mode == .auto {
            return becomeMany(gone, besides: known, openedAt: openedAt, now: now)
        }
        // One that was taken for late by mistake keeps its sessions, unless there are none left.
        let former = mode == .auto ? gone?.number : nil
        guard let number = install(id, as: former, openedAt: openedAt) else {
            return observation(.unverified)
        }
        replaced.add(.init(number: known.number, id: known.id, replacedAt: now, wasCurrent: true))
        let isBack = gone?.wasCurrent ?? false
        let change: InstanceChange =
            isBack
            ? .returned(old: known.number, new: number)
            : .replaced(old: known.number, new: number)
        return observation(number, [change])
    }

    /// Makes an ID the current instance, under a new number unless it has one.
    private mutating func install(
        _ id: [UInt8],
        as former: InstanceNumber? = nil,
        openedAt: MonotonicTime
    ) -> InstanceNumber? {
        guard let number = former ?? nextNumber() else { return nil }
        current = Current(number: number, id: id, openedAt: openedAt)
        beginEpoch()
        return number
    }

    private mutating func beginEpoch() {
        epoch = (epoch + 1) & LiveInstances.epochMax
    }

    private mutating func overtaken(_ id: [UInt8], by known: Current) -> InstanceNumber? {
        guard let number = nextNumber() else { return nil }
        replaced.add(
            .init(number: number, id: id, replacedAt: known.openedAt, wasCurrent: false)
        )
        return number
    }

    /// The next number, or nil after 2³² − 2 of them: a number is never used again, since a
    /// session of long ago could still hold it.
    private mutating func nextNumber() -> InstanceNumber? {
        let next = InstanceNumber(rawValue: lastNumber.rawValue + 1)
        guard next != .unverified else { return nil }
        lastNumber = next
        return next
    }

    // MARK: Several

    /// What no restart causes: from now on both live.
    private mutating func becomeMany(
        _ returned: ReplacedInstances.Entry,
        besides known: Current,
        openedAt: MonotonicTime,
        now: MonotonicTime
    ) -> Observation {
        areMany = true
        aloneSince = nil
        current = nil
        join(known.number, known.id, openedAt: known.openedAt, now: now)
        join(returned.number, returned.id, openedAt: openedAt, now: now)
        return observation(
            returned.number,
            [.several(returned: returned.number, besides: known.number)]
        )
    }

    private mutating func placeAmongMany(
        _ id: [UInt8],
        openedAt: MonotonicTime,
        now: MonotonicTime
    ) -> Observation {
        var changes: [InstanceChange] = []
        let number: InstanceNumber
        if let member = members.member(id) {
            number = member.number
        } else {
            let isFirst = !isKnown
            guard !members.isFull, let given = replaced.entry(id)?.number ?? nextNumber() else {
                return observation(.unverified)
            }
            number = given
            join(number, id, openedAt: openedAt, now: now)
            changes = [isFirst ? .first(number) : .joined(number)]
        }
        members.answered(number, openedAt: openedAt, now: now)
        return observation(number, changes)
    }

    private mutating func join(
        _ number: InstanceNumber,
        _ id: [UInt8],
        openedAt: MonotonicTime,
        now: MonotonicTime
    ) {
        let isHeld = holders[number] != nil
        members.add(
            .init(number: number, id: id, openedAt: openedAt, lostAt: isHeld ? nil : now)
        )
        aloneSince = members.list.count == 1 ? now : nil
        beginEpoch()
    }

    /// A connection that was bound to `old` is bound to `new` now, or closed where that is nil.
    ///
    /// True if that was the last one to an instance that lives: it is to be looked for.
    mutating func rebind(
        _ old: InstanceNumber?,
        to new: InstanceNumber?,
        now: MonotonicTime
    ) -> Bool {
        guard old != new else { return false }
        if let new {
            holders[new, default: 0] += 1
            members.held(new)
        }
        guard let old, let count = holders[old] else { return false }
        holders[old] = count > 1 ? count - 1 : nil
        return count == 1 && areMany && members.lost(old, now: now)
    }

    /// Time has passed: who is gone by now.
    mutating func settle(now: MonotonicTime) -> [InstanceChange] {
        guard areMany else { return [] }
        var changes: [InstanceChange] = []
        for member in members.removeGone(grace: grace, now: now) {
            replaced.add(
                .init(number: member.number, id: member.id, replacedAt: now, wasCurrent: true)
            )
            beginEpoch()
            changes.append(.gone(member.number))
        }
        guard mode == .auto, let only = members.newest, members.list.count == 1 else {
            return changes
        }
        if !changes.isEmpty { aloneSince = now }
        if let aloneSince, now >= aloneSince + Self.aloneMin {
            areMany = false
            members.removeAll()
            current = Current(number: only.number, id: only.id, openedAt: only.openedAt)
            beginEpoch()
            changes.append(.alone(only.number))
        }
        return changes
    }

    /// When `settle` may have something to do next, if nothing happens before.
    func nextSettling(now: MonotonicTime) -> MonotonicTime {
        guard areMany else { return .distantFuture }
        if members.isAnyLost { return now + .milliseconds(100) }
        guard mode == .auto, let aloneSince else { return .distantFuture }
        return aloneSince + Self.aloneMin
    }
}
