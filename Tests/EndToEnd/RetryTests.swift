import TestSupport
import Testing

extension EndToEnd {
    /// Contract 4.2: the one retry, and responses that are cut.
    @Suite("in flight")
    struct InFlight {
        @Test("4.2 tried once more with its content, while the next requests wait behind it")
        func pipelined() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                connection.send(
                    "PUT /drop-once?a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
                        + "PUT /drop-once?b HTTP/1.1\r\nHost: a\r\n"
                        + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
                        + "GET /last HTTP/1.1\r\nHost: a\r\n\r\n"
                )
                #expect(try connection.receive().number("count") == 5)
                #expect(try connection.receive().number("count") == 4)
                #expect(try connection.receive().string("path") == "/last")
                #expect(connection.isQuiet(forMilliseconds: 20))
                #expect(stage.backend.count(of: "/drop-once?a") == 2)
                #expect(stage.backend.count(of: "/drop-once?b") == 2)
                #expect(stage.backend.count(of: "/last") == 1)
            }
        }

        @Test("4.2 content that was streamed away cannot be sent again")
        func streamedAway() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                connection.send("PUT", "/drop-once?big", ["Content-Length: 1000000"])
                #expect(connection.sendPattern(count: 1_000_000) == 1_000_000)
                let answer = try connection.receive()
                #expect(answer.status == 502 && answer.string("reason") == "backend-unreachable")
                #expect(stage.backend.count(of: "/drop-once?big") == 1)
            }
        }

        @Test(
            "4.2 without a length and cut by a reset: never complete, in chunks or until the end",
            arguments: ["1.0", "1.1"]
        )
        func untilClose(version: String) throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                connection.send("GET /json-cut HTTP/\(version)\r\nHost: a\r\n\r\n")
                let answer = try? connection.receive()
                // The reset may overtake what was sent before it.
                #expect(answer == nil || answer?.status == 502)
            }
        }
    }
}
