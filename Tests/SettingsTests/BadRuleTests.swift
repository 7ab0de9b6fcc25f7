import Settings
import Testing
import YAML

/// The cases, each with all its problems.
private enum Tables {
    static let identities = """
        identity: { path: health }
        => 2:19: expected a path (such as /health) for 'identity.path', found 'health'; \
        it must begin with '/'
        identity: { path: /a b }
        => 2:19: expected a path (such as /health) for 'identity.path', found '/a b'; \
        it is visible ASCII without '#'; encode the rest as %XX
        identity: { from: [] }
        => 2:19: expected at least one identity source for 'identity.from', found an empty list
        identity: { from: json:/a }
        => 2:19: expected a list of identity sources (such as json:/startedAt) for \
        'identity.from', found 'json:/a'; one value is a list too: [ json:/a ]
        identity: { from: [ json: /a ] }
        => 2:21: {it} a mapping; no blank follows the colon: json:/pointer
        identity: { from: [ "header:X Instance", "header:", header:Date, header:connection ] }
        => 2:21: {it} 'header:X Instance'; it is not a field name
        => 2:42: {it} 'header:'; it is not a field name
        => 2:53: {it} 'header:Date'; this field says nothing of who answers
        => 2:66: {it} 'header:connection'; this field says nothing of who answers
        identity: { from: [ "metric:", metric:1a, 'metric:a{b="c"}', "metric:a b" ] }
        => 2:21: {it} 'metric:'; {metric}
        => 2:32: {it} 'metric:1a'; {metric}
        => 2:43: {it} 'metric:a{b="c"}'; {metric}
        => 2:62: {it} 'metric:a b'; {metric}
        identity: { from: [ xml:/a, json, "json:", json:a, json:/a~, json:/a~2 ] }
        => 2:21: {it} 'xml:/a'; it begins with 'json:', 'header:' or 'metric:'
        => 2:29: {it} 'json'; it must begin with '/'
        => 2:35: {it} 'json:'; it must begin with '/'
        => 2:44: {it} 'json:a'; it must begin with '/'
        => 2:52: {it} 'json:/a~'; '~' is written '~0' and '/' is written '~1' (RFC 6901)
        => 2:62: {it} 'json:/a~2'; '~' is written '~0' and '/' is written '~1' (RFC 6901)
        identity: { verify: wach }
        => 2:21: expected 'connection' or 'watch' for 'identity.verify', found 'wach'; \
        did you mean 'watch'?
        identity: { verify: watch, instances: several }
        => 2:39: expected 'auto', 'single' or 'multi' for 'identity.instances', found 'several'
        identity: { augment: maybe }
        => 2:22: expected 'false' or 'true' for 'identity.augment', found 'maybe'
        identity: { verify: watch, instances: multi }
        => 2:39: several instances need 'identity.verify: connection'
        identity: { url: http://a:9001/health }
        => 2:18: 'identity.url' needs 'identity.verify: watch': an answer from there does not say \
        who is at the other end of a connection to the upstream
        identity: { verify: watch, url: http://a:9001/health, path: /health }
        => 2:33: 'identity.url' has the path: leave 'identity.path' out
        identity: { verify: watch, url: http://a }
        => 2:33: {url} 'http://a'; the path is missing
        identity: { verify: watch, url: a:9001/health }
        => 2:33: {url} 'a:9001/health'; it begins with http:// or https://
        identity: { verify: watch, url: http://u:p@a/health }
        => 2:33: {url} 'http://u:p@a/health'; a user name stands in 'identity.headers', in \
        Authorization
        identity: { verify: watch, url: http://a:0/health }
        => 2:33: {url} 'http://a:0/health'; the port must be a number from 1 to 65535
        identity: { verify: watch, url: "http://a/he alth" }
        => 2:33: {url} 'http://a/he alth'; it is visible ASCII without '#'; encode the rest as %XX
        identity: { headers: { "A B": c, Connection: close, te: x, Accept-Encoding: gzip } }
        => 2:24: 'A B' is not a field name
        => 2:34: 'Connection' {framing}
        => 2:53: 'te' {framing}
        => 2:60: 'Accept-Encoding' is set by Lychgate: it reads plain answers alone
        identity: { headers: { A: b, a: c, X-Session-ID: s } }
        => 2:22: 'identity.headers' has the session's field: the question has none
        => 2:30: 'a' stands there twice
        identity: { headers: { A: "secret\\r\\nB: c", B: " secret", C: "", D: [ secret ] } }
        => 2:27: the value of 'identity.headers.A' {value}
        => 2:48: the value of 'identity.headers.B' {value}
        => 2:62: the value of 'identity.headers.C' {value}
        => 2:69: expected a value for 'identity.headers.D', found a list
        identity: { max_probes: 0, grace: 2 }
        => 2:25: expected a number from 1 to 1024 for 'identity.max_probes', found '0'
        => 2:35: expected a duration (such as 2s) from 0s to 1h for 'identity.grace', found '2'; \
        the unit is missing: ms, s, m, h or d
        identity: { headers: [], augment: yes, unverified: [ refuse ] }
        => 2:22: expected a mapping of fields (such as {}) for 'identity.headers', found a list
        => 2:35: expected 'false' or 'true' for 'identity.augment', found 'yes'
        => 2:52: expected 'refuse' or 'forward' for 'identity.unverified', found a list
        identity: { interval: 9ms, timeout: 0s }
        => 2:23: expected a duration (such as 2s) from 10ms to 1h for 'identity.interval', \
        found '9ms'
        => 2:37: expected a duration (such as 5s) from 1ms to 1h for 'identity.timeout', found '0s'
        """

