import TestSupport
import Testing

extension EndToEnd {
    /// Contract 3.4: worker processes behind one port, each with sessions of its own.
    @Suite("several instances")
    struct SeveralInstances {
        /// Logs clients in until each of so many instances has some, at least two each.
        private func visitors(_ stage: Stage, instances: Int) throws -> [Visitor] {
            var found: [Visitor] = []
            _ = try becomesTrue(seconds: 20) {
                if let visitor = try Visitor(stage.client()) { found.append(visitor) }
                let each = Dictionary(grouping: found, by: \.instance)
                return each.count == instances && each.values.allSatisfy { $0.count > 1 }
            }
            return found
        }

        @Test(
            "3.4 auto: four workers are recognised, each session reaches its own, one dies alone",
            arguments: [
                ServerProcess.Kind.uvicorn(workers: 4), .gunicornThreads(workers: 4),
            ]
        )
        func fourWorkers(kind: ServerProcess.Kind) throws {
            try behindServer(kind) { stage, server in
                #expect(stage.logged("warning", "several instances share the address"))
                let visitors = try visitors(stage, instances: 4)
                #expect(Set(visitors.map(\.instance)).count == 4)
                for visitor in visitors { #expect(try visitor.works(10) == 10) }

                let victim = try #require(visitors.first)
                ChildProcess.killDescendant(victim.pid)
                for visitor in visitors where visitor.instance != victim.instance {
                    #expect(try visitor.works(5) == 5)
                }
                let cleared = try eventually(victim.client, "/api/work") { $0.status != 503 }
                #expect(isClean401(cleared, cleared: "backend-restart"))
                #expect(stage.logged("is gone", "sessions cleared"))
                for visitor in visitors where visitor.instance != victim.instance {
                    #expect(try visitor.works(5) == 5)
                }
                #expect(try Visitor(victim.client)?.works(5) == 5)
                #expect(server.count("zombie") == 0)
                #expect(server.count("sibling") == 0)
                #expect(server.count("session") > 100)
            }
        }

        @Test("3.4 a client that blocks a worker and goes away makes it busy, not gone")
        func busyIsNotGone() throws {
            let multi = "identity: { instances: multi, grace: 500ms }\nworkers: 1\n"
            try behindServer(.uvicorn(workers: 2), multi) { stage, server in
                let visitors = try visitors(stage, instances: 2)
                let victim = try #require(visitors.first)
                let sibling = try #require(visitors.first { $0.instance != victim.instance })
                let attacker = try #require(
                    visitors.last { $0.instance == victim.instance && $0.client !== victim.client }
                )
                // All connections to the victim's process are in use by one who then resets them.
                let cookie = "Cookie: lychgate=" + (attacker.client.cookies["lychgate"] ?? "")
                let blocking = try (0..<8).map { index in
                    let connection = try HTTPConnection(to: stage.endpoint)
                    connection.send("GET", "/slow?ms=\(index == 0 ? 2500 : 0)", [cookie])
                    if index == 0 { #expect(becomesTrue { server.received("/slow") }) }
                    return connection
                }
                for connection in blocking { connection.reset() }
                let clock = ContinuousClock()
                let start = clock.now
                var unserved = 0
                while clock.now - start < .seconds(2) {
                    #expect(try sibling.works(1) == 1)
                    if try victim.client.get("/api/work").status == 503 { unserved += 1 }
                }
                let answer = try eventually(victim.client, "/api/work") { $0.status != 503 }
                #expect(answer.status == 200)
                #expect(!stage.log.contains("is gone"))
                #expect(unserved < 3)
            }
        }

        @Test("3.4 multi: processes that share a port by SO_REUSEPORT come and go one by one")
        func sharedPort() throws {
            let multi = "identity: { instances: multi, grace: 500ms, interval: 100ms }\n"
            try onStage(backend: ["--share"], multi + usual) { stage in
                let second = PythonBackend(
                    at: stage.backend.endpoint,
                    recordingIn: stage.directory,
                    options: ["--share"]
                )
                try second.start()
                defer { second.kill() }
                #expect(stage.logged("one more backend instance"))
                for _ in 0..<4 {
                    let client = try stage.loggedIn()
                    let own = try client.get("/api/who").string("instance")
                    let isSecond = own == second.instance
                    for _ in 0..<5 {
                        #expect(try client.get("/api/who").string("instance") == own)
                    }
                    let other = try eventuallyElsewhere(stage, than: own)
                    if isSecond { try second.restart() } else { try stage.backend.restart() }
                    #expect(try other.get("/api/work").status == 200)
                    let cleared = try eventually(client, "/api/work") { $0.status != 503 }
                    #expect(isClean401(cleared, cleared: "backend-restart"))
                    #expect(try other.get("/api/work").status == 200)
                }
                #expect(stage.backend.zombies == [] && second.zombies == [])
            }
        }

        @Test(
            "3.4 an ID for each connection: a warning, and the watcher does not ask without an end",
            arguments: ["auto", "multi"]
        )
        func idPerConnection(mode: String) throws {
            let identity = "identity: { instances: \(mode), interval: 100ms }\n"
            try onStage(backend: ["--instance", "connection"], identity + usual) { stage in
                #expect(stage.logged("warning", "ID for each connection", seconds: 60))
                // Of several, each is asked on its own connection as well.
                guard mode == "auto" else { return }
                func count() -> Int { stage.backend.everything.count { $0.kind == "health" } }
                let first = count()
                let clock = ContinuousClock()
                let start = clock.now
                #expect(becomesTrue(seconds: 60) { count() >= first + 60 })
                #expect(clock.now - start > .seconds(1))
            }
        }

        private func eventuallyElsewhere(_ stage: Stage, than own: String?) throws -> Client {
            for _ in 0..<100 {
                let client = try stage.loggedIn()
                if try client.get("/api/who").string("instance") != own { return client }
            }
            throw HTTPFailure.malformed("every log-in goes to one instance")
        }

        @Test("3.2 several that close each connection: an error in the log, sessions get 503")
        func syncWorkers() throws {
            try behindServer(.gunicornSync(workers: 4)) { stage, server in
                #expect(stage.logged("warning", "several instances share the address"))
                let client = stage.client()
                #expect(try client.post("/api/connect").status == 200)
                #expect(stage.logged("error", "they cannot be told apart"))
                for _ in 0..<10 {
                    let answer = try client.get("/api/work")
                    #expect(answer.status == 503)
                    #expect(answer.string("reason") == "backend-unreachable")
                    #expect(try stage.client().get("/api/work").status == 200)
                }
                #expect(server.count("session") + server.count("sibling") == 0)
                #expect(server.count("zombie") == 0)
            }
        }

        @Test("3.4 an ID made before the fork is one for all, and cannot tell workers apart")
        func preload() throws {
            try behindServer(.gunicornPreloaded(workers: 3)) { stage, server in
                let client = try stage.loggedIn()
                let instances = try (0..<20).map { _ -> String? in
                    client.drop()
                    return try client.get("/api/who").string("instance")
                }
                #expect(Set(instances).count == 1)
                #expect(!stage.log.contains("several instances"))
                #expect(server.count("anonymous") > 0)
            }
        }
    }

