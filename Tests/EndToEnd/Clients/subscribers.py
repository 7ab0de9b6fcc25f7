"""Many subscribers to events at once, in one thread.

    subscribers.py HOST PORT COUNT SESSIONS

logs SESSIONS clients in, subscribes COUNT times with their cookies, and prints `subscribed` once
every stream has begun. Then it waits until each was told `session-cleared`, and prints

    told COUNT LAST

with the time (CLOCK_MONOTONIC, seconds) when the last one was.
"""

import selectors
import socket
import sys
import time

host, port, count, sessions = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])


def log_in():
    with socket.create_connection((host, port)) as sock:
        sock.sendall(b"POST /api/connect HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += sock.recv(65536)
    cookie = answer.split(b"lychgate=", 1)[1].split(b";", 1)[0]
    return b"lychgate=" + cookie


cookies = [log_in() for _ in range(sessions)]
selector = selectors.DefaultSelector()
for index in range(count):
    sock = socket.create_connection((host, port))
    sock.sendall(
        b"GET /.lychgate/events HTTP/1.1\r\nHost: a\r\nCookie: "
        + cookies[index % sessions]
        + b"\r\n\r\n"
    )
    sock.setblocking(False)
    selector.register(sock, selectors.EVENT_READ, [b""])

begun = told = 0
last = 0.0
deadline = time.monotonic() + 120
while told < count:
    if time.monotonic() > deadline:
        sys.exit(f"{begun} have begun and {told} were told after two minutes")
    for key, _ in selector.select(1):
        data = key.fileobj.recv(65536)
        if not data:
            sys.exit(f"a stream ended; {told} were told")
        before = key.data[0]
        key.data[0] = before + data
        if b"\nid: " not in before and b"\nid: " in key.data[0]:
            if not key.data[0].startswith(b"HTTP/1.1 200 "):
                sys.exit(f"not subscribed: {key.data[0]!r}")
            begun += 1
            if begun == count:
                print("subscribed", flush=True)
        if b"session-cleared" not in before and b"session-cleared" in key.data[0]:
            told += 1
            last = time.monotonic()
print("told", told, last, flush=True)
