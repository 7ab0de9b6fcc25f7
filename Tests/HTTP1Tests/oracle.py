"""Compares our verdicts on a corpus of HTTP/1.1 messages with those of h11 and httptools.

Reads JSON lines from standard input, one case a line, and prints every difference that the table
below does not explain, and every row of the table that explains nothing. Exits 0 if there is none.

    name     of the case
    kind     "request", "response" or "content"
    message  the bytes, in base64
    method   for a response: the method that it answers
    framing  "none", "length N", "chunked" or "untilClose"; for a message that we accept
    verdict  "accepted", "incomplete" or "refused"
    content  for content that we accept: the decoded bytes, in base64
"""

import base64
import json
import sys

import h11
import httptools
from h11 import _connection as h11_internals

# A row: the oracles, what they do, the kind of the cases, why we differ, the names of the cases.
LENIENT = "accepts what we refuse"
STRICT = "refuses what we accept"
FRAMING = "ends the content elsewhere"
LATE = "wants more before it refuses"

KNOWN = [
    (
        "h11 httptools", LENIENT, "request",
        "The value of Host is not their business (RFC 9112 3.2 makes it a server's).",
        [
            "path behind", "query behind", "fragment behind", "user before", "scheme before",
            "backslash", "port with a sign", "port of letters", "port too great", "two ports",
            "IPv6 without brackets", "IPv6 not closed", "IPv6 and more",
            "brackets around nothing", "brackets around a name", "broken escape",
            "escape of no number", "obs-text", "empty", "port alone", "list",
            "list without a blank", "blank within",
        ],
    ),
    (
        "httptools", LENIENT, "request",
        "Nor how many Hosts there are.",
        [
            "no Host in HTTP/1.1", "two Hosts", "two equal Hosts", "two Hosts in HTTP/1.0",
            "absolute does not replace Host",
        ],
    ),
    (
        "h11 httptools", LENIENT, "request",
        "Nor the form of a target and what it says beside Host (RFC 9112 3.2).",
        [
            "absolute with user",
            "absolute with user and password", "absolute without a host", "absolute of nothing",
            "absolute with a wrong port", "absolute with a great port",
            "absolute with a broken escape", "absolute of ftp", "asterisk of GET",
            "asterisk and more", "CONNECT without a port", "CONNECT to a path",
            "CONNECT to an absolute", "fragment",
        ],
    ),
    (
        "h11", LENIENT, "request",
        "The same; h11 takes any visible target.",
        [
            "absolute with one slash", "absolute of javascript", "relative", "authority of GET",
            "query alone",
        ],
    ),
    (
        "h11 httptools", LENIENT, "request",
        "Expectations and nominations are left to the application.",
        [
            "expects something else", "expects 100 and more", "expects nothing",
            "Connection nominates too much",
        ],
    ),
    (
        "h11 httptools", LENIENT, "request",
        "What an application behind CGI makes of a name with an underscore they leave to it.",
        [
            "TE with an underscore, which CGI takes for the same",
            "Content-Length with an underscore",
            "Content-Length with an underscore, in capitals, beside the real one",
        ],
    ),
    (
        "h11", STRICT, "request",
        "RFC 9112 2.2: a server should pass over one empty line.",
        [
            "one empty line before",
        ],
    ),
    (
        "httptools", LENIENT, "request",
        "And not over any number, nor over halves of one.",
        [
            "two empty lines before", "line feed before", "carriage return before",
        ],
    ),
    (
        "httptools", STRICT, "request",
        "A method is any token (RFC 9110 9.1); it knows a list of them.",
        [
            "odd token method", "lower-case method", "method of 32 bytes",
        ],
    ),
    (
        "h11", LENIENT, "request",
        "A limit of ours.",
        [
            "method of 33 bytes",
        ],
    ),
    (
        "httptools", STRICT, "request",
        "RFC 9110 2.5: a higher minor version is read as the highest known one.",
        [
            "HTTP/1.2 is read as 1.1",
        ],
    ),
    (
        "h11 httptools", LENIENT, "request",
        "RFC 9110 15.6.6: another major version is another protocol.",
        [
            "version 2.0", "version 0.9",
        ],
    ),
    (
        "h11", LENIENT, "request",
        "The same.",
        [
            "HTTP/2 preface",
        ],
    ),
    (
        "httptools", LENIENT, "request",
        "RFC 9112 3: single spaces.",
        [
            "two spaces behind the method", "two spaces behind the target",
        ],
    ),
    (
        "h11", LATE, "request",
        "It looks at whole heads only.",
        [
            "SSH hello", "proxy protocol", "HTTP/0.9", "HTTP/0.9 by line feed",
            "carriage return ends the head",
        ],
    ),
    (
        "httptools", LATE, "request",
        "It knows HTTP/0.9.",
        [
            "HTTP/0.9", "HTTP/0.9 by line feed",
        ],
    ),
    (
        "h11", LENIENT, "request",
        "RFC 9112 2.2 lets a line feed end a line: two parsers that differ in it smuggle.",
        [
            "line feed ends the start line", "line feed ends a line", "line feed ends the head",
            "line feeds alone", "CL hidden behind a bare LF", "TE hidden behind a bare LF",
        ],
    ),
    (
        "h11", LENIENT, "request",
        "RFC 9112 5.2: a folded line may be refused; and it joins what others split.",
        [
            "folded by a space", "folded by a tab", "folded empty line", "CL folded",
            "TE folded", "TE with a tab before the name",
        ],
    ),
    (
        "h11", LENIENT, "request",
        "RFC 9110 5.5: control characters are refused, not passed on.",
        [
            "DEL in a value", "bell in a value", "escape in a value",
        ],
    ),
    (
        "h11", LENIENT, "request",
        "RFC 9112 6.3 lets Transfer-Encoding win, and calls both an attack.",
        [
            "CL.TE", "TE.CL", "CL.TE with a length of zero",
        ],
    ),
    (
        "h11", LENIENT, "request",
        "RFC 9110 8.6 lets equal lengths be merged; we refuse what was merged or repeated.",
        [
            "CL.CL equal", "CL list of equals", "GPOST: prefix of the next request",
        ],
    ),
    (
        "h11 httptools", LENIENT, "request",
        "Beyond 2^63 others overflow.",
        [
            "CL of 2^63",
        ],
    ),
    (
        "h11", LENIENT, "request",
        "The same.",
        [
            "CL of 2^64 + 5",
        ],
    ),
    (
        "httptools", LENIENT, "request",
        "RFC 9112 6.1: an unknown coding is 501, an empty element is obfuscation.",
        [
            "TE.TE the other way", "TE gzip, chunked", "TE with a parameter, chunked",
            "TE with an empty element before",
        ],
    ),
    (
        "h11 httptools", LENIENT, "request",
        "RFC 9112 6.1: faulty framing in HTTP/1.0.",
        [
            "TE in HTTP/1.0", "TE in HTTP/1.0 with keep-alive",
        ],
    ),
    (
        "httptools", LENIENT, "response",
        "The bytes before a response are nobody's.",
        [
            "empty line before",
        ],
    ),
    (
        "h11", LATE, "response",
        "It looks at whole heads only.",
        [
            "no HTTP",
        ],
    ),
    (
        "httptools", LENIENT, "response",
        "RFC 9110 15: three digits, from 100; RFC 9112 4: no control in a reason.",
        [
            "status below 100", "NUL in the reason",
        ],
    ),
    (
        "h11", LENIENT, "response",
        "As in requests.",
        [
            "line feeds alone", "folded line", "both lengths", "both lengths to HEAD",
            "length list",
        ],
    ),
    (
        "httptools", LENIENT, "response",
        "As in requests, with 502: it cannot be known where the content ends.",
        [
            "gzip as transfer coding", "gzip, chunked", "chunked twice",
        ],
    ),
    (
        "h11 httptools", LENIENT, "response",
        "The same.",
        [
            "chunks in HTTP/1.0",
        ],
    ),
    (
        "h11 httptools", STRICT, "content",
        "RFC 9112 7.1.1 has white space around an extension's parts; it is dropped with it.",
        [
            "extension with blanks",
        ],
    ),
    (
        "h11", LATE, "content",
        "It looks at whole lines only, and takes blanks behind a size.",
        [
            "blank behind a size", "size of 2^63", "size of 2^64", "size of 2^64 + 5",
            "size of seventeen digits", "TERM.EXT: carriage return in an extension",
            "NUL in an extension", "last chunk ended by a line feed",
            "message ended by a carriage return", "request instead of trailers",
        ],
    ),
    (
        "httptools", LATE, "content",
        "It has no limit below 2^64, and none for zeros.",
        [
            "size of 2^63", "size of seventeen digits",
        ],
    ),
    (
        "h11", LENIENT, "content",
        "As in heads: line feeds and folded lines.",
        [
            "message ended by a line feed", "trailer folded", "trailer ended by a line feed",
        ],
    ),
    (
        "h11 httptools", LATE, "content",
        "A limit of ours.",
        [
            "extension too long", "flood of extensions",
        ],
    ),
    (
        "h11 httptools", LENIENT, "content",
        "The same.",
        [
            "trailers too long", "too many trailers",
        ],
    ),
]


