"""Alerts of a failed refresh: to a local web server, a local mail server and a program; never a
reason to fail; off unless asked.
"""

from __future__ import annotations

import http.server
import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from orchestration import alerts
from orchestration.home import REPO


class Web(http.server.BaseHTTPRequestHandler):
    received: ClassVar[list[dict]] = []

    def do_POST(self) -> None:
        self.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Mail(socketserver.StreamRequestHandler):
    received: ClassVar[list[str]] = []

    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        while line := self.rfile.readline():
            word = line.split()[0].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = iter(self.rfile.readline, b".\r\n")
                self.received.append(b"".join(lines).decode())
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


@pytest.fixture
def servers() -> Iterator[tuple[str, str]]:
    Web.received.clear()
    Mail.received.clear()
    started = [
        http.server.HTTPServer(("127.0.0.1", 0), Web),
        socketserver.TCPServer(("127.0.0.1", 0), Mail),
    ]
    for server in started:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield tuple(f"127.0.0.1:{server.server_address[1]}" for server in started)
    for server in started:
        server.shutdown()
        server.server_close()


def fail(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess:
    """A refresh that ends at once, because its landing does not exist."""
    command = [
        sys.executable,
        "-m",
        "orchestration",
        "refresh",
        "--landing",
        str(tmp_path / "nothing"),
    ]
    env = {**os.environ, "CITYSYNC_HOME": str(tmp_path / "home"), **environment}
    return subprocess.run(command, cwd=REPO, env=env, capture_output=True, text=True, check=False)


def test_nothing_is_sent_unless_it_is_asked_for(tmp_path: Path, servers: tuple[str, str]) -> None:
    done = fail(tmp_path)
    assert done.returncode == 2
    assert done.stderr == ""
    assert Web.received == [] and Mail.received == []


def test_a_failed_refresh_posts_its_reason(tmp_path: Path, servers: tuple[str, str]) -> None:
    done = fail(tmp_path, CITYSYNC_ON_FAILURE=f"http://{servers[0]}/hook")
    assert done.returncode == 2
    (message,) = Web.received
    assert (message["command"], message["exit"]) == ("citysync refresh", 2)
    assert done.stdout.strip().splitlines()[-1] == f"citysync: exit 2: {message['reason']}"


def test_a_failed_refresh_is_mailed(tmp_path: Path, servers: tuple[str, str]) -> None:
    assert (
        fail(
            tmp_path, CITYSYNC_ON_FAILURE="mailto:someone@example.org", CITYSYNC_SMTP=servers[1]
        ).returncode
        == 2
    )
    (mail,) = Mail.received
    assert (
        "To: someone@example.org" in mail
        and "Subject: citysync refresh: exit 2" in mail
        and "does not exist" in mail
    )


def test_a_program_gets_it_on_its_input_and_no_shell_reads_it(tmp_path: Path) -> None:
    script = tmp_path / "write it.py"
    script.write_text(
        "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.stdin.read())",
        encoding="utf-8",
    )
    done = fail(tmp_path, CITYSYNC_ON_FAILURE=f"{sys.executable} '{script}' {tmp_path}/got;touch")
    assert done.returncode == 2
    assert json.loads((tmp_path / "got;touch").read_text(encoding="utf-8"))["exit"] == 2


@pytest.mark.parametrize(
    "to", ["http://127.0.0.1:9/none", "mailto:a@b", "/no/such/program", "'unbalanced", "https://"]
)
def test_an_alert_that_cannot_be_sent_is_one_line(tmp_path: Path, to: str) -> None:
    done = fail(tmp_path, CITYSYNC_ON_FAILURE=to, CITYSYNC_SMTP="127.0.0.1:9")
    assert done.returncode == 2
    assert done.stdout.splitlines()[-1].startswith("citysync: exit 2:")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("alert: ")]
    assert "expected a program, https://... or mailto:name@host" in line


def test_a_run_of_the_ui_is_reported_by_the_job(
    servers: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import dagster as dg

    from orchestration.automation import tell_of_failure

    @dg.asset
    def broken() -> None:
        raise ValueError("no such thing")

    job = dg.define_asset_job(
        "job", selection="*", hooks={tell_of_failure}, executor_def=dg.in_process_executor
    )
    definitions = dg.Definitions(assets=[broken], jobs=[job])
    monkeypatch.setenv(alerts.SETTING, f"http://{servers[0]}/hook")
    definitions.resolve_job_def("job").execute_in_process(raise_on_error=False)
    (message,) = Web.received
    assert "broken" in message["reason"] and "no such thing" in message["reason"]
    monkeypatch.setenv(alerts.BY_COMMAND, "1")
    definitions.resolve_job_def("job").execute_in_process(raise_on_error=False)
    assert len(Web.received) == 1
