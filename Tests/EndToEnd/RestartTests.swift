import TestSupport
import Testing

extension EndToEnd {
    /// Contract 3.2 and 4.2: the backend dies at every possible moment.
    @Suite("restarts")
    struct Restarts {
        @Test("3.2 restart while idle, several times")
        func idle() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                for _ in 0..<5 {
                    #expect(try client.get("/api/work").status == 200)
                    try stage.backend.restart()
                    let answer = try client.get("/api/work")
                    #expect(isClean401(answer, cleared: "backend-restart"))
                    #expect(try client.get("/api/who").string("session") == nil)
                    #expect(try client.post("/api/connect").status == 200)
                }
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("3.2 the session survives everything but a restart")
        func survives() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                try stage.backend.ask("GET", "/control?report=on&drop=on")
                #expect(try client.get("/api/work").status == 200)
                client.drop()
                #expect(try client.get("/api/work").status == 200)
                stage.backend.freeze()
                stage.backend.thaw()
                #expect(try client.get("/api/work").status == 200)
            }
        }

        @Test("3.2 a session of each of three instances: only the living one works")
        func severalInstances() throws {
            try onStage(usual) { stage in
                let first = try stage.loggedIn()
                try stage.backend.restart()
                let second = try stage.loggedIn()
                try stage.backend.restart()
                let third = try stage.loggedIn()
                #expect(try third.get("/api/work").status == 200)
                #expect(isClean401(try first.get("/api/work"), cleared: "backend-restart"))
                #expect(isClean401(try second.get("/api/work"), cleared: "backend-restart"))
                #expect(try third.get("/api/work").status == 200)
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("4.2 in mid-request: half of the content sent, then no zombie and one answer")
        func midRequest() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let cookie = "Cookie: lychgate=\(client.cookies["lychgate"] ?? "")"
                let connection = try stage.connect()
                connection.send("POST", "/upload", [cookie, "Content-Length: 200000"])
                #expect(connection.sendPattern(count: 100_000) == 100_000)
                #expect(becomesTrue { stage.backend.count(of: "/upload") == 1 })
                try stage.backend.restart()
                let answer = try connection.receive()
                #expect(answer.status == 503)
                #expect(answer["Retry-After"] == nil)
                #expect(connection.isQuiet(forMilliseconds: 50) || connection.isClosedByPeer())
                let next = try client.get("/api/work")
                #expect(isClean401(next, cleared: "backend-restart"))
                #expect(stage.backend.zombies.isEmpty)
                #expect(stage.backend.count(of: "/upload") == 1)
            }
        }

        @Test("4.2 in mid-response: the connection breaks, never a short body that looks whole")
        func midResponse() throws {
            try onStage(usual) { stage in
                for framing in ["length", "chunked"] {
                    let client = try stage.loggedIn()
                    let cookie = "Cookie: lychgate=\(client.cookies["lychgate"] ?? "")"
                    let connection = try stage.connect()
                    connection.send("GET", "/stall?framing=\(framing)", [cookie])
                    let head = try connection.receiveHead()
                    #expect(head.status == 200)
                    let start = framing == "length" ? "half," : "5\r\nhalf,\r\n"
                    let bytes = try connection.receive(bytes: start.utf8.count)
                    #expect(String(decoding: bytes, as: UTF8.self) == start)
                    try stage.backend.restart()
                    #expect(connection.isClosedByPeer(), "nothing more, not even a last chunk")
                    let next = try client.get("/api/work")
                    #expect(isClean401(next, cleared: "backend-restart"))
                }
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test(
            "4.2 cut by the backend in the middle of the content",
            arguments: ["length", "chunked"]
        )
        func cut(framing: String) throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                connection.send("GET", "/cut?framing=\(framing)")
                #expect(throws: HTTPFailure.cut("half,")) { try connection.receive() }
            }
        }

        @Test("4.2 killed while it thinks: 503 or the 401, then the 401; no zombie")
        func whileThinking() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let cookie = "Cookie: lychgate=\(client.cookies["lychgate"] ?? "")"
                let endpoint = stage.endpoint
                let slow = Background {
                    try HTTPConnection(to: endpoint).ask("GET", "/slow?ms=5000", [cookie])
                }
                let anonymous = Background {
                    try HTTPConnection(to: endpoint).ask("POST", "/slow?ms=5001")
                }
                #expect(becomesTrue { stage.backend.count(of: "/slow?ms=5000") == 1 })
                #expect(becomesTrue { stage.backend.count(of: "/slow?ms=5001") == 1 })
                stage.backend.kill()
                let answer = try slow.value()
                #expect(answer.status == 503)
                #expect(answer["Retry-After"] == "1")
                let other = try anonymous.value()
                #expect(other.status == 502)
                #expect(other.string("reason") == "backend-unreachable")
                #expect(other["Retry-After"] == nil)
                try stage.backend.start()
                let next = try client.get("/api/work")
                #expect(isClean401(next, cleared: "backend-restart"))
                #expect(stage.backend.zombies.isEmpty)
                #expect(stage.backend.count(of: "/slow?ms=5001") == 1)
            }
        }

        @Test("3.3 the restart becomes known without traffic")
        func withoutTraffic() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let old = String(stage.backend.instance.prefix(8))
                try stage.backend.restart()
                let new = String(stage.backend.instance.prefix(8))
                #expect(stage.logged(old, new), "one line names both instances")
                #expect(isClean401(try client.get("/api/work"), cleared: "backend-restart"))
            }
        }

        @Test("3.2 frozen and killed with requests waiting in its sockets: none reaches the next")
        func waitingInTheKernel() throws {
            try onStage(usual) { stage in
                let clients = try (0..<4).map { _ in try stage.loggedIn() }
                let cookies = clients.map { "Cookie: lychgate=\($0.cookies["lychgate"] ?? "")" }
                stage.backend.freeze()
                let endpoint = stage.endpoint
                let waiting = cookies.map { cookie in
                    Background {
                        try HTTPConnection(to: endpoint).ask("GET", "/api/work", [cookie])
                    }
                }
                let passing = try stage.connect()
                #expect(passing.isQuiet(forMilliseconds: 100))
                try stage.backend.restart()
                for answer in try waiting.map({ try $0.value() }) {
                    let isRight =
                        answer.status == 503
                        || isClean401(answer, cleared: "backend-restart")
                    #expect(isRight, "\(answer.status) \(answer.text)")
                }
                for client in clients {
                    let next = try client.get("/api/work")
                    #expect(next.status == 401)
                }
                #expect(stage.backend.zombies.isEmpty)
            }
        }
    }
}