    static let sessions = """
        carrier: X-Session-ID
        => 1:10: expected a mapping (such as { header: X-Session-ID }) for 'session.carrier', \
        found 'X-Session-ID'
        carrier: { cookie: "a b" }
        => 1:20: expected the name of a cookie for 'session.carrier.cookie', found 'a b'; \
        it is not a cookie name
        carrier: { cookie: JSESSIONID, header: X-Session-ID }
        => 1:10: 'session.carrier' has 'header' or 'cookie', not both
        carrier: { cookie: A }
        client_header: strip
        capture: [ { header: X-Session-ID } ]
        => 2:16: leave 'session.client_header' out: the client keeps the cookie of \
        'session.carrier'
        => 3:10: leave 'session.capture' out: the client keeps the cookie of 'session.carrier'
        carrier: { cookie: __Host-lychgate }
        => 1:20: 'session.carrier.cookie' is the name of the jar cookie
        cookie: { name: SID }
        capture: [ { cookie: SID } ]
        => 2:10: 'session.capture' has a cookie with the name of the jar cookie
        carrier: { header: "a b" }
        => 1:20: {carrier} 'a b'; it is not a field name
        carrier: { header: cookie }
        => 1:20: {carrier} 'cookie'; this field has a meaning of its own
        carrier: { header: Content_Length }
        => 1:20: {carrier} 'Content_Length'; this field has a meaning of its own
        carrier: { header: User-Agent }
        => 1:20: {carrier} 'User-Agent'; this field has a meaning of its own
        carrier: { header: x_request_id }
        => 1:20: {carrier} 'x_request_id'; this field has a meaning of its own
        carrier: { header: X-Forwarded-Session }
        => 1:20: {carrier} 'X-Forwarded-Session'; this field has a meaning of its own
        client_header: drop
        => 1:16: expected 'track', 'strip' or 'reject' for 'session.client_header', found 'drop'
        client_unknown: reject
        => 1:17: expected 'forward' or 'refuse' for 'session.client_unknown', found 'reject'
        cookie: { name: "a;b", same_site: Lax, secure: yes }
        => 1:17: {cookie} 'a;b'; it is not a cookie name
        => 1:35: expected 'lax', 'strict' or 'none' for 'session.cookie.same_site', found 'Lax'; \
        did you mean 'lax'?
        => 1:48: expected 'auto', 'always' or 'never' for 'session.cookie.secure', found 'yes'
        cookie: { name: __Host-a, same_site: none, secure: never }
        => 1:17: {cookie} '__Host-a'; the prefix is added where it is due
        => 1:38: browsers refuse 'same_site: none' with 'secure: never'
        idle_timeout: 0s
        => 1:15: expected a duration (such as 12h) from 1s to 400d for 'session.idle_timeout', \
        found '0s'
        idle_timeout: 8d
        max_age: 7d
        => 1:15: 'session.idle_timeout' is longer than 'session.max_age' (7d)
        idle_timeout: 8d
        max_age: 7
        => 2:10: expected a duration (such as 7d) from 1s to 400d for 'session.max_age', \
        found '7'; the unit is missing: ms, s, m, h or d
        exempt: /health
        => 1:9: expected a list of request patterns (such as /health) for 'session.exempt', \
        found '/health'; one value is a list too: [ /health ]
        exempt:
        => 1:8: expected a list of request patterns (such as /health) for 'session.exempt', \
        found nothing; an empty list is written []
        exempt: [ post /x, /a*b, x, GET  /x, /x?y ]
        => 1:11: {exempt} 'post /x'; did you mean 'POST /x'?
        => 1:20: {exempt} '/a*b'; '*' may stand only at the end
        => 1:26: {exempt} 'x'; the path must begin with '/'
        => 1:29: {exempt} 'GET  /x'; one blank stands between the method and the path
        => 1:38: {exempt} '/x?y'; patterns are compared with the path, without '?' and '#'
        exempt: [ "GET ", "", "*", /ü, "(x) /a" ]
        => 1:11: {exempt} 'GET '; the path must begin with '/'
        => 1:19: {exempt} ''; the path must begin with '/'
        => 1:23: {exempt} '*'; the path must begin with '/'
        => 1:28: {exempt} '/ü'; the path is visible ASCII; encode the rest as %XX
        => 1:32: {exempt} '(x) /a'; '(x)' is not a method
        exempt: [ /a, /b ]
        required: [ /b ]
        => 2:11: 'session.required' and 'session.exempt' name the same requests
        cross_site: pass
        => 1:13: expected 'refuse' or 'allow' for 'session.cross_site', found 'pass'
        endpoints: /.lychgate
        status_path: /api/session/*
        => 1:12: expected a path or 'off' for 'session.endpoints', found '/.lychgate'; \
        it must end with '/'
        => 2:14: expected a path or 'off' for 'session.status_path', found '/api/session/*'; \
        it is one path, without '?' and '*'
        endpoints: /
        status_path: status
        => 1:12: expected a path or 'off' for 'session.endpoints', found '/'; \
        nothing would be left for the backend
        => 2:14: expected a path or 'off' for 'session.status_path', found 'status'; \
        it must begin with '/'
        """

