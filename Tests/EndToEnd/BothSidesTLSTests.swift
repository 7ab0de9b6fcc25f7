import TestSupport
import Testing

extension Certificates {
    /// What a backend is told for its certificate.
    var options: [String] { ["--certificate", path("server.both")] }
}

/// Runs a test with TLS from the clients to Lychgate and from there to the backend.
///
/// `configuration` has no `listen`; of `upstream` it has `hold` at most.
func throughTLS(
    backend options: [String] = [],
    hold: String = "off",
    _ configuration: String = usual,
    _ body: (Stage, Certificates) throws -> Void
) throws {
    let directory = try Place.newDirectory()
    defer { Place.remove(directory) }
    let certificates = try Certificates(in: directory)
    try certificates.make("server", for: "IP:127.0.0.1")
    let authority = certificates.path("ca.pem")
    let front = Endpoint.free().secured(by: authority)
    let (certificate, key) = (certificates.path("server.pem"), certificates.path("server.key"))
    try onStage(
        backend: options + certificates.options,
        at: .free().secured(by: authority),
        listen: front,
        """
        listen:
          - { address: "\(front)", tls: { certificate: \(certificate), key: \(key) } }
        upstream: { url: "UPSTREAM", tls: { ca: \(authority) }, hold: \(hold) }
        \(configuration)
        """
    ) { stage in try body(stage, certificates) }
}

private func cookie(_ client: Client) -> String {
    "Cookie: __Host-lychgate=\(client.cookies["__Host-lychgate"] ?? "")"
}

/// A restart is known soon, without traffic.
private let quick = "identity: { interval: 50ms }\n" + usual

