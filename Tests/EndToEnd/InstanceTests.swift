import TestSupport
import Testing

extension EndToEnd {
    /// Contract 3: which instance is it, with backends of every kind.
    @Suite("instances")
    struct Instances {
        @Test("3.2 down at the start: 502 and 503, then it comes up and works")
        func downAtStart() throws {
            try onStage(isDown: true, usual) { stage in
                let client = stage.client()
                #expect(try client.get("/api/work").status == 502)
                let held = stage.client()
                held.fields = ["X-Session-ID: from-before"]
                let answer = try held.get("/api/work")
                #expect(answer.status == 503)
                #expect(answer.string("reason") == "backend-unreachable")
                try stage.backend.start()
                #expect(try client.post("/api/connect").status == 200)
                #expect(try client.get("/api/work").status == 200)
                try stage.backend.restart()
                #expect(isClean401(try client.get("/api/work"), cleared: "backend-restart"))
            }
        }

        @Test("3.2 the ID counts whatever the status of the health answer")
        func health500() throws {
            try onStage(backend: ["--health-status", "500"], usual) { stage in
                let client = try stage.loggedIn()
                #expect(try client.get("/api/work").status == 200)
                try stage.backend.restart()
                #expect(isClean401(try client.get("/api/work"), cleared: "backend-restart"))
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("3.2 stops reporting: anonymous requests pass, sessions get 503 and are kept")
        func stopsReporting() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                #expect(try client.get("/api/work").status == 200)
                try stage.backend.ask("GET", "/control?report=off&drop=on")
                let refused = try eventually(client, "/api/work") { $0.status == 503 }
                #expect(refused.status == 503)
                #expect(refused.string("reason") == "backend-unreachable")
                #expect(jarCookie(refused) == nil)
                let anonymous = try stage.client().get("/api/who")
                #expect(anonymous.status == 200)

                try stage.backend.ask("GET", "/control?report=on")
                let again = try eventually(client, "/api/work") { $0.status == 200 }
                #expect(again.status == 200)
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("3.2 a session issued while no ID was known is stale once one appears")
        func issuedWhileUnknown() throws {
            try onStage(usual) { stage in
                try stage.client().get("/api/who")
                try stage.backend.ask("GET", "/control?report=off&drop=on")
                let client = stage.client()
                let connected = try client.post("/api/connect")
                #expect(connected.status == 200)
                try stage.backend.ask("GET", "/control?report=on&drop=on")
                let answer = try eventually(client, "/api/work") { $0.status != 503 }
                #expect(answer.status == 401)
            }
        }

        @Test("3.1 no instance ID: forward, invalidate nothing, warn once")
        func reportsNothing() throws {
            try onStage(backend: ["--instance", "none"], usual) { stage in
                let client = try stage.loggedIn()
                #expect(try client.get("/api/work").status == 200)
                stage.backend.kill()
                #expect(try client.get("/api/work").status == 503)
                try stage.backend.start()
                let forwarded = try eventually(client, "/api/work") { $0.status != 503 }
                #expect(forwarded.status == 401)
                #expect(forwarded["X-Session-Cleared"] == nil)
                #expect(stage.backend.zombies.count == 1, "the promise is off, the backend answers")
                let warnings = stage.lychgate.process.errorLines.filter {
                    $0.contains("warning") && $0.contains("no instance ID")
                }
                #expect(warnings.count == 1, "\(warnings)")
            }
        }

        @Test("3.1 another ID for each request is none, and said in the log")
        func anIDForEachRequest() throws {
            try onStage(backend: ["--instance", "each"], usual) { stage in
                let client = try stage.loggedIn()
                for _ in 0..<5 {
                    #expect(try client.get("/api/work").status == 200)
                    client.drop()
                }
                try stage.backend.ask("GET", "/control?report=on&drop=on")
                #expect(try client.get("/api/work").status == 200)
                #expect(stage.logged("warning", "another instance ID for each request"))
            }
        }

        @Test("3.2 closes after each answer, one thread: no deadlock, and the 401 all the same")
        func closing() throws {
            try onStage(backend: ["--close"], usual) { stage in
                let client = try stage.loggedIn()
                for _ in 0..<5 {
                    #expect(try client.get("/api/work").status == 200)
                }
                let endpoint = stage.endpoint
                let statuses = try inParallel(8) { _ in
                    let client = Client(endpoint)
                    try client.post("/api/connect")
                    return try (0..<5).map { _ in try client.get("/api/work").status }
                }
                #expect(statuses.joined().allSatisfy { $0 == 200 })
                #expect(try client.post("/upload", "x").number("count") == 1)
                try stage.backend.restart()
                #expect(isClean401(try client.get("/api/work"), cleared: "backend-restart"))
                #expect(try client.post("/api/connect").status == 200)
                #expect(try client.get("/api/work").status == 200)
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("3.2 closes after each answer, killed under load: no zombie")
        func closingUnderLoad() throws {
            try onStage(backend: ["--close"], usual) { stage in
                let endpoint = stage.endpoint
                let load = Background {
                    try inParallel(4) { _ in
                        let client = Client(endpoint)
                        var answered401 = 0
                        for _ in 0..<60 {
                            let status = try client.get("/api/work").status
                            answered401 += status == 401 ? 1 : 0
                            if status == 401 || client.cookies["lychgate"] == nil {
                                try client.post("/api/connect")
                            }
                        }
                        return answered401
                    }
                }
                for _ in 0..<3 {
                    let before = stage.backend.seen.count
                    _ = becomesTrue { stage.backend.seen.count > before + 20 || load.isDone }
                    try stage.backend.restart()
                }
                #expect(try load.value().count == 4)
                #expect(stage.backend.zombies.isEmpty)
            }
        }
    }
}
