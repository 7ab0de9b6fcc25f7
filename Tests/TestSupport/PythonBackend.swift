internal import Foundation
internal import Glibc
internal import Memory

/// The tests' backend (`Tests/EndToEnd/Backends/backend.py`), killed and started as needed.
public final class PythonBackend: Sendable {
    /// One request that it saw, in any of its runs.
    public struct Seen: Sendable, Equatable {
        /// `zombie`, `session`, `ended`, `anonymous` or `health`.
        public var kind: String
        /// The instance that saw it.
        public var instance: String
        /// The method.
        public var method: String
        /// The target.
        public var target: String
        /// The session that it carried, or nil.
        public var session: String?
    }

    /// Where it listens.
    public let endpoint: Endpoint
    private let options: [String]
    private let record: String
    private let process = Locked<ChildProcess?>(nil)

    /// A backend at this place that has not been started.
    public init(at endpoint: Endpoint, recordingIn directory: String, options: [String] = []) {
        self.endpoint = endpoint
        self.options = options
        record = directory + "/seen-" + UUID().uuidString.prefix(8)
    }

    /// Starts it and waits until it listens; `more` are options of this run alone.
    public func start(_ more: String...) throws {
        let place =
            switch endpoint {
            case .tcp(let host, let port), .tls(let host, let port, _):
                ["--host", host, "--port", String(port)]
            case .unix(let path): ["--unix", path]
            }
        let script = Place.root + "/Tests/EndToEnd/Backends/backend.py"
        let started = try ChildProcess(
            Place.python,
            ["-I", "-S", script, "--record", record] + place + options + more
        )
        process.withLock { $0 = started }
        guard started.sawOutput("ready", seconds: 20) else {
            throw HTTPFailure.malformed("the backend did not start: " + started.errors)
        }
    }

    private var running: ChildProcess? {
        process.withLock { (held: inout sending ChildProcess?) in held }
    }

    /// Kills it with SIGKILL and waits until it is gone.
    public func kill() { running?.kill9() }

    /// Kills it and starts the next instance.
    public func restart() throws {
        kill()
        try start()
    }

    /// Stops it without ending it: it accepts (the kernel does) and answers nothing.
    ///
    /// The signal takes effect a moment later, so this waits until every thread has stopped.
    public func freeze() {
        guard let running else { return }
        running.send(SIGSTOP)
        _ = becomesTrue { Place.isStopped(running.pid) }
    }

    /// Lets a frozen one go on.
    public func thaw() { running?.send(SIGCONT) }

    /// The instance ID that it has now.
    public var instance: String {
        let words = (running?.output ?? "").split(whereSeparator: \.isWhitespace)
        return words.count > 1 ? String(words[1]) : ""
    }

    /// Asks it something directly, past any proxy.
    @discardableResult
    public func ask(_ method: String, _ target: String) throws -> HTTPResponse {
        try HTTPConnection(to: endpoint).ask(method, target)
    }

    /// Every request that any of its runs saw, health questions left out.
    public var seen: [Seen] { everything.filter { $0.kind != "health" } }

    /// Every request that any of its runs saw.
    public var everything: [Seen] {
        Place.text(record).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 5 else { return nil }
            return Seen(
                kind: words[0],
                instance: words[1],
                method: words[2],
                target: words[3],
                session: words[4] == "-" ? nil : words[4]
            )
        }
    }

    /// The requests whose session another instance had issued.
    public var zombies: [Seen] { everything.filter { $0.kind == "zombie" } }

    /// How many requests for this target it saw.
    public func count(of target: String) -> Int { seen.count { $0.target == target } }
}
