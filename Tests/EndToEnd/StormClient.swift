import TestSupport

/// What one client met in the storm.
struct StormTally: Sendable, CustomStringConvertible {
    var requests = 0
    var served = 0
    var logIns = 0
    var cleared = 0
    var openSessions = 0
    var unavailable = 0
    var cut = 0
    var surprises: [String] = []

    mutating func add(_ other: Self) {
        requests += other.requests
        served += other.served
        logIns += other.logIns
        cleared += other.cleared
        openSessions += other.openSessions
        unavailable += other.unavailable
        cut += other.cut
        surprises += other.surprises
    }

    var description: String {
        "\(requests) requests: \(served) served, \(logIns) log-ins, \(cleared) cleared by a 401, "
            + "\(unavailable) while down, \(cut) cut, \(surprises.count) surprises"
    }
}

/// A client that logs in, works until its 401, and logs in again; it notes whatever is not due.
struct StormClient {
    /// How it holds its session.
    enum Carrier {
        case jarCookie
        case header
        case backendCookie
    }

    /// Big enough to be cut in the middle now and then.
    private static let bulkCount = 300_000

    private let client: Client
    private let weather: StormWeather
    private let carrier: Carrier
    private var dice: SeededNumbers
    private(set) var tally = StormTally()

    init(_ endpoint: Endpoint, _ weather: StormWeather, _ carrier: Carrier, seed: UInt64) {
        client = Client(endpoint)
        self.weather = weather
        self.carrier = carrier
        dice = SeededNumbers(seed: seed)
    }

    mutating func run() throws {
        while !weather.isOver {
            try logInAndWork()
        }
    }

    private mutating func logInAndWork() throws {
        client.fields = []
        client.cookies = [:]
        let kills = weather.kills
        guard let answer = try ask("POST", "/api/connect") else { return }
        guard answer.status == 200 else {
            noteIfNotDown(answer, withSession: false)
            return
        }
        let session = answer.string("sessionId") ?? ""
        let instance = answer.string("instance") ?? ""
        tally.logIns += 1
        if carrier == .header {
            client.cookies = [:]
            client.fields = ["X-Session-ID: \(session)"]
        }
        while !weather.isOver {
            guard let answer = try askForWork() else { continue }
            switch answer.status {
            case 200:
                tally.served += 1
                if !isBulk(answer), answer.string("instance") != instance {
                    tally.surprises.append("served by an instance that did not issue the session")
                }
            case 401:
                tally.cleared += 1
                noteUnlessDue(answer, sinceKills: kills)
                return
            default:
                noteIfNotDown(answer, withSession: true)
            }
        }
        tally.openSessions += 1
    }

    private mutating func askForWork() throws -> HTTPResponse? {
        switch dice.next() % 8 {
        case 0: try ask("POST", "/api/work", Array(Pattern.bytes[..<2_000]))
        case 1: try ask("GET", "/slow?ms=3")
        case 2: try askAnew()
        case 3: try ask("GET", "/bytes?n=\(Self.bulkCount)")
        default: try ask("GET", "/api/work")
        }
    }

    /// Whether it is the big answer, which says nothing of its instance but must be whole.
    private func isBulk(_ answer: HTTPResponse) -> Bool {
        answer.body.count == Self.bulkCount
            && answer.body[...].starts(with: Pattern.bytes[..<1_000])
    }

    private mutating func askAnew() throws -> HTTPResponse? {
        client.drop()
        return try ask("GET", "/api/work")
    }

    private mutating func ask(
        _ method: String,
        _ target: String,
        _ body: [UInt8]? = nil
    ) throws -> HTTPResponse? {
        tally.requests += 1
        var isServed = false
        defer { weather.answered(isServed) }
        do {
            let answer = try client.ask(method, target, body: body)
            isServed = answer.status == 200
            return answer
        } catch HTTPFailure.cut {
            // Killed while it wrote: seen as broken, which is what is promised.
            tally.cut += 1
        } catch {
            tally.surprises.append("\(method) \(target): \(error)")
        }
        return nil
    }

    private mutating func noteUnlessDue(_ answer: HTTPResponse, sinceKills kills: Int) {
        if !isClean401(answer, cleared: "backend-restart") {
            tally.surprises.append("a 401 that is not the clean one: \(answer.text)")
        }
        if weather.kills == kills {
            tally.surprises.append("a 401 without a restart")
        }
        let name = carrier == .backendCookie ? "SID" : "lychgate"
        let expires = answer.values("Set-Cookie").map { SetCookie($0) }
            .first { $0.name == name }?.isExpired
        if carrier == .header ? expires == false : expires != true {
            tally.surprises.append("a 401 with the wrong Set-Cookie")
        }
    }

    private mutating func noteIfNotDown(_ answer: HTTPResponse, withSession: Bool) {
        tally.unavailable += 1
        let isRight = answer.status == (withSession ? 503 : 502)
        if !isRight || answer.string("reason") != "backend-unreachable" {
            tally.surprises.append("\(answer.status) \(answer.text)")
        }
        if jarCookie(answer) != nil {
            tally.surprises.append("\(answer.status) with a Set-Cookie")
        }
        weather.pause()
    }
}

/// The same numbers for the same seed (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
