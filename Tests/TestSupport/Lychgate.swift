internal import Foundation

/// The real program, started with a configuration of a test's own.
public final class Lychgate: Sendable {
    /// The process.
    public let process: ChildProcess
    /// Where its configuration is.
    public let file: String

    /// Starts `lychgate run` with this configuration and waits until it takes connections.
    public init(configuration: String, listeningOn endpoint: Endpoint, in directory: String) throws
    {
        file = directory + "/lychgate-" + UUID().uuidString.prefix(8) + ".yaml"
        try Place.write(configuration, to: file)
        process = try ChildProcess(Place.binary, ["run", "--config", file])
        let deadline = Date(timeIntervalSinceNow: 20)
        while (try? HTTPConnection(to: endpoint)) == nil {
            guard process.exit == nil, Date() < deadline else {
                process.kill9()
                throw HTTPFailure.malformed("lychgate did not start: " + process.errors)
            }
            process.waitForAnything(seconds: 0.005)
        }
    }

    /// Throws if it has crashed, or a sanitizer has said something.
    public func checkHealth() throws {
        if case .signal(let number) = process.exit {
            throw HTTPFailure.malformed("lychgate crashed by signal \(number)")
        }
        if process.errors.contains("Sanitizer") {
            throw HTTPFailure.malformed("a sanitizer complained")
        }
    }

    /// Runs the program with these arguments to its end.
    public static func run(_ arguments: String...) throws -> ChildProcess {
        let process = try ChildProcess(Place.binary, arguments)
        if process.waitForExit() == nil {
            process.kill9()
        }
        return process
    }
}

/// A backend with Lychgate in front of it, for the length of a test.
public final class Stage: Sendable {
    /// The backend.
    public let backend: PythonBackend
    /// The proxy.
    public let lychgate: Lychgate
    /// Where the proxy listens.
    public let endpoint: Endpoint
    /// A directory of the test's own.
    public let directory: String

    fileprivate init(
        backend options: [String],
        at backendEndpoint: Endpoint?,
        listen: Endpoint?,
        isDown: Bool,
        configuration: String
    ) throws {
        directory = try Place.newDirectory()
        endpoint = listen ?? .free()
        let place = backendEndpoint ?? .free()
        backend = PythonBackend(at: place, recordingIn: directory, options: options)
        if !isDown {
            try backend.start()
        }
        let upstream = configuration.contains("upstream:") ? "" : "upstream: \(place.url)\n"
        let listens = configuration.contains("listen:") ? "" : "listen: \"\(endpoint)\"\n"
        let whole = (listens + upstream + configuration)
            .replacingOccurrences(of: "UPSTREAM", with: place.url)
        do {
            lychgate = try Lychgate(configuration: whole, listeningOn: endpoint, in: directory)
        } catch {
            backend.kill()
            throw error
        }
    }

    /// A client with its own cookies.
    public func client() -> Client { Client(endpoint) }

    /// A bare connection.
    public func connect() throws -> HTTPConnection { try HTTPConnection(to: endpoint) }

    /// A client that has logged in: Lychgate holds its session.
    public func loggedIn() throws -> Client {
        let client = client()
        try client.post("/api/connect")
        return client
    }

    /// The log so far.
    public var log: String { lychgate.process.errors }

    /// Waits for a line of the log with all of these in it.
    public func logged(_ parts: String..., seconds: Double = 5) -> Bool {
        lychgate.process.sawError(parts, seconds: seconds)
    }

    fileprivate func end() {
        lychgate.process.kill9()
        backend.kill()
        Place.remove(directory)
    }
}

/// Runs a test with a backend and Lychgate, and ends both whatever comes of it.
///
/// `configuration` is YAML beyond `listen` and `upstream`, which are added unless they stand in it
/// (there `UPSTREAM` is the backend's URL). What it throws has the log beside it.
public func onStage<Result>(
    backend options: [String] = [],
    at endpoint: Endpoint? = nil,
    listen: Endpoint? = nil,
    isDown: Bool = false,
    _ configuration: String = "",
    _ body: (Stage) throws -> Result
) throws -> Result {
    let stage = try Stage(
        backend: options,
        at: endpoint,
        listen: listen,
        isDown: isDown,
        configuration: configuration
    )
    defer { stage.end() }
    do {
        let result = try body(stage)
        try stage.lychgate.checkHealth()
        return result
    } catch {
        throw StageFailure(cause: error, log: stage.log)
    }
}

/// What a test threw, with Lychgate's log.
public struct StageFailure: Error, CustomStringConvertible {
    /// What was thrown.
    public var cause: any Error
    /// The log.
    public var log: String

    /// Both, in lines.
    public var description: String { "\(cause)\n--- lychgate's log:\n\(log.suffix(4000))---" }
}
