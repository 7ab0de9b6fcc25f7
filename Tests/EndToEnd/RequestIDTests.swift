import TestSupport
import Testing

extension EndToEnd {
    /// Names of requests across hops: `X-Request-ID`, and the W3C's trace context.
    @Suite("request IDs and traces")
    struct RequestIDs {
        private func requestIDs(_ answer: HTTPResponse) -> [String] {
            answer.strings("lines").filter { $0.lowercased().hasPrefix("x-request-id:") }
        }

        @Test("a request without one gets one of its own, and clients do not see it")
        func made() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                var seen: Set<String> = []
                for _ in 0..<20 {
                    let answer = try connection.ask("GET", "/echo")
                    #expect(answer["X-Request-ID"] == nil)
                    let lines = requestIDs(answer)
                    #expect(lines.count == 1)
                    let id = lines.first?.dropFirst("X-Request-ID: ".count) ?? ""
                    #expect(id.utf8.count == 32 && id.allSatisfy(\.isHexDigit))
                    seen.formUnion(lines)
                }
                #expect(seen.count == 20)
            }
        }

        @Test("a client's own passes, one that is not sound is replaced")
        func passed() throws {
            try onStage(usual) { stage in
                let connection = try stage.connect()
                let own = try connection.ask("GET", "/echo", ["X-Request-ID: client-1"])
                #expect(requestIDs(own) == ["X-Request-ID: client-1"])
                let bad = try connection.ask("GET", "/echo", ["X-Request-ID: a b"])
                #expect(requestIDs(bad).count == 1)
                #expect(requestIDs(bad) != ["X-Request-ID: a b"])
            }
        }

        @Test("traceparent and tracestate pass untouched")
        func traces() throws {
            try onStage(usual) { stage in
                let lines = [
                    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                    "TraceState: rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
                    "tracestate:  third=1",
                ]
                let answer = try stage.connect().ask("GET", "/echo", lines)
                let seen = answer.strings("lines")
                #expect(seen.filter { $0.lowercased().hasPrefix("trace") } == lines)
            }
        }
    }
}
