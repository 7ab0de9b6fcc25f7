import Exchange
import Instances
import Memory
import Sessions
import Testing

private func instance(_ number: UInt32) -> InstanceNumber { InstanceNumber(rawValue: number) }

private func live(_ numbers: UInt32...) -> LiveInstances {
    LiveInstances(
        current: instance(numbers.last ?? 0),
        epoch: 1,
        members: numbers.count > 1 ? numbers.map { instance($0) } : nil
    )
}

/// A subscriber, and what it was told so far.
private struct Listener {
    var subscriber: BackendEvents.Subscriber
    var told: String

    init(
        _ events: BackendEvents,
        _ session: BackendEvents.Session,
        after id: String? = nil,
        live: LiveInstances = live(1)
    ) {
        var out = Buffer()
        subscriber = events.subscribe(
            session,
            lastEventID: id.map { Array($0.utf8) },
            isChunked: true,
            live: live,
            instanceID: nil,
            into: &out
        )
        told = string(out)
    }

    /// The names of the events told since the last call, a reason behind them.
    mutating func names() -> [String] {
        defer { told = "" }
        return told.split(separator: "\n").compactMap { line in
            if line.hasPrefix("event: ") { return String(line.dropFirst(7)) }
            let isReason = line.hasPrefix("data: {\"reason\"")
            return isReason ? String(line.split(separator: "\"")[3]) : nil
        }
    }

    /// The last ID.
    var id: String {
        told.split(separator: "\n").last { $0.hasPrefix("id: ") }.map { String($0.dropFirst(4)) }
            ?? ""
    }

    mutating func tell(_ events: BackendEvents, live: LiveInstances) -> [String] {
        var out = Buffer()
        let before = told
        told = ""
        let isTold = events.tell(&subscriber, live: live, instanceID: nil, into: &out)
        told = string(out)
        #expect(isTold == !told.isEmpty)
        defer { told = before + told }
        var copy = self
        return copy.names()
    }
}

private let cleared = ["session-cleared", "backend-restart"]

@Suite("5 what subscribers are told")
struct BackendEventsTests {
    @Test("5 a stream begins with how soon to come back, and an ID")
    func beginning() {
        let listener = Listener(BackendEvents(origin: 0xAB), .live(instance(7)), live: live(7))
        #expect(listener.told == "retry: 2000\nid: ab-0-7\n\n")
        let stranger = Listener(BackendEvents(origin: 0xAB), .none)
        #expect(stranger.told == "retry: 2000\nid: ab-0-\n\n")
    }

    @Test("5 a session that has ended is told at once, with its reason")
    func endedAtSubscription() {
        let events = BackendEvents(origin: 1)
        var listener = Listener(events, .ended(.backendRestart))
        #expect(listener.told.contains("data: {\"reason\":\"backend-restart\"}\n\n"))
        #expect(listener.names() == cleared)
        var expired = Listener(events, .ended(.expired))
        #expect(expired.names() == ["session-cleared", "expired"])
        var unknown = Listener(events, .ended(.unknown))
        #expect(unknown.names() == ["session-cleared", "unknown"])
        #expect(!unknown.subscriber.hasSession)
    }

