import Foundation
import TestSupport
import Testing

private let work = "workers: 1\n" + usual + "\n"

extension Stage {
    /// How many lines of the log have this in them.
    fileprivate func lineCount(_ part: String) -> Int {
        log.split(separator: "\n").count { $0.contains(part) }
    }

    fileprivate var healthCount: Int { backend.everything.count { $0.kind == "health" } }

    fileprivate func answersHealth(_ how: String) throws {
        try backend.ask("GET", "/control?health=\(how)")
    }

    /// The backend closes all connections but this test's own.
    fileprivate func dropConnections() throws {
        try backend.ask("GET", "/control?drop=on")
    }
}

extension EndToEnd {
    /// Contract 3.1: where the instance ID comes from, on TCP and on unix sockets.
    @Suite("identity sources")
    struct IdentitySources {
        static let cases: [(how: String, identity: String)] = [
            ("header", "from: [ header:X-Instance ]"),
            ("header", "from: [ header:X-Other, \"metric:m\", json:/none, header:X-INSTANCE ]"),
            ("interim", "from: [ header:X-Instance ]"),
            ("metrics", "path: /metrics, from: [ metric:process_start_time_seconds ]"),
            ("plain", "from: [ header:X-Instance, json:/serverInstanceId ]"),
        ]

        @Test("3.1 each source tells a restart", arguments: cases, [false, true])
        func source(_ one: (how: String, identity: String), isUnix: Bool) throws {
            let directory = try Place.newDirectory()
            defer { Place.remove(directory) }
            try onStage(
                backend: ["--health", one.how],
                at: isUnix ? .unix(directory + "/back") : nil,
                work + "identity: { \(one.identity) }"
            ) { stage in
                let client = try stage.loggedIn()
                for _ in 0..<3 {
                    for _ in 0..<10 { #expect(try client.get("/api/work").status == 200) }
                    try stage.dropConnections()
                    #expect(try client.get("/api/work").status == 200)
                    try stage.backend.restart()
                    let answer = try client.get("/api/work")
                    #expect(isClean401(answer, cleared: "backend-restart"))
                    #expect(try client.post("/api/connect").status == 200)
                }
                #expect(stage.backend.zombies.isEmpty)
                #expect(stage.lineCount("several") == 0)
                #expect(stage.lineCount("WARN") == 0, "\(stage.log)")
            }
        }

        @Test(
            "9 identity.headers: the same by the watcher and on connections, no secret told"
        )
        func headers() throws {
            let text = """
                identity:
                  headers: { Host: backend.local, Authorization: "Bearer ${NOT_SET:-s3cret}" }
                log: { level: debug }
                """
            try onStage(work + text) { stage in
                let client = try stage.loggedIn()
                try stage.dropConnections()
                #expect(try client.get("/api/work").status == 200)
                let heads = try stage.backend.ask("GET", "/health-heads").text
                let kinds = heads.split(separator: "\n").map { head in
                    head.split(separator: "|").filter { $0 != "Connection: close" }.sorted()
                }
                #expect(heads.contains("Connection: close"), "the watcher's")
                #expect(kinds.count > 1, "and that of connections")
                for lines in kinds {
                    #expect(
                        lines == [
                            "Accept-Encoding: identity", "Accept: application/json, */*;q=0.1",
                            "Authorization: Bearer s3cret", "GET /health HTTP/1.1",
                            "Host: backend.local", "User-Agent: lychgate",
                        ]
                    )
                }
                stage.backend.kill()
                _ = try client.get("/api/work")
                try stage.backend.start()
                #expect(try client.get("/api/work").status == 401)
                #expect(!stage.log.contains("s3cret"))
            }
        }
    }

    /// Contract 3.1 to 3.3: a failing health check is not a restart.
    @Suite("odd health answers")
    struct OddHealthAnswers {
        struct Oddity: CustomTestStringConvertible, Sendable {
            let how: String
            /// What a line of the log says, once.
            let line: String?
            /// Whether there is an ID in it all the same.
            let hasID: Bool
            var testDescription: String { how }
        }

        static let oddities = [
            Oddity(how: "slow", line: "the health answer took", hasID: true),
            Oddity(how: "never", line: "no answer in time", hasID: false),
            Oddity(how: "huge", line: "the health answer is too large", hasID: false),
            Oddity(how: "half", line: "the health answer is not JSON", hasID: false),
            Oddity(how: "garbage", line: "the answer is not HTTP", hasID: false),
            Oddity(how: "redirect", line: "the health answer has status 302", hasID: false),
            Oddity(how: "chunked", line: nil, hasID: true),
            Oddity(how: "error", line: "the health answer has status 500", hasID: true),
            Oddity(how: "cut", line: "closed before the end of the answer", hasID: false),
            Oddity(how: "interim", line: nil, hasID: true),
            Oddity(how: "gzip", line: "the health answer is compressed", hasID: false),
        ]

        @Test(
            "3.2 said once; sessions outlive it; a restart afterwards is the one clean 401",
            arguments: oddities,
            [false, true]
        )
        func oddity(_ oddity: Oddity, isUnix: Bool) throws {
            let directory = try Place.newDirectory()
            defer { Place.remove(directory) }
            try onStage(
                at: isUnix ? .unix(directory + "/back") : nil,
                work + "identity: { interval: 50ms, timeout: 700ms }"
            ) { stage in
                let client = try stage.loggedIn()
                #expect(try client.get("/api/work").status == 200)
                try stage.answersHealth(oddity.how)
                if let line = oddity.line {
                    #expect(stage.logged(line, seconds: 20), "\(stage.log)")
                }
                // Over a connection that is verified already.
                #expect(try client.get("/api/work").status == 200)
                try stage.dropConnections()
                let count = stage.healthCount
                #expect(try stage.connect().ask("GET", "/who").status == 200)
                let answer = try client.get("/api/work")
                #expect(answer.status == (oddity.hasID ? 200 : 503), "\(answer.text)")
                #expect(becomesTrue(seconds: 20) { stage.healthCount > count + 3 })
                #expect(oddity.line.map { stage.lineCount($0) } ?? 1 == 1, "\(stage.log)")
                try stage.answersHealth("plain")
                let healed = try eventually(client, "/api/work") { $0.status != 503 }
                #expect(healed.status == 200)
                try stage.backend.restart()
                let end = try eventually(client, "/api/work") { $0.status != 503 }
                #expect(isClean401(end, cleared: "backend-restart"))
                #expect(stage.backend.zombies.isEmpty)
            }
        }
    }
}
