import Settings
import Testing
import YAML

/// The key `preset`, and the files in `config/presets`.
@Suite("9 Presets")
struct PresetTests {
    private func spelledOut(_ name: String) throws -> Settings {
        try Settings.load(
            yaml: configuration("presets/\(name).yaml"),
            environment: { _ in nil }
        ).get()
    }

    @Test("9 a preset is what its file spells out", arguments: ["mcp", "snowflake"])
    func same(name: String) throws {
        let short = try settings("preset: \(name)")
        #expect(try short == spelledOut(name))
        #expect(try short != settings(""))
        #expect(try settings("preset: ${P}", ["P": name]) == short)
        // The file says nothing that the preset does not: with it, too, nothing changes.
        let text = try String(decoding: configuration("presets/\(name).yaml"), as: UTF8.self)
        #expect(try load(text + "\npreset: \(name)\n").get() == short)
    }

    @Test("9 what the file says goes before the preset, wherever either stands")
    func explicit() throws {
        let text = """
            stale: { status: 410 }
            session:
              end: []
              cookie: { name: jar }
              exempt: [ /live ]
            identity: { path: /status }
            preset: mcp
            """
        let settings = try settings(text)
        #expect(settings.stale.status == 410)
        #expect(settings.stale.format == .jsonRPC)
        #expect(settings.session.end == [])
        #expect(settings.session.hasJarCookies)
        #expect(settings.session.cookie.name == "jar")
        #expect(settings.session.carrierHeader == "Mcp-Session-Id")
        let live = RequestPattern(method: nil, path: Array("/live".utf8), isPrefix: false)
        #expect(settings.session.exempt == [live])
    }

    @Test("9 what a preset exempts stands beside the identity path, whichever that is")
    func exempt() throws {
        let settings = try settings("preset: snowflake\nidentity: { path: /status }")
        #expect(
            settings.session.exempt == [
                RequestPattern(method: nil, path: Array("/status".utf8), isPrefix: false),
                RequestPattern(
                    method: Array("POST".utf8),
                    path: Array("/api/connect".utf8),
                    isPrefix: false
                ),
            ]
        )
    }

    @Test("9 a preset that does not exist is said to be none")
    func unknown() {
        #expect(
            problems("preset: mpc\nupstream: http://u:1") == [
                "1:9: expected 'mcp' or 'snowflake' for 'preset', found 'mpc'; "
                    + "did you mean 'mcp'?"
            ]
        )
        #expect(problems("preset: [ mcp ]\nupstream: http://u:1").count == 1)
    }

    @Test("2.1 without jar cookies the client has to hold the session")
    func cookieOff() throws {
        #expect(try !settings("session: { cookie: off }").session.hasJarCookies)
        #expect(try settings("session: { cookie: {} }").session.hasJarCookies)
        let because =
            ": with 'session.cookie: off' nobody would hold the session: "
            + "it is neither in a jar cookie nor held by its client"
        for rest in [
            "client_header: strip", "client_header: reject", "capture: [ { cookie: SID } ]",
            "capture: [ { json: /id, on: POST /x, redact: true } ]",
        ] {
            let text = "upstream: http://u:1\nsession: { cookie: off, \(rest) }"
            #expect(problems(text) == ["2:20" + because])
        }
        let kept = "capture: [ { cookie: SID, keep: true }, { json: /id, on: POST /x } ]"
        #expect(try settings("session: { cookie: off, \(kept) }").session.capture.count == 2)
    }

    @Test("4.1, 4.4, 5 stale.format, cors.preflight and identity.augment")
    func others() throws {
        let text = """
            stale: { format: json-rpc }
            cors: { origins: [ "http://a" ], preflight: answer }
            identity: { augment: true }
            """
        let settings = try settings(text)
        #expect(settings.stale.format == .jsonRPC)
        #expect(settings.cors.answersPreflights)
        #expect(settings.identity.augment)
        #expect(
            problems("upstream: http://u:1\nstale: { format: xml }") == [
                "2:18: expected 'json' or 'json-rpc' for 'stale.format', found 'xml'"
            ]
        )
    }
}
