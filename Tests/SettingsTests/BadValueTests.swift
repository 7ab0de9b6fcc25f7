import Settings
import Testing
import YAML

/// The cases, each with all its problems.
private enum Tables {
    static let keys = """
        lisen: a:1
        => 2:1: unknown key 'lisen'; did you mean 'listen'?
        Listen: a:1
        => 2:1: unknown key 'Listen'; did you mean 'listen'?
        trustedProxies: []
        => 2:1: unknown key 'trustedProxies'; did you mean 'trusted_proxies'?
        trusted-proxies: []
        => 2:1: unknown key 'trusted-proxies'; did you mean 'trusted_proxies'?
        interval: 5s
        => 2:1: unknown key 'interval'; it belongs to 'identity'
        grace: 5s
        => 2:1: unknown key 'grace'; it belongs to 'identity' or 'shutdown'
        idle_timeot: 5s
        => 2:1: unknown key 'idle_timeot'; did you mean 'upstream.idle_timeout'?
        log: { workers: 1 }
        => 2:8: unknown key 'workers'; it belongs to the top of the file
        log: { lvel: info }
        => 2:8: unknown key 'lvel'; did you mean 'level'?
        log: { banana: 1, x: 2, '': 3, "a\\eb": 4 }
        => 2:8: unknown key 'banana'; the keys of 'log' are level, format, access
        => 2:19: unknown key 'x'; the keys of 'log' are level, format, access
        => 2:25: unknown key ''; the keys of 'log' are level, format, access
        => 2:32: unknown key 'a\\u{1b}b'; the keys of 'log' are level, format, access
        listen: { address: a:1, adress: b:2 }
        => 2:25: unknown key 'adress'; did you mean 'address'?
        session: { cookie: { sameSite: lax } }
        => 2:22: unknown key 'sameSite'; did you mean 'same_site'?
        session: { end: [ { json: /a } ] }
        => 2:21: unknown key 'json'; it belongs to 'session.capture'
        log: 5
        => 2:6: expected a mapping (such as { level: info }) for 'log', found '5'
        log: [ level ]
        => 2:6: expected a mapping (such as { level: info }) for 'log', found a list
        """

    static let addresses = """
        listen: 8080
        => 2:9: {it} '8080'; did you mean '127.0.0.1:8080'?
        listen: localhost
        => 2:9: {it} 'localhost'; the port is missing
        listen: "localhost:"
        => 2:9: {it} 'localhost:'; {port}
        listen: a:0
        => 2:9: {it} 'a:0'; {port}
        listen: a:65536
        => 2:9: {it} 'a:65536'; {port}
        listen: a:+80
        => 2:9: {it} 'a:+80'; {port}
        listen: :80
        => 2:9: {it} ':80'; the host is missing
        listen: 1.2.3.256:80
        => 2:9: {it} '1.2.3.256:80'; '1.2.3.256' is not an IPv4 address
        listen: 01.2.3.4:80
        => 2:9: {it} '01.2.3.4:80'; '01.2.3.4' is not an IPv4 address
        listen: 77:80
        => 2:9: {it} '77:80'; '77' is not a host
        listen: -a:80
        => 2:9: {it} '-a:80'; '-a' is not a host name
        listen: a..b:80
        => 2:9: {it} 'a..b:80'; 'a..b' is not a host name
        listen: ä:80
        => 2:9: {it} 'ä:80'; 'ä' is not a host name
        listen: ::1:80
        => 2:9: {it} '::1:80'; an IPv6 address stands in brackets: [v6]:port
        listen: "[::1]"
        => 2:9: {it} '[::1]'; the port is missing
        listen: "[::1]x:80"
        => 2:9: {it} '[::1]x:80'; the port is missing
        listen: "[::1:80"
        => 2:9: {it} '[::1:80'; ']' is missing
        listen: "[::g]:80"
        => 2:9: {it} '[::g]:80'; '::g' is not an IPv6 address
        listen: "[1.2.3.4]:80"
        => 2:9: {it} '[1.2.3.4]:80'; '1.2.3.4' is not an IPv6 address
        listen: unix:run
        => 2:9: {it} 'unix:run'; the path of a unix socket must begin with '/'
        listen: unix:/a b
        => 2:9: {it} 'unix:/a b'; the path must not contain blanks or control characters
        listen: http://a:1
        => 2:9: {it} 'http://a:1'; a URL stands only in 'upstream'
        listen: []
        => 2:9: expected at least one address for 'listen', found an empty list
        listen: [ [ a:1 ], ~, b:1 ]
        => 2:11: {it} a list
        => 2:20: {it} nothing
        listen:
        => 2:8: {it} nothing
        listen: {}
        => 2:9: expected an 'address' for 'listen', found none
        listen: [ a:1, b:1, A:1 ]
        => 2:21: this address is listened on twice
        listen: [ "[::1]:1", "[0:0:0::1]:1" ]
        => 2:22: this address is listened on twice
        listen: { address: a:1, http2: true, tls: {} }
        => 2:32: 'listen.http2: true' is not implemented yet; for now it is 'false'
        => 2:43: expected a 'certificate' and a 'key' for 'listen.tls'
        listen: { address: a:1, tls: { certificate: c.pem } }
        => 2:45: a 'key' is missing for the certificate
        listen: { address: a:1, tls: { key: k.pem } }
        => 2:37: a 'certificate' is missing for the key
        listen: { address: a:1, tls: { certificates: [ { certificate: c.pem } ] } }
        => 2:63: a 'key' is missing for the certificate
        listen: { address: a:1, tls: { certificates: [ {} ] } }
        => 2:48: expected a 'certificate' and a 'key' for 'listen.tls.certificates'
        listen: { address: a:1, tls: { certificate: c, key: k, min_version: 1.1 } }
        => 2:69: expected '1.2' or '1.3' for 'listen.tls.min_version', found '1.1'; \
        did you mean '1.2'?
        listen: { address: a:1, tls: { certificate: c, key: k, curves: [] } }
        => 2:64: expected at least one of curves for 'listen.tls.curves', found an empty list
        listen: { address: a:1, tls: { certificate: c, key: k, ciphers: [ "A:B" ] } }
        => 2:67: expected a name of OpenSSL's for 'listen.tls.ciphers', found 'A:B'
        listen: { address: a:1, tls: { certificate: c, key: k, client_auth: optional } }
        => 2:69: 'listen.tls.client_auth' needs a 'client_ca'
        listen: [ u:1 ]
        => 1:11: the upstream is the address that Lychgate itself listens on
        """