    static let rules = """
        capture: { header: X }
        => 1:10: expected a list of capture rules for 'session.capture', found a mapping
        capture: [ X ]
        => 1:12: expected a mapping (such as { header: X-Session-ID }) for 'session.capture', \
        found 'X'
        capture: [ { json: /x } ]
        => 1:12: a 'json' rule needs 'on', the request whose answer is looked into
        capture: [ { on: /x } ]
        => 1:12: a capture rule needs 'header', 'cookie' or 'json'
        capture: [ {}, ~ ]
        => 1:12: a capture rule needs 'header', 'cookie' or 'json'
        => 1:16: a capture rule needs 'header', 'cookie' or 'json'
        capture: [ { header: X, on: /x } ]
        => 1:12: 'on' belongs to a rule with 'json'
        capture: [ { header: X, redact: false }, { header: X, keep: false } ]
        => 1:12: 'redact' belongs to a rule with 'json'
        => 1:42: 'keep' belongs to a rule with 'cookie'
        capture: [ { header: X, json: /x, on: /x } ]
        => 1:12: a capture rule has 'header', 'cookie' or 'json', one of them
        capture: [ { cookie: A, redact: true }, { cookie: A, on: /x } ]
        => 1:12: 'redact' belongs to a rule with 'json'
        => 1:41: 'on' belongs to a rule with 'json'
        capture: [ { json: /x, on: /x, keep: true } ]
        => 1:12: 'keep' belongs to a rule with 'cookie'
        capture: [ { header: Transfer-Encoding }, { header: Keep_Alive } ]
        => 1:22: {capture} 'Transfer-Encoding'; this field is about the connection and its messages
        => 1:53: {capture} 'Keep_Alive'; this field is about the connection and its messages
        capture: [ { header: Set-Cookie }, { header: "x:" } ]
        => 1:22: {capture} 'Set-Cookie'; a cookie is captured with 'cookie: NAME'
        => 1:46: {capture} 'x:'; it is not a field name
        capture: [ { cookie: "a=b", keep: yes } ]
        => 1:22: expected the name of a cookie for 'session.capture.cookie', found 'a=b'; \
        it is not a cookie name
        => 1:35: expected 'false' or 'true' for 'session.capture.keep', found 'yes'
        capture: [ { json: x, on: x } ]
        => 1:20: expected a JSON pointer (such as /sessionId) for 'session.capture.json', \
        found 'x'; it must begin with '/'
        => 1:27: {on} for 'session.capture.on', found 'x'; the path must begin with '/'
        end: [ POST /x ]
        => 1:8: expected a mapping (such as 'on: POST /api/disconnect') for 'session.end', \
        found 'POST /x'
        end: [ {}, { on: x } ]
        => 1:8: an end rule needs 'on'
        => 1:18: {on} for 'session.end.on', found 'x'; the path must begin with '/'
        """

