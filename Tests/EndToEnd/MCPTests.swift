import Foundation
import TestSupport
import Testing

/// The SDK's server with `Backends/mcp_server.py` in it.
private struct MCPServer {
    private let process: ChildProcess
    private let record: String

    static let isInstalled = {
        let probe = try? ChildProcess(Place.python, ["-c", "import mcp.server.fastmcp"])
        return probe?.waitForExit(seconds: 60) == .code(0)
    }()

    init(port: Int, in directory: String) throws {
        record = directory + "/seen-by-mcp"
        process = try ChildProcess(
            Place.python,
            [Place.root + "/Tests/EndToEnd/Backends/mcp_server.py", "\(port)", record]
        )
        let endpoint = Endpoint.tcp("127.0.0.1", port)
        let isUp = becomesTrue(seconds: 60) {
            (try? HTTPConnection(to: endpoint).ask("GET", "/health").status) == 200
        }
        guard isUp else {
            process.kill9()
            throw HTTPFailure.malformed("the MCP server did not start: " + process.errors)
        }
    }

    func kill() { process.kill9() }

    /// What its runs saw, by line: instance, method, session, whether it was known.
    var seen: [[String]] {
        Place.text(record).split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    }
}

extension EndToEnd {
    /// `preset: mcp` with the real SDK on both sides.
    @Suite("Model Context Protocol")
    struct ModelContextProtocol {
        @Test(
            "4.1 a server restarts: the call fails as the protocol has it, the client begins anew",
            .enabled(if: MCPServer.isInstalled)
        )
        func restart() throws {
            let endpoint = Endpoint.free()
            guard case .tcp(_, let port) = endpoint else { return }
            try onStage(at: endpoint, isDown: true, "preset: mcp") { stage in
                var server = try MCPServer(port: port, in: stage.directory)
                defer { server.kill() }
                #expect(stage.logged("backend is up", seconds: 20))
                let state = stage.directory + "/restarted"
                let client = try ChildProcess(
                    Place.python,
                    [
                        Place.root + "/Tests/EndToEnd/Clients/mcp_client.py",
                        stage.endpoint.url, state,
                    ]
                )
                #expect(client.sawOutput("connected", seconds: 60), "\(client.errors)")
                server.kill()
                server = try MCPServer(port: port, in: stage.directory)
                #expect(stage.logged("backend restarted", seconds: 20))
                try Place.write("", to: state)
                let exit = client.waitForExit(seconds: 60)
                #expect(exit == .code(0), "\(client.output) \(client.errors)")

                let seen = server.seen
                let methods = Set(seen.map { $0[1] })
                #expect(methods == ["POST", "GET", "DELETE"])
                // Nothing of another instance's sessions came, but the one that was made up.
                let unknown = Set(seen.filter { $0[3] == "unknown" }.map { $0[2] })
                #expect(unknown == ["made-up"])
                let issuers = Dictionary(grouping: seen.filter { $0[3] == "known" }) { $0[2] }
                #expect(issuers.count == 2)
                #expect(issuers.values.allSatisfy { Set($0.map { $0[0] }).count == 1 })
            }
        }
    }
}
