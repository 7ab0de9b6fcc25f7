"""System calls a request of a warm keep-alive run, counted by strace.

The connections are open and have carried requests before strace is attached, and an exact number
of requests is sent while it is, so the counts need no allowance for setting up.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from stand import Failure, jar_cookie

KINDS = {
    "read": {"read", "readv", "recvfrom", "recvmsg"},
    "write": {"write", "writev", "sendto", "sendmsg"},
    "wait": {"epoll_wait", "epoll_pwait", "epoll_pwait2"},
}
# One read and one write on each side; a wait is shared by all that is ready, and for a lone
# connection it is one for each side. The rest is what the other threads and timers may do.
LIMITS = {"read": 2.02, "write": 2.02, "wait": 1.0, "other": 0.05}
LIMITS_ALONE = {"read": 2.02, "write": 2.02, "wait": 2.05, "other": 0.10}


def check(stand, name):
    """Prints the tables; 1 when a limit is exceeded, and the limits are Lychgate's."""
    if not shutil.which("strace"):
        raise Failure("strace is not installed")
    proxy = stand.start(name)
    fields = ["", f"Cookie: {jar_cookie(proxy)}\r\n"]
    exceeded = 0
    for connections, rounds, limits in [(64, 200, LIMITS), (1, 3000, LIMITS_ALONE)]:
        for field in fields:
            title = "with the jar cookie" if field else "no session"
            counts = trace(proxy, connections, rounds, field)
            requests = connections * rounds
            print(f"\n## {connections} connections, {requests} requests, {title}\n")
            exceeded += show(counts, requests, limits)
    if exceeded and name != "lychgate":
        print("\n(The limits are Lychgate's.)")
        return 0
    return 1 if exceeded else 0


def trace(proxy, connections, rounds, field):
    """Counts of system calls while every connection carries `rounds` requests."""
    request = f"GET / HTTP/1.1\r\nHost: localhost\r\n{field}\r\n".encode()
    clients = [connect(proxy.port) for _ in range(connections)]
    try:
        drive(clients, request, 20)
        with tempfile.NamedTemporaryFile("r", suffix=".strace") as output:
            command = ["strace", "-f", "-c", "-U", "calls,name", "-o", output.name]
            for pid in proxy.pids():
                command += ["-p", str(pid)]
            tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            try:
                await_attached(proxy, tracer)
                drive(clients, request, rounds)
            finally:
                tracer.send_signal(signal.SIGINT)
                tracer.wait(timeout=10)
            return parse(output.read())
    finally:
        for client in clients:
            client.close()


def connect(port):
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def drive(clients, request, rounds):
    """A request on every connection, then the answer on every connection, `rounds` times."""
    for _ in range(rounds):
        for client in clients:
            client.sendall(request)
        for client in clients:
            answer = client.recv(65536)
            while answer and b"a small answer" not in answer:
                answer += client.recv(65536)
            if not answer.startswith(b"HTTP/1.1 200 "):
                raise Failure(f"an answer that was not expected: {answer[:200]!r}")


def await_attached(proxy, tracer):
    """Until every thread is traced."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if tracer.poll() is not None:
            raise Failure("strace may not attach here")
        if all(is_traced(pid) for pid in proxy.pids()):
            return
        time.sleep(0.01)
    raise Failure("strace did not attach")


def is_traced(pid):
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as status:
            if "TracerPid:\t0\n" in status.read():
                return False
    return True


def parse(text):
    """The counts by name."""
    counts = {}
    for line in text.splitlines():
        parts = line.split()
        if len(parts) == 2 and parts[0].isdigit() and parts[1] != "total":
            counts[parts[1]] = int(parts[0])
    return counts


def show(counts, requests, limits):
    """Prints what was counted; how many limits are exceeded."""
    print("| call | a request |\n|---|---:|")
    for call, count in sorted(counts.items(), key=lambda item: -item[1]):
        print(f"| {call} | {count / requests:.3f} |")
    sums = {kind: sum(counts.get(call, 0) for call in calls) for kind, calls in KINDS.items()}
    sums["other"] = sum(counts.values()) - sum(sums.values())
    exceeded = 0
    print()
    for kind, count in sums.items():
        is_over = count / requests > limits[kind]
        exceeded += is_over
        print(
            f"{kind}: {count / requests:.3f} a request, allowed {limits[kind]}"
            + (" — EXCEEDED" if is_over else "")
        )
    return exceeded
