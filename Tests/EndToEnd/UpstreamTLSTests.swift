import TestSupport
import Testing

/// Runs a test with a backend that speaks TLS, by a certificate for `backend.test` and 127.0.0.1.
///
/// `tls` is what stands in `upstream.tls`; `CA`, `CLIENT` and `KEY` in it are files.
private func onSecureStage(
    backend options: [String] = [],
    certificate: String = "server",
    host: String = "127.0.0.1",
    tls: String = "ca: CA",
    _ more: String = usual,
    _ body: (Stage, Certificates) throws -> Void
) throws {
    let directory = try Place.newDirectory()
    defer { Place.remove(directory) }
    let certificates = try Certificates(in: directory)
    try certificates.make("server", for: "DNS:backend.test,IP:127.0.0.1")
    try certificates.make("named", for: "DNS:backend.test")
    try certificates.make("expired", for: "IP:127.0.0.1", isExpired: true)
    try certificates.make("client", for: "DNS:client.test")
    let endpoint = Endpoint.free()
    guard case .tcp(_, let port) = endpoint else { return }
    let section =
        tls
        .replacing("CA", with: certificates.path("ca.pem"))
        .replacing("CLIENT", with: certificates.path("client.pem"))
        .replacing("KEY", with: certificates.path("client.key"))
    let all = options.map { $0.replacing("CA", with: certificates.path("ca.pem")) }
    try onStage(
        backend: all + ["--certificate", certificates.path(certificate + ".both")],
        at: endpoint,
        """
        upstream:
          url: https://\(host):\(port)
          tls: { \(section) }
        \(more)
        """
    ) { stage in try body(stage, certificates) }
}

extension EndToEnd {
    /// Backends behind https.
    @Suite("TLS to the backend")
    struct UpstreamTLS {
        @Test(
            "9 upstream https: content of every framing passes both ways, the watcher asks over TLS"
        )
        func passes() throws {
            try onSecureStage { stage, _ in
                let client = stage.client()
                #expect(stage.logged("backend is up"))
                #expect(try client.get("/tls").string("tls") == "TLSv1.3 ")
                for target in [
                    "/bytes?n=3000000", "/chunked?n=3000000&size=9999", "/until-close?n=3000000",
                ] {
                    let body = try client.get(target).body
                    #expect(body.count == 3_000_000)
                    #expect(body[..<65_521] == Pattern.bytes[..<65_521])
                }
                let connection = try stage.connect()
                connection.send("POST", "/echo", ["Content-Length: 5000000"])
                #expect(connection.sendPattern(count: 5_000_000) == 5_000_000)
                #expect(try connection.receive().number("count") == 5_000_000)
            }
        }

        @Test("3.2 an instance over TLS is known by its connections: restart, one clean 401")
        func restart() throws {
            try onSecureStage { stage, _ in
                let client = try stage.loggedIn()
                #expect(try client.get("/api/work").status == 200)
                try stage.backend.restart()
                #expect(try isClean401(client.get("/api/work"), cleared: "backend-restart"))
                #expect(try client.get("/api/who").status == 200)
                #expect(stage.backend.zombies == [])
            }
        }

        @Test("3.2 sessions of TLS are resumed on later connections")
        func resumption() throws {
            try onSecureStage { stage, _ in
                let client = stage.client()
                #expect(try client.get("/tls").status == 200)
                // What is in the pool is closed, and made anew.
                #expect(try client.get("/control?drop=on").status == 200)
                let answer = try eventually(client, "/tls") { ($0.number("resumed") ?? 0) > 0 }
                #expect((answer.number("resumed") ?? 0) > 0)
            }
        }

