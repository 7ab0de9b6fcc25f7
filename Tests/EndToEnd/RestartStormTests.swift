import TestSupport
import Testing

extension EndToEnd {
    /// The promise under fire: many restarts under many clients, and not one zombie.
    ///
    /// Every client gets exactly one answer to each request; a 401 only for a session whose
    /// instance has been killed; no 5xx but while a process is down; and goes on afterwards.
    @Suite("restart storm")
    struct RestartStorm {
        private static let seed: UInt64 = 0x6c79_6368
        private static let ofSixty = 60
        /// Over all modes together.
        private static let restarts = Place.number(
            "LYCHGATE_STORM_RESTARTS",
            default: Place.sanitizer == nil ? ofSixty : ofSixty / 3
        )

        @Test(
            "3.2 restart storm: SIGKILL after SIGKILL, zero zombies, no 401 without one",
            arguments: StormMode.all
        )
        func restartStorm(_ mode: StormMode) throws {
            let restarts = max(2, Self.restarts * mode.share / Self.ofSixty)
            try onStage(of: mode) { stage, options in
                let group = try group(of: mode, options, on: stage)
                defer { for backend in group.dropFirst() { backend.kill() } }
                // While no ID has been reported yet, nothing is promised (3.1).
                #expect(stage.logged("backend instance is", seconds: 20))
                let weather = StormWeather()
                let start = ContinuousClock.now
                let running = clients(of: mode, stage.endpoint, weather)
                let made = try restart(group, mode, weather, times: restarts)
                weather.end()
                var sum = StormTally()
                for client in running {
                    let tally = try client.value()
                    if !mode.isSilentAtTimes {
                        #expect(tally.cleared > 0, "each client gets its 401")
                    }
                    #expect(
                        tally.logIns == tally.cleared + tally.unbound + tally.openSessions
                    )
                    sum.add(tally)
                }
                let seen = group.flatMap(\.seen)
                let zombies = seen.filter { $0.kind == "zombie" }
                sum.show(
                    mode.name,
                    restarts: made,
                    zombies: zombies.count,
                    time: ContinuousClock.now - start
                )
                #expect(made == restarts, "in the time that there is")
                if let first = sum.surprises.first {
                    Issue.record("\(first)\n\(stage.log.suffix(3_000))")
                }
                #expect(zombies.prefix(5) == [], "seed \(Self.seed)")
                #expect(seen.contains { $0.kind == "session" })
                #expect(sum.cleared > made, "sessions were there to be cleared")
                // Whatever the number of restarts, the connections of old instances are gone.
                #expect(becomesTrue { stage.lychgate.process.openDescriptors < 200 })
            }
        }

        /// A stage for a mode, with the options that its backends have.
        private func onStage(of mode: StormMode, _ body: (Stage, [String]) throws -> Void) throws {
            guard mode.isSecure else {
                return try TestSupport.onStage(backend: mode.options, mode.configuration) {
                    try body($0, mode.options)
                }
            }
            try throughTLS(backend: mode.options, mode.configuration) { stage, certificates in
                try body(stage, mode.options + certificates.options)
            }
        }

        /// The backend of the stage, and those that share its port.
        private func group(
            of mode: StormMode,
            _ options: [String],
            on stage: Stage
        ) throws -> [PythonBackend] {
            let others = (1..<mode.workers).map { _ in
                PythonBackend(
                    at: stage.backend.endpoint,
                    recordingIn: stage.directory,
                    options: options
                )
            }
            for backend in others { try backend.start() }
            return [stage.backend] + others
        }

        private func clients(
            of mode: StormMode,
            _ endpoint: Endpoint,
            _ weather: StormWeather
        ) -> [Background<StormTally>] {
            (0..<mode.clients).map { index in
                Background {
                    var client = StormClient(
                        endpoint,
                        weather,
                        mode,
                        index,
                        seed: Self.seed &+ UInt64(index)
                    )
                    try client.run()
                    return client.tally
                }
            }
        }

        /// Restarts again and again, each time after as many answers as the seed says.
        private func restart(
            _ group: [PythonBackend],
            _ mode: StormMode,
            _ weather: StormWeather,
            times restarts: Int
        ) throws -> Int {
            var dice = SeededNumbers(seed: Self.seed)
            let timeMax: Duration = .seconds(60 + 2 * restarts)
            let start = ContinuousClock.now
            for made in 0..<restarts {
                if ContinuousClock.now - start > timeMax { return made }
                weather.waitForServed(Int.random(in: 20...mode.calm, using: &dice))
                let isAll = made % 5 == 4 || made == restarts - 1
                let one = Int.random(in: group.indices, using: &dice)
                let victims = isAll ? group[...] : group[one...one]
                for victim in victims {
                    weather.beforeKill(victim.instance)
                    victim.kill()
                    weather.afterKill()
                }
                if dice.next() % 4 == 0 {
                    // Let some requests meet a backend that is down.
                    weather.waitForAnswers(Int.random(in: 1...60, using: &dice))
                }
                for victim in victims { try victim.start() }
                weather.afterStart()
            }
            weather.waitForServed(mode.calm)
            return restarts
        }
    }
}
