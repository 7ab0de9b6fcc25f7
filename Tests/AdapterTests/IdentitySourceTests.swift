import Glibc
import HealthClient
import Instances
import Memory
import Proxy
import Settings
import Testing
import Time

@Suite("3.1 sources of the instance ID")
struct IdentitySourceTests {
    private func report(
        _ sources: [IdentitySource],
        _ content: String,
        _ fields: [(String, String)] = []
    ) -> IdentityReport {
        IdentityReader(sources).report(
            Array(content.utf8),
            fields: fields.map { (Array($0.0.utf8), Array($0.1.utf8)) }
        )
    }

    private func id(_ text: String) -> IdentityReport { .id(Array(text.utf8)) }

    private let json = IdentitySource.json(pointer: "/id")
    private let header = IdentitySource.header(name: "X-Instance")
    private let metric = IdentitySource.metric(name: "m")

    @Test("3.1 a field, by its name in any case; an empty one is none, two of them are none")
    func header1() {
        #expect(report([header], "", [("x-instance", "a")]) == id("a"))
        #expect(report([header], "", [("x-instances", "a")]) == .none(.absent))
        #expect(report([header], "", [("x-instance", "")]) == .none(.absent))
        #expect(report([header], "", [("x-instance", ""), ("x-instance", "a")]) == id("a"))
        #expect(report([header], "", [("x-instance", "a"), ("x-instance", "a")]) == id("a"))
        let two = [("x-instance", "a"), ("x-instance", "b")]
        #expect(report([header], "", two) == .none(.ambiguous))
        let long = String(repeating: "x", count: 257)
        #expect(report([header], "", [("x-instance", long)]) == .none(.unusable))
        #expect(report([header], "", [("x-instance", "a\tb")]) == .none(.unusable))
    }

    @Test("3.1 a metric")
    func metric1() {
        #expect(report([metric], "m 1.7e9\n") == id("1700000000"))
        #expect(report([metric], "n 1\n") == .none(.absent))
        #expect(report([metric], "m NaN\n") == .none(.noNumber))
        #expect(report([metric], "m {\n") == .none(.malformedMetric))
        #expect(report([metric], "m 1\nm 2\n") == .none(.ambiguous))
    }

    @Test("3.1 several sources of several kinds: the first that yields a value, in their order")
    func several() {
        let all = [json, header, metric]
        let field = [("x-instance", "h")]
        #expect(report(all, #"{"id":"j"}"#, field) == id("j"))
        #expect(report(all, #"{"id":null}"#, field) == id("h"))
        #expect(report(all, "m 5", field) == id("h"))
        #expect(report(all, "m 5") == id("5"))
        #expect(report([metric, json], #"{"id":"j"}"#) == id("j"))
        #expect(report([metric, header], "m NaN", field) == id("h"))
        let pair = [IdentitySource.json(pointer: "/a"), header, .json(pointer: "/b")]
        #expect(report(pair, #"{"b":"x"}"#) == id("x"))
        #expect(report(pair, #"{"b":"x"}"#, field) == id("h"))
    }

    @Test("3.1 where none yields a value, the first flaw is told")
    func flaws() {
        #expect(report([json, metric], "m NaN") == .none(.malformed))
        #expect(report([metric, json], "m NaN") == .none(.noNumber))
        #expect(report([json, header], "{}") == .none(.absent))
    }

    @Test("3.1 compressed content is not read, a field beside it is")
    func encoded() {
        let gzip = [("content-encoding", "gzip")]
        #expect(report([json], #"{"id":"j"}"#, gzip) == .none(.encoded))
        #expect(report([metric, header], "m 1", gzip + [("x-instance", "h")]) == id("h"))
        #expect(report([json], #"{"id":"j"}"#, [("content-encoding", "Identity")]) == id("j"))
        #expect(report([json], #"{"id":"j"}"#, [("content-encoding", "")]) == id("j"))
    }

    @Test("3.1 a page of metrics may be longer than a health answer")
    func size() {
        let spaces = String(repeating: " ", count: 65_536)
        #expect(report([json], spaces + #"{"id":"j"}"#) == .none(.tooLarge))
        #expect(report([metric], spaces + "\nm 1") == id("1"))
        #expect(report([metric], String(repeating: spaces, count: 17)) == .none(.tooLarge))
    }

    private func clock() -> MonotonicTime {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// What a watcher with these settings finds at a scripted server, and what it asked.
    private func watch(
        _ identity: IdentitySettings,
        _ answer: String
    ) throws -> (id: [UInt8]?, question: String) {
        let path = "/tmp/lychgate-sources-\(getpid())-\(UInt64.random(in: 0 ... .max)).sock"
        let server = ScriptedServer(unixPath: path) { _, _ in [.send(answer)] }
        defer {
            server.stop()
            unsafe unlink(path)
        }
        let registry = InstanceRegistry()
        let clock = self.clock
        var upstream = UpstreamSettings()
        upstream.address = .unix(path)
        var watcher = try Watcher(
            backend: upstream,
            identity: identity,
            registry: registry,
            clock: clock
        )
        while watcher.isUp == nil { _ = watcher.step(watching: []) }
        return (registry.id(of: registry.live.current), server.requests.first ?? "")
    }

    @Test("3.1 the watcher finds a field, not one of an interim answer nor a trailer")
    func watchedField() throws {
        var identity = IdentitySettings()
        identity.from = [header]
        let found = try watch(
            identity,
            "HTTP/1.1 103 Early Hints\r\nX-Instance: early\r\n\r\n"
                + "HTTP/1.1 200 OK\r\nX-INSTANCE: \t a b \r\nTransfer-Encoding: chunked\r\n\r\n"
                + "0\r\nX-Instance: late\r\n\r\n"
        )
        #expect(found.id == Array("a b".utf8))
    }

    @Test("3.1 a field over several lines is none")
    func watchedFold() throws {
        var identity = IdentitySettings()
        identity.from = [header, json]
        let found = try watch(
            identity,
            "HTTP/1.1 200 OK\r\nX-Instance: a\r\n b\r\nContent-Length: 10\r\n\r\n{\"id\":\"j\"}"
        )
        // libcurl joins the lines, or hands them over one by one.
        #expect(found.id == Array("a b".utf8) || found.id == Array("j".utf8))
    }

    @Test("9 identity.headers are in the question, in place of our own ones of the same name")
    func fields() throws {
        var identity = IdentitySettings()
        identity.path = "/status?x=1"
        identity.fields = [
            IdentityField(name: "host", value: "backend.local"),
            IdentityField(name: "Authorization", value: "Bearer a:b"),
        ]
        let question = try watch(identity, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            .question
        let lines = question.split(separator: "\r\n").map(String.init)
        #expect(
            lines.sorted() == [
                "Accept-Encoding: identity", "Accept: application/json, */*;q=0.1",
                "Authorization: Bearer a:b", "Connection: close", "GET /status?x=1 HTTP/1.1",
                "Host: backend.local", "User-Agent: lychgate",
            ]
        )
    }

    @Test("9 a field that would split the question is refused")
    func splitting() {
        for value in ["a\r\nB: c", "a\nb", "a\u{0}", ""] {
            var target = HealthTarget(
                place: .host("127.0.0.1", port: 1),
                path: "/health",
                timeout: .seconds(1)
            )
            target.fields = [HealthField(name: Array("A".utf8), value: Array(value.utf8))]
            #expect(throws: HealthClientError.self) { _ = try HealthClient(target) }
        }
    }
}
