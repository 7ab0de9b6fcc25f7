import TestSupport
import Testing

/// What a browser lets a page of `origin` read of an answer to a request with credentials (the CORS
/// check of the Fetch standard): the status and these fields, or nothing.
private func readable(_ answer: HTTPResponse, by origin: String) -> Set<String>? {
    guard answer.values("Access-Control-Allow-Origin") == [origin],
        answer.values("Access-Control-Allow-Credentials") == ["true"]
    else { return nil }
    let names = answer.values("Access-Control-Expose-Headers")
        .flatMap { $0.split(separator: ",") }
        .map { $0.filter { $0 != " " }.lowercased() }
    return Set(names)
}

extension EndToEnd {
    /// Contract 4.4: a front end on another origin can read what Lychgate answers itself.
    @Suite("CORS")
    struct CORS {
        private static let page = "http://localhost:5173"
        private let laptop =
            usual + "\n  required: [ /api/who ]\ncors: { origins: [ \"\(page)\" ] }"

        /// As a browser asks for a page on another port of the same host.
        private let fetch = [
            "Origin: \(page)", "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: cors",
        ]

        @Test("4.4 the laptop case: with one line the page reads each of our answers")
        func laptopCase() throws {
            try onStage(laptop) { stage in
                let client = try stage.loggedIn()
                client.fields = fetch
                #expect(try client.post("/api/work").status == 200)
                try stage.backend.restart()
                let stale = try eventually(client, "/api/work") { $0.status != 503 }
                #expect(isClean401(stale, cleared: "backend-restart"))
                #expect(stale["Vary"] == "Origin")
                #expect(readable(stale, by: Self.page) == ["x-session-cleared", "retry-after"])
                let missing = try client.get("/api/who")
                #expect(missing.status == 401)
                #expect(readable(missing, by: Self.page) != nil)
                stage.backend.kill()
                client.fields = fetch
                let down = try client.get("/x")
                #expect(down.status == 502)
                #expect(readable(down, by: Self.page) != nil)
                client.fields = fetch + ["X-Session-ID: mine"]
                let kept = try client.get("/x")
                #expect(kept.status == 503)
                #expect(kept["Retry-After"] == "1")
                #expect(readable(kept, by: Self.page)?.contains("retry-after") == true)
                let twice = try client.ask("GET", "/x", ["X-Session-ID: other"])
                #expect(twice.status == 400)
                #expect(readable(twice, by: Self.page) != nil)
                #expect(!stage.log.contains("this line would"))
            }
        }

        @Test(
            "4.4 Chromium: the page reads the 401 with the line, and nothing without it",
            .enabled(if: Place.isFile("/usr/bin/chromium")),
            arguments: [true, false]
        )
        func browser(isListed: Bool) throws {
            let origin = isListed ? "UPSTREAM" : "http://else.example"
            let configuration =
                usual + "\ncors: { origins: [ \"\(origin)\" ], preflight: answer }"
            try onStage(configuration) { stage in
                let session = try stage.client().post("/api/connect").string("sessionId") ?? ""
                try stage.backend.restart()
                #expect(stage.logged("backend restarted"))
                // The page comes from the backend's own port, which is another origin.
                let query = "at=\(stage.endpoint.url)&session=\(session)"
                let chromium = try ChildProcess(
                    "/usr/bin/chromium",
                    [
                        "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                        "--user-data-dir=\(stage.directory)/chromium",
                        "--virtual-time-budget=20000", "--dump-dom",
                        "\(stage.backend.endpoint.url)/reader?\(query)",
                    ]
                )
                #expect(chromium.waitForExit(seconds: 120) == .code(0), "\(chromium.errors)")
                let shown = isListed ? "401 backend-restart SESSION_NOT_FOUND" : "hidden"
                #expect(chromium.output.contains("<pre>\(shown)</pre>"), "\(chromium.output)")
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("4.4 a page that is not listed, null, or none gets nothing but Vary")
        func others() throws {
            try onStage(laptop) { stage in
                let connection = try stage.connect()
                for fields in [
                    [], ["Origin: null"], ["Origin: http://localhost:5174"],
                    ["Origin: \(Self.page)", "Origin: http://evil.example"],
                ] {
                    let answer = try connection.ask("GET", "/api/who", fields)
                    #expect(answer.status == 401)
                    #expect(answer["Vary"] == "Origin")
                    #expect(!answer.fields.contains { $0.name.contains("Access-Control") })
                }
                // The next request on a connection does not profit from the one before.
                let listed = try connection.ask("GET", "/api/who", fetch)
                #expect(readable(listed, by: Self.page) != nil)
                let twoHosts = "GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n"
                connection.send(twoHosts + "Origin: \(Self.page)\r\n\r\n")
                let malformed = try connection.receive()
                #expect(malformed.status == 400)
                #expect(readable(malformed, by: Self.page) == nil)
            }
        }

        @Test("4.4 without that line the log says which it is, once, and nothing hostile")
        func hint() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                client.fields = fetch
                try stage.backend.restart()
                let stale = try eventually(client, "/api/work") { $0.status != 503 }
                #expect(stale.status == 401)
                #expect(readable(stale, by: Self.page) == nil)
                #expect(stage.logged("this line", "cors: { origins: [ \"\(Self.page)\" ] }"))
            }
            try onStage("session: { required: [ /x ] }\nworkers: 1") { stage in
                for field in [
                    "Origin: http://example.test", "Origin: null", "Origin: http://a\"] }",
                    "Origin: http://a/\u{1B}[31m",
                    "Origin: http://" + String(repeating: "a", count: 400),
                ] {
                    let answer = try stage.connect().ask("GET", "/x", [field])
                    #expect(answer.status == 401 || answer.status == 400)
                }
                for number in 0..<20 {
                    _ = try stage.connect().ask("GET", "/x", ["Origin: http://h\(number).example"])
                }
                #expect(stage.logged("cors: { origins: [ \"http://h0.example\" ] }"))
                let count = stage.log.split(separator: "\n").count { $0.contains("this line") }
                #expect(count == 1)
            }
        }

