import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What becomes of tunnels that are asked for in odd ways, or go wrong.
    @Suite("tunnels under attack")
    struct TunnelAttacks {
        private let offer = ["Connection: Upgrade", "Upgrade: echo"]

        private func cookie(_ client: Client) -> String {
            "Cookie: lychgate=\(client.cookies["lychgate"] ?? "")"
        }

        @Test("9 a tunnel whose client sends and reads nothing is cut after write_idle")
        func deafClient() throws {
            let quick = "timeouts: { write_idle: 500ms }\nworkers: 1\n"
            try onStage(quick + usual) { stage in
                let connection = try stage.connect()
                connection.send("GET", "/upgrade?mode=flood", offer)
                #expect(try connection.receiveHead().status == 101)
                // What it sends all the while is taken, and buys no time.
                let deadline = Date(timeIntervalSinceNow: 10)
                while connection.send("G"), Date() < deadline {}
                #expect(Date() < deadline)
            }
        }

        @Test("9 a client that reads slowly keeps its tunnel: there is progress")
        func slowClient() throws {
            let quick = "timeouts: { write_idle: 500ms }\nworkers: 1\n"
            try onStage(quick + usual) { stage in
                let connection = try stage.connect()
                connection.send("GET", "/upgrade?mode=flood", offer)
                #expect(try connection.receiveHead().status == 101)
                let idle = try stage.connect()
                for _ in 0..<6 {
                    #expect(try connection.receive(bytes: 8 << 20).count == 8 << 20)
                    #expect(idle.isQuiet(forMilliseconds: 300))
                }
            }
        }

        @Test("9 a client that stays when the backend has ended holds no connection for ever")
        func staysOn() throws {
            let quick = "timeouts: { body_idle: 300ms }\nworkers: 1\n"
            try onStage(quick + usual) { stage in
                let connection = try stage.connect()
                connection.send("GET", "/upgrade?mode=early", offer)
                #expect(try connection.receiveHead().status == 101)
                #expect(try connection.receive(bytes: 3) == Array("bye".utf8))
                let idle = try stage.connect()
                for _ in 0..<6 {
                    #expect(connection.send("x"))
                    #expect(idle.isQuiet(forMilliseconds: 100))
                }
                let isOver = becomesTrue {
                    stage.backend.everything.contains {
                        $0.kind == "tunnel" && $0.method == "6" && $0.target == "reset"
                    }
                }
                #expect(isOver)
            }
        }

        @Test("7 ends are passed on, and nothing before them is lost, over a unix socket, too")
        func unixBackend() throws {
            let path = try Place.newDirectory()
            defer { Place.remove(path) }
            try onStage(at: .unix(path + "/socket"), usual) { stage in
                for _ in 0..<20 {
                    let connection = try stage.connect()
                    connection.send("GET", "/upgrade?mode=close", offer)
                    #expect(try connection.receiveHead().status == 101)
                    connection.send("x")
                    #expect(try connection.receiveAll() == "bye")
                }
                let connection = try stage.connect()
                connection.send("GET", "/upgrade?mode=count", offer)
                #expect(try connection.receiveHead().status == 101)
                #expect(connection.sendPattern(count: 3_000_000) == 3_000_000)
                connection.shutDownWriting()
                #expect(try connection.receiveAll() == "3000000")
            }
        }

        @Test("9 no deadline of the client's is left in a tunnel whose backend reads nothing")
        func deafBackend() throws {
            let times = "timeouts: { body_idle: 100ms, write_idle: 100ms, keepalive: 100ms }\n"
            let upstream = "upstream: { url: UPSTREAM, response_timeout: 100ms }\n"
            try onStage(times + upstream + usual) { stage in
                let connection = try stage.connect()
                connection.send("GET", "/upgrade?mode=deaf", offer)
                #expect(try connection.receiveHead().status == 101)
                connection.send(Array(Pattern.bytes[..<100_000]))
                #expect(connection.isQuiet(forMilliseconds: 500))
                #expect(connection.send("x"))
            }
        }

        @Test("7 what is pipelined behind an offer is judged as a request if nothing is switched")
        func pipelined() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let connection = try stage.connect()
                connection.send("GET", "/echo", offer)
                connection.send("GET", "/upgrade?refuse=1", offer)
                connection.send("GET", "/api/work", [cookie(client)])
                connection.send("GET /x HTTP/1.1\r\nHost: a\r\nX_Session_ID: forged\r\n\r\n")
                #expect(try connection.receive().status == 200)
                #expect(try connection.receive().status == 426)
                #expect(try connection.receive().string("instance") != nil)
                #expect(try connection.receive().status == 400)
                #expect(connection.isClosedByPeer())
                #expect(stage.backend.count(of: "/x") == 0)
            }
        }

        @Test(
            "4.3 no tunnel for a session that became stale meanwhile; 2.4 nor a 401 where exempt",
            arguments: ["/upgrade?wait=1", "/upgrade?wait=1&exempt"]
        )
        func staleMeanwhile(target: String) throws {
            let isExempt = target.hasSuffix("exempt")
            let exempt = "exempt: [ /health, POST /api/connect"
            let rules = isExempt ? usual.replacing(exempt, with: exempt + ", /upgrade") : usual
            try onStage("identity: { interval: 100ms }\n" + rules) { stage in
                let client = try stage.loggedIn()
                let connection = try stage.connect()
                connection.send("GET", target, offer + [cookie(client)])
                #expect(becomesTrue { stage.backend.count(of: target) == 1 })
                try stage.backend.ask("GET", "/control?instance=another")
                #expect(try eventually(client, "/api/work") { $0.status == 401 }.status == 401)
                try stage.backend.ask("GET", "/control?go=1")
                let answer = try connection.receive()
                #expect(answer.status == (isExempt ? 503 : 401), "\(answer.text)")
                #expect(answer["X-Session-Cleared"] == (isExempt ? nil : "backend-restart"))
            }
        }
    }
}
