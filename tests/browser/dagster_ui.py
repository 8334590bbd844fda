"""`python -m orchestration ui` as a process of a test, and the errands a person runs in it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.devtools import REPO, Page

START_SECONDS, RUN_SECONDS = 240.0, 600.0


@contextmanager
def serve(home: Path, landing: Path) -> Iterator[str]:
    """The UI of a home on a free port of this machine; gives its address and ends it afterwards,
    with all its servers.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = home.parent / "ui.txt"
    command = [sys.executable, "-m", "orchestration", "ui", "--landing", str(landing)]
    env = {**os.environ, "CITYSYNC_HOME": str(home), "CITYSYNC_UI_PORT": str(port)}
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            command,
            cwd=REPO,
            env=env,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def _wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/server_info", timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(
        f"the UI did not come up; exit {process.poll()}\n{log.read_text(encoding='utf-8')[-3000:]}"
    )


def launched_run(page: Page) -> str:
    """Eight letters of the run that a click has just launched, as the UI says them."""
    page.wait("document.body.innerText.includes('Launched run')")
    return page.evaluate("document.body.innerText.match(/Launched run\\s+([0-9a-f]{8})/)[1]")


def run_status(page: Page, run: str) -> str:
    """What the list of runs says of a run: the text of its row, up to its status; empty while the
    list is not there.
    """
    script = f"""(() => {{
        let one = [...document.querySelectorAll("a")].find((a) => a.innerText.trim() === {run!r});
        const state = /Queued|Not started|Starting|Started|Success|Failure|Cancel/;
        while (one && !state.test(one.innerText)) one = one.parentElement;
        return one ? one.innerText : "";
    }})()"""
    return page.evaluate(script)


def wait_for_run(page: Page, address: str, run: str) -> None:
    """Stay on the list of runs until it says Success of a run.

    Raises
    ------
    AssertionError
        With the row, when the run failed or does not end.
    """
    page.open(f"{address}/runs")
    end = time.monotonic() + RUN_SECONDS
    while time.monotonic() < end:
        row = run_status(page, run)
        if "Success" in row:
            return
        assert "Failure" not in row, row
        time.sleep(1)
    raise AssertionError(f"run {run} did not end in {RUN_SECONDS:.0f} s: {run_status(page, run)!r}")