    static let words = """
        jar: { store: redis, capacity: 0, tombstones: 1e6 }
        => 1:15: 'jar.store: redis' {not}; for now it is 'memory'
        => 1:32: expected a number from 1 to 100000000 for 'jar.capacity', found '0'
        => 1:47: expected a number from 1 to 100000000 for 'jar.tombstones', found '1e6'
        stale: { status: 399, reason: "", message: "a\\nb", pages: login }
        => 1:18: expected a number from 400 to 499 for 'stale.status', found '399'
        => 1:31: expected a text for 'stale.reason', found ''; it is empty
        => 1:44: expected a text for 'stale.message', found 'a\\u{a}b'; \
        it must not contain control characters
        => 1:59: expected 'pass', 'answer' or a path (such as /login) for 'stale.pages', \
        found 'login'; it must begin with '/'
        stale: { pages: //evil.example/ }
        => 1:17: expected 'pass', 'answer' or a path (such as /login) for 'stale.pages', \
        found '//evil.example/'; it is a place on another host
        stale: { pages: /\\evil.example/ }
        => 1:17: expected 'pass', 'answer' or a path (such as /login) for 'stale.pages', \
        found '/\\evil.example/'; it is a place on another host
        stale: { status: 500, reason: [], message: }
        => 1:18: expected a number from 400 to 499 for 'stale.status', found '500'
        => 1:31: expected a text for 'stale.reason', found a list
        => 1:44: expected a text for 'stale.message', found nothing
        cors: { origins: [ "http://a" ], preflight: answers }
        => 1:45: expected 'pass' or 'answer' for 'cors.preflight', found 'answers'; \
        did you mean 'answer'?
        cors: { origins: [ "*", "null", ftp://a, "http://a/", "http://u@a", "http://a:0" ] }
        => 1:20: {origin} '*'; each origin that is trusted is named
        => 1:25: {origin} 'null'; each origin that is trusted is named
        => 1:33: {origin} 'ftp://a'; it begins with http:// or https://
        => 1:42: {origin} 'http://a/'; it ends after the host and perhaps a port
        => 1:55: {origin} 'http://u@a'; it ends after the host and perhaps a port
        => 1:69: {origin} 'http://a:0'; the port must be a number from 1 to 65535
        cors: { origins: http://a }
        => 1:18: expected a list of origins for 'cors.origins', found 'http://a'; \
        one value is a list too: [ http://a ]
        admin: { listen: 127.0.0.1:9901, probes: 0.0.0.0:9902 }
        => 1:18: 'admin.listen' {not}; leave it out or set it to 'off'
        => 1:42: 'admin.probes' {not}; leave it out or set it to 'off'
        admin: 127.0.0.1:9901
        => 1:8: expected a mapping (such as { listen: off, probes: off }) for 'admin', \
        found '127.0.0.1:9901'
        log: { level: warn, format: yaml, access: stderr }
        => 1:15: expected 'debug', 'info', 'warning' or 'error' for 'log.level', found 'warn'; \
        did you mean 'warning'?
        => 1:29: expected 'text' or 'json' for 'log.format', found 'yaml'
        => 1:43: expected 'off', 'common', 'combined' or 'json' for 'log.access', found 'stderr'
        via: a b
        => 1:6: expected a name or 'off' for 'via', found 'a b'; \
        a name is at most 64 letters, digits, '-', '_' and '.'
        via: ~
        => 1:6: expected a name or 'off' for 'via', found nothing
        trusted_proxies: 10.0.0.0/8
        => 1:18: expected a list of addresses and CIDR blocks for 'trusted_proxies', \
        found '10.0.0.0/8'; one value is a list too: [ 10.0.0.0/8 ]
        trusted_proxies: [ 10.0.0.1/8, "fd00::1/8", 10.0.0.0/33, "::/129", 1.2.3.4/, 1.2.3.4/+8 ]
        => 1:20: {proxy} '10.0.0.1/8'; bits behind the prefix are set, so another block may be meant
        => 1:32: {proxy} 'fd00::1/8'; bits behind the prefix are set, so another block may be meant
        => 1:45: {proxy} '10.0.0.0/33'; the length of the prefix is a number from 0 to 32
        => 1:58: {proxy} '::/129'; the length of the prefix is a number from 0 to 128
        => 1:68: {proxy} '1.2.3.4/'; the length of the prefix is a number from 0 to 32
        => 1:78: {proxy} '1.2.3.4/+8'; the length of the prefix is a number from 0 to 32
        trusted_proxies: [ x, 1.2.3, 1.2.3.04, "1::2::3", ":::", "1:2:3:4:5:6:7", "::12345" ]
        => 1:20: {proxy} 'x'
        => 1:23: {proxy} '1.2.3'
        => 1:30: {proxy} '1.2.3.04'
        => 1:40: {proxy} '1::2::3'
        => 1:51: {proxy} ':::'
        => 1:58: {proxy} '1:2:3:4:5:6:7'
        => 1:75: {proxy} '::12345'
        trusted_proxies: [ "1:2:3:4:5:6:7:8::", ":1::", "::1.2.3.4:1", "::1.2.3", "fe80::1%lo", [] ]
        => 1:20: {proxy} '1:2:3:4:5:6:7:8::'
        => 1:41: {proxy} ':1::'
        => 1:49: {proxy} '::1.2.3.4:1'
        => 1:64: {proxy} '::1.2.3'
        => 1:75: {proxy} 'fe80::1%lo'
        => 1:89: {proxy} a list
        """

