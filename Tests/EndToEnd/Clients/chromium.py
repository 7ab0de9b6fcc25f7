"""A headless Chromium, driven over its DevTools protocol: one page, as a person uses it."""

import base64
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from websockets.sync.client import connect

PATIENCE = 60
OPTIONS = [
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
    "--no-first-run", "--no-default-browser-check", "--disable-extensions", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--mute-audio",
    "--renderer-process-limit=1", "--window-size=900,900", "--hide-scrollbars",
    # Straight to loopback, whatever proxy the environment names.
    "--no-proxy-server", "--remote-debugging-port=0",
]

# Resolves once the expression is true, after whatever changes on the page, or to false.
UNTIL = """new Promise(resolve => {
  let observer;
  const check = last => {
    const holds = !!(%s);
    if (!holds && !last) return;
    observer.disconnect();
    resolve(holds);
  };
  observer = new MutationObserver(() => check(false));
  observer.observe(document, {
    subtree: true, childList: true, attributes: true, characterData: true,
  });
  setTimeout(check, %d, true);
  check(false);
})"""


class Failure(Exception):
    """The page or the browser did not do what was expected."""


class Chromium:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="lychgate-chromium-")
        self.log = open(pathlib.Path(self.profile, "stderr"), "w+")
        self.child = subprocess.Popen(
            ["chromium", *OPTIONS, f"--user-data-dir={self.profile}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log,
            start_new_session=True,
        )
        self.next_id = 0
        self.console: list[str] = []
        self.exceptions: list[str] = []
        self.loads = 0
        try:
            self.socket = connect(self._address(), max_size=None, open_timeout=PATIENCE)
            self.session = None
            targets = self.call("Target.getTargets")["targetInfos"]
            target = next(each["targetId"] for each in targets if each["type"] == "page")
            attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
            self.session = attached["sessionId"]
            for domain in ("Page", "Runtime"):
                self.call(domain + ".enable")
        except BaseException:
            self.close()
            raise

    def _address(self) -> str:
        """Where it listens, from the file that it writes when it does."""
        file = pathlib.Path(self.profile, "DevToolsActivePort")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.child.poll() is None:
            lines = file.read_text().split("\n") if file.exists() else []
            if len(lines) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            time.sleep(0.02)
        self.log.seek(0)
        raise Failure("chromium did not start: " + self.log.read()[-2000:])

    def close(self) -> None:
        """Ends the browser and all its children."""
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()
        self.log.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    # The protocol.

    def call(self, method: str, **parameters):
        self.next_id += 1
        message = {"id": self.next_id, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        deadline = time.monotonic() + PATIENCE + 10
        while True:
            answer = self._receive(deadline)
            if answer.get("id") == self.next_id:
                if "error" in answer:
                    raise Failure(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def _receive(self, deadline: float) -> dict:
        try:
            message = json.loads(self.socket.recv(timeout=max(0, deadline - time.monotonic())))
        except TimeoutError:
            raise Failure("chromium said nothing for too long") from None
        details = message.get("params", {})
        match message.get("method"):
            case "Runtime.consoleAPICalled":
                words = [str(each.get("value", each.get("description"))) for each in details["args"]]
                self.console.append(f"{details['type']}: {' '.join(words)}")
            case "Runtime.exceptionThrown":
                what = details["exceptionDetails"]
                said = what.get("exception", {}).get("description", what["text"])
                self.exceptions.append(said)
            case "Page.loadEventFired":
                self.loads += 1
        return message

    # What a person does.

    def open(self, url: str) -> None:
        self._load("Page.navigate", url=url)

    def refresh(self) -> None:
        self._load("Page.reload")

    def _load(self, method: str, **parameters) -> None:
        before = self.loads
        failed = self.call(method, **parameters).get("errorText")
        if failed:
            raise Failure(f"{parameters}: {failed}")
        deadline = time.monotonic() + PATIENCE
        while self.loads == before:
            self._receive(deadline)

    def evaluate(self, expression: str):
        result = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in result:
            raise Failure(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def until(self, expression: str) -> None:
        """Waits until this is true on the page."""
        if not self.evaluate(UNTIL % (expression, PATIENCE * 1000)):
            text = self.evaluate("document.body.innerText")
            raise Failure(f"never: {expression}\nThe page has:\n{text}")

    def said(self, *parts: str) -> None:
        """Waits for a line on the console with all of these, and takes it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            for index, line in enumerate(self.console):
                if all(part in line for part in parts):
                    del self.console[: index + 1]
                    return
            try:
                self._receive(deadline)
            except Failure:
                raise Failure(f"the console never said {parts}: {self.console}") from None

    def click(self, selector: str) -> None:
        """Presses the mouse in the middle of it, once it can be pressed."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.until(f"{found} && !{found}.disabled")
        place = self.evaluate(
            f"{found}.scrollIntoView({{ block: 'nearest' }});"
            f"(({{ x, y, width, height }}) => [x + width / 2, y + height / 2])"
            f"({found}.getBoundingClientRect())"
        )
        for event in ("mousePressed", "mouseReleased"):
            self.call(
                "Input.dispatchMouseEvent", type=event, x=place[0], y=place[1], button="left",
                clickCount=1,
            )

    def look(self, width: int, height: int, scheme: str) -> None:
        """A window of this size, with a light or a dark colour scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height,
            deviceScaleFactor=2 if width < 600 else 1, mobile=width < 600,
        )
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[feature])
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=0, y=0)

    def screenshot(self, file: pathlib.Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        picture = self.call("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(picture["data"]))
