import TestSupport
import Testing

extension EndToEnd {
    /// Contract 8 and 9: the command line, the file, the log.
    @Suite("command line and log")
    struct CommandLine {
        private func check(_ text: String) throws -> (exit: ChildProcess.Exit?, lines: [String]) {
            let directory = try Place.newDirectory()
            defer { Place.remove(directory) }
            let file = directory + "/c.yaml"
            try Place.write(text, to: file)
            let process = try Lychgate.run("check", "--config", file)
            let lines = (process.output + process.errors).split(separator: "\n").map { line in
                String(line).replacing(file, with: "FILE")
            }
            return (process.exit, lines)
        }

        private let minimal = "listen: 127.0.0.1:8080\nupstream: http://127.0.0.1:8000\n"

        @Test(
            "8 help, on every command, and the version",
            arguments: [
                ["help"], ["--help"], ["run", "--help"], ["check", "--help"],
                ["version", "--help"],
                ["version"],
            ]
        )
        func help(arguments: [String]) throws {
            let process = try ChildProcess(Place.binary, arguments)
            #expect(process.waitForExit() == .code(0))
            #expect(process.output.contains("lychgate"))
            #expect(process.errors.isEmpty)
        }

        @Test(
            "8 wrong usage exits 2 and says what was wrong",
            arguments: [
                [], ["walk"], ["run", "--confg", "x"], ["run", "--config"],
                ["run", "--workers", "many"],
                ["run", "--workers", "0"], ["check", "a", "b"],
            ]
        )
        func wrongUsage(arguments: [String]) throws {
            let process = try ChildProcess(Place.binary, arguments)
            #expect(process.waitForExit() == .code(2))
            #expect(!process.errors.isEmpty)
        }

        @Test("8 check: a good file exits 0, so do those that come with the program")
        func goodFiles() throws {
            #expect(try check(minimal).exit == .code(0))
            #expect(try check(minimal + usual).exit == .code(0))
            for file in ["config/minimal.yaml", "config/lychgate.yaml", "Examples/lychgate.yaml"] {
                let process = try Lychgate.run("check", "--config", Place.root + "/" + file)
                #expect(process.exit == .code(0), "\(file): \(process.errors)")
            }
        }

        @Test("9 an unknown key: where, and the nearest one that exists")
        func unknownKey() throws {
            let result = try check(minimal + "sesion:\n  exempt: []\n")
            #expect(result.exit == .code(1))
            let line = result.lines.first { $0.hasPrefix("FILE:3:1:") } ?? ""
            #expect(line.contains("sesion"))
            #expect(line.contains("session"))
        }

        @Test("9 a wrong type, an impossible value and a missing unit: all told at once")
        func allProblemsAtOnce() throws {
            let result = try check(
                """
                listen: 127.0.0.1:99999
                upstream: ftp://127.0.0.1:8000
                session:
                  idle_timeout: 12 parsecs
                  exempt: yes
                jar:
                  capacity: -1
                """
            )
            #expect(result.exit == .code(1))
            for start in ["FILE:1:9:", "FILE:2:11:", "FILE:4:17:", "FILE:5:11:", "FILE:7:13:"] {
                #expect(
                    result.lines.contains { $0.hasPrefix(start) },
                    "\(start) in \(result.lines)"
                )
            }
        }

        @Test("9 a key of a later version says so")
        func notYet() throws {
            let result = try check(minimal + "admin:\n  listen: 127.0.0.1:9901\n")
            #expect(result.exit == .code(1))
            let line = result.lines.first { $0.hasPrefix("FILE:4:11:") } ?? ""
            #expect(line.contains("not implemented yet"), "\(result.lines)")
        }

        @Test("9 what is no YAML: where")
        func noYAML() throws {
            let result = try check("listen: [ 127.0.0.1:8080\nupstream: {\n")
            #expect(result.exit == .code(1))
            #expect(result.lines.contains { $0.hasPrefix("FILE:") })
        }

        @Test("8 a file that is not there")
        func noFile() throws {
            let process = try Lychgate.run("check", "--config", "/nonexistent.yaml")
            #expect(process.exit == .code(1))
            #expect(process.errors.contains("/nonexistent.yaml"))
        }

