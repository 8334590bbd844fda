"""A small driver of the system's Chromium through its DevTools protocol: no browser is downloaded,
no driver is needed.
"""

import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome")
START_SECONDS, WAIT_SECONDS = 60.0, 120.0
# --no-sandbox: a container's root may not start the sandbox; only our own pages are opened
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)
KEYS = {
    "ArrowRight": 39,
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowDown": 40,
    "Tab": 9,
    "Enter": 13,
    " ": 32,
    "Home": 36,
    "End": 35,
}


# a page that leads on was left while it was asked: whoever waits asks the page it led to
LED_ON = (
    "Inspected target navigated or closed",
    "Cannot find context",
    "Execution context was destroyed",
)


class PageError(AssertionError):
    """A script of the page failed, or what a test waits for did not come."""


def find_browser() -> str | None:
    """Path of an installed Chromium; `CITYSYNC_BROWSER` overrides it."""
    return os.environ.get("CITYSYNC_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """One tab: opens addresses, evaluates scripts, presses keys, and keeps what the console and the
    network complained of.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command and return its result; events that come meanwhile are kept."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=WAIT_SECONDS))
            if message.get("id") == number:
                if "error" in message:
                    raise PageError(f"{method}: {message['error']['message']}")
                return message["result"]
            self._events.append(message)

    def evaluate(self, expression: str) -> Any:
        """Value of a script expression; a promise is awaited."""
        found = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in found:
            details = found["exceptionDetails"]
            raise PageError(details.get("exception", {}).get("description", details["text"]))
        return found["result"].get("value")

    def open(self, address: str, width: int = 1280) -> None:
        """Open an address in a window of a size, and wait until it has loaded."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.send("Page.navigate", url="about:blank")
        self._events.clear()
        self.send("Page.navigate", url=address)
        self.wait("location.href !== 'about:blank' && document.readyState === 'complete'")

    def wait(self, expression: str) -> None:
        """Wait until an expression is true.

        Raises
        ------
        PageError
            With the expression, when it stays false.
        """
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            try:
                if self.evaluate(f"Boolean({expression})"):
                    return
            except PageError as error:
                if not any(words in str(error) for words in LED_ON):
                    raise
            time.sleep(0.05)
        raise PageError(f"waited {WAIT_SECONDS:.0f} s in vain for: {expression}")

    def press(self, key: str, times: int = 1) -> None:
        """Press a key as a keyboard does."""
        for _ in range(times):
            for kind in ("rawKeyDown", "keyUp"):
                self.send(
                    "Input.dispatchKeyEvent",
                    type=kind,
                    key=key,
                    code=key,
                    windowsVirtualKeyCode=KEYS[key],
                )
            if key == "Enter":
                self.send("Input.dispatchKeyEvent", type="char", key=key, text="\r")

    def text(self, selector: str) -> str:
        """What a reader sees of an element."""
        return self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")

    def focus(self, selector: str) -> None:
        """Put the keyboard on an element."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")

    def choose(self, selector: str, value: object) -> None:
        """Choose an option of a select."""
        script = f"""(() => {{
            const select = document.querySelector({json.dumps(selector)});
            select.value = {json.dumps(str(value))};
            if (select.value !== {json.dumps(str(value))}) throw new Error("no such option");
            select.dispatchEvent(new Event("change", {{bubbles: true}}));
        }})()"""
        self.evaluate(script)

    def click(self, selector: str) -> None:
        """Click in the middle of an element, where it stands."""
        script = f"""(() => {{
            const found = document.querySelector({json.dumps(selector)});
            found.scrollIntoView({{block: "center", inline: "center", behavior: "instant"}});
            const box = found.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()"""
        x, y = self.evaluate(script)
        for kind, button in (("Moved", "none"), ("Pressed", "left"), ("Released", "left")):
            self.send(
                "Input.dispatchMouseEvent",
                type=f"mouse{kind}",
                x=x,
                y=y,
                button=button,
                clickCount=1,
            )

    def complaints(self) -> list[str]:
        """Errors of scripts, of the page's policy and of loading since it was opened."""
        self.evaluate("1")
        thrown = (one["exceptionDetails"] for one in self._said("Runtime.exceptionThrown"))
        logged = (one["entry"] for one in self._said("Log.entryAdded"))
        return [
            *(one.get("exception", {}).get("description", "exception") for one in thrown),
            *(entry["text"] for entry in logged if entry["level"] == "error"),
        ]

    def requested(self) -> list[str]:
        """Addresses asked for since the page was opened."""
        return [one["request"]["url"] for one in self._said("Network.requestWillBeSent")]

    def _said(self, method: str) -> list[dict[str, Any]]:
        return [event["params"] for event in self._events if event.get("method") == method]


@contextmanager
def browser() -> Iterator[Page]:
    """A headless browser with one tab, with a profile of its own that is thrown away."""
    with tempfile.TemporaryDirectory(
        prefix="citysync-browser-", ignore_cleanup_errors=True
    ) as profile:
        command = [find_browser(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(_tab_address(Path(profile), process), max_size=None) as socket:
                yield Page(socket)
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def _tab_address(profile: Path, process: subprocess.Popen) -> str:
    """Address of the first tab: the browser writes its port into its profile."""
    port_file = profile / "DevToolsActivePort"
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if port_file.exists() and (port := port_file.read_text().partition("\n")[0]):
            with urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
                tabs = (one for one in json.load(answer) if one["type"] == "page")
            return next(tabs)["webSocketDebuggerUrl"]
        time.sleep(0.05)
    raise PageError(f"{find_browser()} did not start; exit {process.poll()}")
