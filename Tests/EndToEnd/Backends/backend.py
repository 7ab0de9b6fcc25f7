"""The backend of the end-to-end tests: HTTP/1.1 by hand, sessions in memory, and bad manners.

It starts in a few hundredths of a second, because tests kill and start it hundreds of times, and
it writes bytes itself, because tests need answers that no HTTP library would send.

Every request is written to the file `--record` names (appended with one write each, so that it
survives SIGKILL and counts over all runs):

    KIND INSTANCE METHOD TARGET SESSION

where KIND is `zombie` when another instance issued the session, `session` when this one did,
`ended` when this one did and ended it, `anonymous` without one, and `health` for the health path.
"""

import argparse
import os
import signal
import socket
import sys
import threading
import time
import zlib

PERIOD = 65521
PATTERN = bytes((i * 7 + (i >> 8)) & 0xFF for i in range(PERIOD))
# Long enough that a 1 MiB slice can start anywhere in one period.
PATTERN *= (1 << 20) // PERIOD + 3
BLOCK = 1 << 18
CHUNKED = ("Transfer-Encoding", "chunked")
READER = """<!doctype html><title>A page of another origin</title><pre>nothing</pre><script>
const query = new URLSearchParams(location.search);
const options = { credentials: "include", headers: { "X-Session-ID": query.get("session") } };
async function read() {
    try {
        const answer = await fetch(query.get("at") + "/api/work", options);
        const reason = (await answer.json()).reason;
        return `${answer.status} ${answer.headers.get("X-Session-Cleared")} ${reason}`;
    } catch (error) {
        return "hidden";
    }
}
read().then((text) => { document.querySelector("pre").textContent = text; });
</script>
"""


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--unix")
    parser.add_argument("--record")
    parser.add_argument("--instance", help="an ID, `none`, `each` or `connection`; default: a new one")
    parser.add_argument("--close", action="store_true", help="one thread, closes after each answer")
    parser.add_argument("--close-unsaid", action="store_true", help="closes, and does not say so")
    parser.add_argument("--health-status", type=int, default=200)
    parser.add_argument("--health", default="plain", help="how health questions are answered")
    parser.add_argument("--health-port", type=int, help="they are answered here, too")
    parser.add_argument("--health-delay", help="answer it after so many milliseconds, LEAST-MOST")
    parser.add_argument("--share", action="store_true", help="the port with others (SO_REUSEPORT)")
    parser.add_argument("--issue", default="both", choices=["header", "json", "both"])
    parser.add_argument("--set-cookie", help="issue sessions in a cookie of this name, too")
    parser.add_argument("--read-cookie", help="read sessions from the cookie of this name instead")
    parser.add_argument("--certificate", help="speak TLS; the key is in the same file")
    parser.add_argument("--client-ca", help="clients need a certificate that this one vouches for")
    parser.add_argument("--silent-end", action="store_true", help="TLS ends without close_notify")
    return parser.parse_args()


