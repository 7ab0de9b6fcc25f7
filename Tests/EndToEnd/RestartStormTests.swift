import TestSupport
import Testing

extension EndToEnd {
    /// The promise under fire: many restarts under many clients, and not one zombie.
    @Suite("restart storm")
    struct RestartStorm {
        private static let restarts = Place.number(
            "LYCHGATE_STORM_RESTARTS",
            default: Place.sanitizer == nil ? 100 : 20
        )
        private static let clientCount = 32
        private static let seed: UInt64 = 0x6c79_6368
        /// Beyond it the storm ends, and fails for having been too slow.
        private static let timeMax: Duration = .seconds(90 + restarts)

        @Test("3.2 RestartStorm: 32 clients, SIGKILL after SIGKILL, zero zombie requests")
        func restartStorm() throws {
            try storm(on: [], usual, restarts: Self.restarts) { index in
                index.isMultiple(of: 2) ? .jarCookie : .header
            }
        }

        @Test("2.1 RestartStorm with the backend's own cookie: zero zombie requests")
        func backendCookieStorm() throws {
            let cookie = ["--set-cookie", "SID", "--read-cookie", "SID"]
            try storm(on: cookie, backendCookie, restarts: max(20, Self.restarts / 4)) { _ in
                .backendCookie
            }
        }

        @Test("3.2 RestartStorm with TLS to the backend: zero zombie requests")
        func secureStorm() throws {
            let directory = try Place.newDirectory()
            defer { Place.remove(directory) }
            let certificates = try Certificates(in: directory)
            try certificates.make("server", for: "IP:127.0.0.1")
            let endpoint = Endpoint.free()
            let upstream = """
                upstream:
                  url: "https://\(endpoint)"
                  tls: { ca: \(certificates.path("ca.pem")) }
                """
            try storm(
                on: ["--certificate", certificates.path("server.both")],
                at: endpoint,
                upstream + "\n" + usual,
                restarts: max(10, Self.restarts / 4)
            ) { index in
                index.isMultiple(of: 2) ? .jarCookie : .header
            }
        }

        private func storm(
            on options: [String],
            at backendEndpoint: Endpoint? = nil,
            _ configuration: String,
            restarts: Int,
            _ carrier: @escaping @Sendable (Int) -> StormClient.Carrier
        ) throws {
            try onStage(backend: options, at: backendEndpoint, configuration) { stage in
                let weather = StormWeather(stage.backend.instance)
                let endpoint = stage.endpoint
                let running = (0..<Self.clientCount).map { index in
                    Background {
                        var client = StormClient(
                            endpoint,
                            weather,
                            carrier(index),
                            seed: Self.seed &+ UInt64(index)
                        )
                        try client.run()
                        return client.tally
                    }
                }
                let made = try restart(stage.backend, weather, times: restarts)
                weather.end()
                var sum = StormTally()
                for client in running {
                    let tally = try client.value()
                    #expect(tally.cleared > 0, "each client gets its 401")
                    #expect(tally.logIns == tally.cleared + tally.openSessions)
                    sum.add(tally)
                }
                print("storm: \(made) restarts, \(sum)")
                #expect(made == restarts)
                #expect(sum.surprises == [])
                #expect(stage.backend.zombies == [])
                #expect(stage.backend.seen.contains { $0.kind == "session" })
                #expect(sum.cleared > made, "sessions were there to be cleared")
                // Whatever the number of restarts, the connections of old instances are gone.
                #expect(stage.lychgate.process.openDescriptors < 200)
            }
        }

        /// Restarts the backend again and again, each time after as many answers as the seed says.
        private func restart(
            _ backend: PythonBackend,
            _ weather: StormWeather,
            times restarts: Int
        ) throws -> Int {
            var dice = SeededNumbers(seed: Self.seed)
            let start = ContinuousClock.now
            for made in 0..<restarts {
                if ContinuousClock.now - start > Self.timeMax { return made }
                weather.waitForServed(Int.random(in: 20...300, using: &dice))
                weather.beforeKill()
                backend.kill()
                if dice.next() % 4 == 0 {
                    // Let some requests meet a backend that is down.
                    weather.waitForAnswers(Int.random(in: 1...60, using: &dice))
                }
                try backend.start()
                weather.afterStart(backend.instance)
            }
            weather.waitForServed(400)
            return restarts
        }
    }
}