def h11_head(case, message):
    role = h11.SERVER if case["kind"] == "request" else h11.CLIENT
    connection = h11.Connection(role, max_incomplete_event_size=1 << 20)
    method = case.get("method", "GET").encode()
    if role is h11.CLIENT:
        headers = [("Host", "a")]
        connection.send(h11.Request(method=method, target="/", headers=headers))
        connection.send(h11.EndOfMessage())
    if message:  # No bytes would mean the end of input.
        connection.receive_data(message)
    try:
        event = connection.next_event()
    except h11.RemoteProtocolError:
        return "refused", None
    if event is h11.NEED_DATA or event is h11.PAUSED:
        return "incomplete", None
    if isinstance(event, h11.InformationalResponse):
        return "accepted", "none"
    # Its framing is looked up where it looks it up itself.
    kind, rest = h11_internals._body_framing(method, event)
    if kind == "content-length":
        return "accepted", "length %d" % rest[0] if rest[0] else "none"
    return "accepted", {"chunked": "chunked", "http/1.0": "untilClose"}[kind]


class Recorder:
    def __init__(self):
        self.has_head = False
        self.is_complete = False
        self.body = b""

    def on_headers_complete(self):
        self.has_head = True

    def on_body(self, body):
        self.body += body

    def on_message_complete(self):
        self.is_complete = True


