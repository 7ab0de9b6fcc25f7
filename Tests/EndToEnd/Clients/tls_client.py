"""A TLS client that looks at what others hide: resumption, the kind of end, cut requests.

    tls_client.py SCRIPT PORT DIRECTORY [ARGUMENT]

The directory has the authority's certificate, `ca.pem`. One line tells what was seen.
"""

import socket
import ssl
import sys

script, port, directory, *rest = sys.argv[1:]


def context(version=None):
    made = ssl.create_default_context(cafile=directory + "ca.pem")
    if version:
        only = ssl.TLSVersion["TLSv" + version.replace(".", "_")]
        made.minimum_version = made.maximum_version = only
    return made


def connect(made, **options):
    sock = socket.create_connection(("127.0.0.1", int(port)), timeout=20)
    options.setdefault("server_hostname", "127.0.0.1")
    return made.wrap_socket(sock, suppress_ragged_eofs=False, **options)


def ask(sock, target, *fields, version="1.1"):
    lines = [f"GET {target} HTTP/{version}", "Host: a", *fields]
    sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())


def read_head(sock):
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(65536)
        if not part:
            break
        data += part
    return data.split(b"\r\n\r\n", 1)


def resume(version):
    made = context(version)
    session, resumed = None, 0
    for _ in range(9):
        with connect(made, session=session) as sock:
            ask(sock, "/x", "Connection: close")
            while sock.recv(65536):
                pass
            resumed += sock.session_reused
            session = sock.session
    return f"resumed {resumed} of 8"


def end(target, version="1.1"):
    """Reads to the end; a missing close_notify is an error of ssl's."""
    with connect(context()) as sock:
        ask(sock, target, "Connection: close", version=version)
        count = 0
        try:
            head, content = read_head(sock)
            count = len(content)
            while data := sock.recv(65536):
                count += len(data)
        except (ssl.SSLEOFError, ConnectionResetError):
            return "cut"
        return f"{count} whole"


def truncate():
    """A request whose content is announced and cut, by close_notify and by none."""
    for polite in (True, False):
        sock = connect(context())
        sock.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf")
        if polite:
            try:
                sock.settimeout(5)
                sock.unwrap()
            except (OSError, ssl.SSLError):
                pass
        sock.close()
    return "sent"


def tunnel():
    with connect(context()) as sock:
        ask(sock, "/upgrade", "Connection: Upgrade", "Upgrade: echo")
        head, rest = read_head(sock)
        assert b" 101 " in head, head
        sent = bytes(range(256)) * 1200
        got = rest
        sock.settimeout(20)
        for start in range(0, len(sent[:300000]), 10000):
            sock.sendall(sent[start : min(start + 10000, 300000)])
            while len(got) < min(start + 10000, 300000):
                got += sock.recv(65536)
        assert got == sent[:300000]
        return f"echoed {len(got)}"


print({"resume": resume, "end": end, "truncate": truncate, "tunnel": tunnel}[script](*rest))
