import Dispatch
import Foundation
import Glibc
import HealthClient
import Instances
import Memory
import Proxy
import Settings
import Testing
import Time

private func now() -> MonotonicTime {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
}

private func response(_ body: String, status: String = "200 OK") -> ServerStep {
    .send("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
}

private func health(_ id: String) -> String { #"{"status":"healthy","serverInstanceId":"\#(id)"}"# }

/// A backend behind a unix socket, so that a successor can take its place.
private final class Backend {
    let path: String
    private(set) var server: ScriptedServer
    let registry = InstanceRegistry()

    init(_ name: String, script: @escaping ScriptedServer.Script) {
        path = "/tmp/lychgate-watcher-\(name)-\(getpid()).sock"
        server = ScriptedServer(unixPath: path, script: script)
    }

    func restart(script: @escaping ScriptedServer.Script) {
        server.stop()
        server = ScriptedServer(unixPath: path, script: script)
    }

    func watcher(interval: Duration = .seconds(60)) throws -> Watcher {
        var identity = IdentitySettings()
        identity.interval = interval
        var upstream = UpstreamSettings()
        upstream.address = .unix(path)
        return try Watcher(
            backend: upstream,
            identity: identity,
            registry: registry,
            clock: now
        )
    }

    deinit {
        server.stop()
        unsafe unlink(path)
    }
}

/// Steps until there is news, or for so long: a timer that a step watches ends its wait then.
private func news(_ watcher: inout Watcher, within limit: Duration = .seconds(10)) -> WatcherOutput
{
    let bell = Pipe()
    let (seconds, attoseconds) = limit.components
    let length = DispatchTimeInterval.nanoseconds(
        Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
    )
    DispatchQueue.global().asyncAfter(deadline: .now() + length) {
        try? bell.fileHandleForWriting.write(contentsOf: [0])
    }
    let timer = bell.fileHandleForReading.fileDescriptor
    while true {
        var output = watcher.step(watching: [timer])
        let isLate = !output.readable.isEmpty
        output.readable = []
        output.word = nil
        if isLate || output != WatcherOutput() { return output }
    }
}

struct WatcherTests {
    private let one = InstanceNumber(rawValue: 1)
    private let two = InstanceNumber(rawValue: 2)

    @Test("3.1 first contact: one question alone, then two on one connection")
    func firstContact() throws {
        let backend = Backend("first") { _, _ in [response(health("a")), .keepAlive] }
        var watcher = try backend.watcher()
        let output = news(&watcher)
        #expect(output.changes == [.first(one)])
        #expect(output.transition == .backendUp)
        #expect(watcher.isUp == true)
        #expect(backend.server.connectionCount == 2)
        #expect(backend.server.requests.count == 3)
        #expect(backend.registry.live.current == one)
    }

    @Test("3.1 an ID for each request is found at first contact, and none from then on")
    func idPerRequest() throws {
        let count = Locked<Int>(0)
        let backend = Backend("per-request") { _, _ in
            let next = count.withLock { count in
                count += 1
                return count
            }
            return [response(health("\(next)")), .keepAlive]
        }
        var watcher = try backend.watcher()
        #expect(news(&watcher).changes == [.idPerRequest])
        watcher.connectionLost(.lost)
        #expect(news(&watcher, within: .milliseconds(100)) == WatcherOutput())
        #expect(count.withLock { $0 } == 4)
        #expect(backend.registry.live.current == .none)
    }

    @Test("3.2 a backend that closes each connection has an ID too")
    func closesEachConnection() throws {
        let backend = Backend("closes") { _, _ in [response(health("a"))] }
        var watcher = try backend.watcher()
        #expect(news(&watcher).changes == [.first(one)])
        #expect(backend.server.connectionCount == 3)
    }

    @Test("3.1 a backend without an ID: said once, up, and no connection is kept open")
    func oldBackend() throws {
        let backend = Backend("old") { _, _ in [response("OK"), .keepAlive] }
        var watcher = try backend.watcher()
        let output = news(&watcher)
        #expect(output.changes == [.oldBackend(.malformed)])
        #expect(output.transition == .backendUp)
        watcher.connectionLost(.lost)
        #expect(news(&watcher, within: .milliseconds(100)) == WatcherOutput())
        #expect(backend.server.requests.allSatisfy { $0.contains("Connection: close") })
    }

    @Test("3.3 a restart: down, up, and a new instance, without any traffic")
    func restart() throws {
        let backend = Backend("restart") { _, _ in [response(health("a"))] }
        var watcher = try backend.watcher(interval: .milliseconds(50))
        #expect(news(&watcher).changes == [.first(one)])
        backend.server.stop()
        #expect(news(&watcher).transition == .backendDown(.refused))
        #expect(backend.registry.live.current == one, "its sessions are kept while it is down")
        backend.restart { _, _ in [response(health("b"))] }
        let output = news(&watcher)
        #expect(output.changes == [.replaced(old: one, new: two)])
        #expect(output.transition == .backendUp)
    }

    @Test("3.3 a lost connection is a question at once, not after the interval")
    func connectionLost() throws {
        let backend = Backend("lost") { _, _ in [response(health("a"))] }
        var watcher = try backend.watcher()
        _ = news(&watcher)
        backend.restart { _, _ in [response(health("b"))] }
        watcher.connectionLost(.lost)
        #expect(news(&watcher).changes == [.replaced(old: one, new: two)])
    }

    @Test("3.2 the ID counts whatever the status; an answer without one is said once")
    func statusAndSilence() throws {
        let isSilent = Locked<Bool>(false)
        let backend = Backend("status") { _, _ in
            let body = isSilent.withLock { $0 } ? "{}" : health("a")
            return [response(body, status: "500 Internal Server Error")]
        }
        var watcher = try backend.watcher()
        let output = news(&watcher)
        #expect(output.changes == [.first(one)])
        #expect(output.transition == .backendUp)
        isSilent.withLock { $0 = true }
        watcher.connectionLost(.lost)
        #expect(news(&watcher).changes == [.stoppedReporting(.absent)])
        #expect(watcher.isUp == true)
        isSilent.withLock { $0 = false }
        watcher.connectionLost(.lost)
        #expect(news(&watcher).changes == [.reportsAgain(one)])
    }

    @Test("a descriptor of the control thread ends a wait")
    func descriptors() throws {
        let backend = Backend("descriptors") { _, _ in [response(health("a"))] }
        var watcher = try backend.watcher()
        _ = news(&watcher)
        var ends: [Int32] = [0, 0]
        #expect(unsafe pipe(&ends) == 0 && write(ends[1], "x", 1) == 1)
        defer { for end in ends { close(end) } }
        #expect(watcher.step(watching: [ends[0]]).readable == [ends[0]])
    }
}

struct IdentityReaderTests {
    private let reader = IdentityReader(IdentitySettings().from)

    private func report(_ text: String) -> IdentityReport { reader.report(Array(text.utf8)) }

    private func id(_ text: String) -> IdentityReport { .id(Array(text.utf8)) }

    @Test("3.1 the first source that yields a value counts")
    func order() {
        #expect(report(#"{"startedAt":"t","serverInstanceId":"a"}"#) == id("a"))
        #expect(report(#"{"startedAt":"t"}"#) == id("t"))
        #expect(report(#"{"startedAt":"t","serverInstanceId":null}"#) == id("t"))
        #expect(report(#"{"startedAt":"t","serverInstanceId":""}"#) == id("t"))
        #expect(report(#"{"startedAt":1733490000.25}"#) == id("1733490000.25"))
        #expect(report(#"{"startedAt":18446744073709551615}"#) == id("18446744073709551615"))
    }

    @Test("3.1 what yields none")
    func none() {
        #expect(report("") == .none(.malformed))
        #expect(report("<html>") == .none(.malformed))
        #expect(report(#"{"serverInstanceId":"a","serverInstanceId":"b"}"#) == .none(.malformed))
        #expect(report("{}") == .none(.absent))
        #expect(report("[]") == .none(.absent))
        #expect(report(#"{"serverInstanceId":{}}"#) == .none(.absent))
        #expect(report(#"{"serverInstanceId":"a\nb","startedAt":"t"}"#) == .none(.unusable))
        #expect(report(#"{"serverInstanceId":"a\u0000"}"#) == .none(.unusable))
        let long = String(repeating: "x", count: 257)
        #expect(report("{\"serverInstanceId\":\"\(long)\"}") == .none(.unusable))
        #expect(reader.report([UInt8](repeating: 0x20, count: 65_537)) == .none(.tooLarge))
        #expect(IdentityReader([.json(pointer: "bad")]).report(Array("{}".utf8)) == .none(.absent))
    }
}
