import HTTP1
import HTTPModel

/// Requests that are in order, and malformed start lines, targets, hosts and field lines.
enum RequestCorpus {
    static let all = sound + startLines + targets + hosts + fields

    static let sound: [HeadCase] = [
        HeadCase("minimal", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", .accepted(.none)),
        HeadCase(
            "one empty line before",
            "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            .accepted(.none)
        ),
        HeadCase("HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", .closes(.none)),
        HeadCase("HTTP/1.0 with Host", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", .closes(.none)),
        HeadCase(
            "HTTP/1.0 keep-alive",
            "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            .accepted(.none)
        ),
        HeadCase(
            "HTTP/1.0 with a length",
            "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\n",
            .closes(.length(3))
        ),
        HeadCase("HTTP/1.2 is read as 1.1", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", .accepted(.none)),
        HeadCase("unknown method", "PURGE / HTTP/1.1\r\nHost: a\r\n\r\n", .accepted(.none)),
        HeadCase(
            "odd token method",
            "A!#$%&'*+-.^_`|~9 / HTTP/1.1\r\nHost: a\r\n\r\n",
            .accepted(.none)
        ),
        HeadCase("lower-case method", "get / HTTP/1.1\r\nHost: a\r\n\r\n", .accepted(.none)),
        HeadCase(
            "method of 32 bytes",
            "ABCDEFGHABCDEFGHABCDEFGHABCDEFGH / HTTP/1.1\r\nHost: a\r\n\r\n",
            .accepted(.none)
        ),
        .lines("empty value", "X:", .accepted(.none)),
        .lines("value of blanks", "X: \t  \t", .accepted(.none)),
        .lines("no blank behind the colon", "X:y", .accepted(.none)),
        .lines("blanks around a value", "X: \t y \t ", .accepted(.none)),
        .lines("tab within a value", "X: a\tb\tcdefghijklmnop\tq", .accepted(.none)),
        .lines("obs-text in a value", "X: \u{80}\u{FF}\u{C3}\u{A9}", .accepted(.none)),
        .lines("odd token name", "!#$%&'*+-.^_`|~09aZ: y", .accepted(.none)),
        .lines("underscore in a name", "X_Session_ID: y", .accepted(.none)),
        .lines("close", "Connection: close", .closes(.none)),
        .lines("close in capitals", "connection: CLOSE", .closes(.none)),
        .lines("close among others", "Connection: foo, keep-alive, close", .closes(.none)),
        .lines("close on the second line", "Connection: x\r\nConnection: close", .closes(.none)),
        .lines("keep-alive", "Connection: keep-alive", .accepted(.none)),
        .lines("Connection is no token list", "Connection: close now", .closes(.none)),
        .post("length", "Content-Length: 5", .accepted(.length(5))),
        .post("length of zero", "Content-Length: 0", .accepted(.none)),
        .post("length with zeros before", "Content-Length: 0005", .accepted(.length(5))),
        .post(
            "greatest length",
            "Content-Length: 9223372036854775807",
            .accepted(.length(9_223_372_036_854_775_807))
        ),
        .post("length with blanks around", "Content-Length: \t5 ", .accepted(.length(5))),
        .post("chunked", "Transfer-Encoding: chunked", .accepted(.chunked)),
        .post("chunked in capitals", "TRANSFER-ENCODING: Chunked", .accepted(.chunked)),
        .lines("GET with a length", "Content-Length: 5", .accepted(.length(5))),
        .lines("GET with chunks", "Transfer-Encoding: chunked", .accepted(.chunked)),
        .post("no length means no content", "X: y", .accepted(.none)),
        .post("expects 100", "Expect: 100-continue\r\nContent-Length: 1", .accepted(.length(1))),
        .post("expects 100 in capitals", "Expect: 100-Continue", .accepted(.none)),
        .post("expects something else", "Expect: 200-ok", .refused(417, .unknownExpectation)),
        .post(
            "expects 100 and more",
            "Expect: 100-continue, x",
            .refused(417, .unknownExpectation)
        ),
        .post("expects nothing", "Expect:", .refused(417, .unknownExpectation)),
        HeadCase("nothing", "", .incomplete),
        HeadCase("half a method", "GE", .incomplete),
        HeadCase("half a target", "GET /abc", .incomplete),
        HeadCase("half a version", "GET / HTTP/1", .incomplete),
        HeadCase("half an end of line", "GET / HTTP/1.1\r", .incomplete),
        HeadCase("half a name", "GET / HTTP/1.1\r\nHos", .incomplete),
        HeadCase("half a value", "GET / HTTP/1.1\r\nHost: a", .incomplete),
        HeadCase("all but the last line", "GET / HTTP/1.1\r\nHost: a\r\n", .incomplete),
        HeadCase("all but the last byte", "GET / HTTP/1.1\r\nHost: a\r\n\r", .incomplete),
    ]

    static let startLines: [HeadCase] = [
        HeadCase("two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\n\r\n", .bad(.emptyLines)),
        HeadCase("line feed before", "\nGET / HTTP/1.1\r\n\r\n", .bad(.bareLineFeed)),
        HeadCase("carriage return before", "\rGET / HTTP/1.1\r\n\r\n", .bad(.bareCarriageReturn)),
        HeadCase("space before", " GET / HTTP/1.1\r\n\r\n", .bad(.notHTTP)),
        HeadCase("TLS hello", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", .bad(.notHTTP)),
        HeadCase("SSH hello", "SSH-2.0-OpenSSH_9.2\r\n", .bad(.badStartLine)),
        HeadCase("binary", "\u{0}\u{1}\u{2}", .bad(.notHTTP)),
        HeadCase("proxy protocol", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n", .bad(.badVersion)),
        HeadCase(
            "HTTP/2 preface",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            .refused(505, .versionNotSupported)
        ),
        HeadCase("HTTP/0.9", "GET /\r\n", .bad(.badStartLine)),
        HeadCase("HTTP/0.9 by line feed", "GET /\n", .bad(.bareLineFeed)),
        HeadCase("method alone", "GET\r\n\r\n", .bad(.badStartLine)),
        HeadCase("two spaces behind the method", "GET  / HTTP/1.1\r\n\r\n", .bad(.badStartLine)),
        HeadCase("two spaces behind the target", "GET /  HTTP/1.1\r\n\r\n", .bad(.badVersion)),
        HeadCase("tab behind the method", "GET\t/ HTTP/1.1\r\n\r\n", .bad(.badMethod)),
        HeadCase("tab behind the target", "GET /\tHTTP/1.1\r\n\r\n", .bad(.badTarget)),
        HeadCase("space behind the version", "GET / HTTP/1.1 \r\n\r\n", .bad(.badVersion)),
        HeadCase("method with a colon", "GET: / HTTP/1.1\r\n\r\n", .bad(.badMethod)),
        HeadCase("method with a slash", "GE/T / HTTP/1.1\r\n\r\n", .bad(.badMethod)),
        HeadCase("method with obs-text", "G\u{C9}T / HTTP/1.1\r\n\r\n", .bad(.badMethod)),
        HeadCase("method with NUL", "G\u{0}T / HTTP/1.1\r\n\r\n", .bad(.badMethod)),
        HeadCase(
            "method of 33 bytes",
            "ABCDEFGHABCDEFGHABCDEFGHABCDEFGHA / HTTP/1.1\r\nHost: a\r\n\r\n",
            .refused(501, .methodTooLong)
        ),
        HeadCase("version in small letters", "GET / http/1.1\r\n\r\n", .bad(.badVersion)),
        HeadCase("version of another protocol", "GET / ICAP/1.0\r\n\r\n", .bad(.badVersion)),
        HeadCase("version 2", "GET / HTTP/2\r\n\r\n", .refused(505, .versionNotSupported)),
        HeadCase("version 2.0", "GET / HTTP/2.0\r\n\r\n", .refused(505, .versionNotSupported)),
        HeadCase("version 0.9", "GET / HTTP/0.9\r\n\r\n", .refused(505, .versionNotSupported)),
        HeadCase("version 1", "GET / HTTP/1\r\n\r\n", .bad(.badVersion)),
        HeadCase("version 1.", "GET / HTTP/1.\r\n\r\n", .bad(.badVersion)),
        HeadCase("version 1.10", "GET / HTTP/1.10\r\n\r\n", .bad(.badVersion)),
        HeadCase("version 01.1", "GET / HTTP/01.1\r\n\r\n", .refused(505, .versionNotSupported)),
        HeadCase("version 1,1", "GET / HTTP/1,1\r\n\r\n", .bad(.badVersion)),
        HeadCase("version +1.1", "GET / HTTP/+1.1\r\n\r\n", .bad(.badVersion)),
        HeadCase("version x", "GET / HTTP/x.1\r\n\r\n", .bad(.badVersion)),
        HeadCase(
            "line feed ends the start line",
            "GET / HTTP/1.1\nHost: a\r\n\r\n",
            .bad(.bareLineFeed)
        ),
        HeadCase(
            "carriage return ends it",
            "GET / HTTP/1.1\rHost: a\r\n\r\n",
            .bad(.bareCarriageReturn)
        ),
        HeadCase(
            "two carriage returns end it",
            "GET / HTTP/1.1\r\r\n\r\n",
            .bad(.bareCarriageReturn)
        ),
        HeadCase(
            "vertical tab behind the version",
            "GET / HTTP/1.1\u{B}\r\n\r\n",
            .bad(.badVersion)
        ),
    ]

    static let targets: [HeadCase] = [
        .target("path and query", "GET /a/b?c=d&e=f?g", .accepted(.none)),
        .target("path of slashes", "GET //evil.example/", .accepted(.none)),
        .target("path with what browsers send", "GET /a|b\"c{d}<e>\\^`", .accepted(.none)),
        .target("escaped bytes", "GET /%00%0d%0a%20", .accepted(.none)),
        .target("absolute", "GET http://example.org/a?b", .accepted(.none)),
        .target("absolute without a path", "GET http://example.org", .accepted(.none)),
        .target("absolute with a query alone", "GET http://example.org?b", .accepted(.none)),
        .target("absolute in capitals", "GET HTTP://EXAMPLE.ORG/", .accepted(.none)),
        .target("absolute https", "GET https://example.org/", .accepted(.none)),
        .target("absolute with the usual port", "GET http://example.org:80/", .accepted(.none)),
        .target(
            "absolute with the usual port of https",
            "GET https://example.org:443/",
            .accepted(.none)
        ),
        .target("absolute with an empty port", "GET http://example.org:/", .accepted(.none)),
        .target("asterisk", "OPTIONS *", .accepted(.none)),
        .target("OPTIONS of a path", "OPTIONS /", .accepted(.none)),
        HeadCase(
            "authority",
            "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n",
            .accepted(.none)
        ),
        .target("absolute of another host", "GET http://example.com/", .accepted(.none)),
        .target("absolute of another port", "GET http://example.org:81/", .accepted(.none)),
        .target(
            "usual port of the other scheme",
            "GET http://example.org:443/",
            .accepted(.none)
        ),
        .target("absolute with user", "GET http://me@example.org/", .bad(.badTarget)),
        .target("absolute with user and password", "GET http://a:b@example.org/", .bad(.badTarget)),
        .target("absolute without a host", "GET http:///a", .bad(.badTarget)),
        .target("absolute of nothing", "GET http://", .bad(.badTarget)),
        .target("absolute with one slash", "GET http:/example.org/", .bad(.badTargetForm)),
        .target("absolute with a wrong port", "GET http://example.org:x/", .bad(.badTarget)),
        .target("absolute with a great port", "GET http://example.org:65536/", .bad(.badTarget)),
        .target("absolute with a broken escape", "GET http://exa%mple.org/", .bad(.badTarget)),
        .target("absolute of ftp", "GET ftp://example.org/", .bad(.badTargetForm)),
        .target("absolute of javascript", "GET javascript:alert(1)", .bad(.badTargetForm)),
        .target("relative", "GET a/b", .bad(.badTargetForm)),
        .target("asterisk of GET", "GET *", .bad(.badTargetForm)),
        .target("asterisk and more", "OPTIONS */", .bad(.badTargetForm)),
        .target("authority of GET", "GET example.org:443", .bad(.badTargetForm)),
        .target("CONNECT without a port", "CONNECT example.org", .bad(.badTargetForm)),
        .target("CONNECT to a path", "CONNECT /", .bad(.badTargetForm)),
        .target("CONNECT to an absolute", "CONNECT http://example.org/", .bad(.badTargetForm)),
        .target("CONNECT to another host", "CONNECT example.com:443", .accepted(.none)),
        .target("query alone", "GET ?a", .bad(.badTargetForm)),
        .target("fragment", "GET /a#b", .bad(.badTarget)),
        .target("obs-text in a target", "GET /\u{C3}\u{A9}", .bad(.badTarget)),
        .target("NUL in a target", "GET /a\u{0}b", .bad(.badTarget)),
        .target("DEL in a target", "GET /a\u{7F}b", .bad(.badTarget)),
        .target("space in a target", "GET /a b", .bad(.badVersion)),
        .target("carriage return in a target", "GET /a\rb", .bad(.badStartLine)),
        .target("line feed in a target", "GET /a\nb", .bad(.bareLineFeed)),
        .target("form feed in a target", "GET /a\u{C}b", .bad(.badTarget)),
    ]

    static let hosts: [HeadCase] = [
        .host("name with a port", "example.org:8080", .accepted(.none)),
        .host("name with an empty port", "example.org:", .accepted(.none)),
        .host("name with an underscore", "my_host", .accepted(.none)),
        .host("IPv4", "127.0.0.1:80", .accepted(.none)),
        .host("IPv6", "[::1]", .accepted(.none)),
        .host("IPv6 with a port", "[2001:db8::1]:8080", .accepted(.none)),
        .host("IPv6 with IPv4", "[::ffff:127.0.0.1]", .accepted(.none)),
        .host("escaped name", "ex%41mple.org", .accepted(.none)),
        .host(
            "long name",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.org:80",
            .accepted(.none)
        ),
        HeadCase("no Host in HTTP/1.1", "GET / HTTP/1.1\r\n\r\n", .bad(.hostMissing)),
        HeadCase(
            "two Hosts",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            .bad(.hostRepeated)
        ),
        HeadCase(
            "two equal Hosts",
            "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n",
            .bad(.hostRepeated)
        ),
        HeadCase(
            "two Hosts in HTTP/1.0",
            "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
            .bad(.hostRepeated)
        ),
        HeadCase(
            "absolute does not replace Host",
            "GET http://a/ HTTP/1.1\r\n\r\n",
            .bad(.hostMissing)
        ),
        HeadCase("absolute in HTTP/1.0", "GET http://a/ HTTP/1.0\r\n\r\n", .closes(.none)),
        .host("empty", "", .bad(.badHost)),
        .host("port alone", ":80", .bad(.badHost)),
        .host("list", "a, b", .bad(.badHost)),
        .host("list without a blank", "a,b", .bad(.badHost)),
        .host("blank within", "a b", .bad(.badHost)),
        .host("path behind", "a/b", .bad(.badHost)),
        .host("query behind", "a?b", .bad(.badHost)),
        .host("fragment behind", "a#b", .bad(.badHost)),
        .host("user before", "me@a", .bad(.badHost)),
        .host("scheme before", "http://a", .bad(.badHost)),
        .host("backslash", "a\\b", .bad(.badHost)),
        .host("port with a sign", "a:+80", .bad(.badHost)),
        .host("port of letters", "a:http", .bad(.badHost)),
        .host("port too great", "a:65536", .bad(.badHost)),
        .host("two ports", "a:80:80", .bad(.badHost)),
        .host("IPv6 without brackets", "::1", .bad(.badHost)),
        .host("IPv6 not closed", "[::1", .bad(.badHost)),
        .host("IPv6 and more", "[::1]a", .bad(.badHost)),
        .host("brackets around nothing", "[]", .bad(.badHost)),
        .host("brackets around a name", "[example]", .bad(.badHost)),
        .host("broken escape", "a%4", .bad(.badHost)),
        .host("escape of no number", "a%zz", .bad(.badHost)),
        .host("obs-text", "ex\u{C3}\u{A4}mple", .bad(.badHost)),
    ]

    static let fields: [HeadCase] = [
        .lines("space before the colon", "X : y", .bad(.spaceBeforeColon)),
        .lines("tab before the colon", "X\t: y", .bad(.spaceBeforeColon)),
        .lines("no colon", "X", .bad(.badFieldName)),
        .lines("no name", ": y", .bad(.badFieldName)),
        .lines("name with a space", "X Y: z", .bad(.spaceBeforeColon)),
        .lines("name with a quote", "X\"Y: z", .bad(.badFieldName)),
        .lines("name with a bracket", "X[0]: z", .bad(.badFieldName)),
        .lines("name with a slash", "X/Y: z", .bad(.badFieldName)),
        .lines("name with NUL", "X\u{0}: z", .bad(.badFieldName)),
        .lines("name with obs-text", "X\u{E9}: z", .bad(.badFieldName)),
        .lines("name with DEL", "X\u{7F}: z", .bad(.badFieldName)),
        .lines("name with a vertical tab", "\u{B}X: z", .bad(.badFieldName)),
        .lines("long name with an error", "abcdefghijklmnopqrst@: z", .bad(.badFieldName)),
        .lines("folded by a space", "X: y\r\n z", .bad(.foldedLine)),
        .lines("folded by a tab", "X: y\r\n\tz", .bad(.foldedLine)),
        .lines("folded empty line", "X: y\r\n ", .bad(.foldedLine)),
        HeadCase(
            "space before the first field",
            "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
            .bad(.foldedLine)
        ),
        .lines("NUL in a value", "X: a\u{0}b", .bad(.badFieldValue)),
        .lines("NUL at the end of a value", "X: abcdefghijklmnop\u{0}", .bad(.badFieldValue)),
        .lines("DEL in a value", "X: a\u{7F}b", .bad(.badFieldValue)),
        .lines("bell in a value", "X: a\u{7}b", .bad(.badFieldValue)),
        .lines("escape in a value", "X: abcdefghijklm\u{1B}[31m", .bad(.badFieldValue)),
        .lines("vertical tab before a value", "X:\u{B}y", .bad(.badFieldValue)),
        .lines("form feed behind a value", "X: y\u{C}", .bad(.badFieldValue)),
        .lines("carriage return in a value", "X: a\rb", .bad(.bareCarriageReturn)),
        .lines("line feed in a value", "X: a\nb", .bad(.bareLineFeed)),
        .lines("two carriage returns", "X: a\r", .bad(.bareCarriageReturn)),
        .lines("line feed ends a line", "X: a\nY: b", .bad(.bareLineFeed)),
        .lines("line feed ends a name", "X\nY: b", .bad(.bareLineFeed)),
        .lines("carriage return ends a name", "X\r\nY: b", .bad(.badFieldName)),
        HeadCase(
            "line feed ends the head",
            "GET / HTTP/1.1\r\nHost: a\r\n\nrest",
            .bad(.bareLineFeed)
        ),
        HeadCase(
            "carriage return ends the head",
            "GET / HTTP/1.1\r\nHost: a\r\n\rrest",
            .bad(.bareCarriageReturn)
        ),
        HeadCase(
            "line feeds alone",
            "GET / HTTP/1.1\nHost: a\n\n",
            .bad(.bareLineFeed)
        ),
    ]
}
