import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Tunnels, and what Lychgate answers by itself, have one line each, too.
    @Suite("one line a message", .serialized)
    struct AccessMessages {
        /// One worker, so that the lines stand in the order of the requests.
        private let log = "workers: 1\nlog: { access: json }\n"
        private let offer = ["Connection: Upgrade", "Upgrade: echo"]

        private func objects(_ stage: Stage, count: Int) throws -> [[String: Any]] {
            let output = stage.lychgate.process
            _ = becomesTrue { output.output.split(separator: "\n").count >= count }
            return try output.output.split(separator: "\n").map { line in
                try #require(
                    try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                )
            }
        }

        /// All lines, once no more can come.
        private func objects(afterStopping stage: Stage) throws -> [[String: Any]] {
            #expect(stage.lychgate.process.terminate() == .code(0))
            return try objects(stage, count: 0)
        }

        private func statuses(_ objects: [[String: Any]]) -> [Int?] {
            objects.map { $0["status"] as? Int }
        }

        @Test("a tunnel has its line when it ends: 101, bytes both ways, its whole time")
        func tunnel() throws {
            try onStage(log + usual) { stage in
                let connection = try stage.connect()
                connection.send("GET", "/upgrade?first=hello", offer)
                #expect(try connection.receiveHead().status == 101)
                connection.send(Array(Pattern.bytes[..<100_000]))
                #expect(try connection.receive(bytes: 100_005).count == 100_005)
                #expect(connection.isQuiet(forMilliseconds: 300))
                #expect(stage.lychgate.process.output.isEmpty)
                connection.shutDownWriting()
                #expect(connection.isClosedByPeer())
                let line = try #require(try objects(stage, count: 1).first)
                #expect(line["status"] as? Int == 101)
                #expect(line["target"] as? String == "/upgrade?first=hello")
                let head =
                    "GET /upgrade?first=hello HTTP/1.1\r\nHost: example.test\r\n"
                    + "Connection: Upgrade\r\nUpgrade: echo\r\n\r\n"
                #expect(line["bytes_in"] as? Int == head.utf8.count + 100_000)
                #expect(line["body_bytes_out"] as? Int == 100_005)
                #expect(line["complete"] as? Bool == true)
                #expect(line["verdict"] as? String == "anonymous")
                #expect(line["total_ms"] as? Double ?? 0 >= 300)
                #expect(line["first_byte_ms"] as? Double ?? 300 < 300)
                #expect(try objects(afterStopping: stage).count == 1)
            }
        }

        @Test("a tunnel that is cut, by either side or at the end of the grace, is not complete")
        func cutTunnels() throws {
            try onStage("shutdown: { grace: 1s }\n" + log + usual) { stage in
                let byBackend = try stage.connect()
                byBackend.send("GET", "/upgrade?mode=reset", offer)
                #expect(try byBackend.receiveHead().status == 101)
                byBackend.send("x")
                #expect(throws: HTTPFailure.self) { try byBackend.receive(bytes: 1000) }
                let byClient = try stage.connect()
                byClient.send("GET", "/upgrade", offer)
                #expect(try byClient.receiveHead().status == 101)
                byClient.reset()
                #expect(try objects(stage, count: 2).count == 2)
                let left = try stage.connect()
                left.send("GET", "/upgrade", offer)
                #expect(try left.receiveHead().status == 101)
                let all = try objects(afterStopping: stage)
                #expect(statuses(all) == [101, 101, 101])
                #expect(all.allSatisfy { $0["complete"] as? Bool == false })
            }
        }

        @Test("a client that stays when the tunnel has ended has no second line")
        func tunnelLingers() throws {
            try onStage(log + usual) { stage in
                let connection = try stage.connect()
                connection.send("GET", "/upgrade?mode=close", offer)
                #expect(try connection.receiveHead().status == 101)
                connection.send("x")
                #expect(try connection.receiveAll() == "bye")
                connection.send("GET /more HTTP/1.1\r\nHost: a\r\n\r\n")
                connection.close()
                let all = try objects(afterStopping: stage)
                #expect(statuses(all) == [101])
                #expect(all.first?["body_bytes_out"] as? Int == 3)
            }
        }

        @Test("a tunnel that a session came too late for has the line of the answer")
        func noTunnel() throws {
            let exempt = "exempt: [ /health, POST /api/connect"
            let rules = usual.replacing(exempt, with: exempt + ", /upgrade")
            for (rules, status) in [(usual, 401), (rules, 503)] {
                try onStage("identity: { interval: 100ms }\n" + log + rules) { stage in
                    let client = try stage.loggedIn()
                    let cookie = "Cookie: lychgate=\(client.cookies["lychgate"] ?? "")"
                    let connection = try stage.connect()
                    connection.send("GET", "/upgrade?wait=1", offer + [cookie])
                    #expect(becomesTrue { stage.backend.count(of: "/upgrade?wait=1") == 1 })
                    try stage.backend.ask("GET", "/control?instance=another")
                    _ = try eventually(client, "/api/work") { $0.status == 401 }
                    try stage.backend.ask("GET", "/control?go=1")
                    #expect(try connection.receive().status == status)
                    let all = try objects(afterStopping: stage).filter {
                        $0["target"] as? String == "/upgrade?wait=1"
                    }
                    #expect(statuses(all) == [status])
                    #expect(all.first?["verdict"] as? String == "backend-restart")
                }
            }
        }

        @Test("OPTIONS that ends here, too much content, methods not served: a line each")
        func ownAnswers() throws {
            try onStage("limits: { body_bytes: 10 }\n" + log + usual) { stage in
                let connection = try stage.connect()
                #expect(try connection.ask("OPTIONS", "*", ["Max-Forwards: 0"]).status == 200)
                #expect(try connection.ask("OPTIONS", "/a", ["Max-Forwards: x"]).status == 400)
                let known = try stage.connect()
                #expect(try known.ask("POST", "/known", body: [UInt8](1...11)).status == 413)
                // It lingers, and what it sends meanwhile is dropped.
                known.send("GET /more HTTP/1.1\r\nHost: a\r\n\r\n")
                let chunked = try stage.connect()
                chunked.send("POST", "/upload", ["Transfer-Encoding: chunked"])
                chunked.sendChunk([UInt8](1...11))
                #expect(try chunked.receive().status == 413)
                chunked.sendChunk([UInt8](1...11))
                #expect(try stage.connect().ask("TRACE", "/trace").status == 501)
                let all = try objects(afterStopping: stage)
                #expect(statuses(all) == [200, 400, 413, 413, 501])
                #expect(
                    all.map { $0["target"] as? String } == [
                        "*", "/a", "/known", "/upload", "/trace",
                    ]
                )
                #expect(all.allSatisfy { $0["complete"] as? Bool == true })
                #expect(all.allSatisfy { $0["verdict"] as? String == "anonymous" })
            }
        }

        @Test("an exempt request that goes on without its session, known at once or when written")
        func leftOut() throws {
            let exempt = "exempt: [ /health, POST /api/connect"
            let rules = usual.replacing(exempt, with: exempt + ", /slow")
            try onStage("identity: { interval: 100ms }\n" + log + rules) { stage in
                let client = try stage.loggedIn()
                let cookie = "Cookie: lychgate=\(client.cookies["lychgate"] ?? "")"
                let connection = try stage.connect()
                connection.send("GET", "/slow?ms=1000", [cookie])
                #expect(becomesTrue { stage.backend.count(of: "/slow?ms=1000") == 1 })
                // The connections are lost, and it is sent once more, to another instance.
                try stage.backend.ask("GET", "/control?instance=another&drop=on")
                #expect(try connection.receive().status == 200)
                #expect(try connection.ask("GET", "/slow?ms=1", [cookie]).status == 200)
                #expect(try connection.ask("GET", "/slow?ms=2").status == 200)
                let all = try objects(afterStopping: stage).dropFirst()
                #expect(
                    all.map { $0["verdict"] as? String } == ["left-out", "left-out", "anonymous"]
                )
            }
        }

        @Test("trailers count as content, both ways, and no name or session passes in them")
        func trailers() throws {
            try onStage(log + usual) { stage in
                let connection = try stage.connect()
                connection.send("POST", "/echo", ["Transfer-Encoding: chunked"])
                let sent =
                    "1\r\na\r\n0\r\nX-T: 1\r\nX-Request-ID: forged\r\nx_request_id: forged\r\n"
                    + "X-Session-ID: forged\r\n\r\n"
                connection.send(sent)
                let answer = try connection.receive()
                #expect(answer.strings("trailers") == ["X-T: 1"])
                #expect(try connection.ask("GET", "/trailers").trailers.count == 3)
                let all = try objects(afterStopping: stage)
                let head =
                    "POST /echo HTTP/1.1\r\nHost: example.test\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n"
                #expect(all.first?["bytes_in"] as? Int == head.utf8.count + sent.utf8.count)
                let content = "3\r\nabc\r\n0\r\nX-Sum: 1\r\nSum:two \r\nx-sum:\r\n\r\n"
                #expect(all.last?["body_bytes_out"] as? Int ?? 0 >= content.utf8.count)
                #expect(all.allSatisfy { $0["complete"] as? Bool == true })
            }
        }
    }
}
