import Instances
import Time

@testable import Sessions

/// What the jar ought to do, with dictionaries and full scans, in the words of the contract.
struct JarModel {
    struct Entry {
        var instance: InstanceNumber
        var created: Int64
        var lastUsed: Int64
        var turn: Int
        var isCaptured: Bool
        /// Newest first.
        var cookies: [String] = []
    }

    struct Ended {
        var reason: EndReason
        var at: Int64
        var turn: Int
        var claimed = Int64.min / 2
    }

    let capacity: Int
    let tombstones: Int
    let idleTimeout: Int64
    let maxAge: Int64
    let cookiesMax: Int
    var sessions: [String: Entry] = [:]
    var owners: [String: String] = [:]
    var endedSessions: [String: Ended] = [:]
    var endedBound: [String: Ended] = [:]
    var endedCookies: [String: Ended] = [:]
    var refused: [String: Int64] = [:]
    var displacedCount = 0
    var counts = EndCounts()
    private var turn = 0

    init(capacity: Int, tombstones: Int, idleTimeout: Int64, maxAge: Int64, cookiesMax: Int) {
        self.capacity = capacity
        self.tombstones = tombstones
        self.idleTimeout = idleTimeout
        self.maxAge = maxAge
        self.cookiesMax = cookiesMax
    }

    private mutating func nextTurn() -> Int {
        turn += 1
        return turn
    }

    // MARK: - Endings

    func reason(_ id: String, _ live: InstanceNumber, _ now: Int64) -> EndReason? {
        guard let entry = sessions[id] else { return nil }
        return entry.instance != live ? .restart : overdue(entry, now)
    }

    private func overdue(_ entry: Entry, _ now: Int64) -> EndReason? {
        if now - entry.lastUsed >= idleTimeout { return .idle }
        return now - entry.created >= maxAge ? .age : nil
    }

    private func known(_ ended: Ended?, _ now: Int64) -> Ended? {
        guard let ended, now - ended.at < maxAge else { return nil }
        return ended
    }

    private enum Grave { case cookie, captured, bound }

    private mutating func bury(_ key: String, _ reason: EndReason, _ now: Int64, _ grave: Grave) {
        var table: [String: Ended]
        switch grave {
        case .cookie: table = endedCookies
        case .captured: table = endedSessions
        case .bound: table = endedBound
        }
        table = table.filter { $0.key != key && now - $0.value.at < maxAge }
        if table.count >= tombstones, let oldest = table.min(by: { $0.value.turn < $1.value.turn })
        {
            table[oldest.key] = nil
            if grave == .captured { displacedCount += 1 }
        }
        table[key] = Ended(reason: reason, at: now, turn: nextTurn())
        switch grave {
        case .cookie: endedCookies = table
        case .captured: endedSessions = table
        case .bound: endedBound = table
        }
    }

    mutating func end(_ id: String, _ reason: EndReason, _ now: Int64) {
        guard let entry = sessions.removeValue(forKey: id) else { return }
        for cookie in entry.cookies {
            owners[cookie] = nil
            bury(cookie, reason, now, .cookie)
        }
        bury(id, reason, now, entry.isCaptured ? .captured : .bound)
        counts[reason] += 1
    }

    mutating func endDead(_ live: InstanceNumber, _ now: Int64) {
        for id in sessions.keys {
            if let reason = reason(id, live, now) { end(id, reason, now) }
        }
    }

    private mutating func touch(_ id: String, _ now: Int64) {
        let turn = nextTurn()
        sessions[id]?.lastUsed = now
        sessions[id]?.turn = turn
    }

    // MARK: - Requests

    mutating func lookUp(
        cookie: String,
        isExempt: Bool,
        _ live: InstanceNumber,
        _ now: Int64
    ) -> String {
        if let id = owners[cookie] {
            guard let reason = reason(id, live, now) else {
                touch(id, now)
                return "live \(id) \(live.rawValue)"
            }
            end(id, reason, now)
        }
        guard let ended = known(endedCookies[cookie], now) else {
            return "unknown\(!isExempt && claimUnknown(cookie, now) ? " expires" : "")"
        }
        let claims = !isExempt && claimEnded(cookie, now)
        return "\(ended.reason)\(claims ? " expires" : "")"
    }