    static let expected = [
        "metric": "a metric is named by letters, digits, '_' and ':', without labels",
        "framing": "is about the connection and its messages: Lychgate sets it",
        "value": "is empty, begins or ends with a blank, or has control characters",
        "url": "expected a URL with its path (such as http://127.0.0.1:9001/health) for "
            + "'identity.url', found",
        "not": "is not implemented yet",
        "origin": "expected an origin (such as https://app.example) for 'cors.origins', found",
        "it":
            "expected an identity source (json:/pointer, header:NAME or metric:NAME) for "
            + "'identity.from', found",
        "carrier": "expected the name of a field for 'session.carrier.header', found",
        "cookie": "expected the name of a cookie for 'session.cookie.name', found",
        "capture": "expected the name of a response field for 'session.capture.header', found",
        "on": "expected a request pattern ([METHOD ]/path, a '*' only at the end)",
        "exempt": "expected a request pattern ([METHOD ]/path, a '*' only at the end) for "
            + "'session.exempt', found",
        "proxy": "expected an address or a CIDR block (such as 10.0.0.0/8 or fd00::/8) for "
            + "'trusted_proxies', found",
    ]
}

@Suite("9 Rules and words that are bad")
struct BadRuleTests {
    @Test("3 identity", arguments: Bad.cases(Tables.identities, Tables.expected))
    func identity(_ bad: Bad) {
        #expect(problems("upstream: http://u:1\n" + bad.text) == bad.problems)
    }

    @Test(
        "2 session",
        arguments: Bad.cases(Tables.sessions, Tables.expected)
            + Bad.cases(Tables.rules, Tables.expected)
    )
    func session(_ bad: Bad) {
        // The table has the section alone: the places are those of the section, moved.
        let indented = bad.text.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
        let moved = bad.problems.map { problem in
            let parts = problem.split(separator: ":", maxSplits: 2).map(String.init)
            let line = (Int(parts[0]) ?? 0) + 2
            let column = (Int(parts[1]) ?? 0) + 2
            return "\(line):\(column):\(parts[2])"
        }
        #expect(problems("upstream: http://u:1\nsession:\n" + indented) == moved)
    }

    @Test("9 words and blocks", arguments: Bad.cases(Tables.words, Tables.expected))
    func words(_ bad: Bad) {
        #expect(problems(bad.text + "\nupstream: http://u:1") == bad.problems)
    }
}