    @Test("5 a restart: those with a session of the old instance, once; nobody is told twice")
    func restart() {
        var events = BackendEvents(origin: 1)
        var holder = Listener(events, .live(instance(1)))
        var stranger = Listener(events, .none)
        events.note(.down)
        #expect(holder.tell(events, live: live(1)) == ["backend-down"])
        events.note(.up)
        events.note(.instances)
        #expect(holder.tell(events, live: live(2)) == cleared + ["backend-up", "backend-up"])
        #expect(holder.tell(events, live: live(2)) == [])
        #expect(
            stranger.tell(events, live: live(2)) == ["backend-down", "backend-up", "backend-up"]
        )
        events.note(.instances)
        #expect(holder.tell(events, live: live(3)) == ["backend-up"], "it has no session now")
    }

    @Test("5 several instances: only the sessions of the one that is gone")
    func several() {
        var events = BackendEvents(origin: 1)
        let all = live(1, 2, 3)
        var one = Listener(events, .live(instance(1)), live: all)
        var two = Listener(events, .live(instance(2)), live: all)
        events.note(.instances)
        #expect(one.tell(events, live: live(2, 3)) == cleared + ["backend-up"])
        #expect(two.tell(events, live: live(2, 3)) == [])
        events.note(.instances)
        #expect(two.tell(events, live: live(2, 3, 4)) == [])
        #expect(two.subscriber.hasSession)
    }

    @Test("5 a session issued while no ID was known ends with the first one")
    func boundToNobody() {
        var events = BackendEvents(origin: 1)
        var listener = Listener(events, .live(.none), live: live(0))
        #expect(listener.subscriber.hasSession)
        events.note(.instances)
        #expect(listener.tell(events, live: live(1)) == cleared + ["backend-up"])
    }

    @Test("5 whoever subscribes while the backend is down is told so")
    func down() {
        var events = BackendEvents(origin: 1)
        events.note(.down)
        #expect(events.isDown)
        var listener = Listener(events, .none)
        #expect(listener.names() == ["backend-down"])
        events.note(.up)
        #expect(!events.isDown)
        var later = Listener(events, .none)
        #expect(later.names() == [])
    }

    @Test("5 Last-Event-ID: what was missed is told, and nothing else")
    func missed() {
        var events = BackendEvents(origin: 1)
        events.note(.up)
        let id = Listener(events, .live(instance(1))).id
        #expect(id == "1-1-1")
        var same = Listener(events, .live(instance(1)), after: id)
        #expect(same.names() == [])
        events.note(.down)
        events.note(.up)
        events.note(.instances)
        var stale = Listener(events, .ended(.backendRestart), after: id, live: live(2))
        #expect(stale.names() == cleared + ["backend-down", "backend-up", "backend-up"])
        // Its cookie was taken away by an answer to another request.
        var bare = Listener(events, .none, after: id, live: live(2))
        #expect(bare.names() == cleared + ["backend-down", "backend-up", "backend-up"])
        // It has logged in again.
        var fresh = Listener(events, .live(instance(2)), after: id, live: live(2))
        #expect(fresh.names() == ["backend-down", "backend-up"])
        // It has logged out.
        var out = Listener(events, .none, after: id, live: live(1))
        #expect(out.names().first == "backend-down")
    }

    @Test("5 each event has the ID to come back with")
    func eachID() {
        var events = BackendEvents(origin: 1)
        let id = Listener(events, .none).id
        events.note(.down)
        events.note(.up)
        let listener = Listener(events, .none, after: id)
        let ids = listener.told.split(separator: "\n").filter { $0.hasPrefix("id: ") }
        #expect(ids == ["id: 1-0-", "id: 1-1-", "id: 1-2-"])
        var again = Listener(events, .none, after: "1-1-")
        #expect(again.names() == ["backend-up"])
    }

    @Test("5 an ID of another process, or from too long ago: how things are now")
    func forgotten() {
        var events = BackendEvents(origin: 1)
        events.note(.up)
        var foreign = Listener(events, .none, after: "2-0-5")
        #expect(foreign.names() == ["backend-up"])
        for _ in 0..<BackendEvents.keptMax { events.note(.instances) }
        events.note(.down)
        var late = Listener(events, .none, after: "1-0-")
        #expect(late.names() == ["backend-down"])
        #expect(Listener(events, .none, after: "1-0-").id == "1-\(BackendEvents.keptMax + 2)-")
    }

    @Test(
        "5 an ID that nobody gave is none",
        arguments: [
            "", "-", "--", "1-0", "1-0-1-1", "1-99-", "1-18446744073709551616-", "x-0-", "1--1-",
            "1-0-4294967296", "1-\u{0}-", String(repeating: "1", count: 4096),
        ]
    )
    func nonsense(id: String) {
        var events = BackendEvents(origin: 1)
        events.note(.up)
        var listener = Listener(events, .live(instance(1)), after: id)
        #expect(listener.names().allSatisfy { $0 == "backend-up" })
        #expect(listener.subscriber.hasSession)
    }

    @Test("5 the ID of the one instance stands beside backend-up")
    func instanceID() {
        var events = BackendEvents(origin: 1)
        var out = Buffer()
        var subscriber = Listener(events, .none).subscriber
        events.note(.up)
        let id = Array("a\"b".utf8)
        #expect(events.tell(&subscriber, live: live(1), instanceID: id, into: &out))
        #expect(string(out) == "id: 1-1-\nevent: backend-up\ndata: {\"instanceId\":\"a\\\"b\"}\n\n")
    }

    @Test("5 pieces of a stream are chunks, or as they are")
    func framing() {
        var out = Buffer()
        BackendEvents.append(line("0123456789abcdef"), isChunked: true, to: &out)
        BackendEvents.append(line(""), isChunked: true, to: &out)
        BackendEvents.appendComment(isChunked: true, to: &out)
        BackendEvents.appendEnd(isChunked: true, to: &out)
        #expect(string(out) == "10\r\n0123456789abcdef\r\n3\r\n:\n\n\r\n0\r\n\r\n")
        var plain = Buffer()
        BackendEvents.append(line("x"), isChunked: false, to: &plain)
        BackendEvents.appendComment(isChunked: false, to: &plain)
        BackendEvents.appendEnd(isChunked: false, to: &plain)
        #expect(string(plain) == "x:\n\n")
    }

    @Test("5 a subscriber costs little")
    func size() {
        #expect(MemoryLayout<BackendEvents.Subscriber>.size <= 16)
    }
}