        @Test("4.4 the hint also stands where a request was under way, and a large upload")
        func hintUnderWay() throws {
            try onStage(isDown: true, "workers: 1") { stage in
                let connection = try stage.connect()
                #expect(try connection.ask("GET", "/x", ["Origin: http://a.example"]).status == 502)
                #expect(stage.logged("cors: { origins: [ \"http://a.example\" ] }"))
            }
            try onStage(backend: ["--issue", "json"], "workers: 1") { stage in
                let data = [UInt8](repeating: 0x78, count: 3_000_000)
                let fields = ["Origin: http://a.example"]
                let answer = try stage.connect().ask("POST", "/drop", fields, body: data)
                #expect(answer.status == 502)
                #expect(try stage.connect().ask("GET", "/x").status == 200)
            }
        }

        @Test("4.4 preflights go to the backend as they are, and need no session")
        func pass() throws {
            let asked = ["Access-Control-Request-Method: PUT", "Origin: \(Self.page)"]
            for configuration in [laptop, usual + "\n  required: [ /* ]"] {
                try onStage(configuration) { stage in
                    let answer = try stage.client().ask("OPTIONS", "/api/who", asked)
                    #expect(answer.status == 200)
                    #expect(answer["Access-Control-Allow-Origin"] == nil)
                    #expect(stage.backend.count(of: "/api/who") == 1)
                }
            }
        }

        @Test("4.4 preflight: answer: those of listed pages are answered here, others pass")
        func answer() throws {
            let configuration =
                usual + "\ncors: { origins: [ \"\(Self.page)\" ], preflight: answer }"
            try onStage(configuration) { stage in
                let client = try stage.loggedIn()
                let asked = [
                    "Access-Control-Request-Method: PUT",
                    "Access-Control-Request-Headers: x-session-id,content-type",
                    "Access-Control-Request-Private-Network: true",
                ]
                let own = asked + ["Origin: \(Self.page)"]
                try stage.backend.restart()
                // With a stale cookie, too: it is not looked at, and gets its 401 later.
                let answer = try client.ask("OPTIONS", "/api/work", own)
                #expect(answer.status == 204)
                #expect(answer.body.isEmpty)
                #expect(answer["Content-Length"] == nil)
                #expect(readable(answer, by: Self.page) != nil)
                #expect(answer["Access-Control-Allow-Methods"] == "PUT")
                #expect(answer["Access-Control-Allow-Headers"] == "x-session-id, content-type")
                #expect(answer["Access-Control-Allow-Private-Network"] == "true")
                #expect(answer["Access-Control-Max-Age"] == "600")
                #expect(answer["Set-Cookie"] == nil)
                #expect(stage.backend.count(of: "/api/work") == 0)
                let stale = try eventually(client, "/api/work") { $0.status != 503 }
                #expect(isClean401(stale, cleared: "backend-restart"))

                let foreign = asked + ["Origin: http://localhost:5174"]
                #expect(try client.ask("OPTIONS", "/api/x", foreign).status == 200)
                #expect(try client.ask("OPTIONS", "/api/x", ["Origin: \(Self.page)"]).status == 200)
                #expect(stage.backend.count(of: "/api/x") == 2)
                #expect(client.connectionCount == 1)
            }
        }

        @Test("4.4 a preflight that is answered here has its access line")
        func access() throws {
            let configuration =
                "cors: { origins: [ \"\(Self.page)\" ], preflight: answer }\nlog: { access: json }"
            try onStage(configuration) { stage in
                let asked = ["Access-Control-Request-Method: PUT", "Origin: \(Self.page)"]
                let answer = try stage.client().ask("OPTIONS", "/a", asked, body: Array("x".utf8))
                #expect(answer.status == 204)
                #expect(stage.lychgate.process.sawOutput("\"status\":204"))
                #expect(stage.lychgate.process.output.contains("anonymous"))
            }
        }
    }
}