def tls():
    if not options.certificate:
        return None
    # Not at the top: it would double the time to start.
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate)
    context.set_alpn_protocols(["http/1.1"])
    if options.client_ca:
        context.load_verify_locations(options.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


options = arguments()
secure = tls()
instance = options.instance or os.urandom(8).hex() + "-" + str(os.getpid())
reporting = True
health = options.health
health_heads = set()
started = time.time()
accepted_first = 0
connections = set()
issued = set()
live = set()
counter = 0
lock = threading.Lock()
going = threading.Event()
listening = threading.Event()
listener = None
record = -1
if options.record:
    record = os.open(options.record, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def new_session():
    """A session ID that tells who issued it; known before anyone can send it back."""
    session = "s-" + os.urandom(12).hex() + "-" + instance
    with lock:
        issued.add(session)
        live.add(session)
    return session


def kind_of(path, session):
    if path in ("/health", "/metrics"):
        return "health"
    if session is None:
        return "anonymous"
    if session not in issued:
        return "zombie"
    return "session" if session in live else "ended"


def quote(text):
    """A JSON string, without importing json (which would double the time to start)."""
    out = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " else "\\u%04x" % ord(c) for c in out) + '"'


served = {"other": 0, "resumed": 0}

class Gone(Exception):
    """The peer went away, or the connection is to be closed without another word."""


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.input = b""
        self.id = os.urandom(8).hex()
        self.served = 0
        self.trailers = []

    def read_some(self):
        data = self.sock.recv(BLOCK)
        if not data:
            raise Gone
        self.input += data

    def read_head(self):
        while b"\r\n\r\n" not in self.input:
            self.read_some()
        head, self.input = self.input.split(b"\r\n\r\n", 1)
        return head.decode("latin-1").split("\r\n")

    def take(self, limit):
        """Some bytes of content, at most limit."""
        if not self.input:
            self.read_some()
        data, self.input = self.input[:limit], self.input[limit:]
        return data

    def read_line(self):
        while b"\r\n" not in self.input:
            self.read_some()
        line, self.input = self.input.split(b"\r\n", 1)
        return line

    def content(self, fields):
        """The content of the request, piece by piece."""
        if "chunked" in fields.get("transfer-encoding", ""):
            while size := int(self.read_line().split(b";")[0], 16):
                while size:
                    data = self.take(size)
                    size -= len(data)
                    yield data
                self.read_line()
            while line := self.read_line():
                self.trailers.append(line.decode("latin-1"))
            return
        rest = int(fields.get("content-length", "0"))
        while rest:
            data = self.take(rest)
            rest -= len(data)
            yield data

    def serve_one(self):
        lines = self.read_head()
        method, target, version = lines[0].split(" ")
        fields = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            fields[name.lower()] = value.strip()
        self.served += 1
        self.trailers = []
        request = Request(self, method, target, version, lines, fields)
        if record >= 0:
            text = f"{request.kind} {instance} {method} {target} {request.session or '-'}\n"
            os.write(record, text.encode())
        request.answer()
        for _ in request.body:
            pass
        if options.close_unsaid:
            raise Gone
        if options.close or fields.get("connection", "").lower() == "close" or request.closes:
            raise Gone

    def serve(self):
        connections.add(self)
        try:
            if secure:
                self.sock = secure.wrap_socket(self.sock, server_side=True)
                served["resumed"] += self.sock.session_reused
            while True:
                self.serve_one()
        except (Gone, OSError, ValueError):
            pass
        finally:
            connections.discard(self)
            self.end()

    def end(self):
        if secure and not options.silent_end:
            try:
                self.sock.settimeout(1)
                self.sock.unwrap()
            except (OSError, ValueError, AttributeError):
                pass  # The peer was quicker, or there was no handshake.
        self.sock.close()


class Request:
    def __init__(self, connection, method, target, version, lines, fields):
        self.connection = connection
        self.method = method
        self.path, _, query = target.partition("?")
        self.query = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
        self.version = version
        self.lines = lines
        self.fields = fields
        self.session = fields.get("x-session-id")
        if options.read_cookie:
            self.read_cookies()
        else:
            self.kind = kind_of(self.path, self.session)
        self.body = connection.content(fields)
        self.closes = False

    def read_cookies(self):
        """The session is the first one that lives; one of another instance is a zombie anywhere."""
        values = []
        for line in self.lines:
            if line.lower().startswith("cookie:"):
                pairs = [pair.strip().partition("=") for pair in line[7:].split(";")]
                values += [v.strip('"') for n, _, v in pairs if n == options.read_cookie]
        living = [value for value in values if value in live]
        self.session = (living or values or [None])[0]
        kinds = [kind_of(self.path, value) for value in values]
        self.kind = "zombie" if "zombie" in kinds else kind_of(self.path, self.session)

    def number(self, name, default=0):
        return int(self.query.get(name, default))

    def send(self, data):
        self.connection.sock.sendall(data)

    def head(self, status, fields):
        lines = [f"HTTP/1.1 {status} Answer"]
        lines += [f"{name}: {value}" for name, value in fields]
        if options.close or self.closes:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def reply(self, status, body, *fields, media="application/json"):
        body = body.encode() if isinstance(body, str) else body
        fields = [*fields, ("Content-Type", media), ("Content-Length", len(body))]
        self.send(self.head(status, fields) + (b"" if self.method == "HEAD" else body))

    def answer(self):
        name = "do" + self.path.replace("/", "_").replace("-", "_").replace(".", "_")
        function = getattr(self, name, None)
        if function is None:
            self.reply(200, f'{{"path":{quote(self.path)},"served":{self.connection.served}}}')
        else:
            function()

    # Who this is

    def do_health(self):
        if options.health_delay:
            least, most = map(int, options.health_delay.split("-"))
            time.sleep((least + (most - least) * os.urandom(1)[0] / 255) / 1000)
        health_heads.add("|".join(self.lines))
        getattr(self, "health_" + health)()

    do_metrics = do_health

    def health_plain(self):
        if options.instance == "none" or not reporting:
            self.reply(200 if reporting else 503, '{"status":"healthy"}')
            return
        odd = {"each": os.urandom(8).hex(), "connection": self.connection.id}
        shown = odd.get(options.instance, instance)
        self.reply(options.health_status, f'{{"status":"healthy","serverInstanceId":"{shown}"}}')

    def id_content(self):
        return b'{"status":"healthy","serverInstanceId":"%s"}' % instance.encode()

    def health_slow(self):
        time.sleep(0.4)
        self.health_plain()

    def health_never(self):
        threading.Event().wait()

    def health_huge(self):
        self.reply(200, b'{"x":"' + b"x" * 2_000_000 + b'",' + self.id_content()[1:])

    def health_half(self):
        """JSON without an end."""
        self.reply(200, self.id_content()[:-1])

    def health_garbage(self):
        self.send(b"HTTP/1.1 two hundred\r\n\r\n")
        raise Gone

    def health_redirect(self):
        self.reply(302, "", ("Location", "/elsewhere"))

    def health_chunked(self):
        self.send(self.head(200, [CHUNKED]))
        for byte in self.id_content():
            self.send(b"1;x=y\r\n%c\r\n" % byte)
        self.send(b"0\r\nX-Sum: 1\r\n\r\n")

    def health_error(self):
        self.reply(500, self.id_content())

    def health_cut(self):
        self.send(self.head(200, [("Content-Length", 1000)]) + self.id_content())
        raise Gone

    def health_interim(self):
        self.send(b"HTTP/1.1 103 Early Hints\r\nX-Instance: wrong\r\n\r\n" * 3)
        self.health_header()

    def health_gzip(self):
        packer = zlib.compressobj(wbits=31)
        body = packer.compress(self.id_content()) + packer.flush()
        self.reply(200, body, ("Content-Encoding", "gzip"))

    def health_header(self):
        self.reply(200, self.id_content(), ("x-instance", instance))

    def health_metrics(self):
        """One number in the two ways that client libraries write it."""
        shown = f"{started:.2f}" if len(health_heads) % 2 else f"{started:.11e}"
        lines = "# HELP process_start_time_seconds Start time.\n# TYPE process_start_time_seconds "
        lines += "gauge\n" + f'requests_total{{path="/}}",le="+Inf"}} 3\n' * 3000
        self.reply(200, lines + f"process_start_time_seconds {shown}\n", media="text/plain")

    def do_health_heads(self):
        """The heads of all health questions so far."""
        self.reply(200, "\n".join(sorted(health_heads)), media="text/plain")

    def do_control(self):
        global instance, reporting, health
        health = self.query.get("health", health)
        reporting = self.query.get("report", "on") == "on"
        instance = self.query.get("instance", instance)
        if "go" in self.query:
            going.set()
        if "listen" in self.query:
            change_listener(self.query["listen"] == "on")
        if self.query.get("drop") == "on":
            for connection in list(connections - {self.connection}):
                try:
                    connection.sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # The peer was quicker.
        self.reply(200, f'{{"acceptedFirst":{accepted_first}}}')

    def do_identity(self):
        """A health answer whose ID has a name of its own, in every form that one may have."""
        members = f'"status": "ok", "run": "{instance}"'
        for name, more in [
            ("own", '"serverInstanceId": "mine"'), ("null", '"startedAt": null'),
            ("nested", '"data": {"serverInstanceId": "inner"}'), ("twice", '"status": "ok"'),
            ("big", '"pad": "' + "x" * 70000 + '"'),
        ]:
            if name in self.query:
                members += ", " + more
        body = "{ " + members + " }\n"
        if "list" in self.query:
            body = "[" + body + "]"
        seen = self.fields.get("accept-encoding", "none")
        fields = [
            ("ETag", '"one"'), ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"), ("X-Seen", seen),
        ]
        if "chunked" not in self.query:
            media = self.query.get("media", "application/json")
            self.reply(self.number("status", 200), body, *fields, media=media)
            return
        fields += [("Content-Type", "application/health+json"), CHUNKED]
        start, rest = body[:9].encode(), body[9:].encode()
        self.send(self.head(200, fields) + b"9\r\n%s\r\n" % start)
        self.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(rest), rest))

    # Sessions

    def issue(self, session, *fields):
        if "trailers" in self.query:
            body = b'{"sessionId":"%s"}' % session.encode()
            self.send(self.head(200, [("Content-Type", "application/json"), CHUNKED]))
            self.send(b"%x\r\n%s\r\n0\r\nX-Sum: 1\r\n\r\n" % (len(body), body))
            return
        if options.issue != "json":
            fields = [("X-Session-ID", session), *fields]
        if options.set_cookie:
            attributes = self.query.get("attributes", "Path=/").replace("+", "; ")
            fields = [("Set-Cookie", f"{options.set_cookie}={session}; {attributes}"), *fields]
        shown = session if options.issue != "header" else ""
        self.reply(200, f'{{"sessionId":"{shown}","instance":"{instance}"}}', *fields)

    def do_api_connect(self):
        self.issue(new_session(), ("Set-Cookie", "theme=dark; Path=/"))

    def do_api_rotate(self):
        self.issue(new_session())

    def do_api_issue_long(self):
        self.issue(new_session() + "x" * 4096)

    def do_api_issue_json(self):
        """A value in JSON that would split a field if it were injected."""
        self.reply(200, '{"sessionId":"evil\\r\\nX-Injected: 1"}')

    def do_api_issue_space(self):
        self.reply(200, "{}", ("X-Session-ID", "two words"))

    def do_api_set_cookies(self):
        """Whatever cookies the query asks for: c=A=1+B=2."""
        lines = [("Set-Cookie", text) for text in self.query.get("c", "").split("+") if text]
        self.reply(200, "{}", *lines)

    def do_api_echo_session(self):
        self.reply(200, "{}", ("X-Session-ID", self.session or "none"))

    def problem(self, status, reason, message):
        valid = "true" if status == 503 else "false"
        body = f'{{"valid":{valid},"reason":"{reason}","message":"{message}"}}'
        self.reply(status, body)

    def do_api_session_status(self):
        if self.session is None:
            self.problem(401, "NO_SESSION_ID", "No session ID provided")
        elif self.session not in live:
            self.problem(401, "SESSION_NOT_FOUND", "Session not found - please reconnect")
        else:
            self.reply(200, f'{{"valid":true,"instance":"{instance}"}}')

    do_api_work = do_api_session_status

    def do_api_auth_error(self):
        self.problem(401, "auth-error", "Rejected")

    def do_api_unreachable(self):
        self.problem(503, "snowflake-unreachable", "Try again later")

    def do_api_forget(self):
        """Forgets the session without telling anyone, then says so as SEED's backend does."""
        live.discard(self.session)
        self.problem(401, "SESSION_NOT_FOUND", "Session not found - please reconnect")

    def do_api_disconnect(self):
        live.discard(self.session)
        self.reply(self.number("status", 200), '{"disconnected":true}')

    def do_api_who(self):
        shown = quote(self.session) if self.session else "null"
        self.reply(200, f'{{"session":{shown},"instance":"{instance}"}}')

    # What the backend saw

    def do_echo(self):
        count, checksum = 0, 0
        for data in self.body:
            count += len(data)
            checksum = zlib.crc32(data, checksum)
        lines = ",".join(quote(line) for line in self.lines)
        trailers = ",".join(quote(line) for line in self.connection.trailers)
        self.reply(
            200,
            f'{{"lines":[{lines}],"count":{count},"crc":{checksum},"trailers":[{trailers}]}}',
        )

    def do_upload(self):
        """Checks the content against the pattern as it comes, holding none of it."""
        count, right = 0, True
        for data in self.body:
            start = count % PERIOD
            right = right and data == PATTERN[start : start + len(data)]
            count += len(data)
        self.reply(200, f'{{"count":{count},"right":{"true" if right else "false"}}}')

    # Streams

    def do_events(self):
        """Server-sent events without end."""
        if "wait" in self.query:
            going.wait()
        fields = [("Content-Type", "text/event-stream; charset=utf-8")]
        is_chunked = self.query.get("framing", "chunked") == "chunked"
        if is_chunked:
            fields.append(CHUNKED)
        self.closes = not is_chunked
        self.send(self.head(200, fields))
        while True:
            data = b"data: %s\n\n" % instance.encode()
            self.send(b"%x\r\n%s\r\n" % (len(data), data) if is_chunked else data)
            time.sleep(0.02)

    def do_endless(self):
        """A response without end that is no stream of events, until it is let go."""
        self.send(self.head(200, [("Content-Type", "application/x-ndjson"), CHUNKED]))
        self.send(b"3\r\n{}\n\r\n")
        going.wait()
        self.send(b"3\r\n{}\n\r\n0\r\n\r\n")

    # Content in every framing

    def pattern(self, count):
        sent = 0
        while sent < count:
            size = min(1 << 20, count - sent)
            start = sent % PERIOD
            yield PATTERN[start : start + size]
            sent += size

    def do_bytes(self):
        count = self.number("n")
        self.send(self.head(200, [("Content-Length", count)]))
        if self.method != "HEAD":
            for data in self.pattern(count):
                self.send(data)

    def do_chunked(self):
        size = self.number("size", 1000)
        self.send(self.head(200, [("Transfer-Encoding", "chunked")]))
        if self.method == "HEAD":
            return
        rest = b"".join(self.pattern(self.number("n")))
        while rest:
            data, rest = rest[:size], rest[size:]
            self.send(b"%x\r\n%s\r\n" % (len(data), data))
            if "ms" in self.query:
                time.sleep(self.number("ms") / 1000)
        self.send(b"0\r\n\r\n")

    def do_until_close(self):
        self.closes = True
        self.send(self.head(200, [("Content-Type", "text/plain")]))
        if self.method != "HEAD":
            for data in self.pattern(self.number("n")):
                self.send(data)

    def do_204(self):
        self.send(self.head(204, []))

    def do_304(self):
        self.send(self.head(304, [("ETag", '"one"'), ("Content-Length", 1234)]))

    def do_page(self):
        self.reply(200, "<!doctype html><title>A page</title>", media="text/html")

    def do_reader(self):
        """A page that asks Lychgate something, and shows what its browser lets it read."""
        self.reply(200, READER, media="text/html")

    def do_fields(self):
        """Fields that end at the proxy, fields that pass, doubles and an order."""
        self.reply(
            200, "{}", ("X-First", "1"), ("Connection", "X-Hop"), ("X-Hop", "gone"),
            ("Keep-Alive", "timeout=5"), ("Proxy-Connection", "x"), ("set-cookie", "a=1"),
            ("Set-Cookie", "b=2"), ("x-LAST", "  kept  "), ("Vary", "Accept"),
        )

    def do_trailers(self):
        """Trailers that pass, and some that must not."""
        self.send(self.head(200, [CHUNKED, ("Trailer", "X-Sum, Sum"), ("Connection", "x-hop")]))
        self.send(b"3\r\nabc\r\n0\r\n")
        self.send(b"X-Sum: 1\r\nx-hop: 1\r\nSet-Cookie: a=1\r\nX-Session-ID: s\r\n")
        self.send(b"x_session_id: s\r\nSum:two \r\nx-sum:\r\nContent-Length: 1\r\n\r\n")

    def do_dated(self):
        self.reply(200, "{}", ("Date", "Sun, 06 Nov 1994 08:49:37 GMT"))

    def do_old(self):
        """An answer as servers of HTTP/1.0 make them."""
        keeps = b"Connection: keep-alive\r\n" if "keep" in self.query else b""
        body = b"%d" % self.connection.served
        self.send(b"HTTP/1.0 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (keeps, len(body)) + body)
        self.closes = not keeps

    # Tunnels

    def do_upgrade(self):
        """Agrees to the first protocol that is offered, then is what `mode` says."""
        offer = self.fields.get("upgrade", "")
        token = self.query.get("token", offer.split(",")[0])
        if "refuse" in self.query or not token:
            shown = quote(offer)
            fields = [("Upgrade", "echo"), ("Connection", "Upgrade")]
            self.reply(426 if "refuse" in self.query else 200, f'{{"offer":{shown}}}', *fields)
            return
        fields = [("Upgrade", token), ("Connection", "Upgrade"), ("X-Offer", offer)]
        if "session" in self.query:
            fields.append(("X-Session-ID", new_session()))
        if "wait" in self.query:
            going.wait()
        self.send(self.head(101, fields) + self.query.get("first", "").encode())
        getattr(self, "tunnel_" + self.query.get("mode", "echo"))()
        raise Gone

    def finish_sending(self):
        try:
            self.connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # A reset was quicker; reading tells.

    def rest(self):
        """How many bytes come before the end, and whether that is a reset."""
        count = 0
        try:
            while True:
                count += len(self.connection.take(BLOCK))
        except Gone:
            return count, False
        except OSError:
            return count, True

    def tunnel_echo(self):
        try:
            while True:
                self.send(self.connection.take(BLOCK))
        except Gone:
            self.finish_sending()

    def tunnel_count(self):
        self.send(b"%d" % self.rest()[0])

    def tunnel_early(self):
        """Ends its side first; what it reads afterwards is in the record."""
        self.send(b"bye")
        self.finish_sending()
        count, is_reset = self.rest()
        end = "reset" if is_reset else "end"
        os.write(record, f"tunnel {instance} {count} {end} -\n".encode())

    def tunnel_halves(self):
        """Half a WebSocket frame, and the other half once it is told to go on."""
        self.send(b"\x82\x06\1\2")
        going.wait()
        self.send(b"\3\4\5\6")
        self.rest()

    def tunnel_deaf(self):
        """Ends nothing and reads nothing."""
        threading.Event().wait()

    def tunnel_flood(self):
        """Sends without end, and reads all the time."""
        threading.Thread(target=self.rest, daemon=True).start()
        while True:
            self.send(PATTERN)

    def tunnel_close(self):
        self.connection.take(1)
        self.send(b"bye")

    def tunnel_both(self):
        """Sends the pattern and checks that the same comes in, at the same time."""
        count = self.number("n")
        sender = threading.Thread(target=lambda: [self.send(d) for d in self.pattern(count)])
        sender.start()
        received, right = 0, True
        while received < count:
            data = self.connection.take(min(BLOCK, count - received))
            start = received % PERIOD
            right = right and data == PATTERN[start : start + len(data)]
            received += len(data)
        sender.join()
        self.send(b"right" if right else b"wrong")

    def tunnel_die(self):
        self.connection.take(1)
        os.kill(os.getpid(), signal.SIGKILL)

    def tunnel_reset(self):
        self.connection.take(1)
        self.send(b"half")
        self.connection.sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
        )

    def do_unasked(self):
        """Switches although nobody asked."""
        self.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
        self.rest()
        raise Gone

    # Bad manners

    def do_slow(self):
        time.sleep(self.number("ms", 100) / 1000)
        self.do_api_who()

    def do_never(self):
        threading.Event().wait()

    def do_stall(self):
        """Half an answer, then silence until someone gives up."""
        if self.query.get("framing") == "chunked":
            self.send(self.head(200, [("Transfer-Encoding", "chunked")]) + b"5\r\nhalf,\r\n")
        elif self.query.get("framing") == "close":
            self.closes = True
            self.send(self.head(200, []) + b"half,")
        else:
            self.send(self.head(200, [("Content-Length", 10)]) + b"half,")
        threading.Event().wait()

    def do_cut(self):
        """Half an answer, then the end of the connection."""
        if self.query.get("framing") == "chunked":
            self.send(self.head(200, [("Transfer-Encoding", "chunked")]) + b"5\r\nhalf,\r\n")
        else:
            self.send(self.head(200, [("Content-Length", 10)]) + b"half,")
        raise Gone

    def do_drop(self):
        raise Gone

    def do_drop_once(self):
        """Takes the first request for a target and says nothing; answers those that follow."""
        target = "dropped" + str(self.query)
        if target in served:
            return self.do_echo()
        served[target] = 1
        for _ in self.body:
            pass
        raise Gone

    def do_poison(self):
        # A whole answer that fills a read buffer to the brim, and bytes that answer nothing.
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
        size = 16384 - len(head % 16384)
        poison = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON"
        self.send(head % size + b"x" * size + poison)

    def do_json_cut(self):
        # Without a length, cut by a reset: not the end of it.
        self.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + b'{"sessionId":"s1"}')
        linger = b"\1\0\0\0\0\0\0\0"
        self.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        raise Gone

    def do_early(self):
        """The head at once, then nothing is read for a while, then the rest of the answer."""
        self.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        time.sleep(self.number("pause") / 1000)
        if self.query.get("read") != "off":
            for _ in self.body:
                pass
        for _ in range(10):
            time.sleep(self.number("ms") / 1000)
            self.send(b"x")
        if self.query.get("read") == "off":
            raise Gone

    def do_interims(self):
        """Interim responses without an end, until another request has come."""
        count = served["other"]
        while served["other"] == count:
            self.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100)
        self.reply(200, "{}")

    def do_tls(self):
        shown = "null"
        if secure:
            certificate = self.connection.sock.getpeercert() or {}
            names = [value for part in certificate.get("subject", ()) for _, value in part]
            shown = quote(self.connection.sock.version() + " " + ",".join(names))
        self.reply(200, f'{{"tls":{shown},"resumed":{served["resumed"]}}}')

    def do_other(self):
        served["other"] += 1
        self.reply(200, "{}")

    def do_garbage(self):
        self.send(b"this is no HTTP\r\n\r\n")
        raise Gone

    def do_both_lengths(self):
        self.send(
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3\r\nabc\r\n0\r\n\r\n"
        )
        raise Gone


