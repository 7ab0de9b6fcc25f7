import HTTPModel
import Instances
import Settings
import Testing
import Time

@testable import Sessions

/// Random operations, the same on a jar and on its model; every answer must be the same.
@Suite struct JarModelTests {
    @Test(
        "the jar answers as its model does, over 100,000 random operations",
        arguments: [
            // One shard: the least recently used and the oldest tombstones go, in exact order.
            (40, 20, false, 1), (3, 5, false, 2), (50, 1, false, 3),
            // Many shards, room for all: endings are found by reaping too.
            (5000, 100_000, true, 4),
        ] as [(Int, Int, Bool, UInt64)]
    )
    func random(capacity: Int, tombstones: Int, reaps: Bool, seed: UInt64) {
        var play = Play(capacity: capacity, tombstones: tombstones, seed: seed)
        for step in 0..<100_000 {
            play.step(reaps: reaps)
            if play.difference != nil || step % 1000 == 999 && !play.countsAgree() { break }
        }
        #expect(play.difference == nil)
        #expect(play.countsAgree())
        #expect(play.stepCount == 100_000)
        // The dice must have shown everything that is to be tested.
        let inTime: [EndReason] = reaps ? [.idle, .age] : [.capacity]
        for reason in [.restart, .replaced, .endRule, .backend] + inTime {
            #expect(play.model.counts[reason] >= 20, "\(reason)")
        }
        #expect(play.reviveCount > 20)
        #expect(tombstones > 100 || play.model.displacedCount > 100)
    }
}

private struct Play {
    let jar: Jar
    let idCount: Int
    var model: JarModel
    var random: SeededRandom
    var live = LiveInstances(current: InstanceNumber(rawValue: 1), epoch: 1)
    var now = MonotonicTime(nanoseconds: 1 << 40)
    var cookies: [String] = ["made-up"]
    /// Sessions of requests that are still on their way.
    var inFlight: [(id: String, cookie: String?, session: CarriedSession)] = []
    var difference: String?
    var stepCount = 0
    var reviveCount = 0

    init(capacity: Int, tombstones: Int, seed: UInt64) {
        var jarSettings = JarSettings()
        jarSettings.capacity = capacity
        jarSettings.tombstones = tombstones
        var settings = SessionSettings()
        settings.idleTimeout = .seconds(60)
        settings.maxAge = .seconds(80)
        jar = Jar(jarSettings, session: settings, key: (seed, ~seed))
        idCount = capacity < 1024 ? max(120, capacity * 3 / 2) : 120
        let shardCount = capacity < 1024 ? 1 : 16
        model = JarModel(
            capacity: capacity,
            tombstones: tombstones,
            idleTimeout: settings.idleTimeout.nanoseconds,
            maxAge: settings.maxAge.nanoseconds,
            cookiesMax: capacity < 1024 ? max(16, capacity * 2) : Int.max
        )
        random = SeededRandom(seed: seed + UInt64(shardCount))
    }

    mutating func step(reaps: Bool) {
        stepCount += 1
        now = now + .milliseconds(Int64.random(in: 0...120, using: &random))
        switch Int.random(in: 0..<1000, using: &random) {
        case 0..<400: lookUpCookie(pickCookie())
        case 400..<600: lookUpSession(pickID())
        case 600..<800: capture()
        case 800..<860: bind()
        case 860..<900: end()
        case 900..<920: refuse()
        case 920..<925: live.current = InstanceNumber(rawValue: live.current.rawValue + 1)
        case 925..<930: now = now + .seconds(Int64.random(in: 1...100, using: &random))
        case 930..<940 where reaps: reap()
        default: now = now + .milliseconds(Int64.random(in: 0...3000, using: &random))
        }
    }

    func countsAgree() -> Bool {
        let found = jar.statistics()
        return found.sessions == model.sessions.count && found.cookies == model.owners.count
            && found.displacedTombstones == model.displacedCount && found.ended == model.counts
            && jar.count(boundTo: live.current)
                == model.sessions.values.count { $0.instance == live.current }
    }

    private mutating func pickID() -> String {
        "id-\(Int.random(in: 0..<idCount, using: &random))"
    }

    private mutating func pickCookie() -> String {
        if Int.random(in: 0..<20, using: &random) == 0 {
            return "made-up-\(Int.random(in: 0..<50, using: &random))"
        }
        let recent = cookies.suffix(150)
        return recent[Int.random(in: recent.indices, using: &random)]
    }

    private func cookieKey(_ cookie: String) -> CookieKey {
        let bytes = Array(cookie.utf8)
        return jar.cookieKey(bytes.span, ByteRange(offset: 0, count: bytes.count))
    }

    private func sessionKey(_ id: String) -> Digest {
        let bytes = Array(id.utf8)
        return jar.sessionKey(bytes.span, ByteRange(offset: 0, count: bytes.count))
    }

    private mutating func compare(_ what: String, _ found: String, _ expected: String) {
        if found != expected, difference == nil {
            difference = "step \(stepCount), \(what): \(found) in place of \(expected)"
        }
    }