    static let upstreams = """
        upstream: a:1
        => 1:11: {it} 'a:1'; did you mean 'http://a:1'?
        upstream: a
        => 1:11: {it} 'a'
        upstream: ftp://a
        => 1:11: {it} 'ftp://a'; the scheme must be http or https
        upstream: http://
        => 1:11: {it} 'http://'; the host is missing
        upstream: http://a/b
        => 1:11: {it} 'http://a/b'; it must end after the port: the path is the client's
        upstream: http://a?b
        => 1:11: {it} 'http://a?b'; it must end after the port: the path is the client's
        upstream: http://a:b@c
        => 1:11: {it} 'http://a:b@c'; a user name in it is not supported
        upstream: http://a:x
        => 1:11: {it} 'http://a:x'; {port}
        upstream: [ http://a ]
        => 1:11: {it} a list
        upstream:
        => 1:10: {it} nothing
        upstream: {}
        => 1:11: expected a 'url' for 'upstream', found none
        upstream: { hold: off }
        => 1:11: expected a 'url' for 'upstream', found none
        upstream: { ulr: http://a }
        => 1:13: unknown key 'ulr'; did you mean 'url'?
        upstream: { url: http://a, tls: {}, hold: on }
        => 1:33: 'upstream.tls' needs a 'url' that begins with https://
        => 1:43: expected 'off' or a duration (such as 10s) from 1ms to 1h for 'upstream.hold', \
        found 'on'
        upstream: { url: http://a, hold: 0s }
        => 1:34: expected 'off' or a duration (such as 10s) from 1ms to 1h for 'upstream.hold', \
        found '0s'
        upstream: { url: http://a, max_connections: "4" }
        => 1:45: expected a number from 1 to 65535 for 'upstream.max_connections', \
        found the text '4'; without its quotes it is a number
        upstream: { url: http://a, max_connections: 0 }
        => 1:45: expected a number from 1 to 65535 for 'upstream.max_connections', found '0'
        upstream: { url: http://a, max_connections: 9999999999999 }
        => 1:45: expected a number from 1 to 65535 for 'upstream.max_connections', \
        found '9999999999999'; it is too great
        log: {}
        => 1:1: {none}

        => 1:1: {none}
        ~
        => 1:1: {none}
        # nothing
        => 1:1: {none}
        - a
        => 1:1: {whole}, found a list
        a
        => 1:1: {whole}, found 'a'
        upstream: http://127.0.0.1:8080
        => 1:11: the upstream is the address that Lychgate itself listens on
        upstream: { url: http://localhost:1 }
        listen: 0.0.0.0:1
        => 1:18: the upstream is the address that Lychgate itself listens on
        upstream: unix:/a
        listen: [ b:1, unix:/a ]
        => 1:11: the upstream is the address that Lychgate itself listens on
        listen: 127.0.0.1:8000
        upstream: b
        => 2:11: {it} 'b'
        """

