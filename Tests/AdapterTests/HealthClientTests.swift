import Foundation
import Glibc
import HealthClient
import Testing

private let health = #"{"status":"healthy","serverInstanceId":"abc123"}"#

private func response(_ status: String, _ body: String, _ fields: String = "") -> String {
    "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
}

/// Asks once and waits for the answer.
private func answer(
    _ client: inout HealthClient,
    over connection: HealthConnection = .once
) -> HealthAnswer {
    client.ask(over: connection)
    while true {
        if let answer = client.poll(timeout: .seconds(10)).answer { return answer }
    }
}

private func ask(
    path: String = "/health",
    timeout: Duration = .seconds(10),
    _ script: @escaping ScriptedServer.Script
) throws -> HealthAnswer {
    let server = ScriptedServer(script: script)
    defer { server.stop() }
    var client = try HealthClient(target(server, path: path, timeout: timeout))
    return answer(&client)
}

private func target(
    _ server: ScriptedServer,
    path: String = "/health",
    timeout: Duration = .seconds(10)
) -> HealthTarget {
    HealthTarget(place: .host("127.0.0.1", port: server.port), path: path, timeout: timeout)
}

struct HealthClientAnswerTests {
    @Test("a name means what it is said to mean, though no name server knows it, and later else")
    func meaning() throws {
        let server = ScriptedServer { _, _ in [.send(response("200 OK", health))] }
        defer { server.stop() }
        let place = HealthTarget.Place.host("backend.invalid", port: server.port)
        var client = try HealthClient(
            HealthTarget(place: place, path: "/health", timeout: .seconds(10))
        )
        client.takeAddresses(["127.0.0.1"])
        #expect(answer(&client).status == 200)
        client.takeAddresses(["127.0.0.2"])
        #expect(answer(&client).failure == .refused)
        client.takeAddresses(["::1", "127.0.0.1"])
        #expect(answer(&client).status == 200)
        #expect(answer(&client).status == 200)
    }

    @Test("an answer with its length")
    func plain() throws {
        #expect(
            try ask { _, _ in [.send(response("200 OK", health))] }
                == HealthAnswer(status: 200, body: Array(health.utf8))
        )
    }

    @Test(
        "3.1 any status is an answer, with its content",
        arguments: [
            "404 Not Found", "500 Internal Server Error", "503 Service Unavailable", "401 No",
        ]
    )
    func status(_ line: String) throws {
        let answer = try ask { _, _ in [.send(response(line, health))] }
        #expect(answer.status == UInt16(line.prefix(3)))
        #expect(answer.body == Array(health.utf8))
        #expect(answer.failure == nil)
    }

    @Test("a chunked answer, cut between and within chunks")
    func chunked() throws {
        let answer = try ask { _, _ in
            [
                .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"sta"),
                .pause(5), .send("\r"), .pause(5), .send("\n6;x=y\r\nrtedAt\r\n0\r\nT: 1\r\n\r\n"),
            ]
        }
        #expect(answer == HealthAnswer(status: 200, body: Array("{\"startedAt".utf8)))
    }

    @Test("an answer that ends with its connection")
    func closeDelimited() throws {
        let answer = try ask { _, _ in [.send("HTTP/1.0 200 OK\r\n\r\n{}"), .close] }
        #expect(answer == HealthAnswer(status: 200, body: Array("{}".utf8)))
    }

    @Test("3.1 the whole answer is read, however slowly it comes")
    func dripping() throws {
        let text = response("200 OK", health)
        let answer = try ask { _, _ in
            text.map { ServerStep.send(String($0)) }.flatMap { [$0, .pause(1)] }
        }
        #expect(answer.body == Array(health.utf8))
    }

    @Test("interim answers are passed over, and no content is an answer")
    func interim() throws {
        let answer = try ask { _, _ in
            [.send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")]
        }
        #expect(answer == HealthAnswer(status: 204, body: []))
    }

    @Test("no redirect is followed", arguments: ["301 Moved", "302 Found", "307 T", "308 P"])
    func redirect(_ line: String) throws {
        let server = ScriptedServer { _, _ in
            [.send(response(line, "{}", "Location: /elsewhere\r\n"))]
        }
        defer { server.stop() }
        var client = try HealthClient(target(server))
        #expect(answer(&client).body == Array("{}".utf8))
        #expect(server.requests.count == 1)
    }

    @Test("content of exactly the limit is read, one byte more is too large")
    func limit() throws {
        let most = String(repeating: "x", count: 64 * 1024)
        #expect(try ask { _, _ in [.send(response("200 OK", most))] }.body.count == 64 * 1024)
        #expect(try ask { _, _ in [.send(response("200 OK", most + "x"))] }.failure == .tooLarge)
    }

    @Test("without a length: too large is found while reading")
    func tooLargeChunked() throws {
        let answer = try ask { _, _ in
            [
                .send("HTTP/1.1 200 OK\r\n\r\n"),
                .send(String(repeating: "x", count: 1_000_000)), .waitForClose,
            ]
        }
        #expect(answer.failure == .tooLarge)
        #expect(answer.body.count <= 64 * 1024)
    }

    @Test("a head without an end is too large")
    func endlessHead() throws {
        let answer = try ask { _, _ in
            [
                .send("HTTP/1.1 200 OK\r\n"),
                .send(
                    String(
                        repeating: "X-Field: \(String(repeating: "y", count: 90))\r\n",
                        count: 20_000
                    )
                ),
                .waitForClose,
            ]
        }
        #expect(answer.failure == .tooLarge)
    }
}