extension EndToEnd {
    /// What sessions, instances and events are over TLS: the same.
    @Suite("TLS on both sides")
    struct BothSidesTLS {
        @Test(
            "3.1 each identity source tells a restart over TLS, on connections and to the watcher",
            arguments: IdentitySources.cases
        )
        func source(_ one: (how: String, identity: String)) throws {
            let identity = "identity: { \(one.identity) }\nworkers: 1\n"
            try throughTLS(backend: ["--health", one.how], identity + usual) { stage, _ in
                let client = try stage.loggedIn()
                for _ in 0..<3 {
                    for _ in 0..<10 { #expect(try client.get("/api/work").status == 200) }
                    try stage.backend.ask("GET", "/control?drop=on")
                    #expect(try client.get("/api/work").status == 200)
                    try stage.backend.restart()
                    #expect(try isClean401(client.get("/api/work"), cleared: "backend-restart"))
                    #expect(try client.post("/api/connect").status == 200)
                }
                #expect(stage.backend.zombies.isEmpty)
                #expect(!stage.log.contains("no instance ID"), "\(stage.log)")
            }
        }

        @Test("9 identity.headers over TLS: the same by the watcher and on connections")
        func headers() throws {
            let identity = "identity: { headers: { Host: backend.local, Authorization: Basic eA } }"
            try throughTLS(identity + "\nworkers: 1\n" + usual) { stage, _ in
                #expect(try stage.loggedIn().get("/api/work").status == 200)
                let heads = try stage.backend.ask("GET", "/health-heads").text
                let kinds = heads.split(separator: "\n").map { head in
                    head.split(separator: "|").filter { $0 != "Connection: close" }.sorted()
                }
                #expect(heads.contains("Connection: close"), "the watcher's")
                #expect(kinds.count > 1, "and that of connections")
                for lines in kinds {
                    #expect(lines.contains("Host: backend.local"))
                    #expect(lines.contains("Authorization: Basic eA"))
                    #expect(lines == kinds[0])
                }
            }
        }

        @Test("3.2 a backend that serves one connection at a time and closes each is not blocked")
        func oneAtATime() throws {
            try throughTLS(backend: ["--close"]) { stage, _ in
                let client = try stage.loggedIn()
                for _ in 0..<5 { #expect(try client.get("/api/work").status == 200) }
                let body = Array(Pattern.bytes[..<300_000])
                let echo = try client.ask("POST", "/echo", body: body)
                #expect(echo.number("count") == body.count)
                try stage.backend.restart()
                #expect(try isClean401(client.get("/api/work"), cleared: "backend-restart"))
                #expect(try client.get("/api/who").status == 200)
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("3.2 identity.verify watch over TLS: nothing is asked on connections")
        func watch() throws {
            let identity = "identity: { verify: watch, interval: 1h }\nworkers: 1\n"
            try throughTLS(identity + usual) { stage, _ in
                let client = try stage.loggedIn()
                let count = stage.backend.everything.count { $0.kind == "health" }
                for _ in 0..<5 { #expect(try client.get("/api/work").status == 200) }
                #expect(stage.backend.everything.count { $0.kind == "health" } == count)
                try stage.backend.restart()
                #expect(try isClean401(client.get("/api/work"), cleared: "backend-restart"))
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("4.2 hold: what waits for an https backend gets one answer, the stale ones their 401")
        func hold() throws {
            try throughTLS(hold: "60s") { stage, _ in
                let clients = try (0..<4).map { _ in try stage.loggedIn() }
                stage.backend.kill()
                let waiting = try clients.map { client in
                    let connection = try stage.connect()
                    connection.send("GET", "/api/work", [cookie(client)])
                    return connection
                }
                let anonymous = try (0..<4).map { number in
                    let connection = try stage.connect()
                    connection.send("GET", "/api/anonymous/\(number)")
                    return connection
                }
                for connection in waiting + anonymous {
                    #expect(connection.isQuiet(forMilliseconds: 50), "it waits")
                }
                try stage.backend.start()
                for connection in waiting {
                    #expect(try isClean401(connection.receive(), cleared: "backend-restart"))
                    #expect(connection.isQuiet(forMilliseconds: 5), "one answer each")
                }
                for (number, connection) in anonymous.enumerated() {
                    #expect(try connection.receive().status == 200)
                    #expect(stage.backend.count(of: "/api/anonymous/\(number)") == 1)
                }
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("4.3 a WebSocket over TLS is closed with 1012, and its TLS with close_notify")
        func webSocket() throws {
            try throughTLS(quick) { stage, _ in
                for isKilled in [false, true] {
                    let client = try stage.loggedIn()
                    let connection = try stage.connect()
                    let offer = ["Connection: Upgrade", "Upgrade: websocket", cookie(client)]
                    connection.send("GET", "/upgrade", offer)
                    #expect(try connection.receiveHead().status == 101)
                    let hello: [UInt8] = [0x81, 0x05] + Array("hello".utf8)
                    connection.send(hello)
                    #expect(try connection.receive(bytes: hello.count) == hello)
                    if isKilled {
                        stage.backend.kill()
                    } else {
                        try stage.backend.ask("GET", "/control?instance=the-next-one")
                    }
                    #expect(try connection.receive(bytes: 4) == [0x88, 0x02, 0x03, 0xF4])
                    connection.send([0x88, 0x82, 1, 2, 3, 4, 2, 0xF6])
                    // A cut would be thrown.
                    #expect(try connection.receiveAll() == "")
                }
                #expect(stage.backend.zombies.isEmpty)
            }
        }
    }

    /// Contract 5 on a listener with TLS.
    @Suite("events over TLS")
    struct EventsOverTLS {
        @Test("5 events and session over TLS: told at once, to an end that is no cut")
        func events() throws {
            try throughTLS(quick) { stage, _ in
                let client = try stage.loggedIn()
                let live = try client.get("/.lychgate/session")
                #expect(live.status == 200 && live.text.contains(stage.backend.instance))
                let holder = try Subscriber(stage.endpoint, [cookie(client)]).begin()
                let stranger = try Subscriber(stage.endpoint).begin()
                try stage.backend.restart()
                #expect(
                    try holder.next("session-cleared")?.data == #"{"reason":"backend-restart"}"#
                )
                #expect(try stranger.next("backend-up") != nil)
                let ended = try client.get("/.lychgate/session")
                #expect(isClean401(ended, cleared: "backend-restart"))
                #expect(ended.values("Set-Cookie").contains { $0.hasPrefix("__Host-lychgate=;") })
                let bare = try stage.connect()
                bare.send("GET", "/.lychgate/events")
                #expect(try bare.receiveHead().status == 200)
                #expect(stage.lychgate.process.terminate() == .code(0))
                #expect(try holder.next("none") == nil)
                while try bare.receiveChunk() != nil {}
                // A cut, which an end without close_notify is, would be thrown.
                #expect(try bare.receiveAll() == "")
            }
        }

        @Test("5 a slow subscriber over TLS is dropped, and the others are told everything")
        func slow() throws {
            let configuration = "identity: { interval: 10ms }\nlog: { access: json }\n"
            try throughTLS(configuration + usual) { stage, _ in
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
                #expect(throws: HTTPFailure.self) { while try slow.receiveChunk() != nil {} }
            }
        }
    }

    /// `identity.url` with https: another host, trusted as `upstream.tls` says.
    @Suite("identity over TLS elsewhere")
    struct IdentityElsewhereOverTLS {
        /// A backend in clear, and another process that tells its instance over TLS.
        private func onStages(
            upstream tls: String,
            _ body: (Stage, PythonBackend) throws -> Void
        ) throws {
            let directory = try Place.newDirectory()
            defer { Place.remove(directory) }
            let certificates = try Certificates(in: directory)
            try certificates.make("server", for: "IP:127.0.0.1")
            let authority = certificates.path("ca.pem")
            let place = Endpoint.free().secured(by: authority)
            let teller = PythonBackend(
                at: place,
                recordingIn: directory,
                options: certificates.options
            )
            try teller.start("--instance", "one")
            defer { teller.kill() }
            let trust = tls.replacing("CA", with: authority)
            let url = "\(place.url)/health"
            try onStage(
                """
                upstream: { url: "UPSTREAM"\(trust) }
                identity: { verify: watch, interval: 50ms, url: "\(url)" }
                \(usual)
                """
            ) { stage in try body(stage, teller) }
        }

        @Test(
            "3.2 identity.url https: whom upstream.tls trusts, though the upstream is plain",
            arguments: [", tls: { ca: CA }", ", tls: { verify: false }"]
        )
        func trusted(tls: String) throws {
            try onStages(upstream: tls) { stage, teller in
                #expect(stage.logged("backend instance is one"))
                let client = try stage.loggedIn()
                #expect(try client.get("/api/work").status == 200)
                teller.kill()
                try teller.start("--instance", "two")
                let answer = try eventually(client, "/api/work") { $0.status == 401 }
                #expect(isClean401(answer, cleared: "backend-restart"))
            }
        }

        @Test("3.2 identity.url https: by default the system says whom to trust")
        func untrusted() throws {
            try onStages(upstream: "") { stage, teller in
                #expect(stage.logged("backend is down", "certificate"))
                #expect(teller.everything.isEmpty)
            }
        }
    }
}
