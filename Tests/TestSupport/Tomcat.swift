internal import Foundation
internal import Memory

/// Debian's Tomcat with two applications, `/` and `/shop`, both of one JSP
/// (`Tests/EndToEnd/Backends/tomcat`); killed and started as needed.
public final class Tomcat: Sendable {
    private static let home = "/usr/share/tomcat10"
    private static let script = home + "/bin/catalina.sh"

    /// Whether it is installed here (`tomcat10-common` and a Java).
    public static var isInstalled: Bool {
        Place.isFile(script) && Place.isFile("/usr/bin/java")
    }

    /// Where it listens.
    public let endpoint: Endpoint
    private let base: String
    private let process = Locked<ChildProcess?>(nil)

    /// A Tomcat that has not been started, with a directory of its own below this one.
    public init(at endpoint: Endpoint, in directory: String) throws {
        self.endpoint = endpoint
        base = directory + "/tomcat"
        let files = Place.root + "/Tests/EndToEnd/Backends/tomcat/"
        for part in ["conf", "temp", "work", "logs", "webapps/ROOT", "webapps/shop"] {
            try FileManager.default.createDirectory(
                atPath: base + "/" + part,
                withIntermediateDirectories: true
            )
        }
        for name in ["server.xml", "context.xml", "web.xml"] {
            try Place.write(Place.text(files + name), to: base + "/conf/" + name)
        }
        for application in ["ROOT", "shop"] {
            let page = base + "/webapps/\(application)/page.jsp"
            try Place.write(Place.text(files + "page.jsp"), to: page)
        }
    }

    /// Starts it and waits until it answers.
    public func start() throws {
        guard case .tcp(_, let port) = endpoint else {
            throw HTTPFailure.malformed("Tomcat listens on TCP")
        }
        let started = try ChildProcess(
            Self.script,
            ["run"],
            environment: [
                "CATALINA_HOME": Self.home, "CATALINA_BASE": base,
                "CATALINA_TMPDIR": base + "/temp",
                "JRE_HOME": "", "JAVA_HOME": "",
                "JAVA_OPTS": "-DPORT=\(port) -Xmx128m -XX:TieredStopAtLevel=1",
            ]
        )
        process.withLock { $0 = started }
        let isUp = becomesTrue(seconds: 60) {
            (try? HTTPConnection(to: endpoint).ask("GET", "/page.jsp?health").status) == 200
        }
        guard isUp else {
            started.kill9()
            throw HTTPFailure.malformed("Tomcat did not start: " + started.errors.suffix(2000))
        }
    }

    /// Kills it with SIGKILL and waits until it is gone.
    public func kill() {
        process.withLock { (held: inout sending ChildProcess?) in held }?.kill9()
    }

    /// The sessions that it was asked for and did not know, in any of its runs.
    public var zombies: [String] {
        Place.text(base + "/zombies").split(separator: "\n").map(String.init)
    }
}

/// Runs a test with Tomcat and Lychgate, and ends both whatever comes of it.
///
/// In the configuration `UPSTREAM` is Tomcat's URL.
public func onTomcat(
    _ configuration: String,
    _ body: (Tomcat, @escaping () -> Client) throws -> Void
) throws {
    let directory = try Place.newDirectory()
    defer { Place.remove(directory) }
    let tomcat = try Tomcat(at: .free(), in: directory)
    defer { tomcat.kill() }
    try tomcat.start()
    let endpoint = Endpoint.free()
    let whole = configuration.replacingOccurrences(of: "UPSTREAM", with: tomcat.endpoint.url)
    let lychgate = try Lychgate(
        configuration: "listen: \"\(endpoint)\"\n" + whole,
        listeningOn: endpoint,
        in: directory
    )
    defer { lychgate.process.kill9() }
    do {
        try body(tomcat) { Client(endpoint) }
        try lychgate.checkHealth()
    } catch {
        throw StageFailure(cause: error, log: lychgate.process.errors)
    }
}