struct HealthClientFailureTests {
    @Test("nobody listens: refused")
    func refused() throws {
        let server = ScriptedServer { _, _ in [] }
        server.stop()
        var client = try HealthClient(target(server))
        #expect(answer(&client) == HealthAnswer(status: 0, body: [], failure: .refused))
        #expect(answer(&client).failure == .refused)
    }

    @Test("no answer in time: timed out")
    func timedOut() throws {
        let start = ContinuousClock.now
        let answer = try ask(timeout: .milliseconds(100)) { _, _ in [.waitForClose] }
        #expect(answer == HealthAnswer(status: 0, body: [], failure: .timedOut))
        #expect(ContinuousClock.now - start >= .milliseconds(100))
    }

    @Test("3.3 the time limit is for the whole answer, not for each piece of it")
    func drippingTooLong() throws {
        let answer = try ask(timeout: .milliseconds(100)) { _, _ in
            [.send("HTTP/1.1 200 OK\r\n")]
                + (0..<100).flatMap { _ in [ServerStep.send("X: y\r\n"), .pause(10)] }
        }
        #expect(answer.failure == .timedOut)
    }

    @Test(
        "closed or reset before or within the answer: dropped",
        arguments: [
            "", "HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\nContent-",
            "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX: y\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n",
        ]
    )
    func dropped(_ text: String) throws {
        for end in [ServerStep.close, .reset] {
            let answer = try ask { _, _ in [.send(text), .pause(20), end] }
            #expect(answer.failure == .dropped, "\(text)")
        }
    }

    @Test(
        "what is not HTTP is malformed",
        arguments: [
            "SSH-2.0-OpenSSH_9.2\r\n", "{\"serverInstanceId\":\"abc\"}", "HTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 OK\r\n\r\n", "HTTP/3 200 OK\r\n\r\n",
        ]
    )
    func malformed(_ text: String) throws {
        #expect(try ask { _, _ in [.send(text), .close] }.failure == .malformed, "\(text)")
    }

    @Test(
        "what can be no target",
        arguments: [
            HealthTarget(place: .host("127.0.0.1", port: 80), path: "health", timeout: .seconds(1)),
            HealthTarget(place: .host("127.0.0.1", port: 80), path: "", timeout: .seconds(1)),
            HealthTarget(place: .host("127.0.0.1", port: 80), path: "/a b", timeout: .seconds(1)),
            HealthTarget(
                place: .host("127.0.0.1", port: 80),
                path: "/\r\nX: y",
                timeout: .seconds(1)
            ),
            HealthTarget(place: .host("127.0.0.1", port: 80), path: "/\u{0}", timeout: .seconds(1)),
            HealthTarget(place: .host("127.0.0.1", port: 0), path: "/", timeout: .seconds(1)),
            HealthTarget(place: .host("", port: 80), path: "/", timeout: .seconds(1)),
            HealthTarget(place: .host("a@b", port: 80), path: "/", timeout: .seconds(1)),
            HealthTarget(place: .host("a/b", port: 80), path: "/", timeout: .seconds(1)),
            HealthTarget(place: .unix(""), path: "/", timeout: .seconds(1)),
            HealthTarget(
                place: .unix(String(repeating: "x", count: 108)),
                path: "/",
                timeout: .seconds(1)
            ),
        ]
    )
    func noTarget(_ target: HealthTarget) {
        do throws(HealthClientError) {
            _ = try HealthClient(target)
            Issue.record("accepted: \(target)")
        } catch {
            guard case .target = error else {
                Issue.record("\(error)")
                return
            }
        }
    }
}

