#!/usr/bin/env python3
"""CPU for each request of Lychgate beside nginx and HAProxy, on the same backend and load, in one run.

Absolute times of a machine mean little, ratios within one run mean much: every proxy has one worker,
rounds alternate, and the median counts. CPU is user and system time of the proxy's own processes,
from /proc, divided by the requests that wrk counted.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TICK = os.sysconf("SC_CLK_TCK")
MIB = 1 << 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_port(port, process):
    for _ in range(200):
        if process.poll() is not None:
            sys.exit(f"{process.args[0]} ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"{process.args[0]} does not listen on {port}")


class Peer:
    """One proxy, started and measured by pid."""

    def __init__(self, name, arguments, port, log):
        self.name, self.port = name, port
        self.process = subprocess.Popen(arguments, stdout=log, stderr=log)
        await_port(port, self.process)
        time.sleep(0.3)

    def pids(self):
        """The process and its children; nginx's work is done by a child."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [self.process.pid] + [int(pid) for pid in children.read_text().split()]

    def cpu(self):
        """User and system seconds so far."""
        user = system = 0
        for pid in self.pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            user += int(fields[11]) / TICK
            system += int(fields[12]) / TICK
        return user, system

    def memory(self):
        """Proportional set size in KiB: pages that several processes share are shared out."""
        total = 0
        for pid in self.pids():
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])
        return total

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def fill(name, into, **values):
    """A configuration of this folder with its @NAMES@ replaced."""
    text = (HERE / name).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key.upper()}@", str(value))
    path = into / name
    path.write_text(text)
    return str(path)


def start_peers(folder, log, binary, backend):
    def nginx(port):
        conf = fill("nginx.conf", folder, port=port, backend=backend, folder=folder)
        return ["nginx", "-c", conf, "-e", str(folder / "nginx.err")]

    def haproxy(mode):
        def arguments(port):
            conf = fill(f"haproxy-{mode}.cfg", folder, port=port, backend=backend)
            return ["haproxy", "-db", "-f", conf]

        return arguments

    def lychgate(port):
        return [binary, "run", "--listen", f"127.0.0.1:{port}", "--workers", "1",
                "--upstream", f"http://127.0.0.1:{backend}"]

    peers = []
    for name, arguments in [("Lychgate", lychgate), ("nginx", nginx),
                            ("HAProxy", haproxy("http")), ("HAProxy TCP", haproxy("tcp"))]:
        port = free_port()
        peers.append(Peer(name, arguments(port), port, log))
    return peers


def load(peer, case, seconds):
    """One round: CPU for each request, throughput and latencies."""
    script = ["-s", str(HERE / case["script"])] if "script" in case else []
    headers = [part for line in case.get("headers", lambda _: [])(peer) for part in ("-H", line)]
    url = f"http://127.0.0.1:{peer.port}{case['path']}"
    before = peer.cpu()
    command = ["wrk", "-t1", f"-c{case.get('connections', 64)}", f"-d{seconds}s", "--latency"]
    output = subprocess.run(command + script + headers + [url], capture_output=True, text=True).stdout
    after = peer.cpu()
    count = int(re.search(r"(\d+) requests in", output)[1])
    if count == 0 or "Non-2xx" in output or "Socket errors" in output:
        sys.exit(f"{peer.name}, {case['name']}: the load failed\n{output}")
    return {
        "user": (after[0] - before[0]) / count * 1e6,
        "system": (after[1] - before[1]) / count * 1e6,
        "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1]),
        "p50": re.search(r"50%\s+(\S+)", output)[1],
        "p99": re.search(r"99%\s+(\S+)", output)[1],
    }


def jar_cookie(peer):
    """Lychgate's own cookie after a log-in; the others pass a cookie of the same length on."""
    with socket.create_connection(("127.0.0.1", peer.port)) as client:
        client.sendall(b"POST /login HTTP/1.1\r\nHost: bench\r\nContent-Length: 0\r\n\r\n")
        head = client.recv(65536).decode()
    found = re.search(r"Set-Cookie: (lychgate=[^;]+)", head)
    if peer.name == "Lychgate" and not found:
        sys.exit(f"no session was captured:\n{head}")
    return ["Cookie: " + (found[1] if found else "lychgate=" + "A" * 22)]


