import TestSupport
import Testing

extension EndToEnd {
    /// Contract 4.2: `upstream.hold`, and what it must not do.
    @Suite("hold")
    struct Hold {
        private func holding(_ hold: String) -> String {
            "upstream: { url: UPSTREAM, hold: \(hold) }\n" + usual
        }

        /// Asks with a cookie or without, on a connection that is watched.
        private func ask(
            _ stage: Stage,
            _ target: String,
            _ cookie: String? = nil
        ) throws -> HTTPConnection {
            let connection = try stage.connect()
            connection.send("GET", target, cookie.map { ["Cookie: lychgate=\($0)"] } ?? [])
            return connection
        }

        @Test(
            "4.2 a new instance: each that waited gets one answer, the stale ones their 401",
            arguments: [[], ["--close"], ["--instance", "none"]]
        )
        func newInstance(options: [String]) throws {
            try onStage(backend: options, holding("60s")) { stage in
                let hasID = !options.contains("none")
                let cookies = try (0..<8).map { _ in try stage.loggedIn().cookies["lychgate"] }
                stage.backend.kill()
                let waiting = try cookies.map { try ask(stage, "/api/work", $0) }
                let anonymous = try (0..<8).map { try ask(stage, "/api/anonymous/\($0)") }
                for connection in waiting + anonymous {
                    #expect(connection.isQuiet(forMilliseconds: 50), "it waits")
                }
                try stage.backend.start()
                for connection in waiting {
                    let answer = try connection.receive()
                    if hasID {
                        #expect(isClean401(answer, cleared: "backend-restart"), "\(answer.text)")
                    } else {
                        #expect(answer.status == 401)
                    }
                    #expect(connection.isQuiet(forMilliseconds: 5), "one answer each")
                }
                for (number, connection) in anonymous.enumerated() {
                    #expect(try connection.receive().status == 200)
                    #expect(connection.isQuiet(forMilliseconds: 5), "one answer each")
                    #expect(stage.backend.count(of: "/api/anonymous/\(number)") == 1)
                }
                #expect(stage.backend.zombies.isEmpty || !hasID)
            }
        }

        @Test("4.2 the same instance listens again: forwarded, the session works")
        func sameInstance() throws {
            try onStage(holding("60s")) { stage in
                let client = try stage.loggedIn()
                let direct = try HTTPConnection(to: stage.backend.endpoint)
                #expect(try direct.ask("GET", "/control?listen=off&drop=on").status == 200)
                let waiting = try ask(stage, "/api/work", client.cookies["lychgate"])
                let other = try ask(stage, "/api/who")
                #expect(waiting.isQuiet(forMilliseconds: 200) && other.isQuiet(forMilliseconds: 0))
                #expect(try direct.ask("GET", "/control?listen=on").status == 200)
                #expect(try waiting.receive().status == 200)
                #expect(try other.receive().string("instance") == stage.backend.instance)
                #expect(try client.get("/api/work").status == 200)
            }
        }

        @Test("4.2 before the backend was ever there, and a connection that closes without a word")
        func first() throws {
            try onStage(isDown: true, holding("60s")) { stage in
                let waiting = try ask(stage, "/api/who")
                #expect(waiting.isQuiet(forMilliseconds: 100))
                try stage.backend.start()
                #expect(try waiting.receive().status == 200)
            }
        }

        @Test("4.2 when the time is over: as without it, and no 401")
        func over() throws {
            try onStage(holding("300ms")) { stage in
                let client = try stage.loggedIn()
                stage.backend.kill()
                let start = ContinuousClock.now
                let with = try ask(stage, "/api/work", client.cookies["lychgate"])
                let without = try ask(stage, "/api/who")
                let kept = try with.receive()
                #expect(kept.status == 503 && kept["Retry-After"] == "1")
                #expect(kept.string("reason") == "backend-unreachable")
                let plain = try without.receive()
                #expect(plain.status == 502 && plain.string("reason") == "backend-unreachable")
                #expect(ContinuousClock.now - start >= .milliseconds(300))
            }
        }

        @Test("4.2 what was sent is not held, whatever the method")
        func sent() throws {
            try onStage(holding("1h")) { stage in
                let posted = try stage.connect()
                posted.send("POST", "/slow?ms=60000", [], body: [])
                let got = try ask(stage, "/slow?ms=60001")
                let isThere = becomesTrue {
                    stage.backend.count(of: "/slow?ms=60000") == 1
                        && stage.backend.count(of: "/slow?ms=60001") == 1
                }
                #expect(isThere)
                stage.backend.kill()
                #expect(try posted.receive().status == 502)
                #expect(try got.receive().status == 502)
                try stage.backend.start()
                #expect(try stage.connect().ask("GET", "/api/who").status == 200)
                #expect(stage.backend.count(of: "/slow?ms=60000") == 1)
            }
        }