    mutating func lookUp(session id: String, _ live: InstanceNumber, _ now: Int64) -> String {
        if sessions[id] != nil {
            guard let reason = reason(id, live, now) else {
                touch(id, now)
                return "live \(live.rawValue)"
            }
            end(id, reason, now)
            return "\(reason)"
        }
        return tombstone(id, now).map { "\($0.reason)" } ?? "unknown"
    }

    func tombstone(_ id: String, _ now: Int64) -> Ended? {
        known(endedSessions[id], now) ?? known(endedBound[id], now)
    }

    private mutating func claimEnded(_ cookie: String, _ now: Int64) -> Bool {
        guard let ended = endedCookies[cookie], now - ended.claimed >= 10_000_000_000 else {
            return false
        }
        endedCookies[cookie]?.claimed = now
        return true
    }

    private mutating func claimUnknown(_ cookie: String, _ now: Int64) -> Bool {
        if let time = refused[cookie], now - time < 10_000_000_000 { return false }
        refused[cookie] = now
        return true
    }

    mutating func claim(_ cookie: String, _ now: Int64) -> Bool {
        if owners[cookie] != nil { return false }
        if known(endedCookies[cookie], now) != nil { return claimEnded(cookie, now) }
        return claimUnknown(cookie, now)
    }

    // MARK: - Responses

    mutating func capture(
        _ id: String,
        cookie: String,
        instance: InstanceNumber,
        carried: String?,
        carriedInstance: InstanceNumber,
        oldCookie: String?,
        _ now: Int64
    ) {
        if let entry = sessions[id] {
            if entry.instance != instance {
                end(id, .restart, now)
            } else if let reason = overdue(entry, now) {
                end(id, reason, now)
            }
        }
        endedSessions[id] = nil
        endedBound[id] = nil
        if let entry = sessions[id] {
            if !entry.cookies.isEmpty, entry.cookies.count >= 64 || owners.count >= cookiesMax {
                let last = sessions[id]?.cookies.removeLast() ?? ""
                owners[last] = nil
                bury(last, .capacity, now, .cookie)
            }
            sessions[id]?.created = now
            sessions[id]?.isCaptured = true
            touch(id, now)
        } else {
            sessions[id] = Entry(
                instance: instance,
                created: now,
                lastUsed: now,
                turn: nextTurn(),
                isCaptured: true
            )
        }
        sessions[id]?.cookies.insert(cookie, at: 0)
        owners[cookie] = id
        if let carried, carried != id, sessions[carried]?.instance == carriedInstance {
            end(carried, .replaced, now)
        }
        if let oldCookie { supersede(oldCookie, now) }
        guard count(captured: true) > capacity else { return }
        if let oldest = oldest(captured: true), oldest != id { end(oldest, .capacity, now) }
    }

    private mutating func supersede(_ cookie: String, _ now: Int64) {
        if let id = owners[cookie] {
            if sessions[id]?.cookies == [cookie] {
                end(id, .replaced, now)
            } else {
                owners[cookie] = nil
                sessions[id]?.cookies.removeAll { $0 == cookie }
                bury(cookie, .replaced, now, .cookie)
            }
        }
        if known(endedCookies[cookie], now) != nil {
            endedCookies[cookie]?.claimed = now
        } else {
            refused[cookie] = now
        }
    }

    private func count(captured: Bool) -> Int {
        sessions.count { $0.value.isCaptured == captured }
    }

    private func oldest(captured: Bool) -> String? {
        sessions.filter { $0.value.isCaptured == captured }
            .min { $0.value.turn < $1.value.turn }?.key
    }

    private mutating func forget(_ id: String) {
        sessions[id] = nil
        counts[.capacity] += 1
    }

    mutating func bind(_ id: String, _ instance: InstanceNumber, _ now: Int64) {
        if sessions[id] == nil, tombstone(id, now) == nil {
            sessions[id] = Entry(
                instance: instance,
                created: now,
                lastUsed: now,
                turn: nextTurn(),
                isCaptured: false
            )
        }
        guard count(captured: false) > tombstones else { return }
        if let oldest = oldest(captured: false), oldest != id { forget(oldest) }
    }

    mutating func endCarried(
        _ id: String,
        _ instance: InstanceNumber,
        _ reason: EndReason,
        always: Bool,
        _ now: Int64
    ) {
        if let entry = sessions[id] {
            if entry.instance == instance { end(id, reason, now) }
        } else if always, tombstone(id, now) == nil {
            bury(id, reason, now, .bound)
        }
    }
}
