import TestSupport
import Testing

/// A stage whose listener speaks TLS, with the files of its certificates.
private struct SecureStage {
    let stage: Stage
    let certificates: Certificates

    var port: Int {
        if case .tcp(_, let port) = stage.endpoint { port } else { 0 }
    }

    /// What curl says of a request: the content, then a line of its `-w`.
    func curl(_ arguments: String..., show: String = "%{http_code}") throws -> String {
        let names = ["backend.test", "a.test", "one.wild.test", "two.wild.test"]
        let process = try ChildProcess(
            "/usr/bin/curl",
            ["-sS", "--max-time", "20", "--cacert", certificates.path("ca.pem")]
                + names.flatMap { ["--resolve", "\($0):\(port):127.0.0.1"] }
                + ["-w", "\n\(show)"]
                + arguments.map { $0.replacing("HERE", with: "127.0.0.1:\(port)") }
                .map { $0.replacing("PORT", with: "\(port)") }
        )
        _ = process.waitForExit()
        return process.output + process.errors
    }

    /// What `openssl s_client` says of a connection.
    func handshake(_ arguments: String...) throws -> String {
        let process = try ChildProcess(
            "/bin/sh",
            ["-c", "exec openssl s_client -connect 127.0.0.1:\(port) \"$@\" </dev/null", "-"]
                + ["-CAfile", certificates.path("ca.pem")] + arguments
        )
        _ = process.waitForExit()
        return process.output + process.errors
    }

    /// Runs a script of `Clients/tls_client.py` against the listener; its one line of output.
    func python(_ script: String, _ arguments: String...) throws -> String {
        let process = try ChildProcess(
            Place.python,
            ["-I", "-S", Place.root + "/Tests/EndToEnd/Clients/tls_client.py", script, "\(port)"]
                + [certificates.path("")] + arguments
        )
        _ = process.waitForExit()
        return process.output + process.errors
    }
}

/// Runs a test behind TLS; `CA` and the like in `tls` are files, as are `NAME.pem` and `NAME.key`.
private func behindTLS(
    _ tls: String = "certificate: server.pem, key: server.key",
    also listeners: String = "",
    _ more: String = usual,
    _ body: (SecureStage) throws -> Void
) throws {
    let directory = try Place.newDirectory()
    defer { Place.remove(directory) }
    let certificates = try Certificates(in: directory)
    try certificates.make("server", for: "DNS:backend.test,IP:127.0.0.1")
    try certificates.make("a", for: "DNS:a.test")
    try certificates.make("rsa", for: "DNS:a.test", .rsa)
    try certificates.make("wild", for: "DNS:*.wild.test")
    try certificates.make("client", for: "DNS:client.test")
    let endpoint = Endpoint.free()
    var section = tls
    for name in ["server", "a", "rsa", "wild", "ca"] {
        for kind in ["pem", "key"] {
            let file = certificates.path("\(name).\(kind)")
            section = section.replacing(" \(name).\(kind)", with: " \(file)")
        }
    }
    try onStage(
        listen: endpoint,
        """
        listen:
          - { address: "\(endpoint)", tls: { \(section) } }
        \(listeners)
        \(more)
        """
    ) { stage in try body(SecureStage(stage: stage, certificates: certificates)) }
}

extension EndToEnd {
    /// Listeners that speak TLS.
    @Suite("TLS to clients")
    struct DownstreamTLS {
        @Test("9 listen tls: TLS 1.2 and 1.3, content of every size both ways, ALPN http/1.1")
        func passes() throws {
            try behindTLS { here throws in
                for version in ["1.2", "1.3"] {
                    let options = ["--tls-max", version, "--tlsv1.2"]
                    let answer = try here.curl(options[0], options[1], options[2], "https://HERE/x")
                    #expect(answer.hasSuffix("\n200"), "\(answer)")
                }
                let big = try here.curl(
                    "https://HERE/bytes?n=5000000",
                    "-o",
                    "/dev/null",
                    show: "%{size_download}"
                )
                #expect(big == "\n5000000")
                let file = here.certificates.path("upload")
                try Place.write(String(repeating: "abcdefgh", count: 500_000), to: file)
                let upload = try here.curl("https://HERE/echo", "--data-binary", "@" + file)
                #expect(upload.contains(#""count":4000000"#))
                let agreed = try here.handshake("-alpn", "h2,http/1.1")
                #expect(agreed.contains("ALPN protocol: http/1.1"))
                #expect(try here.handshake("-alpn", "h2").contains("no application protocol"))
                #expect(try here.handshake("-tls1_1").contains("alert protocol version"))
            }
        }