CASES = [
    {"name": "small request, no session", "path": "/"},
    {"name": "small request, jar lookup and injection", "path": "/", "headers": jar_cookie},
    {"name": "new connection for each request", "path": "/", "headers": lambda _: ["Connection: close"]},
    {"name": "1 MiB down", "path": "/1m", "connections": 16},
    {"name": "1 MiB up", "path": "/sink", "connections": 16, "script": "upload.lua"},
]


def idle_memory(peer, count):
    """KiB at rest, and bytes for each of `count` connections that have had one answer."""
    rest = peer.memory()
    clients = []
    for _ in range(count):
        client = socket.create_connection(("127.0.0.1", peer.port))
        client.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n")
        if not client.recv(4096).startswith(b"HTTP/1.1 200"):
            sys.exit(f"{peer.name}: no answer on an idle connection")
        clients.append(client)
    time.sleep(0.5)
    grown = peer.memory()
    for client in clients:
        client.close()
    return rest, (grown - rest) * 1024 / count


def median_of(rounds):
    best = sorted(rounds, key=lambda r: r["user"] + r["system"])[len(rounds) // 2]
    return {**best, **{key: statistics.median(r[key] for r in rounds) for key in ("user", "system")}}


def table(results, memory, peers):
    lines = []
    for case, rows in results.items():
        lines += [f"\n**{case}**\n", "| | CPU | user | system | of nginx | of TCP relay | req/s | p50 | p99 |",
                  "|---|---|---|---|---|---|---|---|---|"]
        total = {name: row["user"] + row["system"] for name, row in rows.items()}
        for name, row in rows.items():
            lines.append(
                f"| {name} | {total[name]:.1f} µs | {row['user']:.1f} | {row['system']:.1f} "
                f"| {total[name] / total['nginx']:.2f} | {total[name] / total['HAProxy TCP']:.2f} "
                f"| {row['rate']:.0f} | {row['p50']} | {row['p99']} |")
    lines += ["\n**memory**\n", "| | at rest | an idle connection |", "|---|---|---|"]
    for peer in peers:
        rest, each = memory[peer.name]
        lines.append(f"| {peer.name} | {rest / 1024:.1f} MiB | {each / 1024:.2f} KiB |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=str(HERE.parent / ".build/release/lychgate"))
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--idle", type=int, default=4000)
    options = parser.parse_args()
    for tool in ("nginx", "haproxy", "wrk"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing: `make bench` installs it")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with tempfile.TemporaryDirectory() as name, open(os.path.join(name, "log"), "w") as log:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        (folder / "1m").write_bytes(os.urandom(MIB))
        backend = free_port()
        conf = fill("backend.conf", folder, port=backend, folder=folder)
        source = Peer("backend", ["nginx", "-c", conf, "-e", str(folder / "backend.err")], backend, log)
        peers = start_peers(folder, log, options.binary, backend)
        try:
            memory = {peer.name: idle_memory(peer, options.idle) for peer in peers}
            results = {}
            for case in CASES:
                rounds = {peer.name: [] for peer in peers}
                for _ in range(options.rounds):
                    for peer in peers:
                        rounds[peer.name].append(load(peer, case, options.seconds))
                results[case["name"]] = {name: median_of(r) for name, r in rounds.items()}
        finally:
            for peer in peers + [source]:
                peer.stop()
    text = table(results, memory, peers)
    print(text)
    today = datetime.date.today().isoformat()
    out = HERE / "results"
    out.mkdir(exist_ok=True)
    (out / f"{today}.md").write_text(f"# {today}\n" + text)
    (out / f"{today}.json").write_text(json.dumps({"cases": results, "memory": memory}, indent=1) + "\n")


main()
