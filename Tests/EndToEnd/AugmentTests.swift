import TestSupport
import Testing

extension EndToEnd {
    /// Contract section 5: `identity.augment`.
    @Suite("a health answer that is completed")
    struct Augments {
        private let configuration = """
            identity: { path: /identity, from: [ json:/run ], augment: true }
            """

        private func isTime(_ text: String?) -> Bool {
            text?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil
        }

        @Test("5 it gains who answered and since when that one is known; a restart changes both")
        func gains() throws {
            try onStage(configuration) { stage in
                let client = stage.client()
                let first = try client.get("/identity")
                #expect(first.status == 200)
                #expect(first.string("status") == "ok")
                #expect(first.string("serverInstanceId") == stage.backend.instance)
                #expect(isTime(first.string("startedAt")))
                #expect(first["Content-Length"] == String(first.body.count))
                #expect(first["ETag"] == nil)
                #expect(first["Last-Modified"] == nil)
                let again = try client.get("/identity", ["Accept-Encoding: gzip"])
                #expect(again.text == first.text)
                #expect(again["X-Seen"] == "identity")
                // Other connections and workers say the same.
                let others = try inParallel(8) { _ in
                    try HTTPConnection(to: stage.endpoint).ask("GET", "/identity").text
                }
                #expect(others.allSatisfy { $0 == first.text })
                try stage.backend.restart()
                let second = try eventually(client, "/identity") { $0.status == 200 }
                #expect(second.string("serverInstanceId") == stage.backend.instance)
                #expect(isTime(second.string("startedAt")))
                #expect(second.string("startedAt") != first.string("startedAt"))
            }
        }

        @Test("5 what is there stays, and every other byte; in chunks too")
        func present() throws {
            try onStage(configuration) { stage in
                let client = stage.client()
                let own = try client.get("/identity?own")
                #expect(own.string("serverInstanceId") == "mine")
                #expect(isTime(own.string("startedAt")))
                let null = try client.get("/identity?null").text
                #expect(null.contains(#""startedAt": null,"serverInstanceId":"#))
                #expect(null.hasPrefix(#"{ "status": "ok", "run": ""#) && null.hasSuffix(" }\n"))
                let both = try client.get("/identity?own&null")
                #expect(!both.text.contains("Z"))
                #expect(both["ETag"] == "\"one\"")
                let nested = try client.get("/identity?nested")
                #expect(nested.string("serverInstanceId") == stage.backend.instance)
                #expect(nested.text.contains(#""data": {"serverInstanceId": "inner"}"#))
                let chunked = try client.get("/identity?chunked")
                #expect(chunked.string("serverInstanceId") == stage.backend.instance)
                #expect(chunked["Content-Length"] == nil)
            }
        }

        @Test(
            "5 everything else passes as it is",
            arguments: [
                "/identity?twice", "/identity?list", "/identity?big", "/identity?status=503",
                "/identity?status=206", "/identity?media=text/plain", "/identity2", "/IDENTITY",
            ]
        )
        func passes(target: String) throws {
            try onStage(configuration) { stage in
                let client = stage.client()
                let through = try client.get(target)
                #expect(through.status != 404)
                if target.hasPrefix("/identity?") {
                    #expect(try through.text == stage.backend.ask("GET", target).text)
                    #expect(through["ETag"] == "\"one\"")
                }
                #expect(!through.text.contains("serverInstanceId"))
                #expect(!stage.log.contains("no session captured"))
            }
        }

        @Test("5 HEAD and other methods are left alone, and without an ID nothing is added")
        func others() throws {
            try onStage(configuration) { stage in
                let client = stage.client()
                let head = try client.ask("HEAD", "/identity")
                #expect(head["ETag"] == "\"one\"")
                let post = try client.post("/identity").text
                #expect(!post.contains("serverInstanceId"))
            }
            let nobody = "identity: { path: /identity, from: [ json:/none ], augment: true }"
            try onStage(nobody) { stage in
                let plain = try stage.client().get("/identity").text
                #expect(!plain.contains("serverInstanceId"))
            }
            try onStage("identity: { path: /identity, from: [ json:/run ] }") { stage in
                let plain = try stage.client().get("/identity")
                #expect(!plain.text.contains("serverInstanceId"))
                #expect(plain["ETag"] == "\"one\"")
            }
        }
    }
}