        @Test("4.2 content is read only once the backend is back, and arrives whole")
        func content() throws {
            try onStage(holding("60s")) { stage in
                stage.backend.kill()
                let count = 30_000_000
                let endpoint = stage.endpoint
                let sending = Background {
                    let connection = try HTTPConnection(to: endpoint)
                    connection.send("POST", "/upload", ["Content-Length: \(count)"])
                    let taken = connection.sendPattern(count: count)
                    return (taken, try connection.receive())
                }
                let waiting = try ask(stage, "/api/who")
                #expect(waiting.isQuiet(forMilliseconds: 300))
                #expect(!sending.isDone)
                try stage.backend.start()
                let (taken, answer) = try sending.value()
                #expect(taken == count && answer.number("count") == count)
                #expect(answer.text.contains(#""right":true"#))
                #expect(try waiting.receive().status == 200)
            }
        }

        @Test("4.2 pipelined requests wait behind each other, and are answered in order")
        func pipelined() throws {
            try onStage(holding("60s")) { stage in
                stage.backend.kill()
                let connection = try stage.connect()
                connection.send(
                    "GET /one HTTP/1.1\r\nHost: a\r\n\r\nPOST /two HTTP/1.1\r\nHost: a\r\n"
                        + "Content-Length: 3\r\n\r\nabcGET /three HTTP/1.1\r\nHost: a\r\n\r\n"
                )
                #expect(connection.isQuiet(forMilliseconds: 100))
                try stage.backend.start()
                for path in ["/one", "/two", "/three"] {
                    #expect(try connection.receive().string("path") == path)
                }
            }
        }

        @Test(
            "4.2 a client that goes away while it waits is dropped, one that half closes answered"
        )
        func clientGone() throws {
            try onStage("log: { access: common }\n" + holding("1h")) { stage in
                let client = try stage.loggedIn()
                stage.backend.kill()
                let gone = try ask(stage, "/gone")
                let half = try ask(stage, "/half", client.cookies["lychgate"])
                let stays = try ask(stage, "/stays")
                #expect(stays.isQuiet(forMilliseconds: 100))
                gone.reset()
                half.shutDownWriting()
                let answer = try half.receive()
                #expect(answer.status == 503 && answer["Retry-After"] == "1")
                #expect(stage.lychgate.process.sawOutput("/gone", seconds: 20))
                try stage.backend.start()
                #expect(try stays.receive().status == 200)
                #expect(stage.backend.count(of: "/gone") == 0)
                #expect(stage.backend.count(of: "/half") == 0)
            }
        }

        @Test("6 told to stop, all that wait are answered, and nothing is waited for")
        func stop() throws {
            try onStage("shutdown: { grace: 1h }\n" + holding("1h")) { stage in
                let client = try stage.loggedIn()
                stage.backend.kill()
                let with = try ask(stage, "/api/work", client.cookies["lychgate"])
                let without = try ask(stage, "/api/who")
                #expect(with.isQuiet(forMilliseconds: 100) && without.isQuiet(forMilliseconds: 0))
                stage.lychgate.process.send(15)
                #expect(try with.receive().status == 503)
                #expect(try without.receive().status == 502)
                #expect(stage.lychgate.process.waitForExit() == .code(0))
            }
        }

        @Test("4.2 a storm of restarts: one answer for each request, and no zombie")
        func storm() throws {
            try onStage(holding("60s")) { stage in
                let endpoint = stage.endpoint
                let weather = StormWeather()
                let clients = (0..<6).map { _ in Background { try wander(endpoint, weather) } }
                for _ in 0..<12 {
                    weather.waitForServed(60)
                    stage.backend.kill()
                    try stage.backend.start()
                }
                weather.waitForServed(60)
                weather.end()
                for client in clients {
                    let unexpected = try client.value()
                    #expect(unexpected == [])
                }
                #expect(stage.backend.zombies.isEmpty)
            }
        }
    }
}

/// Logs in and works, again and again; gives what was answered that should not be.
///
/// A request that was sent may find its backend dead: 503 with a session, 502 without.
private func wander(_ endpoint: Endpoint, _ weather: StormWeather) throws -> [String] {
    let client = Client(endpoint)
    var unexpected: [String] = []
    var isIn = false
    while !weather.isOver {
        let answer = isIn ? try client.get("/api/work") : try client.post("/api/connect")
        switch answer.status {
        case 200: isIn = true
        case 401 where isIn && isClean401(answer, cleared: "backend-restart"): isIn = false
        case 502 where !isIn && answer["Retry-After"] == nil: break
        case 503 where isIn: break
        default: unexpected.append("\(answer.status) \(answer.text)")
        }
        weather.answered(answer.status == 200)
    }
    return unexpected
}
