import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    /// `log.access`: a line for each request, on standard output.
    @Suite("access log", .serialized)
    struct AccessLog {
        private func lines(_ stage: Stage, count: Int) -> [String] {
            _ = becomesTrue {
                stage.lychgate.process.output.split(separator: "\n").count >= count
            }
            return stage.lychgate.process.output.split(separator: "\n").map(String.init)
        }

        /// A line without its time, of which the form was checked.
        private func timeless(_ line: String) -> String {
            let time = /\[\d\d\/[A-Z][a-z][a-z]\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]/
            #expect(line.firstMatch(of: time) != nil, "\(line)")
            return line.replacing(time, with: "[T]")
        }

        private func objects(_ stage: Stage, count: Int) throws -> [[String: Any]] {
            try lines(stage, count: count).map { line in
                try #require(
                    try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                )
            }
        }

        @Test("off is the default: not a line")
        func off() throws {
            try onStage(usual) { stage in
                let status = try stage.client().get("/api/who").status
                #expect(status == 200)
                #expect(stage.lychgate.process.terminate() == .code(0))
                #expect(stage.lychgate.process.output.isEmpty)
            }
        }

        @Test("combined: served, answered by Lychgate, refused; the last are written at the end")
        func combined() throws {
            try onStage("workers: 1\nlog: { access: combined }\n" + usual) { stage in
                let connection = try stage.connect()
                let fields = ["Referer: http://a/", "User-Agent: a\"b"]
                let answer = try connection.ask("GET", "/api/who?x=1", fields)
                _ = try connection.ask("HEAD", "/api/who")
                let unknown = "Cookie: lychgate=AAAAAAAAAAAAAAAAAAAAAA"
                #expect(try connection.ask("GET", "/x", [unknown]).status == 401)
                connection.send("utter nonsense\r\n\r\n")
                let refused = try connection.receive()
                #expect(refused.status == 400)
                #expect(stage.lychgate.process.terminate() == .code(0))
                let expected = [
                    #"127.0.0.1 - - [T] "GET /api/who?x=1 HTTP/1.1" 200 \#(answer.body.count) "#
                        + #""http://a/" "a\x22b""#,
                    #"127.0.0.1 - - [T] "HEAD /api/who HTTP/1.1" 200 0 "-" "-""#,
                    #"127.0.0.1 - - [T] "GET /x HTTP/1.1" 401 93 "-" "-""#,
                    #"127.0.0.1 - - [T] "utter nonsense" 400 \#(refused.body.count) "-" "-""#,
                ]
                #expect(lines(stage, count: 4).map(timeless) == expected)
            }
        }

        @Test("common: pipelined requests in their order, uploads, a part of a head")
        func common() throws {
            try onStage("workers: 1\nlog: { access: common }\n" + usual) { stage in
                let connection = try stage.connect()
                connection.send(
                    "GET /api/who?1 HTTP/1.1\r\nHost: a\r\n\r\n"
                        + "GET /api/who?2 HTTP/1.1\r\nHost: a\r\n\r\n"
                )
                let first = try connection.receive().body.count
                let second = try connection.receive().body.count
                connection.send("GET /part")
                connection.close()
                let expected = [
                    #"127.0.0.1 - - [T] "GET /api/who?1 HTTP/1.1" 200 \#(first)"#,
                    #"127.0.0.1 - - [T] "GET /api/who?2 HTTP/1.1" 200 \#(second)"#,
                    #"127.0.0.1 - - [T] "GET /part" 400 0"#,
                ]
                #expect(lines(stage, count: 3).map(timeless) == expected)
            }
        }

        @Test("a client that goes away before its answer: 499")
        func abort() throws {
            try onStage("workers: 1\nlog: { access: common }\n" + usual) { stage in
                let connection = try stage.connect()
                connection.send("GET", "/slow?ms=3000")
                #expect(becomesTrue { stage.backend.count(of: "/slow?ms=3000") == 1 })
                connection.reset()
                let line = lines(stage, count: 1).first ?? ""
                #expect(
                    timeless(line) == #"127.0.0.1 - - [T] "GET /slow?ms=3000 HTTP/1.1" 499 0"#
                )
            }
        }

        @Test("json: what a request was, became and took; no session anywhere")
        func json() throws {
            try onStage("workers: 1\nlog: { access: json }\n" + usual) { stage in
                let client = try stage.loggedIn()
                let cookie = client.cookies["lychgate"] ?? ""
                #expect(try client.ask("GET", "/api/work", ["X-Request-ID: mine"]).status == 200)
                try stage.backend.restart()
                #expect(try client.get("/api/work").status == 401)
                let all = try objects(stage, count: 3)
                #expect(
                    all.map { $0["verdict"] as? String } == [
                        "anonymous", "live", "backend-restart",
                    ]
                )
                #expect(all.map { $0["status"] as? Int } == [200, 200, 401])
                #expect(
                    all.map { $0["target"] as? String } == [
                        "/api/connect", "/api/work", "/api/work",
                    ]
                )
                #expect(all.allSatisfy { $0["complete"] as? Bool == true })
                #expect(all[1]["request_id"] as? String == "mine")
                #expect((all[0]["request_id"] as? String)?.utf8.count == 32)
                #expect((all[0]["instance"] as? String)?.count == 9)
                #expect(all[2]["instance"] is NSNull)
                #expect(all[2]["wait_ms"] is NSNull)
                for object in all[..<2] {
                    let total = object["total_ms"] as? Double ?? -1
                    let wait = object["wait_ms"] as? Double ?? -1
                    let first = object["first_byte_ms"] as? Double ?? -1
                    #expect(wait >= 0 && first > 0 && total >= first)
                    #expect((object["bytes_in"] as? Int ?? 0) > 40)
                }
                #expect(!cookie.isEmpty && !stage.lychgate.process.output.contains(cookie))
                #expect(!stage.lychgate.process.output.contains(stage.backend.instance))
            }
        }

        @Test("json: bytes of content both ways, framed and not; a cut answer is not complete")
        func bytes() throws {
            try onStage("workers: 1\nlog: { access: json }\n" + usual) { stage in
                let connection = try stage.connect()
                _ = try connection.ask("POST", "/upload", body: Array(Pattern.bytes[..<10_000]))
                connection.send("POST", "/echo", ["Transfer-Encoding: chunked"])
                connection.sendChunk(Array("abc".utf8))
                connection.send("0\r\n\r\n")
                _ = try connection.receive()
                connection.send("GET", "/cut?framing=length")
                _ = try? connection.receive()
                let all = try objects(stage, count: 3)
                let head =
                    "POST /upload HTTP/1.1\r\nHost: example.test\r\nContent-Length: 10000\r\n\r\n"
                #expect(all[0]["bytes_in"] as? Int == head.utf8.count + 10_000)
                let chunked =
                    "POST /echo HTTP/1.1\r\nHost: example.test\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                #expect(all[1]["bytes_in"] as? Int == chunked.utf8.count)
                // Which of the pool's connections a request gets is not said; there are not five.
                for _ in 0..<5 { _ = try stage.client().get("/api/who") }
                let more = try objects(stage, count: 8)
                #expect(more.contains { $0["reused"] as? Bool == true })
                #expect(more.contains { $0["reused"] as? Bool == false })
                #expect(all[2]["complete"] as? Bool == false)
                #expect(all[2]["body_bytes_out"] as? Int == 5)
            }
        }

        /// Lychgate with one of its streams on a pipe that nobody reads.
        private func onStuckStream(
            _ redirection: String,
            _ log: String,
            _ body: (ChildProcess, Endpoint, _ pipe: Int32) throws -> Void
        ) throws {
            try onStage(usual) { stage in
                let pipe = stage.directory + "/pipe"
                #expect(unsafe mkfifo(pipe, 0o600) == 0)
                let number = unsafe open(pipe, O_RDWR | O_NONBLOCK)
                defer { close(number) }
                let endpoint = Endpoint.free()
                let file = stage.directory + "/stuck.yaml"
                try Place.write(
                    "listen: \(endpoint)\nupstream: \(stage.backend.endpoint.url)\nlog: \(log)\n",
                    to: file
                )
                let process = try ChildProcess(
                    "/bin/sh",
                    [
                        "-c", "exec \"$0\" run --config \"$1\" \(redirection) \"$2\"", Place.binary,
                        file, pipe,
                    ]
                )
                defer { process.kill9() }
                #expect(becomesTrue { (try? HTTPConnection(to: endpoint)) != nil })
                try body(process, endpoint, number)
                #expect(process.terminate() == .code(0))
            }
        }

        private func read(_ number: Int32) -> String {
            var bytes: [UInt8] = []
            var room = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = unsafe Glibc.read(number, &room, room.count)
                guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
                bytes += room.prefix(count)
            }
        }

        @Test("a full pipe drops lines, says how many, and keeps nobody waiting")
        func fullPipe() throws {
            try onStuckStream(">", "{ access: combined }") { process, endpoint, pipe in
                let connection = try HTTPConnection(to: endpoint)
                let agent = "User-Agent: " + String(repeating: "x", count: 8000)
                for _ in 0..<100 {
                    #expect(try connection.ask("GET", "/api/who", [agent]).status == 200)
                }
                #expect(process.sawError("access log lines were dropped"))
                // Read again, it goes on where whole lines were left.
                var text = ""
                _ = becomesTrue {
                    text += read(pipe)
                    return text.utf8.count > 250_000
                }
                #expect(try connection.ask("GET", "/last").status > 0)
                #expect(
                    becomesTrue {
                        text += read(pipe)
                        return text.contains("\"GET /last HTTP/1.1\"") && text.hasSuffix("\n")
                    }
                )
                let lines = text.split(separator: "\n")
                #expect(lines.count > 30 && lines.count < 101)
                #expect(lines.allSatisfy { $0.hasPrefix("127.0.0.1 - - [") && $0.hasSuffix("\"") })
            }
        }

        @Test("a full pipe on standard error does not stall the control thread")
        func fullErrors() throws {
            try onStuckStream("2>", "{ level: info }") { process, endpoint, pipe in
                let connection = try HTTPConnection(to: endpoint)
                // Each answer issues what cannot be a session, which is a line in the log.
                for _ in 0..<1800 {
                    #expect(try connection.ask("POST", "/api/issue-long").status == 200)
                }
                var text = ""
                _ = becomesTrue {
                    text += read(pipe)
                    return text.contains("log lines were dropped")
                }
                #expect(text.contains("listens on"))
                #expect(text.contains("log lines were dropped"))
            }
        }
    }
}
