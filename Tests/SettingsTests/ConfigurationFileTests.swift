import Foundation
import Settings
import Testing
import YAML

/// Every key below a node, by its dotted name, without the numbers of list elements.
private func keys(of node: Settings.Node, in path: String) -> Set<String> {
    switch node.content {
    case .mapping(let entries):
        entries.reduce(into: []) { found, entry in
            let name = path.isEmpty ? entry.key : "\(path).\(entry.key)"
            found.insert(name)
            found.formUnion(keys(of: entry.value, in: name))
        }
    case .sequence(let nodes):
        nodes.reduce(into: []) { $0.formUnion(keys(of: $1, in: path)) }
    case .scalar, .refused: []
    }
}

/// Values whose variables cannot be put in.
private let variableCases = """
    via: ${A}
    => 2:6: the environment has no variable 'A', in the value of 'via'; \
    a default is written ${A:-default}
    via: "${A"
    => 2:6: '${' stands without a '}', in the value of 'via'
    via: "${}"
    => 2:6: expected ${NAME} or ${NAME:-default}, found '${}', in the value of 'via'
    via: "${1A}"
    => 2:6: expected ${NAME} or ${NAME:-default}, found '${1A}', in the value of 'via'
    via: "${A-b}"
    => 2:6: expected ${NAME} or ${NAME:-default}, found '${A-b}', in the value of 'via'
    via: "${ä}"
    => 2:6: expected ${NAME} or ${NAME:-default}, found '${ä}', in the value of 'via'
    via: "${EMPTY}"
    => 2:6: expected a name or 'off' for 'via', found ''; \
    a name is at most 64 letters, digits, '-', '_' and '.'
    workers: "${WORD}"
    => 2:10: expected 'auto' or a number from 1 to 256 for 'workers', found 'a\\u{7}b'
    admin: { listen: "${A}" }
    => 2:18: the environment has no variable 'A', in the value of 'admin.listen'; \
    a default is written ${A:-default}
    """

@Suite("9 The files in config")
struct ConfigurationFileTests {
    @Test("9 minimal.yaml has the defaults of the page")
    func minimal() throws {
        let settings = try Settings.load(
            yaml: configuration("minimal.yaml"),
            environment: { _ in nil }
        ).get()
        var expected = Settings()
        expected.listen = [ListenSettings(address: .host("127.0.0.1", port: 8080))]
        let health = RequestPattern(method: nil, path: Array("/health".utf8), isPrefix: false)
        expected.session.exempt = [health]
        #expect(settings == expected)
    }

    @Test("9 each line in the readme's table of modes is good, and says something")
    func modes() throws {
        let text = try String(decoding: file("README.md"), as: UTF8.self)
        let start = try #require(text.range(of: "### Every mode in one line"))
        let rows = text[start.upperBound...].split(separator: "\n").dropFirst(2)
            .prefix { $0.hasPrefix("|") }
        let lines = rows.compactMap { row in
            row.range(of: "`", options: .backwards).flatMap { end in
                row[..<end.lowerBound].range(of: "| `", options: .backwards)
                    .map { String(row[$0.upperBound..<end.lowerBound]) }
            }
        }
        #expect(lines.count >= 8)
        let plain = try settings("")
        for line in lines {
            let isWhole = line.hasPrefix("upstream:")
            let mode = try isWhole ? load(line).get() : settings(line)
            #expect(mode != plain, "\(line)")
        }
    }

    @Test("9 lychgate.yaml is good as it stands, and all that it says is the default")
    func defaults() throws {
        let all = try Settings.load(
            yaml: configuration("lychgate.yaml"),
            environment: { _ in nil }
        ).get()
        let few = try Settings.load(
            yaml: configuration("minimal.yaml"),
            environment: { _ in nil }
        ).get()
        #expect(all == few)
    }

    /// The file with its examples switched on.
    private func everything() throws -> String {
        let text = try String(decoding: configuration("lychgate.yaml"), as: UTF8.self)
        return
            text
            .replacing("#instead: ", with: "")
            .replacing("#example: ", with: "")
            .replacing("end: []", with: "end:")
    }

    @Test("9 lychgate.yaml has every key of the contract, and no other")
    func everyKey() throws {
        let document = try YAMLReader.read(Array(everything().utf8))
        #expect(document.problems == [])
        let root = try #require(document.root)
        // The fields under identity.headers are no keys; the file has none.
        #expect(keys(of: root, in: "") == Settings.everyKey)
    }

