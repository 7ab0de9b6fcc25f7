"""Plays the story of a restart with curl: each command, its answer, and whether it is as claimed.

Exits with 1 if any answer differs from what is claimed here.
"""

import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time

from processes import Backend, Lychgate, free_port

IS_TERMINAL = sys.stdout.isatty()
failures: list[str] = []


def styled(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if IS_TERMINAL else text


def say(text: str = "") -> None:
    print(text, flush=True)


def chapter(text: str) -> None:
    say("\n" + styled(text, "1"))


def claim(text: str, holds: bool) -> None:
    """One claim and whether it holds."""
    say("  " + (styled("✓", "32") if holds else styled("✗ NOT SO:", "31;1")) + " " + text)
    if not holds:
        failures.append(text)


class Answer:
    """What curl printed with `-i`."""

    def __init__(self, text: str):
        head, _, self.body = text.replace("\r\n", "\n").partition("\n\n")
        lines = head.split("\n")
        words = lines[0].split(" ")
        self.status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
        self.fields = [line.partition(": ")[::2] for line in lines[1:]]
        self.text = text

    def field(self, name: str) -> str | None:
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)

    def cookie(self) -> str | None:
        """The line that sets or expires the jar cookie."""
        lines = [value for key, value in self.fields if key.lower() == "set-cookie"]
        return next((line for line in lines if line.startswith("lychgate=")), None)

    def expires_cookie(self) -> bool:
        return "Max-Age=0" in (self.cookie() or "")

    def is_clean_401(self) -> bool:
        return (
            self.status == 401
            and self.field("X-Session-Cleared") == "backend-restart"
            and self.body.strip() == '{"valid":false,"reason":"SESSION_NOT_FOUND",'
            '"message":"Session not found - please reconnect"}'
        )


class Ended(Exception):
    """Lychgate has died: nothing more can be shown."""


class Stage:
    def __init__(self, directory: str):
        self.directory = pathlib.Path(directory)
        self.log = open(self.directory / "log", "ab")
        self.zombie_file = self.directory / "zombies"
        self.backend = Backend(free_port(8000), self.log, str(self.zombie_file))
        self.lychgate = Lychgate(free_port(8080), self.backend.url, self.log)

    def start(self) -> None:
        self.backend.start()
        self.backend.wait_until_it_answers()
        self.lychgate.start()
        self.lychgate.wait_until_it_answers()

    def stop(self) -> None:
        self.lychgate.stop()
        self.backend.stop()

    def kill_backend(self) -> None:
        say(f"\n  $ kill -9 {self.backend.pid}    # the backend")
        self.backend.kill9()

    def start_backend(self) -> None:
        say("\n  $ " + shlex.join(["python"] + self.backend.command()[2:]) + " &")
        self.backend.start()
        self.backend.wait_until_it_answers()

    def curl(self, *arguments: str) -> Answer:
        """Runs curl, shows the command and the answer."""
        words = ["curl", "-i", *[a.replace("LYCHGATE", self.lychgate.url) for a in arguments]]
        say("\n  $ " + shlex.join(words))
        done = subprocess.run(
            [words[0], "-s", "-m", "20", *words[1:]],
            cwd=self.directory, capture_output=True, text=True, check=False,
        )
        for line in done.stdout.replace("\r", "").rstrip().split("\n"):
            say("    " + styled(line, "2"))
        if done.returncode:
            self.check_lychgate()
            claim(f"curl succeeds (its exit code is {done.returncode})", False)
        return Answer(done.stdout)

    def check_lychgate(self) -> None:
        if not self.lychgate.is_running():
            claim(f"Lychgate runs (it ended with {self.lychgate.child.returncode})", False)
            raise Ended

    def zombies(self) -> list[str]:
        return self.zombie_file.read_text().splitlines() if self.zombie_file.exists() else []

    def jar_cookie(self) -> str:
        """The value that curl holds, from its cookie file."""
        found = re.search(r"\tlychgate\t(\S+)", (self.directory / "cookies").read_text())
        return found[1] if found else ""


JAR = ("-b", "cookies", "-c", "cookies")


