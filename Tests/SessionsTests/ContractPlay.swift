import Instances
import Settings
import Testing
import Time

@testable import Sessions

/// Who holds sessions how, before how many processes, for one random play.
struct ContractSetup: Sendable, CustomTestStringConvertible {
    enum Carrier: Sendable { case jarCookie, header, backendCookie }

    var carrier: Carrier
    var mode: IdentitySettings.Instances
    var areMany: Bool

    var testDescription: String { "\(carrier), \(mode)\(areMany ? ", several" : "")" }

    static let all: [Self] = [Carrier.jarCookie, .header, .backendCookie].flatMap { carrier in
        [
            Self(carrier: carrier, mode: .single, areMany: false),
            Self(carrier: carrier, mode: .auto, areMany: false),
            Self(carrier: carrier, mode: .auto, areMany: true),
            Self(carrier: carrier, mode: .multi, areMany: true),
        ]
    }
}

/// What is really so in a play: times in milliseconds.
struct ContractTruth {
    /// A session, as the contract sees it.
    struct Issued {
        var process: Int
        var created: Int64
        /// When a request with it was last let through, or when it was issued.
        var used: Int64
        /// Why it has ended, other than by the death of its process.
        var causes: Set<EndReason> = []
        /// The earliest time at which it can have become a tombstone.
        var endedAt: Int64?
    }

    static let idle: Int64 = 10_000
    static let age: Int64 = 40_000

    var alive: [Int] = []
    var lastProcess = 0
    var issued: [String: Issued] = [:]
    /// What the backend has forgotten by itself.
    var forgotten: Set<String> = []
    /// When the cookie of a session was last expired or given up for another one.
    var claimedAt: [String: Int64] = [:]
    private var lastSession = 0

    mutating func startProcess() {
        lastProcess += 1
        alive.append(lastProcess)
    }

    mutating func kill(_ process: Int, _ now: Int64) {
        alive.removeAll { $0 == process }
        for (id, session) in issued where session.process == process {
            issued[id]?.endedAt = min(session.endedAt ?? now, now)
        }
    }

    mutating func issue(by process: Int, _ now: Int64) -> String {
        lastSession += 1
        let id = "s\(lastSession)-of-\(process)"
        issued[id] = Issued(process: process, created: now, used: now)
        if !alive.contains(process) { issued[id]?.endedAt = now }
        return id
    }

    mutating func end(_ id: String, _ cause: EndReason, _ now: Int64) {
        guard let session = issued[id] else { return }
        issued[id]?.causes.insert(cause)
        issued[id]?.endedAt = min(session.endedAt ?? now, now)
    }

    func isAlive(_ id: String) -> Bool {
        issued[id].map { alive.contains($0.process) } ?? false
    }

    /// Whether its time is over, or was when nobody looked.
    func isOverdue(_ id: String, _ now: Int64) -> Bool {
        guard let session = issued[id] else { return false }
        return now - session.used >= Self.idle || now - session.created >= Self.age
    }

    /// Whether what remained of it may be forgotten by now (`max_age` after its end).
    func mayBeForgotten(_ id: String, _ now: Int64) -> Bool {
        guard let session = issued[id] else { return true }
        let overdueAt = min(session.used + Self.idle, session.created + Self.age)
        return now >= min(session.endedAt ?? overdueAt, overdueAt) + Self.age
    }

    /// What is wrong with answering that a session has been cleared.
    func fault(in end: ClearedReason, of id: String, _ now: Int64) -> String? {
        switch end {
        case .backendRestart:
            isAlive(id) ? "\(id) gets a 401 for a restart, and its process lives" : nil
        case .expired:
            issued[id]?.causes.isEmpty ?? true && !isOverdue(id, now)
                ? "\(id) is said to have expired" : nil
        case .unknown: mayBeForgotten(id, now) ? nil : "\(id) is said to be unknown"
        }
    }

    /// What is wrong with letting a request with a session go on to the backend.
    func fault(inLettingOn id: String, _ now: Int64) -> String? {
        guard let session = issued[id] else { return "\(id) was never issued" }
        if let cause = session.causes.first { return "\(id) has ended (\(cause)), and goes on" }
        return isOverdue(id, now) ? "\(id) is overdue, and goes on" : nil
    }
}

/// A request on its way.
struct ContractFlight {
    enum Kind: CaseIterable {
        case data, logIn, rotate, disconnect, forget, echo

        var issues: Bool { self == .logIn || self == .rotate }
    }

    struct Response {
        var connection: Int
        var text: String
        var issued: String?
        var endedByBackend = false
    }

    var client: Int
    var kind: Kind
    /// The session that the client meant by what it sent, and its cookie if it has one.
    var carried: String?
    var cookie: String?
    var judgement: Judgement
    var response: Response?
}