        @Test("8 run needs no file")
        func runWithoutFile() throws {
            try onStage(usual) { stage in
                let endpoint = Endpoint.free()
                let process = try ChildProcess(
                    Place.binary,
                    [
                        "run", "--listen", "\(endpoint)", "--upstream", stage.backend.endpoint.url,
                        "--workers", "1",
                    ]
                )
                defer { process.kill9() }
                let listens = becomesTrue { (try? HTTPConnection(to: endpoint)) != nil }
                #expect(listens)
                let client = Client(endpoint)
                #expect(try client.post("/api/connect").status == 200)
                #expect(try client.get("/api/work").status == 200)
                #expect(process.terminate() == .code(0))
            }
        }

        @Test("8 the environment in values")
        func environment() throws {
            let listen = Endpoint.free()
            let text = "upstream: ${LYCHGATE_TEST_NOT_SET:-UPSTREAM}\n"
            try onStage(listen: listen, text + usual) { stage in
                let answer = try stage.client().get("/x")
                #expect(answer.status == 200)
            }
            let missing = try check(minimal + "via: ${LYCHGATE_TEST_NOT_SET}\n")
            #expect(missing.exit == .code(1))
            #expect(missing.lines.contains { $0.hasPrefix("FILE:3:6:") }, "\(missing.lines)")
        }

        @Test("8 an address that is taken: exit 1, and which")
        func addressTaken() throws {
            try onStage(usual) { stage in
                let taken = "\(stage.backend.endpoint)"
                let process = try Lychgate.run(
                    "run",
                    "--listen",
                    taken,
                    "--upstream",
                    "http://127.0.0.1:1"
                )
                #expect(process.exit == .code(1))
                #expect(process.errors.contains(taken))
            }
        }

        @Test(
            "8 SIGTERM and SIGINT: exit 0, a request in flight is finished first",
            arguments: [
                Int32(15), 2,
            ]
        )
        func stops(signal: Int32) throws {
            try onStage(usual) { stage in
                let endpoint = stage.endpoint
                let slow = Background {
                    try HTTPConnection(to: endpoint).ask("GET", "/slow?ms=300")
                }
                #expect(becomesTrue { stage.backend.count(of: "/slow?ms=300") == 1 })
                stage.lychgate.process.send(signal)
                #expect(stage.lychgate.process.waitForExit() == .code(0))
                let answer = try slow.value()
                #expect(answer.status == 200)
                #expect(throws: HTTPFailure.refused) { try HTTPConnection(to: endpoint) }
            }
        }

        @Test("log: start with addresses and instance, change of instance, down and up")
        func log() throws {
            try onStage(usual) { stage in
                #expect(stage.logged("\(stage.endpoint)"))
                let old = String(stage.backend.instance.prefix(8))
                #expect(stage.logged(old))
                // The watcher's own first answer; the workers may have told the instance before.
                #expect(stage.logged("backend is up"))
                let client = try stage.loggedIn()
                let held = stage.client()
                let session = try held.post("/api/connect").string("sessionId") ?? ""
                stage.backend.kill()
                _ = try client.get("/api/work")
                #expect(stage.logged("backend is down"))
                try stage.backend.start()
                let new = String(stage.backend.instance.prefix(8))
                #expect(stage.logged(old, new, "2 sessions cleared"))
                #expect(
                    becomesTrue { stage.log.ranges(of: "backend is up").count == 2 },
                    "\(stage.log)"
                )
                #expect(try client.get("/api/work").status == 401)
                #expect(!stage.log.contains(session), "a session ID never appears whole")
                #expect(!stage.log.contains(stage.backend.instance), "nor does an instance ID")
            }
        }

        @Test("log: json is one object a line")
        func jsonLog() throws {
            try onStage("log: { format: json }\n" + usual) { stage in
                #expect(stage.logged("\(stage.endpoint)"))
                let lines = stage.lychgate.process.errorLines
                #expect(!lines.isEmpty)
                #expect(lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
            }
        }
    }
}
