import TestSupport

/// A client that logs in, works until its 401, and logs in again; it notes whatever is not due.
struct StormClient {
    /// How it holds its session.
    enum Carrier {
        case jarCookie
        case header
        case backendCookie
    }

    /// What it asks for, and what the answer has to be.
    private enum Work {
        /// The state of the session, by its own instance.
        case status
        /// The session and the instance.
        case who
        /// So many bytes; it may be cut in the middle, and then must look so.
        case bulk
        /// The path, which no other request has.
        case path
    }

    struct Session {
        var id: String
        var instance: String
    }

    private static let bulkCount = 300_000
    /// Once the storm is over, a client that is not served within this time has not recovered.
    private static let recoveryMax: Duration = .seconds(30)

    let endpoint: Endpoint
    let client: Client
    let weather: StormWeather
    private let mode: StormMode
    private let index: Int
    private let carrier: Carrier
    private let seed: UInt64
    private var dice: SeededNumbers
    var story = StormStory()
    var session: Session?
    private var generation = 0
    var tally = StormTally()

    init(
        _ endpoint: Endpoint,
        _ weather: StormWeather,
        _ mode: StormMode,
        _ index: Int,
        seed: UInt64
    ) {
        self.endpoint = endpoint
        client = Client(endpoint)
        self.weather = weather
        self.mode = mode
        self.index = index
        carrier = mode.carriers[index % mode.carriers.count]
        self.seed = seed
        dice = SeededNumbers(seed: seed)
    }

    mutating func run() throws {
        while !weather.isOver { step() }
        let served = tally.served
        let end = ContinuousClock.now + Self.recoveryMax
        while tally.served == served, ContinuousClock.now < end { step() }
        if tally.served == served { surprise("has not recovered") }
        tally.openSessions = session == nil ? 0 : 1
    }

    private mutating func step() {
        if let session { work(session) } else { logIn() }
    }

    private mutating func logIn() {
        client.fields = []
        client.cookies = [:]
        let before = weather.glimpse
        guard let answer = ask("POST", "/api/connect", before) else { return }
        guard answer.status == 200 else { return noteFailure(answer, before, of: nil, "POST") }
        let issued = Session(
            id: answer.string("sessionId") ?? "",
            instance: answer.string("instance") ?? ""
        )
        if issued.id.isEmpty { surprise("a log-in without a session: \(answer.text)") }
        session = issued
        tally.logIns += 1
        noteRecovery()
        if carrier == .header {
            client.cookies = [:]
            client.fields = ["X-Session-ID: \(issued.id)"]
        }
    }

    private mutating func work(_ session: Session) {
        let before = weather.glimpse
        if mode.hasSockets, dice.next() % 4 == 0 { return talk(session, before) }
        let (method, target, body, work) = nextWork()
        guard let answer = ask(method, target, before, body) else { return }
        switch answer.status {
        case 200:
            tally.served += 1
            noteRecovery()
            if !isRight(answer, work, target, session) {
                surprise("not the answer to this request: \(answer.text.prefix(200))")
            }
        case 401: noteCleared(answer, session)
        default: noteFailure(answer, before, of: session, method)
        }
    }

    private mutating func nextWork() -> (String, String, [UInt8]?, Work) {
        switch dice.next() % 8 {
        case 0: return ("POST", "/api/work", Array(Pattern.bytes[..<2_000]), .status)
        case 1: return ("GET", "/slow?ms=3", nil, .who)
        case 2:
            client.drop()
            return ("GET", "/api/who", nil, .who)
        case 3: return ("GET", "/bytes?n=\(Self.bulkCount)", nil, .bulk)
        case 4, 5: return ("GET", "/own/\(index)/\(tally.requests)", nil, .path)
        default: return ("GET", "/api/work", nil, .status)
        }
    }

