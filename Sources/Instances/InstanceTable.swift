internal import Time

/// The rules for `instances: single` (contract 3.2, 3.4), as a pure value; `InstanceRegistry`
/// shares one between threads.
///
/// One process listens at a time, so what a connection reports depends on when it was opened, not
/// on when the answer comes. Three cases follow that a plain "new ID replaces the old" gets wrong:
/// - A replaced instance that still answers on its old connections (it drains) is not back.
/// - An ID never seen, from a connection opened before the one by which the current instance was
///   first known, is not news but late: that instance came and went unseen. It gets a number that
///   never lives.
/// - A replaced ID on a connection opened after the replacement was seen is what no restart
///   causes. It becomes current, with a new number, and a warning.
struct InstanceTable {
    private struct Current {
        var number: InstanceNumber
        var id: [UInt8]
        /// When the first of the connections that end in it was opened.
        var openedAt: MonotonicTime
    }

    private var current: Current?
    private var replaced: ReplacedInstances
    private var epoch: UInt32 = 0
    private var lastNumber = InstanceNumber.none
    private var isIDPerRequest = false
    private var saidOldBackend = false
    private var saidTwoIDs = false
    private var isSilent = false

    init(replacedMax: Int) {
        replaced = ReplacedInstances(capacity: replacedMax)
    }

    var live: LiveInstances {
        LiveInstances(current: current?.number ?? .none, epoch: epoch)
    }

    var needsSecondAsk: Bool { current == nil && !isIDPerRequest }

    func id(of number: InstanceNumber) -> [UInt8]? {
        current?.number == number ? current?.id : replaced.id(of: number)
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
        case .failed: observation(current == nil ? .none : .unverified)
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
        guard current != nil else {
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
        if current != nil {
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
        if isSilent, seen.instance == current?.number {
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
        guard let number = install(id, openedAt: openedAt) else {
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

    /// Makes an ID the current instance, under a new number.
    private mutating func install(_ id: [UInt8], openedAt: MonotonicTime) -> InstanceNumber? {
        guard let number = nextNumber() else { return nil }
        current = Current(number: number, id: id, openedAt: openedAt)
        // Cannot overflow: there are more epochs than numbers, and each takes a number.
        epoch += 1
        return number
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
}