    /// Contract 3.2: servers of other kinds, restarted under load.
    @Suite("servers of many kinds")
    struct ManyKindsOfServers {
        /// Clients that log in whenever they are told to, until the time is over; their 401s.
        private func load(_ stage: Stage, clients: Int) -> Background<Int> {
            let endpoint = stage.endpoint
            return Background {
                let cleared = try inParallel(clients) { _ in
                    let client = Client(endpoint)
                    var cleared = 0
                    for _ in 0..<150 {
                        do {
                            if try client.get("/api/work").status == 401 { cleared += 1 }
                            if client.cookies["lychgate"] == nil { try client.post("/api/connect") }
                        } catch HTTPFailure.cut {
                            // The server was killed between a head and its content (4.2).
                        }
                    }
                    return cleared
                }
                return cleared.reduce(0, +)
            }
        }

        @Test("3.2 uvicorn --reload: the socket outlives the worker, no zombie")
        func reload() throws {
            try behindServer(.uvicornReloading) { stage, server in
                let client = try stage.loggedIn()
                #expect(try client.get("/api/work").status == 200)
                let running = load(stage, clients: 4)
                let file = stage.directory + "/workers.py"
                try Place.write(Place.text(file) + "\n# Touched.\n", to: file)
                #expect(stage.logged("backend restarted", seconds: 20))
                _ = try running.value()
                let answer = try eventually(client, "/api/work") { $0.status != 503 }
                #expect(isClean401(answer, cleared: "backend-restart"))
                #expect(server.count("zombie") == 0)
            }
        }

        @Test("3.2 a socket that outlives the server, as systemd's does: no zombie")
        func activation() throws {
            try behindServer(.uvicornActivated) { stage, server in
                for _ in 0..<2 {
                    let visitor = try #require(try Visitor(stage.client()))
                    let running = load(stage, clients: 4)
                    #expect(try visitor.works(3) == 3)
                    ChildProcess.killDescendant(visitor.pid)
                    _ = try running.value()
                    let answer = try eventually(visitor.client, "/api/work") { $0.status != 503 }
                    #expect(isClean401(answer, cleared: "backend-restart"))
                }
                #expect(server.count("zombie") == 0)
                #expect(server.count("session") > 100)
            }
        }

        @Test(
            "3.2 one process, killed and started: no zombie and no deadlock",
            arguments: [
                ServerProcess.Kind.werkzeug, .wsgiref, .gunicornSync(workers: 1), .node,
                .uvicorn(workers: 1),
            ]
        )
        func restarted(kind: ServerProcess.Kind) throws {
            try behindServer(kind) { stage, server in
                guard case .tcp(_, let port) = stage.backend.endpoint else { return }
                let visitor = try #require(try Visitor(stage.client()))
                let running = load(stage, clients: 4)
                #expect(try visitor.works(20) == 20)
                server.end()
                let again = try ServerProcess(kind, port: port, in: stage.directory)
                defer { again.end() }
                _ = try running.value()
                let answer = try eventually(visitor.client, "/api/work") { $0.status != 503 }
                #expect(isClean401(answer, cleared: "backend-restart"))
                #expect(try Visitor(visitor.client)?.works(5) == 5)
                #expect(server.count("zombie") == 0)
            }
        }
    }
}