    @Test("9 every key has a comment of its own in lychgate.yaml, in 100 columns")
    func comments() throws {
        for line in try everything().split(separator: "\n") {
            #expect(line.count <= 100)
            let code = line.drop { $0 == " " || $0 == "-" }
            if code.first != "#" {
                #expect(line.contains(" # "), "no comment: \(line)")
            }
        }
    }

    @Test("9 the examples of lychgate.yaml are good")
    func examples() throws {
        let text = try String(decoding: configuration("lychgate.yaml"), as: UTF8.self)
        let examples = text.replacing("#example: ", with: "").replacing("end: []", with: "end:")
        let settings = try load(examples).get()
        #expect(settings.session.capture.count == 3)
        #expect(settings.session.end.count == 1)
    }

    @Test("9 ten mistakes are ten problems, in the order of the file")
    func tenMistakes() {
        let text = """
            lisen: 127.0.0.1:8080
            upstream:
              url: 127.0.0.1:8000
              connect_timeout: 2
            identity:
              from: [ json:serverInstanceId ]
              timeout: 0s
            session:
              capture:
                - json: /sessionId
              carrier: { header: Host }
            stale: { status: 200 }
            trusted_proxies: [ 10.0.0.0/8, 10.0.0/8 ]
            admin: { listen: 127.0.0.1:9901 }
            """
        #expect(
            problems(text) == [
                "1:1: unknown key 'lisen'; did you mean 'listen'?",
                "3:8: expected a URL (http://host:port, https://host:port or unix:/path) for "
                    + "'upstream.url', "
                    + "found '127.0.0.1:8000'; did you mean 'http://127.0.0.1:8000'?",
                "4:20: expected a duration (such as 2s) from 1ms to 7d for "
                    + "'upstream.connect_timeout', found '2'; the unit is missing: "
                    + "ms, s, m, h or d",
                "6:11: expected an identity source (json:/pointer, header:NAME or metric:NAME) "
                    + "for 'identity.from', found 'json:serverInstanceId'; it must begin with '/'",
                "7:12: expected a duration (such as 5s) from 1ms to 1h for 'identity.timeout', "
                    + "found '0s'",
                "10:7: a 'json' rule needs 'on', the request whose answer is looked into",
                "11:22: expected the name of a field for 'session.carrier.header', found 'Host'; "
                    + "this field has a meaning of its own",
                "12:18: expected a number from 400 to 499 for 'stale.status', found '200'",
                "13:32: expected an address or a CIDR block (such as 10.0.0.0/8 or fd00::/8) for "
                    + "'trusted_proxies', found '10.0.0/8'",
                "14:18: 'admin.listen' is not implemented yet; leave it out or set it to 'off'",
            ]
        )
    }

    @Test("8 problems are printed as FILE:LINE:COLUMN, those of the command line without a place")
    func printing() {
        var overrides = Settings.Overrides()
        overrides.upstream = UpstreamURL(.host("127.0.0.1", port: 8080))
        guard case .failure(let problems) = load("log: 5", overrides: overrides) else {
            Issue.record("it was loaded")
            return
        }
        #expect(
            problems.lines(file: "/etc/lychgate.yaml") == [
                "lychgate: the upstream is the address that Lychgate itself listens on",
                "/etc/lychgate.yaml:1:6: expected a mapping (such as { level: info }) for 'log', "
                    + "found '5'",
            ]
        )
        let none = Settings.load(nil, environment: { _ in nil })
        #expect((try? none.get()) == nil)
    }

    @Test("8 variables that cannot be put in")
    func badVariables() {
        let environment = [
            "EMPTY": "", "WORD": "a\u{7}b", "BIG": String(repeating: "x", count: 9000),
        ]
        for bad in Bad.cases(variableCases) {
            #expect(problems("upstream: http://u:1\n" + bad.text, environment) == bad.problems)
        }
        let big = String(repeating: "${BIG}", count: 10_000)
        #expect(
            problems("upstream: http://u:1\nvia: \"\(big)\"", environment) == [
                "2:6: the value is longer than 64KiB with its variables, in the value of 'via'"
            ]
        )
    }
}
