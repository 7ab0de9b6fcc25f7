import TestSupport
import Testing

/// Whether Chromium and React are here, from Debian's packages.
private let hasBrowser =
    Place.isFile("/usr/bin/chromium")
    && Place.isFile("/usr/share/nodejs/react-dom/umd/react-dom.production.min.js")

extension EndToEnd {
    /// The page of `Examples/web` in a real browser: what the seed's checklist asks for by hand.
    @Suite("browser", .enabled(if: hasBrowser))
    struct Browser {
        /// How the page is run: its `?way=`, and whether it comes through Lychgate, too.
        struct Way: Sendable, CustomTestStringConvertible {
            var name: String
            var isSameOrigin = false
            var isListed = true
            var testDescription: String {
                name + (isSameOrigin ? " from Lychgate's own origin" : " from a port of its own")
            }
        }

        private func checklist(
            _ way: Way,
            _ check: (_ zombies: [Substring], _ log: String) -> Void
        ) throws {
            let directory = try Place.newDirectory()
            defer { Place.remove(directory) }
            let (behind, front, beside) = (Endpoint.free(), Endpoint.free(), Endpoint.free())
            let configuration = Place.text(Place.root + "/Examples/lychgate.yaml")
                .replacing("127.0.0.1:8080", with: "\(front)")
                .replacing("http://127.0.0.1:8000", with: behind.url)
                .replacing("${PAGE_PORT:-5173}", with: way.isListed ? port(beside) : "1")
            let lychgate = try Lychgate(
                configuration: configuration,
                listeningOn: front,
                in: directory
            )
            defer { lychgate.process.kill9() }
            let environment = [
                "BACKEND_PORT": port(behind), "LYCHGATE_PORT": port(front),
                "EXAMPLE_ZOMBIE_FILE": directory + "/zombies",
            ]
            let page = try ChildProcess(
                Place.python,
                [Place.root + "/Examples/web/serve.py", "--port", port(beside)],
                environment: environment
            )
            defer { page.kill9() }
            #expect(page.sawError("Uvicorn running", seconds: 60))
            let client = try ChildProcess(
                Place.python,
                [
                    Place.root + "/Tests/EndToEnd/Clients/browser_client.py", way.name,
                    way.isSameOrigin ? front.url : beside.url, port(behind),
                    Place.root + "/.build/screenshots",
                ],
                environment: environment
            )
            let exit = client.waitForExit(seconds: 240)
            if exit == nil { _ = client.terminate() }
            #expect(exit == .code(0), "\(client.output)\(client.errors)\(lychgate.process.errors)")
            check(
                Place.text(directory + "/zombies").split(separator: "\n"),
                lychgate.process.errors
            )
            try lychgate.checkHealth()
        }

        private func port(_ endpoint: Endpoint) -> String {
            guard case .tcp(_, let port) = endpoint else { return "" }
            return String(port)
        }

        @Test("5 without a guard and without Lychgate the page is broken after a restart")
        func zombie() throws {
            try checklist(Way(name: "none")) { zombies, _ in
                #expect(zombies.count > 1)
            }
        }

        @Test("5 the guard in the page alone: a restart is seen, but zombie requests go out")
        func bare() throws {
            try checklist(Way(name: "bare")) { zombies, _ in
                #expect(!zombies.isEmpty)
            }
        }

        @Test(
            "5 the seed's checklist, with and without refreshing the page; zero zombies",
            arguments: [
                Way(name: "header"), Way(name: "header", isSameOrigin: true), Way(name: "jar"),
                Way(name: "jar", isSameOrigin: true),
            ]
        )
        func checklist(way: Way) throws {
            try checklist(way) { zombies, log in
                #expect(zombies == [])
                #expect(log.matches(of: /backend restarted/).count >= 3)
            }
        }

        @Test("4.4 without the cors.origins line the page sees nothing, and the log has that line")
        func hidden() throws {
            try checklist(Way(name: "hidden", isListed: false)) { zombies, log in
                #expect(zombies == [])
                #expect(log.contains(#"cors: { origins: [ "http://127.0.0.1:"#))
            }
        }
    }
}
