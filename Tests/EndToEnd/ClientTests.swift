import TestSupport
import Testing

extension EndToEnd {
    /// Clients that other people wrote, unmodified.
    @Suite("clients")
    struct ClientTests {
        private static let directory = Place.root + "/Tests/EndToEnd/Clients/"

        static let commands = [
            ["/bin/bash", directory + "curl_client.sh"],
            [Place.python, directory + "python_client.py", "requests"],
            [Place.python, directory + "python_client.py", "httpx"],
            ["/usr/bin/env", "node", directory + "fetch_client.mjs"],
        ]

        @Test("7 a session, content in every framing, and the one 401", arguments: commands)
        func session(command: [String]) throws {
            try onStage(usual) { stage in
                let words = [stage.endpoint.url, stage.directory + "/state"]
                try run(command + ["before"] + words)
                try stage.backend.restart()
                try run(command + ["after"] + words)
                #expect(stage.backend.zombies.isEmpty)
            }
        }

        private func run(_ command: [String]) throws {
            let client = try ChildProcess(command[0], Array(command.dropFirst()))
            let exit = client.waitForExit(seconds: 60)
            #expect(exit == .code(0), "\(client.output) \(client.errors)")
        }
    }
}
