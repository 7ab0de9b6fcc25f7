import Exchange
import HTTP1
import HTTPModel
import Instances
import Memory
import Sessions
import Settings
import Testing
import Time

/// Contract 4.4, as it is written.
@Suite("4.4 CORS fields of answers")
struct CORSAnswerTests {
    private static let origin = "https://app.example"

    private let rules: SessionRules = {
        var cors = CORSSettings()
        cors.origins = ["http://localhost:5173", origin]
        cors.answersPreflights = true
        return SessionRules(SessionSettings(), cors: cors)
    }()

    private func listed(_ origin: String) -> ListedOrigin? {
        let input = received("GET / HTTP/1.1\r\nHost: a\r\nOrigin: \(origin)\r\n\r\n")
        var head = RequestHead(fieldCapacity: 10)
        _ = HeadParser().parseRequest(input, into: &head)
        let jar = Jar(JarSettings(), session: SessionSettings(), key: (1, 2))
        return rules.judge(
            head,
            in: input,
            jar: jar,
            live: LiveInstances(current: InstanceNumber(rawValue: 1), epoch: 1),
            isSecure: false,
            now: MonotonicTime(nanoseconds: 1)
        ).origin
    }

    private func written(_ answer: Answer, from origin: String?) -> String {
        var frame = AnswerFrame()
        frame.origin = origin.flatMap { listed($0) }
        var out = Buffer()
        AnswerWriter(settings: Settings()).write(
            answer,
            frame: frame,
            date: line(""),
            rules: rules,
            into: &out
        )
        return string(out)
    }

    private static let answers: [Answer] = [
        .sessionEnded(SessionEnd(reason: .backendRestart, expiresCookie: true)), .sessionMissing,
        .loginNeeded, .crossSite, .sessionKept(repeatIsHarmless: true), .unreachable, .timeout,
        .badResponse, .overloaded, .ownOptions,
        .refused(status: 413, reason: StaticText("too long")),
    ]

    @Test("4.4 every answer has them for a listed origin, and Vary for all")
    func every() {
        let added =
            "Access-Control-Allow-Origin: \(Self.origin)\r\n"
            + "Access-Control-Allow-Credentials: true\r\n"
            + "Access-Control-Expose-Headers: X-Session-Cleared, Retry-After\r\n"
        for answer in Self.answers {
            let plain = written(answer, from: nil)
            #expect(plain.contains("\r\nVary: Origin\r\n"))
            #expect(!plain.contains("Access-Control"))
            #expect(written(answer, from: "https://evil.example") == plain)
            #expect(written(answer, from: "null") == plain)
            let readable = written(answer, from: Self.origin)
            #expect(readable.replacing(added, with: "") == plain)
            #expect(readable.contains(added))
        }
    }

    @Test("4.4 a preflight's answer: every byte")
    func preflight() throws {
        let input = received(
            "OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: \(Self.origin)\r\n"
                + "Access-Control-Request-Method: POST\r\n\r\n"
        )
        var head = RequestHead(fieldCapacity: 10)
        _ = HeadParser().parseRequest(input, into: &head)
        let found = rules.preflight(head, in: input)
        let preflight = try #require(found)
        #expect(
            written(.preflight(preflight), from: nil)
                == "HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\n"
                + "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n"
                + "Access-Control-Allow-Origin: \(Self.origin)\r\n"
                + "Access-Control-Allow-Credentials: true\r\n"
                + "Access-Control-Allow-Methods: POST\r\nAccess-Control-Max-Age: 600\r\n\r\n"
        )
    }
}
