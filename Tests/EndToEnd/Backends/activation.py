"""Starts a server on a listening socket of its own, and the next one when that ends.

What systemd does for a service that is activated by its socket: the socket outlives the process,
and connections that nobody has accepted wait for the successor.

    activation.py PORT COMMAND...       (`{fd}` in the command is the socket's number)
"""

import os
import signal
import socket
import subprocess
import sys
import threading

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(128)
number = listener.fileno()
command = [word.replace("{fd}", str(number)) for word in sys.argv[2:]]
child = None


def end(*_):
    if child is not None:
        child.kill()
    os._exit(0)


def end_with_parent():
    sys.stdin.buffer.read()
    end()


signal.signal(signal.SIGTERM, end)
threading.Thread(target=end_with_parent, daemon=True).start()
while True:
    child = subprocess.Popen(command, pass_fds=[number], stdin=subprocess.DEVNULL)
    child.wait()
