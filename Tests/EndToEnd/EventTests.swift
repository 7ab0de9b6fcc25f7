import TestSupport
import Testing

private let cleared = #"{"reason":"backend-restart"}"#

private func cookie(_ client: Client) -> String {
    "Cookie: lychgate=\(client.cookies["lychgate"] ?? "")"
}

extension EndToEnd {
    /// Contract 5: events, pushed at the moment of the restart.
    @Suite("events")
    struct Events {
        /// Seldom enough that what is told at once was not told by asking.
        private static let quick = "identity: { interval: 50ms }\n" + usual

        @Test("5 killed and restarted: those with a session are told, the others that it is up")
        func restart() throws {
            try onStage(Self.quick) { stage in
                let client = try stage.loggedIn()
                let holder = try Subscriber(stage.endpoint, [cookie(client)]).begin()
                #expect(holder.head.status == 200)
                #expect(holder.head["Content-Type"] == "text/event-stream")
                #expect(holder.head["Cache-Control"] == "no-store")
                let stranger = try Subscriber(stage.endpoint).begin()
                try stage.backend.restart()
                #expect(try holder.next("session-cleared")?.data == cleared)
                let up = try stranger.next("backend-up")
                #expect(up?.data.hasPrefix("{") == true)
                #expect(isClean401(try client.get("/api/work"), cleared: "backend-restart"))
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("5 the backend goes and comes")
        func downAndUp() throws {
            try onStage(Self.quick) { stage in
                let client = try stage.loggedIn()
                let subscriber = try Subscriber(stage.endpoint, [cookie(client)]).begin()
                stage.backend.kill()
                // That it is up at the start may come before.
                #expect(try subscriber.next("backend-down") != nil)
                let late = try Subscriber(stage.endpoint)
                #expect(try late.next()?.name == "backend-down")
                try stage.backend.start()
                #expect(try subscriber.next("session-cleared")?.data == cleared)
                #expect(try late.next()?.name == "backend-up")
            }
        }

        @Test("5 stale at subscription: told at once, and the 401 that expires the cookie is kept")
        func staleAtSubscription() throws {
            try onStage(Self.quick) { stage in
                let client = try stage.loggedIn()
                try stage.backend.restart()
                #expect(stage.logged("backend restarted"))
                let subscriber = try Subscriber(stage.endpoint, [cookie(client)])
                #expect(subscriber.head.status == 200)
                #expect(try subscriber.next()?.data == cleared)
                let answer = try client.get("/api/work")
                #expect(isClean401(answer, cleared: "backend-restart"))
                #expect(jarCookie(answer)?.isExpired == true)
                let unknown = try Subscriber(stage.endpoint, ["Cookie: lychgate=nobody"])
                #expect(try unknown.next()?.data == #"{"reason":"unknown"}"#)
            }
        }

        @Test("5 Last-Event-ID: what happened meanwhile is told, even without the cookie")
        func cameBack() throws {
            try onStage(Self.quick) { stage in
                let client = try stage.loggedIn()
                let first = try Subscriber(stage.endpoint, [cookie(client)]).begin()
                let id = first.lastID
                first.close()
                try stage.backend.restart()
                #expect(stage.logged("backend restarted"))
                _ = try client.get("/api/work")
                #expect(client.cookies["lychgate"] == nil)
                let second = try Subscriber(stage.endpoint, ["Last-Event-ID: \(id)"])
                #expect(try second.next()?.data == cleared)
                let event = try #require(try second.next("backend-up"))
                let third = try Subscriber(stage.endpoint, ["Last-Event-ID: \(event.id)"]).begin()
                #expect(third.lastID.split(separator: "-").count == 2)
            }
        }

        @Test("5 multi: only the sessions of the process that is gone")
        func several() throws {
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
                var clients: [String: Client] = [:]
                let areBoth = try becomesTrue(seconds: 20) {
                    let client = try stage.loggedIn()
                    clients[try client.get("/api/who").string("instance") ?? ""] = client
                    return clients.count == 2
                }
                #expect(areBoth)
                let goes = try #require(clients[second.instance])
                let stays = try #require(clients[stage.backend.instance])
                let told = try Subscriber(stage.endpoint, [cookie(goes)]).begin()
                let untold = try Subscriber(stage.endpoint, [cookie(stays)]).begin()
                second.kill()
                #expect(try told.next("session-cleared")?.data == cleared)
                stage.backend.kill()
                #expect(try untold.next()?.name == "backend-down", "and nothing before it")
            }
        }

        @Test("5 HTTP/1.0, HEAD and another site")
        func kinds() throws {
            try onStage(Self.quick) { stage in
                let old = try stage.connect()
                old.send("GET /.lychgate/events HTTP/1.0\r\n\r\n")
                let head = try old.receiveHead()
                #expect(head.status == 200)
                #expect(head["Transfer-Encoding"] == nil)
                let start = try old.receive(bytes: 12)
                #expect(String(decoding: start, as: UTF8.self) == "retry: 2000\n")
                let client = stage.client()
                #expect(try client.ask("HEAD", "/.lychgate/events").status == 405)
                let foreign = ["Sec-Fetch-Site: cross-site"]
                #expect(try client.get("/.lychgate/events", foreign).status == 403)
            }
        }

        @Test("5 subscribers without a session are capped, and their places come free again")
        func capped() throws {
            let limits = "limits: { connections: 16 }\n"
            try onStage(limits + Self.quick) { stage in
                let client = try stage.loggedIn()
                var strangers: [Subscriber] = []
                for _ in 0..<4 { strangers.append(try Subscriber(stage.endpoint).begin()) }
                let refused = try stage.client().get("/.lychgate/events")
                #expect(refused.status == 503)
                #expect(refused["Retry-After"] == "1")
                let madeUp = try Subscriber(stage.endpoint, ["X-Session-ID: made-up"])
                #expect(madeUp.head.status == 503)
                let holder = try Subscriber(stage.endpoint, [cookie(client)]).begin()
                #expect(holder.head.status == 200)
                strangers.removeLast().close()
                let isFree = try becomesTrue {
                    try Subscriber(stage.endpoint).head.status == 200
                }
                #expect(isFree)
            }
        }

        @Test("5 told to stop: streams end whole and at once")
        func stopping() throws {
            try onStage("shutdown: { grace: 60s }\n" + usual) { stage in
                let client = try stage.loggedIn()
                let subscriber = try Subscriber(stage.endpoint, [cookie(client)]).begin()
                #expect(stage.lychgate.process.terminate(seconds: 10) == .code(0))
                // With a last chunk, or it would throw; the backend may have come up before.
                var told: [String] = []
                while let event = try subscriber.next() { told.append(event.name) }
                #expect(told.allSatisfy { $0 == "backend-up" })
            }
        }

        @Test("5 a slow subscriber is dropped, and the others are told everything")
        func slow() throws {
            let configuration = "identity: { interval: 10ms }\nlog: { access: json }\n"
            try onStage(configuration + usual) { stage in
                // Not between the two questions of the first contact.
                #expect(stage.logged("backend instance is"))
                let slow = try HTTPConnection(to: stage.endpoint, receiveBuffer: 1)
                slow.send("GET", "/.lychgate/events")
                let quick = try Subscriber(stage.endpoint).begin()
                var round = 0
                let isDropped = try becomesTrue(seconds: 60) {
                    round += 1
                    try stage.backend.ask("GET", "/control?instance=i\(round)")
                    while let event = try quick.next("backend-up") {
                        if event.data.contains("\"i\(round)\"") { break }
                    }
                    return stage.lychgate.process.output.contains("/.lychgate/events")
                }
                #expect(isDropped, "\(round) events were not enough")
                #expect(round < 1000)
                #expect(try stage.client().get("/after").status == 200)
            }
        }

        @Test("5 ten thousand subscribers: all are told, and cost little")
        func many() throws {
            let sanitized = Place.sanitizer != nil
            let count = Place.number("LYCHGATE_SUBSCRIBERS", default: sanitized ? 200 : 2000)
            let limits = "workers: 2\nlimits: { connections: \(count + 100) }\n"
            try onStage(limits + usual) { stage in
                _ = try stage.loggedIn()
                let process = stage.lychgate.process
                let before = process.memoryKiB("VmRSS")
                let script = Place.root + "/Tests/EndToEnd/Clients/subscribers.py"
                guard case .tcp(let host, let port) = stage.endpoint else { return }
                let arguments = [script, host, String(port), String(count), "100"]
                let clients = try ChildProcess(Place.python, arguments)
                defer { clients.kill9() }
                #expect(clients.sawOutput("subscribed", seconds: 60), "\(clients.errors)")
                let each = (process.memoryKiB("VmRSS") - before) * 1024 / count
                try stage.backend.restart()
                #expect(clients.sawOutput("told \(count)", seconds: 60), "\(clients.errors)")
                let accepted = try #require(
                    stage.backend.ask("GET", "/control").number("acceptedFirst")
                )
                let words = clients.output.split(whereSeparator: \.isWhitespace)
                let last = try #require(words.last.flatMap { Double($0) })
                let milliseconds = Int(last * 1000) - accepted / 1000
                print(
                    "events: \(count) subscribers, \(each) bytes each, all told",
                    "\(milliseconds) ms after the new instance's first accept"
                )
                #expect(milliseconds > 0)
                if !sanitized { #expect(each < 4096) }
                #expect(stage.backend.zombies.isEmpty)
            }
        }
    }
}
