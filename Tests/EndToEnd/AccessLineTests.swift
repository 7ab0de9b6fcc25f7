import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    /// Whatever becomes of a request, it has one line.
    @Suite("one line a request", .serialized)
    struct AccessLines {
        /// What lines in the common form say behind the time.
        private func lines(_ stage: Stage, count: Int) -> [String] {
            _ = becomesTrue { stage.lychgate.process.output.split(separator: "\n").count >= count }
            return stage.lychgate.process.output.split(separator: "\n").map { line in
                String(line.split(separator: "] ", maxSplits: 1).last ?? "")
            }
        }

        private func stop(_ stage: Stage) {
            #expect(stage.lychgate.process.terminate() == .code(0))
        }

        @Test("a retried request has one line, with the answer that it got")
        func retried() throws {
            try onStage("workers: 1\nlog: { access: common }\n" + usual) { stage in
                let client = stage.client()
                let first = try client.get("/api/who")
                try stage.backend.restart()
                let second = try client.get("/api/who")
                stop(stage)
                #expect(
                    lines(stage, count: 2) == [
                        #""GET /api/who HTTP/1.1" 200 \#(first.body.count)"#,
                        #""GET /api/who HTTP/1.1" 200 \#(second.body.count)"#,
                    ]
                )
            }
        }

        @Test("a head and a content that come too slowly: one 408 each")
        func slow() throws {
            let times = "timeouts: { header: 1s, body_idle: 1s }\n"
            try onStage(times + "log: { access: common }\n" + usual) { stage in
                let head = try stage.connect()
                head.send("GET /head")
                let content = try stage.connect()
                content.send("POST", "/upload", ["Content-Length: 9"])
                #expect(try head.receive().status == 408)
                #expect(try content.receive().status == 408)
                stop(stage)
                let all = Set(lines(stage, count: 2).map { $0.prefix { $0 != "4" } + "4" })
                #expect(all == [#""GET /head" 4"#, #""POST /upload HTTP/1.1" 4"#])
                #expect(lines(stage, count: 2).allSatisfy { $0.contains(" 408 ") })
            }
        }

        @Test("a client above limits.connections has a line, though its request was not read")
        func turnedAway() throws {
            let limit = "workers: 1\nlimits: { connections: 1 }\n"
            try onStage(limit + "log: { access: json }\n" + usual) { stage in
                // The stage itself may have had a connection, which ends with it.
                var inside: HTTPConnection?
                #expect(
                    try becomesTrue {
                        let connection = try stage.connect()
                        guard try connection.ask("GET", "/in").status == 200 else { return false }
                        inside = connection
                        return true
                    }
                )
                let refused = try stage.connect().receive()
                #expect(refused.status == 503)
                inside?.close()
                stop(stage)
                let lines = stage.lychgate.process.output.split(separator: "\n")
                let line = try #require(lines.first { $0.contains(#""status":503"#) })
                #expect(line.contains(#""request":null"#))
                #expect(line.contains(#""verdict":"turned-away""#))
            }
        }

        @Test("a request that is cut off at the end of the grace: 503, and written before the end")
        func cutOff() throws {
            let grace = "shutdown: { grace: 1s }\n"
            try onStage(grace + "log: { access: common }\n" + usual) { stage in
                let connection = try stage.connect()
                connection.send("GET", "/slow?ms=30000")
                #expect(becomesTrue { stage.backend.count(of: "/slow?ms=30000") == 1 })
                stop(stage)
                #expect(lines(stage, count: 1) == [#""GET /slow?ms=30000 HTTP/1.1" 503 0"#])
            }
        }

        @Test("field lines that went astray show no session")
        func astray() throws {
            try onStage("log: { access: combined }\n" + usual) { stage in
                for text in ["X-Session-ID: secret\r\n\r\n", " Cookie: lychgate=secret\r\n\r\n"] {
                    let connection = try stage.connect()
                    connection.send(text)
                    #expect(try connection.receive().status == 400)
                }
                stop(stage)
                let output = stage.lychgate.process.output
                #expect(!output.contains("secret"))
                #expect(lines(stage, count: 2).allSatisfy { $0.hasPrefix("\"-\" 400 ") })
            }
        }

        @Test("to a backend that closes after each answer: how long the identity question took")
        func verifyTime() throws {
            try onStage(backend: ["--close"], "log: { access: json }\n" + usual) { stage in
                let client = stage.client()
                for _ in 0..<4 { #expect(try client.get("/api/who").status == 200) }
                stop(stage)
                let objects = try stage.lychgate.process.output.split(separator: "\n").map { line in
                    try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                }
                #expect(objects.count == 4)
                #expect(objects.allSatisfy { ($0?["verify_ms"] as? Double ?? 0) > 0 })
                #expect(objects.allSatisfy { $0?["reused"] as? Bool == false })
            }
        }

        /// Lychgate with standard output redirected by a shell.
        private func onShell(
            _ command: String,
            _ argument: String,
            _ body: (ChildProcess, Endpoint) throws -> Void
        ) throws {
            try onStage(usual) { stage in
                let endpoint = Endpoint.free()
                let file = stage.directory + "/shell.yaml"
                try Place.write(
                    "listen: \(endpoint)\nupstream: \(stage.backend.endpoint.url)\n"
                        + "log: { access: combined }\n" + usual,
                    to: file
                )
                let process = try ChildProcess(
                    "/bin/sh",
                    ["-c", command, Place.binary, file, argument]
                )
                defer { process.kill9() }
                #expect(becomesTrue { (try? HTTPConnection(to: endpoint)) != nil })
                try body(process, endpoint)
                #expect(process.terminate() == .code(0))
            }
        }

        @Test("a terminal that stands still keeps nobody waiting, nor the control thread")
        func stoppedTerminal() throws {
            let leader = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY)
            defer { close(leader) }
            var number: Int32 = 0
            // TIOCSPTLCK and TIOCGPTN, which Swift does not see.
            #expect(unsafe ioctl(leader, 0x4004_5431, &number) == 0)
            #expect(unsafe ioctl(leader, 0x8004_5430, &number) == 0)
            let name = "/dev/pts/\(number)"
            let follower = unsafe open(name, O_RDWR | O_NOCTTY)
            defer { close(follower) }
            #expect(follower >= 0)
            try onShell(#"exec "$0" run --config "$1" > "$2""#, name) { process, endpoint in
                let connection = try HTTPConnection(to: endpoint)
                let agent = "User-Agent: " + String(repeating: "x", count: 8000)
                for _ in 0..<100 {
                    #expect(try connection.ask("GET", "/api/who", [agent]).status == 200)
                }
                #expect(process.sawError("access log lines were dropped"))
            }
        }

        @Test("lines that nobody reads any more are counted, and nothing else is lost by them")
        func deadReader() throws {
            try onShell(#"exec "$0" run --config "$1" > "$2""#, "/dev/full") { process, endpoint in
                let connection = try HTTPConnection(to: endpoint)
                #expect(try connection.ask("GET", "/api/who").status == 200)
                #expect(process.sawError("access log lines were dropped"))
                #expect(try connection.ask("GET", "/api/who").status == 200)
            }
        }

        @Test("a closed standard stream is no number for a connection to take")
        func closedStreams() throws {
            let command = #"exec "$0" run --config "$1" >&- 2>&-"#
            try onShell(command, "") { process, endpoint in
                let connection = try HTTPConnection(to: endpoint)
                for _ in 0..<20 {
                    let answer = try connection.ask("GET", "/api/who")
                    #expect(answer.status == 200)
                    #expect(!answer.text.contains("GET /api/who"))
                }
                for number in 1...2 {
                    let place = "/proc/\(process.pid)/fd/\(number)"
                    let file = try? FileManager.default.destinationOfSymbolicLink(atPath: place)
                    #expect(file == "/dev/null")
                }
            }
        }
    }
}
