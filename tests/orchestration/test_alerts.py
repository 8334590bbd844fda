"""Alerts of a failed refresh: to a local web server, a local mail server and a program; never a
reason to fail; off unless asked.
"""

from __future__ import annotations

import http.server
import json
import socketserver
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import dagster as dg
import pytest

from orchestration import alerts
from orchestration.automation import tell_of_failure
from tests.orchestration.conftest import refresh


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


def test_a_failed_refresh_posts_its_reason(tmp_path: Path, servers: tuple[str, str]) -> None:
    to = {"CITYSYNC_ON_FAILURE": f"http://{servers[0]}/hook"}
    for more in ({}, to):
        failed = refresh(tmp_path / "home", WINDOW_FIRST_YEAR="twenty", **more)
        assert failed.code == 2, failed.output
    (message,) = Web.received
    assert (message["command"], message["exit"]) == ("citysync refresh", 2)
    assert f"citysync: exit 2: {message['reason']}" in failed.output


def test_it_is_mailed_or_handed_to_a_program_and_no_shell_reads_it(
    tmp_path: Path, servers: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "write it.py"
    code = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.stdin.read())"
    script.write_text(code, encoding="utf-8")
    monkeypatch.setenv(alerts.MAIL_SERVER, servers[1])
    program = f"{sys.executable} '{script}' {tmp_path}/got;touch"
    for to in ("", "mailto:someone@example.org", program):
        monkeypatch.setenv(alerts.SETTING, to)
        alerts.send("refresh", 2, "no such landing")
    (text,) = Mail.received
    for words in (
        "To: someone@example.org",
        "Subject: citysync refresh: exit 2",
        "no such landing",
    ):
        assert words in text
    message = json.loads((tmp_path / "got;touch").read_text(encoding="utf-8"))
    assert (message["exit"], message["reason"]) == (2, "no such landing")


@pytest.mark.parametrize("to", ["http://127.0.0.1:9/none", "mailto:a@b", "/no/such", "'open"])
def test_an_alert_that_cannot_be_sent_is_one_line(monkeypatch, capsys, to: str) -> None:
    monkeypatch.setenv(alerts.SETTING, to)
    monkeypatch.setenv(alerts.MAIL_SERVER, "127.0.0.1:9")
    alerts.send("refresh", 2, "x")
    said = capsys.readouterr()
    assert not said.out and said.err.count("\n") == 1
    assert "expected a program, https://... or mailto:name@host" in said.err


def test_a_run_of_the_ui_is_reported_by_the_job(
    servers: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.asset
    def broken() -> None:
        raise ValueError("no such thing")

    job = dg.define_asset_job(
        "job", selection="*", hooks={tell_of_failure}, executor_def=dg.in_process_executor
    )
    refresh_job = dg.Definitions(assets=[broken], jobs=[job]).resolve_job_def("job")
    monkeypatch.setenv(alerts.SETTING, f"http://{servers[0]}/hook")
    for watched in ("", "1"):
        monkeypatch.setenv(alerts.BY_COMMAND, watched)
        refresh_job.execute_in_process(raise_on_error=False)
    # a command that watches its run sends the alert itself
    (message,) = Web.received
    assert "broken" in message["reason"] and "no such thing" in message["reason"]