        @Test(
            "4.1 a certificate that is not good is 502, 503 with a session, and the log says why",
            arguments: [
                ("named", "ca: CA", "IP address mismatch"),
                ("server", "ca: CA, server_name: other.test", "hostname mismatch"),
                ("expired", "ca: CA", "certificate has expired"),
                ("server", "", "unable to get local issuer certificate"),
            ]
        )
        func refused(certificate: String, tls: String, reason: String) throws {
            try onSecureStage(certificate: certificate, tls: tls) { stage, _ in
                let client = stage.client()
                let status = try client.get("/").status
                #expect(status == 502)
                let withSession = try client.get("/", ["X-Session-ID: s"]).status
                #expect(withSession == 503)
                #expect(stage.logged("warning", "no connection to the backend", reason))
                #expect(stage.logged("backend is down"))
                #expect(stage.backend.everything.isEmpty)
            }
        }

        @Test(
            "9 a certificate is good by its name, by server_name, or unlooked at",
            arguments: [
                ("localhost", "ca: CA, server_name: backend.test"), ("127.0.0.1", "verify: false"),
                ("127.0.0.1", "ca: CA, server_name: backend.test"),
            ]
        )
        func accepted(host: String, tls: String) throws {
            try onSecureStage(certificate: "named", host: host, tls: tls) { stage, _ in
                let status = try stage.client().get("/api/who").status
                #expect(status == 200)
                #expect(stage.logged("backend is up"))
            }
        }

        @Test("9 a backend that asks for a certificate gets it, from the watcher too")
        func clientCertificate() throws {
            let tls = "ca: CA, certificate: CLIENT, key: KEY"
            try onSecureStage(backend: ["--client-ca", "CA"], tls: tls) { stage, _ in
                let answer = try stage.client().get("/tls")
                #expect(answer.string("tls") == "TLSv1.3 Tests,client")
                #expect(stage.logged("backend is up"))
            }
        }

        @Test("4.2 a response until the end is whole by close_notify, and cut without it")
        func truncation() throws {
            try onSecureStage(backend: ["--silent-end"]) { stage, _ in
                let connection = try stage.connect()
                #expect(try connection.ask("GET", "/bytes?n=1000").body.count == 1000)
                connection.send("GET", "/until-close?n=100000")
                #expect(throws: HTTPFailure.self) { _ = try connection.receive() }
                #expect(try stage.client().get("/api/who").status == 200)
            }
        }

        @Test("4.1 a backend that speaks no TLS and waits for more is 504 in time")
        func noTLS() throws {
            let endpoint = Endpoint.free()
            let upstream = "upstream: { url: 'https://\(endpoint)', connect_timeout: 300ms }"
            try onStage(at: endpoint, upstream) { stage in
                let status = try stage.client().get("/").status
                #expect(status == 504)
            }
        }

        @Test("6 certificates that cannot be used are told by their place in the file")
        func badFiles() throws {
            let directory = try Place.newDirectory()
            defer { Place.remove(directory) }
            let certificates = try Certificates(in: directory)
            try certificates.make("a", for: "DNS:a")
            try certificates.make("b", for: "DNS:b")
            try certificates.run(
                [
                    "pkey", "-in", certificates.path("a.key"), "-out",
                    certificates.path("locked.key"),
                ]
                    + ["-aes256", "-passout", "pass:secret"]
            )
            let cases = [
                ("ca: none.pem", "4:14: cannot use 'none.pem': open: No such file or directory"),
                ("ca: a.key", "4:14: cannot use 'a.key': there is no certificate in it"),
                (
                    "certificate: a.pem, key: b.key",
                    "4:35: cannot use 'b.key': it is not the key of the certificate"
                ),
                ("certificate: a.pem, key: a.pem", "4:35: cannot use 'a.pem': there is no private"),
                (
                    "certificate: a.pem, key: locked.key",
                    "4:35: cannot use 'locked.key': it is encrypted with a passphrase"
                ),
            ]
            for (tls, message) in cases {
                let file = directory + "/c.yaml"
                try Place.write(
                    "listen: 127.0.0.1:1\nupstream:\n  url: https://a\n  tls: { \(tls) }\n",
                    to: file
                )
                let check = try Lychgate.run("check", "--config", file)
                #expect(check.exit == .code(1))
                #expect(check.errors.contains("\(file):\(message)"), "\(check.errors)")
                #expect(try Lychgate.run("run", "--config", file).errors == check.errors)
            }
        }
    }
}