def cookie_way(stage: Stage) -> None:
    chapter("1. Lychgate holds the session: the client has nothing but an opaque cookie")
    answer = stage.curl(*JAR, "-X", "POST", "LYCHGATE/api/connect")
    claim("connected: 200, and a cookie that no script can read",
          answer.status == 200 and "HttpOnly" in (answer.cookie() or ""))
    answer = stage.curl(*JAR, "LYCHGATE/api/tables")
    claim("work: 200, the backend got the session", answer.status == 200)

    chapter("2. The backend dies")
    stage.kill_backend()
    answer = stage.curl(*JAR, "LYCHGATE/api/tables")
    claim("503, try again later; the session is not given up",
          answer.status == 503 and '"valid":true' in answer.body and not answer.cookie())

    chapter("3. It starts again, and knows nothing of the session: one clean 401")
    stage.start_backend()
    answer = stage.curl(*JAR, "LYCHGATE/api/tables")
    claim("401 SESSION_NOT_FOUND, X-Session-Cleared: backend-restart", answer.is_clean_401())
    claim("the cookie is expired", answer.expires_cookie())
    answer = stage.curl(*JAR, "LYCHGATE/api/session/status")
    claim("the next request is anonymous: the backend itself answers NO_SESSION_ID",
          answer.status == 401 and "NO_SESSION_ID" in answer.body
          and answer.field("X-Session-Cleared") is None)

    chapter("4. Connect again, and everything works")
    answer = stage.curl(*JAR, "-X", "POST", "LYCHGATE/api/connect")
    claim("connected: 200 and a new cookie", answer.status == 200 and bool(answer.cookie()))
    answer = stage.curl(*JAR, "-H", "Content-Type: application/json",
                        "-d", '{"table":"orders"}', "LYCHGATE/api/query")
    claim("work: 200", answer.status == 200 and "lantern" in answer.body)


def header_way(stage: Stage) -> None:
    chapter("5. A client that holds its session itself, and sends X-Session-ID")
    answer = stage.curl("-X", "POST", "LYCHGATE/api/connect")
    session = answer.field("X-Session-ID") or ""
    header = ("-H", f"X-Session-ID: {session}")
    claim("connected: 200, the session in X-Session-ID", answer.status == 200 and bool(session))
    answer = stage.curl(*header, "LYCHGATE/api/session/status")
    claim("work: 200", answer.status == 200 and '"valid":true' in answer.body)
    stage.kill_backend()
    stage.start_backend()
    answer = stage.curl(*header, "LYCHGATE/api/session/status")
    claim("the same clean 401", answer.is_clean_401())
    answer = stage.curl("LYCHGATE/api/session/status")
    claim("without the field: anonymous, the backend's own answer",
          "NO_SESSION_ID" in answer.body)


def five_at_once(stage: Stage) -> None:
    chapter("6. Five requests at once with a stale session, as a page with five widgets sends")
    answer = stage.curl(*JAR, "-X", "POST", "LYCHGATE/api/connect")
    claim("connected: 200", answer.status == 200)
    cookie = stage.jar_cookie()
    stage.kill_backend()
    stage.start_backend()
    url = stage.lychgate.url
    say(f"\n  $ for i in 1 2 3 4 5; do curl -i -b lychgate={cookie} '{url}/api/tables' & done; wait")
    running = [
        subprocess.Popen(
            ["curl", "-s", "-i", "-m", "20", "-b", f"lychgate={cookie}", f"{url}/api/tables"],
            stdout=subprocess.PIPE, text=True,
        )
        for _ in range(5)
    ]
    answers = [Answer(process.communicate()[0]) for process in running]
    for answer in answers:
        shown = f"{answer.status}  X-Session-Cleared: {answer.field('X-Session-Cleared')}"
        say("    " + styled(shown + ("  Set-Cookie: expired" if answer.cookie() else ""), "2"))
    claim("five clean 401s", all(answer.is_clean_401() for answer in answers))
    claim("exactly one of them expires the cookie (a late one must not delete the next)",
          sum(answer.expires_cookie() for answer in answers) == 1
          and sum(bool(answer.cookie()) for answer in answers) == 1)


def main() -> int:
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lychgate-demo-") as directory:
        stage = Stage(directory)
        try:
            stage.start()
            say(f"Lychgate at {stage.lychgate.url}, the backend at {stage.backend.url}")
            cookie_way(stage)
            header_way(stage)
            five_at_once(stage)
            chapter("7. What the backend saw")
            zombies = stage.zombies()
            claim(f"{len(zombies)} zombie requests", not zombies)
        except Ended:
            pass
        except KeyboardInterrupt:
            return 130
        finally:
            stage.stop()
        if failures:
            say("\nWhat both processes said:")
            say((stage.directory / "log").read_text(errors="replace"))
            say(f"{len(failures)} claims do not hold:")
            for text in failures:
                say(f"  ✗ {text}")
            return 1
    say(f"\nEverything is as claimed ({time.monotonic() - start:.0f} s).")
    return 0


sys.exit(main())