def listen(port=options.port):
    if options.unix:
        if os.path.exists(options.unix):
            os.unlink(options.unix)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(options.unix)
    else:
        family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if options.share:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((options.host, port))
    listener.listen(512)
    return listener


def change_listener(on):
    """Stops listening, as a process that drains does, or begins again."""
    global listener
    if on:
        listener = listen()
        listening.set()
    elif listening.is_set():
        listening.clear()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def end_with_parent():
    """The tests hold the other end of standard input; when they go, so does this."""
    sys.stdin.buffer.read()
    os._exit(0)


def accept_health(listener):
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=Connection(sock).serve, daemon=True).start()


def main():
    global accepted_first, listener
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if options.health_port:
        other = listen(options.health_port)
        threading.Thread(target=accept_health, args=(other,), daemon=True).start()
    listener = listen()
    listening.set()
    threading.Thread(target=end_with_parent, daemon=True).start()
    print("ready", instance, flush=True)
    while listening.wait():
        try:
            sock, _ = listener.accept()
        except OSError:
            listening.wait()
            continue
        # CLOCK_MONOTONIC, in microseconds.
        accepted_first = accepted_first or time.monotonic_ns() // 1000
        if not options.unix:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(sock)
        if options.close:
            connection.serve()
        else:
            threading.Thread(target=connection.serve, daemon=True).start()


main()
