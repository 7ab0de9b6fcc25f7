import TestSupport
import Testing

extension EndToEnd {
    /// Contract 7: what is ambiguous is refused, never guessed.
    @Suite("refusals")
    struct Refusals {
        /// A request that must be refused, and how.
        struct Case: Sendable, CustomTestStringConvertible {
            var name: String
            var text: String
            var status = 400

            var testDescription: String { name }
        }

        private static let post = "POST /smuggled HTTP/1.1\r\nHost: a\r\n"
        private static let get = "GET /smuggled HTTP/1.1\r\nHost: a\r\n"

        static let heads: [Case] = [
            Case(
                name: "both lengths",
                text: post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
            Case(
                name: "two lengths that differ",
                text: post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"
            ),
            Case(name: "a list of lengths", text: post + "Content-Length: 3, 4\r\n\r\nabcd"),
            Case(name: "a signed length", text: post + "Content-Length: +3\r\n\r\nabc"),
            Case(name: "a negative length", text: post + "Content-Length: -1\r\n\r\n"),
            Case(name: "a length in hexadecimal", text: post + "Content-Length: 0x3\r\n\r\nabc"),
            Case(
                name: "a length beyond 64 bits",
                text: post + "Content-Length: 99999999999999999999\r\n\r\n"
            ),
            Case(name: "an empty length", text: post + "Content-Length:\r\n\r\n"),
            Case(
                name: "xchunked",
                text: post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"
            ),
            Case(
                name: "a coding that is not known, then chunked",
                text: post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                status: 501
            ),
            Case(
                name: "chunked is not last",
                text: post + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"
            ),
            Case(
                name: "chunked twice",
                text: post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"
            ),
            Case(
                name: "chunked in two fields",
                text: post
                    + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
            Case(
                name: "vertical tab before chunked",
                text: post + "Transfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n"
            ),
            Case(
                name: "space before the colon",
                text: post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"
            ),
            Case(name: "a name with a space", text: get + "X Y: 1\r\n\r\n"),
            Case(name: "a line without a colon", text: get + "nonsense\r\n\r\n"),
            Case(name: "an empty name", text: get + ": 1\r\n\r\n"),
            Case(name: "a folded line", text: get + "X-A: 1\r\n 2\r\n\r\n"),
            Case(
                name: "white space before the first field",
                text: "GET /smuggled HTTP/1.1\r\n Host: a\r\n\r\n"
            ),
            Case(name: "NUL in a value", text: get + "X-A: 1\u{0}2\r\n\r\n"),
            Case(name: "bare CR in a value", text: get + "X-A: 1\r2\r\n\r\n"),
            Case(name: "bare LF ends a line", text: get + "X-A: 1\n\r\n"),
            Case(name: "bare LF ends the head", text: "GET /smuggled HTTP/1.1\nHost: a\n\n"),
            Case(name: "no Host", text: "GET /smuggled HTTP/1.1\r\n\r\n"),
            Case(name: "two Hosts", text: get + "Host: b\r\n\r\n"),
            Case(name: "a Host with a path", text: "GET /smuggled HTTP/1.1\r\nHost: a/b\r\n\r\n"),
            Case(
                name: "two spaces in the request line",
                text: "GET  /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
            ),
            Case(
                name: "a tab in the request line",
                text: "GET\t/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
            ),
            Case(
                name: "a space in the target",
                text: "GET /smuggled x HTTP/1.1\r\nHost: a\r\n\r\n"
            ),
            Case(name: "no version", text: "GET /smuggled\r\n\r\n"),
            Case(
                name: "a version in lower case",
                text: "GET /smuggled http/1.1\r\nHost: a\r\n\r\n"
            ),
            Case(
                name: "a method with a bracket",
                text: "GE[T /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
            ),
            Case(
                name: "version 2.0",
                text: "GET /smuggled HTTP/2.0\r\nHost: a\r\n\r\n",
                status: 505
            ),
            Case(
                name: "chunked from an HTTP/1.0 client",
                text: "POST /smuggled HTTP/1.0\r\nHost: a\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
            Case(
                name: "a target that is too long",
                text: "GET /smuggled" + String(repeating: "x", count: 9000)
                    + " HTTP/1.1\r\nHost: a\r\n\r\n",
                status: 414
            ),
            Case(
                name: "a field that is too long",
                text: get + "X-A: " + String(repeating: "x", count: 40_000) + "\r\n\r\n",
                status: 431
            ),
            Case(
                name: "too many fields",
                text: get + String(repeating: "X: 1\r\n", count: 200) + "\r\n",
                status: 431
            ),
        ]

        static let contents: [Case] = [
            Case(name: "a chunk size that is none", text: "xyz\r\n"),
            Case(name: "a chunk size with 0x", text: "0x3\r\nabc\r\n0\r\n\r\n"),
            Case(name: "a chunk size with a sign", text: "+3\r\nabc\r\n0\r\n\r\n"),
            Case(name: "a chunk size beyond 64 bits", text: "fffffffffffffffff\r\nabc"),
            Case(name: "a chunk that is longer than it says", text: "3\r\nabcdef\r\n0\r\n\r\n"),
            Case(name: "bare LF after the size", text: "3\nabc\r\n0\r\n\r\n"),
            Case(name: "bare LF after the data", text: "3\r\nabc\n0\r\n\r\n"),
            Case(name: "bare LF in an extension", text: "3;a\nb\r\nabc\r\n0\r\n\r\n"),
            Case(name: "an empty size", text: "\r\nabc\r\n0\r\n\r\n"),
        ]

        private static let next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"

        @Test("7 refused, closed, and neither it nor what follows reaches the backend")
        func refusedHeads() throws {
            try onStage(usual) { stage in
                for one in Self.heads {
                    let connection = try stage.connect()
                    connection.send(one.text + Self.next)
                    do {
                        let answer = try connection.receive()
                        #expect(answer.status == one.status, "\(one.name)")
                        #expect(answer["Connection"]?.lowercased() == "close", "\(one.name)")
                        #expect(connection.isClosedByPeer(), "\(one.name)")
                    } catch {
                        Issue.record("\(one.name): \(error)")
                    }
                }
                #expect(stage.backend.seen.map(\.target) == [])
                #expect(try stage.client().get("/after").status == 200)
            }
        }

        @Test("7 broken chunks: refused, closed, and what follows is no request")
        func refusedContents() throws {
            try onStage(usual) { stage in
                for one in Self.contents {
                    let connection = try stage.connect()
                    connection.send("POST", "/upload", ["Transfer-Encoding: chunked"])
                    connection.send(one.text + Self.next)
                    do {
                        let answer = try connection.receive()
                        #expect(answer.status == 400, "\(one.name)")
                        #expect(connection.isClosedByPeer(), "\(one.name)")
                    } catch HTTPFailure.closed {
                        // Closed without a word is as good.
                    } catch {
                        Issue.record("\(one.name): \(error)")
                    }
                }
                #expect(stage.backend.count(of: "/next") == 0)
                #expect(try stage.client().get("/after").status == 200)
            }
        }

        @Test("9 above limits.connections: 503 that can be read, and service once there is a place")
        func connectionLimit() throws {
            try onStage("limits: { connections: 2 }\n" + usual) { stage in
                // The stage itself may have had a connection, which ends with it.
                var held: [HTTPConnection] = []
                #expect(
                    try becomesTrue {
                        let connection = try stage.connect()
                        guard try connection.ask("GET", "/held").status == 200 else { return false }
                        held.append(connection)
                        return held.count == 2
                    }
                )
                for _ in 0..<100 {
                    let turnedAway = try stage.connect()
                    turnedAway.send("POST", "/away", body: [UInt8](repeating: 7, count: 9000))
                    let answer = try turnedAway.receive()
                    #expect(answer.status == 503)
                    #expect(answer["Connection"]?.lowercased() == "close")
                    #expect(turnedAway.isClosedByPeer())
                }
                #expect(stage.backend.count(of: "/away") == 0)
                held[0].close()
                #expect(
                    try becomesTrue { try stage.connect().ask("GET", "/after").status == 200 }
                )
            }
        }

        @Test("7 content that ends too early is never passed off as whole")
        func shortUploads() throws {
            try onStage(usual) { stage in
                for (line, start) in [
                    ("Content-Length: 10", "half,"),
                    ("Transfer-Encoding: chunked", "5\r\nhalf,\r\n"),
                ] {
                    let connection = try stage.connect()
                    connection.send("POST", "/echo", [line])
                    connection.send(start)
                    connection.close()
                }
                #expect(try stage.client().get("/after").status == 200)
                #expect(stage.log.contains("atal") == false)
            }
        }
    }
}
