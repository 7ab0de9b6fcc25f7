import TestSupport
import Testing

extension EndToEnd {
    /// Contract 2.5: other sites do not get a browser's session.
    @Suite("cross-site requests")
    struct CrossSite {
        private let message =
            #"{"reason":"CROSS_ORIGIN","message":"Another site made this request"}"#

        @Test("2.5 a foreign page's request with the jar cookie gets 403 and goes nowhere")
        func refused() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                for fields in [
                    ["Sec-Fetch-Site: cross-site", "Origin: https://evil.example"],
                    ["Sec-Fetch-Site: same-site", "Origin: http://localhost:5173"],
                    ["Origin: null"], ["Origin: https://evil.example"],
                    ["Sec-Fetch-Site: cross-site"],
                ] {
                    let answer = try client.ask("POST", "/transfer", fields, body: Array("x".utf8))
                    #expect(answer.status == 403, "\(fields)")
                    #expect(answer.text == message)
                    #expect(answer["Content-Type"] == "application/json")
                    #expect(answer["Cache-Control"] == "no-store")
                    #expect(answer["Set-Cookie"] == nil)
                }
                #expect(client.connectionCount == 1)
                #expect(stage.backend.count(of: "/transfer") == 0)
                #expect(stage.logged("cors: { origins: [ \"https://evil.example\" ] }"))
                #expect(try client.post("/transfer").status == 200)
                #expect(try client.get("/api/work", ["Sec-Fetch-Site: cross-site"]).status == 200)
            }
        }

        @Test("2.5 upgrades too: a foreign page gets no WebSocket")
        func upgrades() throws {
            try onStage(usual) { stage in
                let client = try stage.loggedIn()
                let cookie = "Cookie: lychgate=\(client.cookies["lychgate"] ?? "")"
                let offer = ["Upgrade: websocket", "Connection: Upgrade", cookie]
                let foreign = try stage.connect()
                foreign.send("GET", "/upgrade", offer + ["Origin: https://evil.example"])
                #expect(try foreign.receive().text == message)
                #expect(stage.backend.count(of: "/upgrade") == 0)
                let own = try stage.connect()
                let origin = "Origin: http://\(stage.endpoint)"
                let lines = offer + [origin, "Host: \(stage.endpoint)"]
                own.send("GET /upgrade HTTP/1.1\r\n\(lines.joined(separator: "\r\n"))\r\n\r\n")
                #expect(try own.receiveHead().status == 101)
            }
        }

        @Test("2.5 cors.origins lists who may, and session.cross_site: allow lets everyone")
        func allowed() throws {
            let foreign = ["Sec-Fetch-Site: cross-site", "Origin: https://app.example"]
            for setting in [
                "\ncors: { origins: [ \"https://App.example:443\" ] }", "\n  cross_site: allow",
            ] {
                try onStage(usual + setting) { stage in
                    let client = try stage.loggedIn()
                    client.fields = foreign
                    #expect(try client.post("/transfer").status == 200)
                    #expect(stage.backend.seen.last?.kind == "session")
                    client.fields = ["Origin: https://else.example"]
                    let other = try client.post("/transfer").status
                    #expect(other == (setting.contains("cors") ? 403 : 200))
                }
            }
        }

        @Test("2.5 what has no session of the jar's is not ours to refuse")
        func others() throws {
            try onStage(usual) { stage in
                let foreign = ["Sec-Fetch-Site: cross-site", "Origin: https://evil.example"]
                #expect(try stage.client().ask("POST", "/x", foreign).status == 200)
                let client = stage.client()
                let session = try client.post("/api/connect").string("sessionId") ?? ""
                client.cookies = [:]
                let held = try client.ask("POST", "/x", foreign + ["X-Session-ID: \(session)"])
                #expect(held.status == 200)
            }
        }
    }

    /// Contract 4.1: a late answer never takes a fresh session away.
    @Suite("late answers")
    struct LateAnswers {
        @Test("4.1 of many 401s at once exactly one expires the cookie", arguments: [false, true])
        func manyAtOnce(isBackendCookie: Bool) throws {
            let options = isBackendCookie ? ["--set-cookie", "SID", "--read-cookie", "SID"] : []
            let name = isBackendCookie ? "SID" : "lychgate"
            try onStage(backend: options, isBackendCookie ? backendCookie : usual) { stage in
                for round in 0..<5 {
                    let client = try stage.loggedIn()
                    let value = client.cookies[name] ?? ""
                    let endpoint = stage.endpoint
                    try stage.backend.restart()
                    let answers = try inParallel(24) { _ in
                        try HTTPConnection(to: endpoint)
                            .ask("GET", "/api/work", ["Cookie: \(name)=\(value)"])
                    }
                    #expect(answers.allSatisfy { isClean401($0, cleared: "backend-restart") })
                    let expiring = answers.count { $0["Set-Cookie"] != nil }
                    #expect(expiring == 1, "round \(round)")
                }
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        @Test("4.1 log-ins among late answers: no fresh cookie is lost", arguments: [false, true])
        func logInsAmongThem(isBackendCookie: Bool) throws {
            let options = isBackendCookie ? ["--set-cookie", "SID", "--read-cookie", "SID"] : []
            let name = isBackendCookie ? "SID" : "lychgate"
            try onStage(backend: options, isBackendCookie ? backendCookie : usual) { stage in
                for _ in 0..<5 {
                    let value = try stage.loggedIn().cookies[name] ?? ""
                    let endpoint = stage.endpoint
                    try stage.backend.restart()
                    let first = stage.client()
                    first.cookies[name] = value
                    #expect(try first.post("/api/connect").status == 200)
                    let fresh = first.cookies[name]
                    // The answers to requests that were sent before come after the log-in.
                    let late = try inParallel(16) { _ in
                        try HTTPConnection(to: endpoint)
                            .ask("GET", "/api/work", ["Cookie: \(name)=\(value)"])
                    }
                    #expect(late.allSatisfy { $0.status == 401 && $0["Set-Cookie"] == nil })
                    #expect(first.cookies[name] == fresh)
                    #expect(try first.get("/api/work").status == 200)
                }
                #expect(stage.backend.zombies.isEmpty)
            }
        }
    }
}