        @Test("9 certificates are chosen by name: wildcards, ECDSA and RSA together, a default")
        func names() throws {
            let pairs = ["server", "a", "rsa", "wild"].map {
                "{ certificate: \($0).pem, key: \($0).key }"
            }
            try behindTLS("certificates: [ \(pairs.joined(separator: ", ")) ]") { here throws in
                let rsa = ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"]
                let expected = [
                    ("backend.test", "CN = server"), ("A.test", "CN = a"),
                    ("one.wild.test", "CN = wild"), ("one.two.wild.test", "CN = server"),
                    ("unknown.test", "CN = server"),
                ]
                for (name, subject) in expected {
                    #expect(try here.handshake("-servername", name).contains(subject))
                }
                #expect(try here.handshake("-noservername").contains("CN = server"))
                let older = try here.handshake("-servername", "a.test", rsa[0], rsa[1], rsa[2])
                #expect(older.contains("CN = rsa"))
                #expect(try here.curl("https://two.wild.test:PORT/").hasSuffix("\n200"))
            }
        }

        @Test("9 client_ca: clients need a certificate, whose subject nobody can forge")
        func clientCertificates() throws {
            let plain = Endpoint.free()
            let listeners = "  - \(plain)"
            let tls = "certificate: server.pem, key: server.key, client_ca: ca.pem"
            try behindTLS(tls, also: listeners) { here throws in
                let url = "https://HERE/echo"
                let forged = "X-Client-Cert-Subject: CN=forged"
                let own = ["--cert", here.certificates.path("client.both")]
                #expect(try here.curl(url).contains("certificate required"))
                let answer = try here.curl(own[0], own[1], url, "-H", forged, "-H", forged)
                #expect(answer.contains("X-Client-Cert-Subject: CN=client,O=Tests"))
                #expect(!answer.contains("forged"))
                for name in ["X_Client_Cert_Subject", "x-client_cert-subject"] {
                    let alias = try here.curl(own[0], own[1], url, "-H", "\(name): CN=forged")
                    #expect(alias.hasSuffix("\n400"))
                }
                let nominated = try here.curl(
                    own[0],
                    own[1],
                    url,
                    "-H",
                    "Connection: X-Client-Cert-Subject"
                )
                #expect(nominated.contains("X-Client-Cert-Subject: CN=client"))
                // Nor on a listener where nobody is asked.
                let client = Client(plain)
                #expect(try !client.get("/echo", [forged]).text.contains("forged"))
                #expect(try client.get("/echo", ["X_CLIENT_CERT_SUBJECT: x"]).status == 400)
                #expect(here.stage.logged("info", "no TLS with client", "certificate"))
            }
        }

        @Test("9 client_auth optional: without a certificate no subject, a bad one is refused")
        func optional() throws {
            let tls =
                "certificate: server.pem, key: server.key, client_ca: ca.pem, "
                + "client_auth: optional"
            try behindTLS(tls) { here throws in
                let url = "https://HERE/echo"
                let none = try here.curl(url, "-H", "X-Client-Cert-Subject: CN=forged")
                #expect(none.hasSuffix("\n200") && !none.contains("X-Client-Cert-Subject"))
                let own = try here.curl("--cert", here.certificates.path("client.both"), url)
                #expect(own.contains("X-Client-Cert-Subject: CN=client,O=Tests"))
                try here.certificates.make("late", for: "DNS:late", isExpired: true)
                let late = try here.curl("--cert", here.certificates.path("late.both"), url)
                #expect(!late.contains("\"lines\""))
            }
        }

        @Test("9 min_version, ciphers and curves are kept to")
        func cryptography() throws {
            let tls =
                "certificate: server.pem, key: server.key, min_version: 1.3, curves: [ P-256 ], "
                + "ciphers: [ TLS_CHACHA20_POLY1305_SHA256 ]"
            try behindTLS(tls) { here throws in
                #expect(try here.handshake("-tls1_2").contains("alert protocol version"))
                let good = try here.handshake("-tls1_3")
                #expect(good.contains("TLS_CHACHA20_POLY1305_SHA256"))
                #expect(good.contains("ECDH, prime256v1"))
                #expect(try here.handshake("-tls1_3", "-curves", "X25519").contains("alert"))
            }
        }