    @discardableResult
    private mutating func lookUpCookie(_ cookie: String) -> CarriedSession? {
        let isExempt = Int.random(in: 0..<4, using: &random) == 0
        let key = cookieKey(cookie)
        var carried: CarriedSession?
        var found = ""
        switch jar.lookUp(cookie: key, claims: !isExempt, live: live, now: now) {
        case .live(let sessionID, let digest, let instance):
            let id = String(decoding: sessionID, as: UTF8.self)
            found = "live \(id) \(instance.rawValue)"
            let session = CarriedSession(
                sessionID: sessionID,
                instance: instance,
                carrier: .jarCookie,
                isBound: true,
                key: digest,
                cookie: key
            )
            carried = session
            remember(id, cookie, session)
        case .ended(let reason, let expires): found = "\(reason)\(expires ? " expires" : "")"
        case .unknown:
            let expires = !isExempt && jar.claimUnknown(key, now: now)
            found = "unknown\(expires ? " expires" : "")"
        }
        let expected = model.lookUp(
            cookie: cookie,
            isExempt: isExempt,
            live.current,
            now.nanoseconds
        )
        compare("cookie \(cookie)", found, expected)
        return carried
    }

    @discardableResult
    private mutating func lookUpSession(_ id: String) -> CarriedSession? {
        let key = sessionKey(id)
        var carried: CarriedSession?
        var found = ""
        func session(_ instance: InstanceNumber, isBound: Bool) -> CarriedSession {
            CarriedSession(
                sessionID: [],
                instance: instance,
                carrier: .header,
                isBound: isBound,
                key: key,
                cookie: nil
            )
        }
        switch jar.lookUp(session: key, live: live, now: now) {
        case .live(let instance):
            found = "live \(instance.rawValue)"
            carried = session(instance, isBound: true)
        case .ended(let reason): found = "\(reason)"
        case .unknown:
            found = "unknown"
            carried = session(live.current, isBound: false)
        }
        if let carried { remember(id, nil, carried) }
        let expected = model.lookUp(session: id, live.current, now.nanoseconds)
        compare("session \(id)", found, expected)
        return carried
    }

    private mutating func remember(_ id: String, _ cookie: String?, _ session: CarriedSession) {
        inFlight.append((id: id, cookie: cookie, session: session))
        if inFlight.count > 40 { inFlight.removeFirst(20) }
    }

    private mutating func capture() {
        let id = pickID()
        var request = Judgement()
        var carried: String?
        var oldCookie: String?
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
            let cookie = pickCookie()
            oldCookie = cookie
            request.cookie = cookieKey(cookie)
            if let session = lookUpCookie(cookie) { request.verdict = .live(session) }
        case 1:
            let other = pickID()
            if let session = lookUpSession(other) {
                carried = other
                request.verdict = session.isBound ? .live(session) : .unknownID(session)
            }
        default: break
        }
        if model.tombstone(id, now.nanoseconds) != nil {
            reviveCount += 1
        }
        guard
            let cookie = jar.capture(
                Array(id.utf8),
                instance: live.current,
                live: live,
                request: request,
                random: (random.next(), random.next()),
                now: now
            )
        else { return }
        let text = String(decoding: cookie.text, as: UTF8.self)
        cookies.append(text)
        model.capture(
            id,
            cookie: text,
            instance: live.current,
            carried: carried,
            carriedInstance: request.session?.instance ?? .none,
            oldCookie: oldCookie,
            now.nanoseconds
        )
    }

    private mutating func bind() {
        let id = pickID()
        guard let session = lookUpSession(id) else { return }
        jar.bind(session, instance: live.current, now: now)
        if !session.isBound { model.bind(id, live.current, now.nanoseconds) }
    }

    private mutating func end() {
        guard let request = inFlight.randomElement(using: &random) else { return }
        let reason: EndReason = Bool.random(using: &random) ? .endRule : .backend
        let found = jar.end(request.session, reason, now: now)
        let time = now.nanoseconds
        let always = reason == .endRule
        model.endCarried(request.id, request.session.instance, reason, always: always, time)
        let expected = request.cookie.map { model.claim($0, time) } ?? false
        compare("end of \(request.id)", "\(found)", "\(expected)")
    }

    private mutating func refuse() {
        guard let request = inFlight.randomElement(using: &random),
            request.session.instance != live.current
        else { return }
        let found = jar.refuse(request.session, now: now)
        let time = now.nanoseconds
        model.endCarried(request.id, request.session.instance, .restart, always: true, time)
        let expected = request.cookie.map { model.claim($0, time) } ?? false
        compare("refusal of \(request.id)", "\(found.expiresCookie)", "\(expected)")
    }

    private mutating func reap() {
        for _ in 0..<16 { _ = jar.reap(limit: 10_000, live: live, now: now) }
        model.endDead(live.current, now.nanoseconds)
    }
}
