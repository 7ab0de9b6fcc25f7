import Settings
import Testing
import YAML

@Suite("9 Values that are good")
struct GoodValueTests {
    @Test("9 two lines are a whole configuration, with every default of the page")
    func twoLines() throws {
        let settings = try load("listen: 127.0.0.1:8080\nupstream: http://127.0.0.1:8000\n").get()
        var expected = Settings()
        expected.listen = [ListenSettings(address: .host("127.0.0.1", port: 8080))]
        let health = RequestPattern(method: nil, path: Array("/health".utf8), isPrefix: false)
        expected.session.exempt = [health]
        #expect(settings == expected)
        #expect(settings.upstream.address == .host("127.0.0.1", port: 8000))
    }

    @Test("9 listen is an address, or a list of addresses and maps")
    func listen() throws {
        func addresses(_ text: String) throws -> [Address] {
            try settings(text).listen.map(\.address)
        }
        #expect(try addresses("") == [.host("127.0.0.1", port: 8080)])
        #expect(try addresses("listen: 0.0.0.0:80") == [.host("0.0.0.0", port: 80)])
        #expect(try addresses("listen: localhost:65535") == [.host("localhost", port: 65535)])
        #expect(try addresses("listen: \"[::1]:8080\"") == [.host("::1", port: 8080)])
        #expect(try addresses("listen: unix:/run/a.sock") == [.unix("/run/a.sock")])
        #expect(
            try addresses(
                "listen: [ a.b:1, { address: c-d:2 }, { address: e_f.:3, http2: false } ]"
            )
                == [.host("a.b", port: 1), .host("c-d", port: 2), .host("e_f.", port: 3)]
        )
        #expect(try addresses("listen: { address: a:1 }") == [.host("a", port: 1)])
    }

    @Test("9 tls, to clients and to the backend")
    func tls() throws {
        let text = """
            listen:
              address: a:1
              tls:
                certificate: a.pem
                key: a.key
                certificates: [ { certificate: b.pem, key: b.key } ]
                client_ca: ca.pem
                client_auth: optional
                min_version: 1.3
                ciphers: [ TLS_AES_128_GCM_SHA256 ]
                curves: [ X25519, P-256 ]
            upstream:
              url: https://b.example
              tls: { ca: ca.pem, server_name: c.example, verify: true }
            """
        let settings = try load(text).get()
        let listener = try #require(settings.listen.first?.tls)
        #expect(listener.certificates.map(\.certificate.path) == ["a.pem", "b.pem"])
        #expect(listener.certificates.map(\.key.path) == ["a.key", "b.key"])
        #expect(listener.certificates.first?.key.place == Settings.Place(line: 5, column: 10))
        #expect(listener.clientCA?.path == "ca.pem" && listener.clientAuth == .optional)
        #expect(listener.minVersion == .tls13)
        #expect(listener.ciphers?.names == ["TLS_AES_128_GCM_SHA256"])
        #expect(listener.curves?.names == ["X25519", "P-256"])
        #expect(settings.upstream.tls?.ca?.path == "ca.pem")
        #expect(settings.upstream.tls?.serverName == "c.example")
        #expect(try load("upstream: https://a").get().upstream.tls == UpstreamTLSSettings())
        #expect(try load("upstream: http://a").get().upstream.tls == nil)
        let elsewhere = try load(
            "{ upstream: { url: http://a, tls: { ca: c.pem } }, "
                + "identity: { verify: watch, url: https://b/health } }"
        ).get()
        #expect(elsewhere.upstream.tls == nil)
        #expect(elsewhere.upstream.tlsSettings.ca?.path == "c.pem")
    }

    @Test("9 upstream is a URL or a map")
    func upstream() throws {
        func address(_ url: String) throws -> Address {
            try load("upstream: \(url)").get().upstream.address
        }
        #expect(try address("http://a.example") == .host("a.example", port: 80))
        #expect(try address("http://10.0.0.1:8000/") == .host("10.0.0.1", port: 8000))
        #expect(try address("HTTP://[2001:db8::1]") == .host("2001:db8::1", port: 80))
        #expect(try address("http://[::1]:90") == .host("::1", port: 90))
        #expect(try address("unix:/run/b.sock") == .unix("/run/b.sock"))
        #expect(try address("{ url: http://a:1 }") == .host("a", port: 1))
        #expect(try address("https://a.example") == .host("a.example", port: 443))

        let text = """
            upstream:
              url: http://a:1
              connect_timeout: 500ms
              response_timeout: 2m
              idle_timeout: 1h
              max_connections: 7
              queue_timeout: 1ms
              hold: off
            """
        let upstream = try load(text).get().upstream
        #expect(upstream.connectTimeout == .milliseconds(500))
        #expect(upstream.responseTimeout == .seconds(120))
        #expect(upstream.idleTimeout == .seconds(3600))
        #expect(upstream.maxConnections == 7)
        #expect(upstream.queueTimeout == .milliseconds(1))
        #expect(upstream.hold == .zero)
        let held = try load("upstream: { url: http://a:1, hold: 1500ms }").get().upstream
        #expect(held.hold == .milliseconds(1500))
    }

    @Test("3 identity")
    func identity() throws {
        let text = """
            identity:
              path: /status?full=1
              from: [ json:/a/~0b~1c, "json:/Ünicode x" ]
              verify: connection
              instances: multi
              max_probes: 7
              grace: 500ms
              interval: 10ms
              timeout: 1h
              augment: false
              unverified: forward
              headers: {}
            """
        let settings = try settings(text)
        let identity = settings.identity
        #expect(identity.path == "/status?full=1")
        #expect(identity.from == [.json(pointer: "/a/~0b~1c"), .json(pointer: "/Ünicode x")])
        #expect(identity.instances == .multi)
        #expect(identity.maxProbes == 7)
        #expect(identity.grace == .milliseconds(500))
        #expect(identity.interval == .milliseconds(10))
        #expect(identity.timeout == .seconds(3600))
        #expect(identity.unverified == .forward)
        // Exempt by default is the identity path, which is compared without its query.
        let path = RequestPattern(method: nil, path: Array("/status".utf8), isPrefix: false)
        #expect(settings.session.exempt == [path])
    }

    @Test("3.1 sources of every kind, and fields of the question with a secret of the environment")
    func identitySources() throws {
        let text = """
            identity:
              from: [ header:X-Instance, metric:process_start_time_seconds, json:/a ]
              headers: { Host: backend.local, Authorization: "Bearer ${TOKEN}" }
            """
        let identity = try settings(text, ["TOKEN": "t:1"]).identity
        #expect(
            identity.from == [
                .header(name: "X-Instance"), .metric(name: "process_start_time_seconds"),
                .json(pointer: "/a"),
            ]
        )
        #expect(
            identity.fields == [
                .init(name: "Host", value: "backend.local"),
                .init(name: "Authorization", value: "Bearer t:1"),
            ]
        )
        #expect(identity.verify == .connection && identity.elsewhere == nil)
    }

    @Test("3.2 verify: watch, elsewhere")
    func identityElsewhere() throws {
        let plain = try settings("identity: { verify: watch, url: http://h:9001/a/health?x=1 }")
        #expect(plain.identity.verify == .watch)
        #expect(plain.identity.path == "/a/health?x=1")
        #expect(
            plain.identity.elsewhere
                == .init(address: .host("h", port: 9001), isSecure: false)
        )
        let secure = try settings("identity: { verify: watch, url: \"https://[::1]/health\" }")
        #expect(
            secure.identity.elsewhere
                == .init(address: .host("::1", port: 443), isSecure: true)
        )
        #expect(try settings("identity: { verify: watch }").identity.elsewhere == nil)
    }

    @Test("2 session")
    func session() throws {
        let text = """
            session:
              carrier: { header: X-My-Session }
              client_header: track
              client_unknown: forward
              cookie: { name: jar, same_site: none, secure: always }
              idle_timeout: 1h
              max_age: 400d
              capture:
                - json: /sessionId
                  on: POST /api/connect
                  redact: false
                - header: X-Other
              end:
                - on: POST /api/disconnect
                - on: DELETE /api/session/*
              exempt: [ /health, "POST /api/connect", /static/*, /* ]
              required: [ "PURGE-x /api/*" ]
              cross_site: allow
              endpoints: /own/
              status_path: /api/session/status
            """
        func pattern(_ method: String?, _ path: String, _ isPrefix: Bool = false) -> RequestPattern
        {
            RequestPattern(
                method: method.map { Array($0.utf8) },
                path: Array(path.utf8),
                isPrefix: isPrefix
            )
        }
        let session = try settings(text).session
        #expect(session.carrierHeader == "X-My-Session")
        #expect(session.cookie.name == "jar")
        #expect(session.cookie.sameSite == .none)
        #expect(session.cookie.secure == .always)
        #expect(session.idleTimeout == .seconds(3600))
        #expect(session.maxAge == .seconds(400 * 86_400))
        #expect(
            session.capture == [
                .json(pointer: "/sessionId", on: pattern("POST", "/api/connect")),
                .header(name: "X-Other"),
            ]
        )
        #expect(
            session.end == [
                pattern("POST", "/api/disconnect"), pattern("DELETE", "/api/session/", true),
            ]
        )
        #expect(
            session.exempt == [
                pattern(nil, "/health"), pattern("POST", "/api/connect"),
                pattern(nil, "/static/", true), pattern(nil, "/", true),
            ]
        )
        #expect(session.required == [pattern("PURGE-x", "/api/", true)])
        #expect(session.endpoints == "/own/")
        #expect(session.statusPath == "/api/session/status")
        #expect(try settings("session: { endpoints: off }").session.endpoints == nil)
        #expect(try settings("session: { status_path: off }").session.statusPath == nil)
        #expect(try settings("").session.endpoints == "/.lychgate/")
        #expect(try settings("session: { capture: [], exempt: [] }").session.capture == [])
        #expect(try settings("session: { capture: [], exempt: [] }").session.exempt == [])
    }

    @Test("9 the small sections")
    func smallSections() throws {
        let text = """
            jar: { store: memory, capacity: 1, tombstones: 2 }
            stale: { status: 440, reason: "G \\"x\\"", message: Bitte neu – jetzt, pages: pass }
            cors: { origins: [], preflight: pass }
            limits:
              header_bytes: 64KiB
              header_count: 1
              target_bytes: 4096
              body_bytes: off
              connections: 5
            timeouts: { header: 1s, body_idle: 2s, keepalive: 3s, write_idle: 4s }
            admin: { listen: off, probes: off }
            log: { level: error, format: json, access: combined }
            via: off
            shutdown: { grace: 0s }
            workers: 256
            """
        let settings = try settings(text)
        #expect(settings.log.access == .combined)
        #expect(settings.jar.capacity == 1)
        #expect(settings.jar.tombstones == 2)
        #expect(settings.stale.status == 440)
        #expect(settings.stale.reason == "G \"x\"")
        #expect(settings.stale.message == "Bitte neu – jetzt")
        #expect(settings.limits.headerBytes == 65_536)
        #expect(settings.limits.headerCount == 1)
        #expect(settings.limits.targetBytes == 4096)
        #expect(settings.limits.bodyBytes == nil)
        #expect(settings.limits.connections == 5)
        #expect(settings.timeouts.header == .seconds(1))
        #expect(settings.timeouts.bodyIdle == .seconds(2))
        #expect(settings.timeouts.keepalive == .seconds(3))
        #expect(settings.timeouts.writeIdle == .seconds(4))
        #expect(settings.log.level == .error)
        #expect(settings.log.format == .json)
        #expect(settings.via == nil)
        #expect(settings.shutdownGrace == .zero)
        #expect(settings.workers == 256)
    }

    @Test("2.1 the backend's own cookie as carrier, without capture rules")
    func backendCookie() throws {
        let session = try settings("session: { carrier: { cookie: __Host-sid } }").session
        #expect(session.carrierCookie == "__Host-sid")
        #expect(session.capture == [])
        #expect(session.clientUnknown == .forward)
        let refusing = "session: { carrier: { cookie: S }, client_unknown: refuse }"
        #expect(try settings(refusing).session.clientUnknown == .refuse)
    }

    @Test("2.1 2.2 2.5 policies and rules for cookies and JSON")
    func policies() throws {
        let text = """
            session:
              client_header: reject
              client_unknown: refuse
              cross_site: allow
              capture:
                - cookie: SESSION
                - { cookie: OTHER, keep: true }
                - { json: /id, on: /x, redact: true }
            """
        let session = try settings(text).session
        #expect(session.clientHeader == .reject)
        #expect(session.crossSite == .allow)
        let on = RequestPattern(method: nil, path: Array("/x".utf8), isPrefix: false)
        #expect(
            session.capture == [
                .cookie(name: "SESSION"), .cookie(name: "OTHER", keep: true),
                .json(pointer: "/id", on: on, redact: true),
            ]
        )
        let defaults = try settings("").session
        #expect(defaults.clientHeader == .track)
        #expect(defaults.crossSite == .refuse)
        #expect(defaults.carrierCookie == nil)
        #expect(try settings("session: { client_header: strip }").session.clientHeader == .strip)
    }

    @Test("2.4 what pages get")
    func pages() throws {
        #expect(try settings("").stale.pages == .pass)
        #expect(try settings("stale: { pages: answer }").stale.pages == .answer)
        let place = try settings("stale: { pages: /login?gone=1 }").stale.pages
        #expect(place == .redirect(to: "/login?gone=1"))
    }

    @Test("2.5 origins are kept as browsers write them")
    func origins() throws {
        let text = """
            cors:
              origins:
                - https://App.Example
                - http://localhost:5173
                - http://a:80
                - https://a:443
                - https://a:80
                - http://[::1]:80
                - http://[fd00::80]
            """
        #expect(
            try settings(text).cors.origins == [
                "https://app.example", "http://localhost:5173", "http://a", "https://a",
                "https://a:80", "http://[::1]", "http://[fd00::80]",
            ]
        )
    }

    @Test("9 limits.body_bytes")
    func bodyBytes() throws {
        #expect(try settings("").limits.bodyBytes == nil)
        #expect(try settings("limits: { body_bytes: 10MiB }").limits.bodyBytes == 10 << 20)
        #expect(try settings("limits: { body_bytes: 1 }").limits.bodyBytes == 1)
    }

    @Test("9 words that are like others in some places only")
    func words() throws {
        #expect(try settings("workers: auto").workers == nil)
        #expect(try settings("via: \"off\"").via == "off")
        #expect(try settings("via: edge-1").via == "edge-1")
        #expect(try settings("admin: off") == settings(""))
        #expect(try settings("session:\njar: ~\nlog: {}") == settings(""))
        #expect(try settings("limits: { header_bytes: 1MiB }").limits.headerBytes == 1 << 20)
    }

    @Test("7 trusted proxies are addresses and CIDR blocks of both families")
    func trustedProxies() throws {
        func block(_ text: String) throws -> AddressBlock? {
            try settings("trusted_proxies: [ \"\(text)\" ]").trustedProxies.first
        }
        func mapped(_ address: UInt64, _ length: Int) -> AddressBlock {
            AddressBlock(high: 0, low: 0xFFFF_0000_0000 | address, prefixLength: 96 + length)
        }
        #expect(try block("10.0.0.0/8") == mapped(0x0A00_0000, 8))
        #expect(try block("0.0.0.0/0") == mapped(0, 0))
        #expect(try block("192.168.1.255") == mapped(0xC0A8_01FF, 32))
        #expect(try block("127.0.0.1/32") == mapped(0x7F00_0001, 32))
        #expect(try block("::1") == AddressBlock(high: 0, low: 1, prefixLength: 128))
        #expect(try block("::") == AddressBlock(high: 0, low: 0, prefixLength: 128))
        #expect(try block("::/0") == AddressBlock(high: 0, low: 0, prefixLength: 0))
        #expect(
            try block("fd00::/8") == AddressBlock(high: 0xFD << 56, low: 0, prefixLength: 8)
        )
        #expect(
            try block("2001:DB8:0:1::/64")
                == AddressBlock(high: 0x2001_0DB8_0000_0001, low: 0, prefixLength: 64)
        )
        #expect(
            try block("1:2:3:4:5:6:7:8")
                == AddressBlock(
                    high: 0x0001_0002_0003_0004,
                    low: 0x0005_0006_0007_0008,
                    prefixLength: 128
                )
        )
        #expect(
            try block("1:2:3:4:5:6:7::")
                == AddressBlock(
                    high: 0x0001_0002_0003_0004,
                    low: 0x0005_0006_0007_0000,
                    prefixLength: 128
                )
        )
        #expect(try block("::ffff:10.1.2.3") == mapped(0x0A01_0203, 32))
        #expect(try block("::ffff:10.0.0.0/104") == mapped(0x0A00_0000, 8))
    }

    @Test("8 variables of the environment stand in values, whole or in part")
    func environment() throws {
        let environment = ["HOST": "b.example", "PORT": "81", "EMPTY": "", "_x9": "2"]
        let text = """
            listen: "127.0.0.1:${PORT}"
            workers: ${_x9}
            via: ${NAME:-${HOST}
            jar: { capacity: "${CAPACITY:-5}" }
            stale: { reason: "$ $$ ${EMPTY:-was empty}", message: "a${EMPTY}b" }
            log: { level: "${EMPTY:-debug}", access: "${ACCESS:-off}" }
            admin: ${ADMIN:-off}
            """
        let loaded = load("upstream: http://${HOST}:${PORT}\n" + text, environment)
        // A default ends at the first brace, so that via is '${HOST', which is no name.
        #expect(
            problems("upstream: http://${HOST}:${PORT}\n" + text, environment) == [
                "4:6: expected a name or 'off' for 'via', found '${HOST'; a name is at most 64 "
                    + "letters, digits, '-', '_' and '.'"
            ]
        )
        #expect((try? loaded.get()) == nil)
        let good = text.replacing("${NAME:-${HOST}", with: "${NAME:-off}")
        let settings = try load("upstream: http://${HOST}:${PORT}\n" + good, environment).get()
        #expect(settings.upstream.address == .host("b.example", port: 81))
        #expect(settings.listen == [ListenSettings(address: .host("127.0.0.1", port: 81))])
        #expect(settings.workers == 2)
        #expect(settings.via == nil)
        #expect(settings.jar.capacity == 5)
        #expect(settings.stale.reason == "$ $$ was empty")
        #expect(settings.stale.message == "ab")
        #expect(settings.log.level == .debug)
    }

    @Test("8 what a variable holds is a value and nothing else")
    func environmentIsNotParsed() throws {
        let environment = ["A": "${B}", "B": "b", "C": "x, y: [ z ]"]
        let stale = try settings("stale: { reason: \"${A}\", message: \"${C}\" }", environment)
            .stale
        #expect(stale.reason == "${B}")
        #expect(stale.message == "x, y: [ z ]")
    }

    @Test("8 flags count more than the file")
    func overrides() throws {
        var overrides = Settings.Overrides()
        overrides.listen = .unix("/a")
        overrides.workers = 3
        let file = "listen: [ a:1, b:2 ]\nupstream: http://c:3\nworkers: 9\n"
        var settings = try load(file, overrides: overrides).get()
        #expect(settings.listen == [ListenSettings(address: .unix("/a"))])
        #expect(settings.upstream.address == .host("c", port: 3))
        #expect(settings.workers == 3)

        overrides.upstream = UpstreamURL(.host("d", port: 4))
        settings = try load("upstream: { idle_timeout: 1s }", overrides: overrides).get()
        #expect(settings.upstream.address == .host("d", port: 4))
        #expect(settings.upstream.idleTimeout == .seconds(1))

        let none = Settings.load(nil, environment: { _ in nil }, overrides: overrides)
        #expect(try none.get().upstream.address == .host("d", port: 4))
        #expect(try none.get().session.exempt.count == 1)
    }
}