    private func isRight(
        _ answer: HTTPResponse,
        _ work: Work,
        _ target: String,
        _ session: Session
    ) -> Bool {
        switch work {
        case .status: answer.string("instance") == session.instance
        case .who:
            answer.string("instance") == session.instance
                && answer.string("session") == session.id
        case .path: answer.string("path") == target
        case .bulk:
            answer.body.count == Self.bulkCount
                && answer.body[...].starts(with: Pattern.bytes[..<1_000])
        }
    }

    private mutating func ask(
        _ method: String,
        _ target: String,
        _ before: StormWeather.Glimpse,
        _ body: [UInt8]? = nil
    ) -> HTTPResponse? {
        tally.requests += 1
        story.note("\(method) \(target) (\(before.kills) killed\(before.isDown ? ", down" : ""))")
        var isServed = false
        defer { weather.answered(isServed) }
        do {
            let answer = try client.ask(method, target, body: body)
            isServed = answer.status == 200
            let cleared = answer["X-Session-Cleared"].map { " " + $0 } ?? ""
            story.note("  \(answer.status)\(cleared) (\(weather.glimpse.kills) killed)")
            return answer
        } catch HTTPFailure.cut {
            // Killed while it wrote: seen as broken, which is what is promised.
            story.note("  cut (\(weather.glimpse.kills) killed)")
            tally.cut += 1
            if !weather.wasDown(since: before) { surprise("cut, and nobody was killed") }
        } catch {
            surprise("no answer to \(method) \(target): \(error)")
        }
        return nil
    }

    mutating func surprise(_ what: String) {
        tally.surprises.append(
            "\(mode.name), client \(index), \(carrier), seed \(seed), "
                + "session \(session?.id ?? "none"): \(what)\n\(story.text)"
        )
    }

    /// The first answer of an instance that has been started: how long that took.
    private mutating func noteRecovery() {
        guard let up = weather.up, up.generation > generation else { return }
        generation = up.generation
        tally.longest = max(tally.longest, ContinuousClock.now - up.since)
    }

    mutating func noteCleared(_ answer: HTTPResponse, _ session: Session) {
        if let killed = weather.killed(session.instance) {
            tally.cleared += 1
            if mode.workers > 1 {
                tally.longest = max(tally.longest, ContinuousClock.now - killed)
            }
        } else if mode.isSilentAtTimes {
            tally.unbound += 1
        } else {
            tally.cleared += 1
            surprise("a 401 though its instance lives")
        }
        noteRecovery()
        if !isClean401(answer, cleared: "backend-restart") {
            surprise("a 401 that is not the clean one: \(answer.text)")
        }
        let own = mode.isSecure ? "__Host-lychgate" : "lychgate"
        let name = carrier == .backendCookie ? "SID" : own
        let expires = answer.values("Set-Cookie").map { SetCookie($0) }
            .first { $0.name == name }?.isExpired
        if carrier == .header ? expires == false : expires != true {
            surprise("a 401 with the wrong Set-Cookie: \(answer.values("Set-Cookie"))")
        }
        self.session = nil
    }

    /// Neither served nor cleared: due only while a process is down, its own if it has a session.
    mutating func noteFailure(
        _ answer: HTTPResponse,
        _ before: StormWeather.Glimpse,
        of session: Session?,
        _ method: String
    ) {
        tally.unavailable += 1
        let isDue =
            if mode.holds {
                weather.isInFlight(since: before)
            } else if mode.workers > 1, let session {
                weather.killed(session.instance) != nil
            } else {
                weather.wasDown(since: before)
            }
        if !isDue, !(mode.isSilentAtTimes && session != nil) {
            surprise("\(answer.status) while nobody was down: \(answer.text)")
        }
        let status = session == nil ? 502 : 503
        if answer.status != status || answer.string("reason") != "backend-unreachable" {
            surprise("\(answer.status) \(answer.text)")
        }
        if session != nil, method == "GET", answer["Retry-After"] != "1" {
            surprise("a 503 that does not say when to come back")
        }
        if !answer.values("Set-Cookie").isEmpty { surprise("\(answer.status) with a Set-Cookie") }
        weather.pause()
    }
}
