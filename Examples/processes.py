"""The processes of the example, for `run.py` and `demo.py`: start, wait, end by pid."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = ROOT / ".build" / "release" / "lychgate"


def free_port(first: int) -> int:
    """The first port from here on that nothing listens on."""
    for port in range(first, first + 200):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise SystemExit(f"No port from {first} to {first + 199} is free.")


def is_listening(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A child in a session of its own, so that Ctrl-C reaches it through us alone."""

    name = "process"

    def __init__(self, output=None):
        self.output = output
        self.child: subprocess.Popen | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {}

    def answers(self) -> bool:
        raise NotImplementedError

    def start(self) -> None:
        self.child = subprocess.Popen(
            self.command(),
            cwd=ROOT,
            env=os.environ | self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )

    def wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 30
        while not self.answers():
            if not self.is_running() or time.monotonic() > deadline:
                raise SystemExit(f"{self.name} did not start: {' '.join(self.command())}")
            time.sleep(0.02)

    def is_running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    @property
    def pid(self) -> int:
        return self.child.pid if self.child else 0

    def kill9(self) -> None:
        if self.is_running():
            self.child.send_signal(signal.SIGKILL)
            self.child.wait()

    def stop(self) -> int | None:
        """Asks it to stop, insists after a while, and says how it ended."""
        if self.child is None:
            return None
        if self.is_running():
            self.child.terminate()
            try:
                self.child.wait(timeout=12)
            except subprocess.TimeoutExpired:
                self.kill9()
        return self.child.returncode


class Backend(Process):
    """`Examples/backend`, which the example may restart."""

    name = "backend"

    def __init__(self, port: int, output=None, zombie_file: str | None = None):
        super().__init__(output)
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.zombie_file = zombie_file

    def command(self) -> list[str]:
        return [sys.executable, "-u", "Examples/backend/main.py", "--port", str(self.port)]

    def environment(self) -> dict[str, str]:
        more = {"EXAMPLE_RESTARTABLE": "1"}
        if self.zombie_file:
            more["EXAMPLE_ZOMBIE_FILE"] = self.zombie_file
        return more

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + "/health", timeout=1) as response:
                return response.status == 200
        except (urllib.error.URLError, OSError):
            return False


class Page(Process):
    """The page of `Examples/web` on a port of its own, as while it is being developed."""

    name = "page"

    def __init__(self, port: int, output=None):
        super().__init__(output)
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def command(self) -> list[str]:
        return [sys.executable, "-u", "Examples/web/serve.py", "--port", str(self.port)]

    def answers(self) -> bool:
        return is_listening(self.port)


class Lychgate(Process):
    """The release binary with `Examples/lychgate.yaml`, on the ports that are free."""

    name = "lychgate"

    def __init__(self, port: int, upstream: str, output=None):
        super().__init__(output)
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.upstream = upstream

    def command(self) -> list[str]:
        return [
            str(BINARY), "run", "--config", "Examples/lychgate.yaml",
            "--listen", f"127.0.0.1:{self.port}", "--upstream", self.upstream,
        ]

    def answers(self) -> bool:
        return is_listening(self.port)
