"""A real browser for tests: Chromium without a window, spoken to over its DevTools protocol."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# As root, as in most containers, Chromium starts without its sandbox only; the pages are our own.
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0")


def find_browser() -> str | None:
    """The path of the first Chromium on this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """One tab. `complaints` is everything that its console, its scripts and its security policy had to say."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._number, self._session = socket, 0, None
        self.complaints: list[str] = []
        target = self.call("Target.createTarget", url="about:blank").targetId
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True).sessionId
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.requests: list[str] = []

    def open(self, file: Path, until: str = "document.readyState === 'complete'") -> None:
        """Load the file and wait until the expression is true, of the page before nothing is left."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=file.resolve().as_uri())
        self.wait(until)

    def wait(self, until: str, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not self.ask(until):
            assert time.monotonic() < deadline, f"{until} did not become true; {self.complaints}"
            time.sleep(0.05)

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression on the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert not hasattr(answer, "exceptionDetails"), answer.exceptionDetails
        return getattr(answer.result, "value", None)

    def press(self, key: str) -> None:
        """Press and release a key, as a person at the keyboard does."""
        codes = {"Enter": 13, "Tab": 9, " ": 32}
        text = {"Enter": "\r", " ": " "}.get(key, "" if len(key) > 1 else key)
        common = {"key": key, "windowsVirtualKeyCode": codes.get(key, ord(key[0].upper()))}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def resize(self, width: int, height: int) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )

    def prefer(self, scheme: str, media: str = "") -> None:
        """Show the page as on a light or dark screen, or as on another medium such as print."""
        self.call(
            "Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}]
        )

    def picture(self, file: Path, *, is_whole: bool = False) -> None:
        """A PNG of what is seen, or of the whole page."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=is_whole)
        file.write_bytes(base64.b64decode(shot.data))

    def print(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True).data))

    def call(self, method: str, **parameters: object) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message | ({"sessionId": self._session} if self._session else {})))
        while True:
            answer = json.loads(self._socket.recv(timeout=60), object_hook=lambda values: SimpleNamespace(**values))
            if getattr(answer, "id", None) == self._number:
                assert not hasattr(answer, "error"), answer.error
                return answer.result
            self._listen(getattr(answer, "method", ""), getattr(answer, "params", None))

    def _listen(self, event: str, said: Any) -> None:
        if event == "Runtime.consoleAPICalled" and said.type in ("error", "warning", "assert"):
            self.complaints.append(" ".join(str(getattr(argument, "value", "")) for argument in said.args))
        elif event == "Runtime.exceptionThrown":
            self.complaints.append(str(said.exceptionDetails))
        elif event == "Log.entryAdded" and said.entry.level in ("error", "warning"):
            self.complaints.append(said.entry.text)
        elif event == "Network.requestWillBeSent":
            self.requests.append(said.request.url)


@contextmanager
def open_browser(program: str) -> Iterator[Page]:
    """A tab of a fresh browser, which ends with the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [program, *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            lines = iter(process.stderr or [])
            address = next(filter(None, (re.search(r"ws://\S+", line) for line in lines)))[0]
            with connect(address, max_size=None) as socket:
                yield Page(socket)
        finally:
            process.terminate()
            process.communicate(timeout=30)