        @Test("9 sessions are resumed, in TLS 1.2 and 1.3, whichever worker has the connection")
        func resumption() throws {
            try behindTLS("certificate: server.pem, key: server.key", usual + "\nworkers: 2") {
                here throws in
                #expect(try here.python("resume", "1.3") == "resumed 8 of 8\n")
                #expect(try here.python("resume", "1.2") == "resumed 8 of 8\n")
            }
        }

        @Test("7 a plain HTTP request to an HTTPS port is answered 400 in clear")
        func plain() throws {
            try behindTLS { here throws in
                for method in ["GET", "POST", "DELETE", "PROPFIND"] {
                    let connection = try here.stage.connect()
                    connection.send(method, "/x")
                    let answer = try connection.receive()
                    #expect(answer.status == 400)
                    #expect(answer.text.contains("HTTPS port"))
                    #expect(connection.isClosedByPeer())
                }
                let connection = try here.stage.connect()
                connection.send([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
                #expect(try !connection.receiveAll().contains("HTTP"))
                #expect(here.stage.backend.seen.isEmpty)
            }
        }

        @Test("2.2 on TLS the jar cookie is __Host- and Secure, and the backend is told https")
        func cookie() throws {
            try behindTLS { here throws in
                let login = try here.curl("https://HERE/api/connect", "-X", "POST", "-i")
                #expect(login.contains("Set-Cookie: __Host-lychgate="))
                #expect(login.contains("; Secure"))
                let echo = try here.curl("https://HERE/echo")
                #expect(echo.contains("X-Forwarded-Proto: https"))
            }
        }

        @Test("4.2 the end of a connection is close_notify, unless the answer was cut")
        func ends() throws {
            try behindTLS { here throws in
                #expect(try here.python("end", "/bytes?n=100000") == "100000 whole\n")
                #expect(try here.python("end", "/until-close?n=100000", "1.0") == "100000 whole\n")
                #expect(try here.python("end", "/cut") == "cut\n")
            }
        }

        @Test("4.2 a request that the end of TLS cuts is no request")
        func truncated() throws {
            try behindTLS { here throws in
                #expect(try here.python("truncate") == "sent\n")
                #expect(here.stage.backend.count(of: "/echo") <= 2)
                #expect(try here.curl("https://HERE/x").hasSuffix("\n200"))
            }
        }

        @Test("9 a handshake that stands still ends after timeouts.header, and blocks nobody")
        func slowHandshake() throws {
            try behindTLS(
                "certificate: server.pem, key: server.key",
                usual + "\nworkers: 1\ntimeouts: { header: 500ms }"
            ) { here throws in
                let silent = try here.stage.connect()
                let half = try here.stage.connect()
                half.send([0x16, 3, 1, 2])
                #expect(try here.curl("https://HERE/x").hasSuffix("\n200"))
                #expect(silent.isClosedByPeer())
                #expect(half.isClosedByPeer())
                #expect(here.stage.logged("no TLS with client", "not finished in time"))
            }
        }

        @Test("4.3 a tunnel goes through TLS, both ways and to its end")
        func tunnel() throws {
            try behindTLS { here throws in
                #expect(try here.python("tunnel") == "echoed 300000\n")
            }
        }

        @Test("3.2 RestartStorm through TLS on both sides would be the same: one clean 401")
        func restart() throws {
            try behindTLS { here throws in
                let jar = here.certificates.path("jar")
                let options = ["-b", jar, "-c", jar]
                _ = try here.curl(
                    options[0],
                    options[1],
                    options[2],
                    options[3],
                    "-X",
                    "POST",
                    "https://HERE/api/connect"
                )
                try here.stage.backend.restart()
                let stale = try here.curl(
                    options[0],
                    options[1],
                    options[2],
                    options[3],
                    "https://HERE/api/work",
                    "-i"
                )
                #expect(stale.contains("X-Session-Cleared: backend-restart"))
                #expect(stale.contains("Set-Cookie: __Host-lychgate=;"))
                #expect(here.stage.backend.zombies == [])
            }
        }
    }
}