    static let quantities = """
        timeouts: { header: 10, body_idle: 5x, keepalive: , write_idle: {} }
        => 2:21: {it} 10s) from 1ms to 7d for 'timeouts.header', found '10'{unit}
        => 2:36: {it} 30s) from 1ms to 7d for 'timeouts.body_idle', found '5x'{units}
        => 2:51: {it} 75s) from 1ms to 7d for 'timeouts.keepalive', found nothing
        => 2:65: {it} 30s) from 1ms to 7d for 'timeouts.write_idle', found a mapping
        timeouts: { header: 0s, body_idle: 8d, keepalive: 1.5s, write_idle: -1s }
        => 2:21: {it} 10s) from 1ms to 7d for 'timeouts.header', found '0s'
        => 2:36: {it} 30s) from 1ms to 7d for 'timeouts.body_idle', found '8d'
        => 2:51: {it} 75s) from 1ms to 7d for 'timeouts.keepalive', found '1.5s'{units}
        => 2:69: {it} 30s) from 1ms to 7d for 'timeouts.write_idle', found '-1s'
        timeouts: { header: 1h30m, body_idle: 5S, keepalive: 999999999999d, write_idle: s }
        => 2:21: {it} 10s) from 1ms to 7d for 'timeouts.header', found '1h30m'{units}
        => 2:39: {it} 30s) from 1ms to 7d for 'timeouts.body_idle', found '5S'{units}
        => 2:54: {it} 75s) from 1ms to 7d for 'timeouts.keepalive', found '999999999999d'
        => 2:81: {it} 30s) from 1ms to 7d for 'timeouts.write_idle', found 's'
        shutdown: { grace: 2h }
        => 2:20: {it} 10s) from 0s to 1h for 'shutdown.grace', found '2h'
        shutdown: 10s
        => 2:11: expected a mapping (such as { grace: 10s }) for 'shutdown', found '10s'
        limits: { header_bytes: 32KB, target_bytes: 9999999999GiB, body_bytes: on }
        => 2:25: expected a size (such as 32KiB) from 1KiB to 1MiB for 'limits.header_bytes', \
        found '32KB'; the units are KiB, MiB and GiB, or none for bytes
        => 2:45: expected a size (such as 8KiB) from 64 to 1MiB for 'limits.target_bytes', \
        found '9999999999GiB'; it is too great
        => 2:72: expected 'off' or a size (such as 1MiB) from 1 to 1024GiB for \
        'limits.body_bytes', found 'on'
        limits: { header_bytes: 1023, target_bytes: 2MiB, header_count: 0, connections: ~ }
        => 2:25: expected a size (such as 32KiB) from 1KiB to 1MiB for 'limits.header_bytes', \
        found '1023'
        => 2:45: expected a size (such as 8KiB) from 64 to 1MiB for 'limits.target_bytes', \
        found '2MiB'
        => 2:65: expected a number from 1 to 10000 for 'limits.header_count', found '0'
        => 2:81: expected a number from 1 to 10000000 for 'limits.connections', found nothing
        limits: { header_bytes: 4KiB, target_bytes: 8KiB }
        => 2:45: 'limits.target_bytes' is greater than 'limits.header_bytes' (4KiB), \
        of which the target is a part
        workers: 0
        => 2:10: {workers} '0'
        workers: 257
        => 2:10: {workers} '257'
        workers: many
        => 2:10: {workers} 'many'
        workers: "4"
        => 2:10: {workers} the text '4'; without its quotes it is a number
        workers: [ 4 ]
        => 2:10: {workers} a list
        """
}

@Suite("9 Values that are bad, each with its place and what was expected")
struct BadValueTests {
    @Test("9 keys", arguments: Bad.cases(Tables.keys))
    func keys(_ bad: Bad) {
        #expect(problems("upstream: http://u:1\n" + bad.text) == bad.problems)
    }

    @Test(
        "9 addresses",
        arguments: Bad.cases(
            Tables.addresses,
            [
                "it":
                    "expected an address (host:port, [v6]:port or unix:/path) for 'listen', found",
                "port": "the port must be a number from 1 to 65535",
            ]
        )
    )
    func addresses(_ bad: Bad) {
        #expect(problems("upstream: http://u:1\n" + bad.text) == bad.problems)
    }

    @Test(
        "9 the upstream",
        arguments: Bad.cases(
            Tables.upstreams,
            [
                "it":
                    "expected a URL (http://host:port, https://host:port or unix:/path) or "
                    + "a mapping for 'upstream', found",
                "port": "the port must be a number from 1 to 65535",
                "off": "is not implemented yet; leave it out or set it to 'off'",
                "none": "no upstream: set 'upstream: http://127.0.0.1:8000' in the file or give "
                    + "--upstream http://127.0.0.1:8000",
                "whole": "expected a mapping (such as 'upstream: http://127.0.0.1:8000')",
            ]
        )
    )
    func upstream(_ bad: Bad) {
        #expect(problems(bad.text) == bad.problems)
    }

    @Test(
        "9 durations, sizes and numbers",
        arguments: Bad.cases(
            Tables.quantities,
            [
                "it": "expected a duration (such as",
                "unit": "; the unit is missing: ms, s, m, h or d",
                "units": "; the units are ms, s, m, h and d",
                "off": "is not implemented yet; leave it out or set it to 'off'",
                "workers": "expected 'auto' or a number from 1 to 256 for 'workers', found",
            ]
        )
    )
    func quantities(_ bad: Bad) {
        #expect(problems("upstream: http://u:1\n" + bad.text) == bad.problems)
    }
}
