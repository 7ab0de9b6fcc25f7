"""Starts the example's backend, its page and Lychgate, and stops all of them on Ctrl-C.

The backend is started again whenever it dies. `--restart` kills the one of another terminal.
"""

import os
import pathlib
import select
import signal
import subprocess
import sys
import threading
import time

from processes import ROOT, Backend, Lychgate, Page, free_port

PID_FILE = ROOT / ".build" / "run" / "backend.pid"
IS_TERMINAL = sys.stdout.isatty()


def styled(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if IS_TERMINAL else text


def say(text: str) -> None:
    print(text, flush=True)


def show(process, name: str, colour: str) -> None:
    """Copies what a process says, each line with its name before it."""

    def copy(stream) -> None:
        for line in stream:
            say(styled(f"{name:>8} │ ", colour) + line.rstrip())

    threading.Thread(target=copy, args=(process.child.stdout,), daemon=True).start()


def start(process, colour: str) -> None:
    process.output = subprocess.PIPE
    process.start()
    show(process, process.name, colour)
    process.wait_until_it_answers()


def start_backend(backend: Backend) -> None:
    start(backend, "33")
    PID_FILE.parent.mkdir(parents=True, exist_ok=True)
    PID_FILE.write_text(f"{backend.pid}\n")


def restart_from_elsewhere() -> None:
    """Kills the backend of a `make run` in another terminal, if it is one."""
    try:
        pid = int(PID_FILE.read_text())
        command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        raise SystemExit("No backend is running: start it with `make run`.")
    if b"Examples/backend/main.py" not in command:
        raise SystemExit("No backend is running: start it with `make run`.")
    os.kill(pid, signal.SIGKILL)
    say(f"kill -9 {pid}: `make run` starts the next one.")


def introduce(page: Page, lychgate: Lychgate) -> None:
    bold = lambda text: styled(text, "1")
    say(f"""
  {bold(lychgate.url)}               Lychgate holds the session and tells the page
  {page.url}/?way=header   the page holds it, through Lychgate
  {page.url}/?way=bare     the page holds it, and looks for restarts itself
  {page.url}/?way=none     without anything of the kind: zombie sessions

  Try this:
    1. Open {lychgate.url}, press Connect, then Load data.
    2. Restart the backend: type {bold("r")} and Enter here, or press the page's button,
       or run `make restart-backend` in another terminal.
    3. The page says "Not connected": the backend was restarted. Connect again: all works.

  The same with curl:
    curl -i -c /tmp/cookies -X POST {lychgate.url}/api/connect
    curl -i -b /tmp/cookies -c /tmp/cookies {lychgate.url}/api/tables

  {bold("r")} restarts the backend (kill -9), {bold("q")} or Ctrl-C stops everything.
""")


def read_key() -> str:
    """What was typed within a moment; nothing where nobody can type."""
    if not sys.stdin.isatty():
        time.sleep(0.1)
        return ""
    ready, _, _ = select.select([sys.stdin], [], [], 0.1)
    return sys.stdin.readline().strip().lower() if ready else ""


def watch(backend: Backend, lychgate: Lychgate) -> int:
    """Until someone stops it: starts the backend again whenever it has died."""
    quick_deaths = 0
    started = time.monotonic()
    while lychgate.is_running():
        key = read_key()
        if key == "q":
            return 0
        if key == "r":
            say(f"  kill -9 {backend.pid}")
            backend.kill9()
        if not backend.is_running():
            quick_deaths = quick_deaths + 1 if time.monotonic() - started < 1 else 0
            if quick_deaths == 5:
                say("  The backend dies again and again; giving up.")
                return 1
            say("  The backend is gone. Starting it again.")
            start_backend(backend)
            started = time.monotonic()
    say(f"  Lychgate has ended with code {lychgate.child.returncode}.")
    return 1


def main() -> int:
    if "--restart" in sys.argv[1:]:
        restart_from_elsewhere()
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    backend = Backend(free_port(8000))
    lychgate = Lychgate(free_port(8080), backend.url)
    page = Page(free_port(5173))
    # The page has to know the others, and Lychgate the page, whose origin it lets in.
    for name, process in (("BACKEND", backend), ("LYCHGATE", lychgate), ("PAGE", page)):
        os.environ[name + "_PORT"] = str(process.port)
    code = 0
    try:
        start_backend(backend)
        start(lychgate, "36")
        start(page, "35")
        introduce(page, lychgate)
        code = watch(backend, lychgate)
    except KeyboardInterrupt:
        say("")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        page.stop()
        lychgate.stop()
        backend.stop()
        PID_FILE.unlink(missing_ok=True)
    say("  Everything is stopped.")
    return code


sys.exit(main())