struct HealthClientRequestTests {
    @Test("the request: the path as it is, its own connection, no more fields than needed")
    func request() throws {
        let path = "/a/../b//./%7e?x=1&y={z}#no"
        let server = ScriptedServer { _, _ in [.send(response("200 OK", "{}"))] }
        defer { server.stop() }
        var client = try HealthClient(target(server, path: path))
        _ = answer(&client)
        #expect(
            server.requests == [
                "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\nUser-Agent: lychgate\r\n"
                    + "Accept: */*\r\nConnection: close\r\n\r\n"
            ]
        )
    }

    @Test("3.3 every question has a connection of its own, though the backend would keep it")
    func freshConnections() throws {
        let server = ScriptedServer { _, _ in [.send(response("200 OK", "{}")), .keepAlive] }
        defer { server.stop() }
        var client = try HealthClient(target(server))
        for _ in 0..<3 {
            #expect(!answer(&client).isSameConnection)
        }
        #expect(server.connectionCount == 3)
    }

    @Test("3.1 two questions on one connection")
    func sameConnection() throws {
        let server = ScriptedServer { number, _ in
            [.send(response("200 OK", "\(number)")), .keepAlive]
        }
        defer { server.stop() }
        var client = try HealthClient(target(server))
        #expect(answer(&client, over: .keptOpen).body == Array("0".utf8))
        #expect(
            answer(&client, over: .sameAgain)
                == HealthAnswer(
                    status: 200,
                    body: Array("0".utf8),
                    isSameConnection: true
                )
        )
        #expect(!answer(&client, over: .sameAgain).isSameConnection, "it was closed after that")
        #expect(server.requests.map { $0.contains("Connection: close") } == [false, true, true])
        #expect(server.connectionCount == 2)
    }

    @Test("3.2 a backend that closes each connection: the second answer says it is another's")
    func closedInBetween() throws {
        let server = ScriptedServer { number, _ in [.send(response("200 OK", "\(number)"))] }
        defer { server.stop() }
        var client = try HealthClient(target(server))
        _ = answer(&client, over: .keptOpen)
        #expect(
            answer(&client, over: .sameAgain)
                == HealthAnswer(
                    status: 200,
                    body: Array("1".utf8),
                    isSameConnection: false
                )
        )
    }

    @Test("a unix socket")
    func unix() throws {
        let path = "/tmp/lychgate-health-\(getpid()).sock"
        let server = ScriptedServer(unixPath: path) { _, _ in [.send(response("200 OK", health))] }
        defer {
            server.stop()
            unsafe unlink(path)
        }
        let target = HealthTarget(place: .unix(path), path: "/health", timeout: .seconds(10))
        var client = try HealthClient(target)
        #expect(answer(&client).body == Array(health.utf8))
        #expect(server.requests.first?.contains("Host: localhost\r\n") == true)
        server.stop()
        unsafe unlink(path)
        #expect(answer(&client).failure == .refused)
    }

    @Test("a new question gives up the one under way; giving up leaves the client fit")
    func givesUp() throws {
        let server = ScriptedServer { number, _ in
            number == 0 ? [.waitForClose] : [.send(response("200 OK", "\(number)"))]
        }
        defer { server.stop() }
        var client = try HealthClient(target(server))
        client.ask()
        while server.requests.isEmpty {
            #expect(client.poll(timeout: .milliseconds(1)).answer == nil)
        }
        let isAsking = client.isAsking
        #expect(isAsking)
        #expect(answer(&client).status == 200)
        let isStillAsking = client.isAsking
        #expect(!isStillAsking)
        client.ask()
        client.cancel()
        #expect(client.poll(timeout: .zero) == HealthWait())
    }
}

struct HealthClientWaitTests {
    private func client(_ server: ScriptedServer) throws -> HealthClient {
        try HealthClient(target(server))
    }

    @Test("without a question, a wait lasts its time")
    func idle() throws {
        let server = ScriptedServer { _, _ in [] }
        defer { server.stop() }
        var client = try client(server)
        let start = ContinuousClock.now
        #expect(client.poll(timeout: .milliseconds(50)) == HealthWait())
        #expect(ContinuousClock.now - start >= .milliseconds(50))
        #expect(client.poll(timeout: .seconds(-1)) == HealthWait())
    }

    @Test("a watched descriptor ends a wait, with and without a question under way")
    func watched() throws {
        let server = ScriptedServer { _, _ in [.waitForClose] }
        defer { server.stop() }
        var client = try client(server)
        var ends: [Int32] = [0, 0]
        var others: [Int32] = [0, 0]
        #expect(unsafe pipe(&ends) == 0 && pipe(&others) == 0)
        defer { for end in ends + others { close(end) } }
        #expect(client.poll(timeout: .milliseconds(1), watching: [ends[0]]).readable == [])
        #expect(unsafe write(ends[1], "x", 1) == 1)
        #expect(
            client.poll(timeout: .seconds(60), watching: [others[0], ends[0]])
                == HealthWait(readable: [ends[0]])
        )
        client.ask()
        let start = ContinuousClock.now
        var readable: [Int32] = []
        while readable.isEmpty {
            readable = client.poll(timeout: .seconds(60), watching: [others[0], ends[0]]).readable
        }
        #expect(readable == [ends[0]])
        #expect(ContinuousClock.now - start < .seconds(5))
        let isAsking = client.isAsking
        #expect(isAsking)
    }

    @Test("a client can go away in the middle of a question")
    func dropped() throws {
        let server = ScriptedServer { _, _ in [.waitForClose] }
        defer { server.stop() }
        for _ in 0..<20 {
            var client = try client(server)
            client.ask()
            let wait = client.poll(timeout: .milliseconds(1))
            #expect(wait.answer == nil)
            let isAsking = client.isAsking
            #expect(isAsking)
        }
    }
}
