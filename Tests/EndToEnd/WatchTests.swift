import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Contract 3.2, last point: nothing is asked on connections, the watcher's word counts.
    @Suite("identity.verify: watch")
    struct Watch {
        private let watch = "workers: 1\n" + usual + "\nidentity: { verify: watch, interval: 1h"

        private func healthCount(_ stage: Stage) -> Int {
            stage.backend.everything.count { $0.kind == "health" }
        }

        @Test(
            "3.2 no question on connections, and the restart is known all the same",
            arguments: [false, true]
        )
        func restart(isUnix: Bool) throws {
            let directory = try Place.newDirectory()
            defer { Place.remove(directory) }
            let place = isUnix ? Endpoint.unix(directory + "/back") : nil
            try onStage(at: place, watch + " }") { stage in
                let client = try stage.loggedIn()
                let count = healthCount(stage)
                let slow = try (0..<8).map { _ in
                    let connection = try stage.connect()
                    connection.send("GET", "/slow?ms=300")
                    return connection
                }
                for connection in slow { #expect(try connection.receive().status == 200) }
                #expect(healthCount(stage) == count)
                for _ in 0..<3 {
                    #expect(try client.get("/api/work").status == 200)
                    try stage.backend.restart()
                    let answer = try client.get("/api/work")
                    #expect(isClean401(answer, cleared: "backend-restart"))
                    #expect(try client.post("/api/connect").status == 200)
                }
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("3.2 identity.url: health on another port")
        func elsewhere() throws {
            guard case .tcp(_, let port) = Endpoint.free() else { return }
            let url = ", url: \"http://127.0.0.1:\(port)/health\" }"
            try onStage(backend: ["--health-port", "\(port)"], watch + url) { stage in
                let client = try stage.loggedIn()
                #expect(try client.get("/api/work").status == 200)
                try stage.backend.restart()
                let answer = try client.get("/api/work")
                #expect(isClean401(answer, cleared: "backend-restart"))
                let heads = try stage.backend.ask("GET", "/health-heads").text
                #expect(heads.contains("Host: 127.0.0.1:\(port)|"))
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("3.2 a health check that fails is no restart: old connections serve, new ones do not")
        func failing() throws {
            let quick = watch.replacingOccurrences(of: "1h", with: "50ms") + ", timeout: 300ms }"
            try onStage(quick) { stage in
                let client = try stage.loggedIn()
                try stage.backend.ask("GET", "/control?health=never")
                #expect(stage.logged("backend is down", "no answer in time", seconds: 20))
                #expect(try client.get("/api/work").status == 200)
                try stage.backend.ask("GET", "/control?drop=on")
                #expect(try stage.connect().ask("GET", "/who").status == 200)
                #expect(try client.get("/api/work").status == 503)
                try stage.backend.ask("GET", "/control?health=plain")
                let healed = try eventually(client, "/api/work") { $0.status != 503 }
                #expect(healed.status == 200)
                try stage.backend.restart()
                let end = try eventually(client, "/api/work") { $0.status != 503 }
                #expect(isClean401(end, cleared: "backend-restart"))
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("3.2 identity.unverified: forward lets sessions pass meanwhile")
        func forwarding() throws {
            let quick =
                watch.replacingOccurrences(of: "1h", with: "50ms")
                + ", timeout: 300ms, unverified: forward }"
            try onStage(quick) { stage in
                let client = try stage.loggedIn()
                try stage.backend.ask("GET", "/control?health=never")
                #expect(stage.logged("backend is down", seconds: 20))
                try stage.backend.ask("GET", "/control?drop=on")
                #expect(try client.get("/api/work").status == 200)
            }
        }

        @Test("3.1 where no ID was ever told everything is forwarded")
        func oldBackend() throws {
            try onStage(backend: ["--instance", "none"], watch + " }") { stage in
                let client = try stage.loggedIn()
                #expect(try client.get("/api/work").status == 200)
                #expect(stage.logged("reports no instance ID"))
                try stage.backend.restart()
                #expect(try client.get("/api/work").string("reason") == "SESSION_NOT_FOUND")
                #expect(!stage.backend.zombies.isEmpty)
            }
        }

        @Test("3.2 a backend that serves one connection at a time and closes each is not blocked")
        func oneAtATime() throws {
            try onStage(backend: ["--close"], watch + " }") { stage in
                let client = try stage.loggedIn()
                for _ in 0..<5 { #expect(try client.get("/api/work").status == 200) }
                try stage.backend.restart()
                // No connection tells of this restart: it is the window that is documented.
                #expect(try stage.connect().ask("GET", "/drop").status == 502)
                let end = try eventually(client, "/api/work") {
                    $0["X-Session-Cleared"] != nil
                }
                #expect(isClean401(end, cleared: "backend-restart"))
            }
        }
    }
}
