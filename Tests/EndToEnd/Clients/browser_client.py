"""The seed's testing checklist in a real browser, with the page of `Examples/web`.

    browser_client.py WAY PAGE BACKEND_PORT SCREENSHOTS

WAY is one of the page's ways (`none`, `bare`, `header`, `jar`), or `hidden`, which is `header` where
Lychgate's configuration has no `cors.origins` line for the page; PAGE is where the page is. The
example's backend is started, killed and started again here; LYCHGATE_PORT in the environment
tells where Lychgate is. Exits 0 if all was as it should be.
"""

import os
import pathlib
import signal
import sys

from chromium import Chromium, Failure

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.append(str(ROOT / "Examples"))
from processes import Backend

STATE = "document.querySelector('#state')?.textContent"
DETAIL = "document.querySelector('#detail')?.textContent"
TOLD = "The backend was restarted"
# Without Lychgate, the backend's own 401 may come before the guard has found out why.
TOLD_LATE = "The backend does not know your session"
DATA = "document.querySelector('#data')?.textContent"


class Story:
    def __init__(self, way: str, page: str, port: int, screenshots: pathlib.Path):
        self.way = way
        self.address = f"{page}/?way={'header' if way == 'hidden' else way}"
        self.lychgate = f"http://127.0.0.1:{os.environ['LYCHGATE_PORT']}"
        self.screenshots = screenshots
        self.backend = Backend(port)
        self.browser: Chromium | None = None

    def start(self) -> None:
        self.restart_backend()
        self.browser = Chromium()
        self.browser.look(900, 900, "light")

    def stop(self) -> None:
        if self.browser:
            self.browser.close()
        self.backend.kill9()

    def restart_backend(self) -> None:
        self.backend.kill9()
        self.backend.start()
        self.backend.wait_until_it_answers()

    def picture(self, name: str) -> None:
        place = "-same-origin" if self.address.startswith(self.lychgate) else ""
        self.browser.screenshot(self.screenshots / f"{self.way}{place}-{name}.png")

    def state(self, text: str) -> None:
        self.browser.until(f"{STATE} === {text!r}")

    def stored(self, key: str) -> str | None:
        return self.browser.evaluate(f"sessionStorage.getItem({key!r})")

    def check(self, what: str, holds: bool) -> None:
        if not holds:
            raise Failure(f"not so: {what}")

    def connect_and_work(self) -> None:
        self.browser.click("#connect")
        self.state("Connected")
        self.browser.click("#load")
        self.browser.until(f"{DATA}.includes('Grace')")

    def is_clean(self) -> None:
        """Not connected, told why, and nothing is left of the session that is gone."""
        self.state("Not connected")
        told = [TOLD, TOLD_LATE] if self.way == "bare" else [TOLD]
        self.browser.until(f"{told}.some(text => {DETAIL}.includes(text))")
        self.browser.until(f"!{DATA}.includes('Grace') && !document.querySelector('.failure')")
        self.check("the session is forgotten", self.stored("snowflake_session") is None)
        if self.way == "jar":
            # It asks in a row: when this one is answered, so are those that came by themselves.
            guard = f"{self.lychgate}/.lychgate/guard.js"
            self.browser.evaluate(f"import('{guard}').then(it => it.checkBackendRestart())")

    def open_and_connect(self) -> None:
        self.browser.open(self.address)
        if self.way != "none":
            self.browser.said("[BackendGuard]")
        self.state("Not connected")
        self.picture("1-fresh")
        self.connect_and_work()
        self.picture("2-connected")
        held_here = "sessionId" in (self.stored("snowflake_session") or "")
        self.check("who holds the session", held_here == (self.way != "jar"))

    def restart_and_refresh(self) -> None:
        before = self.stored("MDLH_BACKEND_INSTANCE_ID")
        self.browser.console.clear()
        if self.way == "jar":
            # A page that is open learns it at once; here is what one finds that comes back.
            self.browser.open("about:blank")
            self.restart_backend()
            self.browser.open(self.address)
        else:
            self.restart_backend()
            self.browser.refresh()
        self.browser.said("[BackendGuard]", "restarted")
        self.is_clean()
        self.picture("3-restarted")
        after = self.stored("MDLH_BACKEND_INSTANCE_ID")
        self.check("the instance is another", bool(before and after) and before != after)
        self.connect_and_work()

    def restart_without_refreshing(self) -> None:
        """Told by an event where there is one, else by the answer to what comes next."""
        self.restart_backend()
        if self.way != "jar":
            self.browser.click("#load")
        self.is_clean()
        self.connect_and_work()

    def down_and_up(self) -> None:
        """While the backend is down: try again later; once it is back, without a click: clean."""
        self.backend.kill9()
        self.browser.click("#load")
        self.state("Backend not reachable")
        self.picture("4-unreachable")
        self.backend.start()
        self.is_clean()
        self.connect_and_work()

    def disconnect(self) -> None:
        self.browser.click("#disconnect")
        self.state("Not connected")
        self.check("the session is forgotten", self.stored("snowflake_session") is None)

    def other_looks(self) -> None:
        for name, *look in (("dark", 900, 900, "dark"), ("phone", 390, 844, "light"),
                            ("phone-dark", 390, 844, "dark")):
            self.browser.look(*look)
            self.picture("5-" + name)
            wide = "document.documentElement.scrollWidth > innerWidth"
            self.check("nothing is wider than the window", not self.browser.evaluate(wide))

    def zombie(self) -> None:
        """Without a guard: "Connected", and nothing works, however often one refreshes."""
        self.restart_backend()
        for _ in range(2):
            self.browser.refresh()
            self.state("Connected")
            self.browser.click("#load")
            self.browser.until("document.querySelector('.failure')")
        self.picture("3-restarted")

    def hidden(self) -> None:
        """The browser keeps the 401 from the page, which cannot tell it from a dead network."""
        self.restart_backend()
        self.browser.click("#load")
        self.state("Backend not reachable")
        self.picture("3-restarted")

    def run(self) -> None:
        self.start()
        self.open_and_connect()
        if self.way == "none":
            self.zombie()
        elif self.way == "hidden":
            self.hidden()
        else:
            self.restart_and_refresh()
            self.restart_without_refreshing()
            self.down_and_up()
            self.other_looks()
            self.disconnect()
        self.check(f"no script failed: {self.browser.exceptions}", not self.browser.exceptions)


def main() -> None:
    way, page, port, screenshots = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    story = Story(way, page, int(port), pathlib.Path(screenshots))
    try:
        story.run()
    except Failure as failure:
        if story.browser and story.browser.session:
            story.picture("failed")
            print("Console:", *story.browser.console, sep="\n  ", file=sys.stderr)
        sys.exit(f"{way}: {failure}")
    finally:
        story.stop()


main()
