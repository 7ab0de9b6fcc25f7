import Foundation
import TestSupport

/// A server that people run, with the application of `Backends/workers.py` in it.
struct ServerProcess {
    /// Which one, and how many processes it has.
    enum Kind: CustomStringConvertible {
        case uvicorn(workers: Int)
        case uvicornReloading
        case uvicornActivated
        case gunicornThreads(workers: Int)
        case gunicornSync(workers: Int)
        case gunicornPreloaded(workers: Int)
        case werkzeug
        case wsgiref
        case node

        var description: String {
            switch self {
            case .uvicorn(let workers): "uvicorn --workers \(workers)"
            case .uvicornReloading: "uvicorn --reload"
            case .uvicornActivated: "uvicorn on an inherited socket"
            case .gunicornThreads(let workers): "gunicorn -k gthread -w \(workers)"
            case .gunicornSync(let workers): "gunicorn -k sync -w \(workers)"
            case .gunicornPreloaded(let workers): "gunicorn --preload -w \(workers)"
            case .werkzeug: "werkzeug, unthreaded"
            case .wsgiref: "wsgiref"
            case .node: "Node"
            }
        }
    }

    private static let backends = Place.root + "/Tests/EndToEnd/Backends"

    let kind: Kind
    let process: ChildProcess
    private let record: String

    /// Starts it and waits until it listens; the record grows over all runs in a directory.
    init(_ kind: Kind, port: Int, in directory: String) throws {
        self.kind = kind
        record = directory + "/seen-by-server"
        let (path, arguments) = Self.command(kind, port: port, in: directory)
        process = try ChildProcess(
            path,
            arguments,
            environment: [
                "LYCHGATE_RECORD": record,
                "PYTHONPATH": kind.description == Kind.uvicornReloading.description
                    ? directory : Self.backends,
                "PYTHONDONTWRITEBYTECODE": "1",
            ]
        )
        let endpoint = Endpoint.tcp("127.0.0.1", port)
        let isUp = becomesTrue(seconds: 30) {
            (try? HTTPConnection(to: endpoint).ask("GET", "/health").status) == 200
        }
        guard isUp else {
            process.kill9()
            throw HTTPFailure.malformed("\(kind) did not start: " + process.errors)
        }
    }

    private static func command(
        _ kind: Kind,
        port: Int,
        in directory: String
    ) -> (String, [String]) {
        let uvicorn = ["-m", "uvicorn", "workers:asgi", "--log-level", "warning"]
        let gunicorn = ["-m", "gunicorn", "workers:wsgi", "--log-level", "warning", "-b"]
        let place = "127.0.0.1:\(port)"
        switch kind {
        case .uvicorn(let workers):
            return (Place.python, uvicorn + ["--port", "\(port)", "--workers", "\(workers)"])
        case .uvicornReloading:
            let reload = ["--reload", "--reload-dir", directory]
            return (Place.python, uvicorn + ["--port", "\(port)"] + reload)
        case .uvicornActivated:
            let script = [backends + "/activation.py", "\(port)", Place.python]
            return (Place.python, script + uvicorn + ["--fd", "{fd}"])
        case .gunicornThreads(let workers):
            let threads = ["-k", "gthread", "--threads", "4", "-w", "\(workers)"]
            return (Place.python, gunicorn + [place] + threads)
        case .gunicornSync(let workers):
            return (Place.python, gunicorn + [place, "-w", "\(workers)"])
        case .gunicornPreloaded(let workers):
            let threads = ["--preload", "-k", "gthread", "--threads", "4", "-w", "\(workers)"]
            return (Place.python, gunicorn + [place] + threads)
        case .werkzeug: return (Place.python, [backends + "/plain.py", "werkzeug", "\(port)"])
        case .wsgiref: return (Place.python, [backends + "/plain.py", "wsgiref", "\(port)"])
        case .node: return ("/usr/bin/env", ["node", backends + "/server.js", "\(port)"])
        }
    }

    /// How many requests of a kind its processes saw: `zombie`, `session`, `sibling`, `anonymous`.
    func count(_ kind: String) -> Int {
        Place.text(record).split(separator: "\n").count { $0.hasPrefix(kind + " ") }
    }

    /// Whether a request for such a path has come.
    func received(_ path: String) -> Bool {
        Place.text(record).contains(" \(path) ")
    }

    /// Ends it, its own processes too.
    func end() {
        if process.terminate() == nil { process.kill9() }
    }
}

/// Runs a test with such a server behind Lychgate.
func behindServer(
    _ kind: ServerProcess.Kind,
    _ configuration: String = usual,
    _ body: (Stage, ServerProcess) throws -> Void
) throws {
    let endpoint = Endpoint.free()
    guard case .tcp(_, let port) = endpoint else { return }
    try onStage(at: endpoint, isDown: true, configuration) { stage in
        let source = Place.root + "/Tests/EndToEnd/Backends/workers.py"
        try Place.write(Place.text(source), to: stage.directory + "/workers.py")
        let server = try ServerProcess(kind, port: port, in: stage.directory)
        defer { server.end() }
        try body(stage, server)
    }
}

/// A client that has logged in, and the process that holds its session.
struct Visitor {
    let client: Client
    let instance: String
    let pid: Int32

    init?(_ client: Client) throws {
        let answer = try client.post("/api/connect")
        guard answer.status == 200, let instance = answer.string("instance"),
            let pid = answer.number("pid")
        else { return nil }
        self.client = client
        self.instance = instance
        self.pid = Int32(pid)
    }

    /// How often its own instance answers, of so many requests.
    func works(_ times: Int) throws -> Int {
        try (0..<times).count { _ in
            let answer = try client.get("/api/work")
            return answer.status == 200 && answer.string("instance") == instance
        }
    }
}
