import TestSupport
import Testing

extension EndToEnd {
    /// The example: FastAPI on uvicorn, as it comes.
    @Suite("the example's backend")
    struct ExampleBackend {
        private func start(_ endpoint: Endpoint, zombies: String) throws -> ChildProcess {
            guard case .tcp(_, let port) = endpoint else { throw HTTPFailure.refused }
            let process = try ChildProcess(
                Place.python,
                [Place.root + "/Examples/backend/main.py", "--port", String(port)],
                environment: ["EXAMPLE_ZOMBIE_FILE": zombies]
            )
            #expect(process.sawError("Uvicorn running", seconds: 20))
            return process
        }

        @Test("the story of `make demo`: connect, work, SIGKILL, one 401, connect, work")
        func story() throws {
            let directory = try Place.newDirectory()
            defer { Place.remove(directory) }
            let behind = Endpoint.free()
            let front = Endpoint.free()
            let zombies = directory + "/zombies"
            var backend = try start(behind, zombies: zombies)
            defer { backend.kill9() }
            let configuration = Place.text(Place.root + "/Examples/lychgate.yaml")
                .replacing("127.0.0.1:8080", with: "\(front)")
                .replacing("http://127.0.0.1:8000", with: behind.url)
            let lychgate = try Lychgate(
                configuration: configuration,
                listeningOn: front,
                in: directory
            )
            defer { lychgate.process.kill9() }

            let client = Client(front)
            #expect(try client.get("/", ["Accept: text/html"]).text.contains("<!doctype html>"))
            #expect(try client.get("/api/session/status").string("reason") == "NO_SESSION_ID")
            #expect(try client.post("/api/connect").status == 200)
            let query = try client.post("/api/query", #"{"table":"visitors"}"#)
            #expect(query.number("queryNumber") == 1)

            backend.kill9()
            #expect(try client.get("/api/tables").status == 503)
            backend = try start(behind, zombies: zombies)
            let page = try client.get("/", ["Accept: text/html", "Sec-Fetch-Dest: document"])
            #expect(page.status == 200)
            #expect(isClean401(try client.get("/api/tables"), cleared: "backend-restart"))
            #expect(try client.get("/api/tables").string("reason") == "NO_SESSION_ID")
            #expect(try client.post("/api/connect").status == 200)
            #expect(try client.get("/api/tables").status == 200)

            try client.post("/demo/snowflake?state=unreachable")
            let later = try client.get("/api/session/status")
            #expect(later.status == 503)
            #expect(later.string("reason") == "snowflake-unreachable")
            try client.post("/demo/snowflake?state=rejects")
            let dead = try client.get("/api/session/status")
            #expect(dead.string("reason") == "auth-error")
            #expect(jarCookie(dead)?.isExpired == true)
            #expect(Place.text(zombies).isEmpty)
            #expect(lychgate.process.terminate() == .code(0))
        }
    }
}