def httptools_feed(case, message, then=()):
    recorder = Recorder()
    if case["kind"] == "response":
        parser = httptools.HttpResponseParser(recorder)
    else:
        parser = httptools.HttpRequestParser(recorder)
    try:
        parser.feed_data(message)
        for piece in then:
            if not recorder.is_complete:
                parser.feed_data(piece)
    except httptools.HttpParserUpgrade:
        recorder.is_complete = True
    except httptools.HttpParserError:
        return "refused", recorder
    return "accepted" if recorder.has_head else "incomplete", recorder


def httptools_head(case, message):
    verdict, recorder = httptools_feed(case, message)
    if verdict != "accepted":
        return verdict, None
    if recorder.is_complete:
        return "accepted", "none"
    # It does not tell the framing; so it is shown content and watched.
    verdict, recorder = httptools_feed(case, message, [b"0\r\n\r\n"])
    if verdict == "accepted" and recorder.is_complete and not recorder.body:
        return "accepted", "chunked"
    verdict, recorder = httptools_feed(case, message, [b"z"] * 100)
    if verdict == "accepted" and recorder.is_complete:
        return "accepted", "length %d" % len(recorder.body)
    return verdict, "endless"


def h11_content(message):
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.receive_data(head + message)
    body = b""
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return "accepted", body
            elif event is h11.NEED_DATA:
                return "incomplete", body
    except h11.RemoteProtocolError:
        return "refused", body


def httptools_content(message):
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    recorder = Recorder()
    parser = httptools.HttpRequestParser(recorder)
    try:
        parser.feed_data(head)
        for index in range(len(message)):
            parser.feed_data(message[index : index + 1])
            if recorder.is_complete:
                return "accepted", recorder.body
    except httptools.HttpParserError:
        return "refused", recorder.body
    return "incomplete", recorder.body


def difference(case, oracle_verdict, oracle_detail):
    ours = case["verdict"]
    if ours != oracle_verdict:
        if oracle_verdict == "refused":
            return STRICT
        if ours == "refused":
            return LATE if oracle_verdict == "incomplete" else LENIENT
        return "calls %s what we call %s" % (oracle_verdict, ours)
    if ours != "accepted":
        return None
    if case["kind"] == "content":
        return None if oracle_detail == base64.b64decode(case["content"]) else FRAMING
    framing = case["framing"]
    if oracle_detail == "endless":
        is_long = framing.startswith("length") and int(framing.split()[1]) > 100
        return None if is_long or framing == "untilClose" else FRAMING
    return None if oracle_detail == framing else FRAMING


def main():
    explained = {}
    for oracles, what, kind, _, names in KNOWN:
        for oracle in oracles.split():
            for name in names:
                explained[oracle, kind + ": " + name] = what
    seen = 0
    failures = 0
    for line in sys.stdin:
        case = json.loads(line)
        message = base64.b64decode(case["message"])
        seen += 1
        if case["kind"] == "content":
            results = [("h11", h11_content(message)), ("httptools", httptools_content(message))]
        else:
            results = [("h11", h11_head(case, message))]
            # httptools cannot be told which method a response answers.
            if case["kind"] == "request" or case["method"] == "GET":
                results.append(("httptools", httptools_head(case, message)))
        for oracle, (verdict, detail) in results:
            key = oracle, case["kind"] + ": " + case["name"]
            found = difference(case, verdict, detail)
            if found != explained.pop(key, None):
                failures += 1
                print("%s %s: %s (%s, %s)" % (key + (found or "agrees", verdict, detail)))
    for oracle, name in explained:
        failures += 1
        print("%s %s: a row for a case that is not in the corpus" % (oracle, name))
    print("%d cases, %d unexplained differences" % (seen, failures))
    return 1 if failures or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
