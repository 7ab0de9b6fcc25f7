"""A WebSocket server or client made with PyPI `websockets`.

    websocket.py server PORT INSTANCE     answers /health, echoes every message
    websocket.py client PORT [COUNT]      exits 0 if all its messages came back as they were
    websocket.py wait PORT COOKIE         says `open`, and with which status it was closed
"""

import os
import sys

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import serve


def server(port, instance):
    def answer(connection, request):
        if request.path == "/health":
            return connection.respond(200, f'{{"serverInstanceId":"{instance}"}}')
        if request.path == "/api/connect":
            response = connection.respond(200, "{}")
            response.headers["X-Session-ID"] = "of-" + instance
            return response
        return None

    def echo(connection):
        for message in connection:
            connection.send(message)

    with serve(echo, "127.0.0.1", port, process_request=answer, max_size=None) as listening:
        print("ready", flush=True)
        listening.serve_forever()


def client(port, count):
    big = os.urandom(1 << 20)
    with connect(f"ws://127.0.0.1:{port}/chat", max_size=None) as connection:
        for number in range(count):
            connection.send(f"message {number}")
            assert connection.recv() == f"message {number}"
        assert connection.ping(b"there?").wait(10)
        # Pipelined, so that both directions are busy.
        for _ in range(4):
            connection.send(big)
        for _ in range(4):
            assert connection.recv() == big
        connection.close(1000, "done")
        assert connection.close_code == 1000, connection.close_code
    print("all came back", flush=True)


def wait(port, cookie):
    fields = {"Cookie": cookie} if cookie else {}
    with connect(f"ws://127.0.0.1:{port}/chat", additional_headers=fields) as connection:
        connection.send("hello" * 100)
        assert connection.recv() == "hello" * 100
        print("open", flush=True)
        try:
            connection.recv()
        except ConnectionClosed as closed:
            print("closed", closed.rcvd.code if closed.rcvd else "without a word", flush=True)


if sys.argv[1] == "wait":
    wait(int(sys.argv[2]), sys.argv[3])
elif sys.argv[1] == "server":
    server(int(sys.argv[2]), sys.argv[3])
else:
    client(int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 100)
