"""The webserver that `citysync ui` starts listens on this machine only, reads the landing that it
was given, and has the door in front: raw requests against a started one, over HTTP and a web
socket.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from unittest import mock

import pytest
import websockets

from orchestration.commands import servers
from tests.orchestration.conftest import REPO, end_of

# harmless, but it changes what is kept: what a page would send to start a run passes or stops at
# the same place
MUTATION = "mutation { setNuxSeen }"


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """Port of a webserver without any definitions, which is up in seconds."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("ui")
    code = (
        "from orchestration.dagster_ui import server; "
        f"server._start_code_and_daemon = lambda *_: None; server.serve({number})"
    )
    command = [sys.executable, "-c", code]
    env = {**os.environ, "DAGSTER_HOME": str(folder), "DAGSTER_DISABLE_TELEMETRY": "1"}
    with open(folder / "log.txt", "w", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=REPO, env=env, stdout=log, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + 120
        while not answers(number):
            assert process.poll() is None and time.monotonic() < end, (
                folder / "log.txt"
            ).read_text(encoding="utf-8")
            time.sleep(0.2)
        yield number
    finally:
        process.terminate()
        process.wait(timeout=60)


def answers(port: int) -> bool:
    try:
        return raw(
            port,
            f"GET /server_info HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n",
        ).startswith("HTTP/1.1 200")
    except OSError:
        return False


def raw(port: int, text: str) -> str:
    """Everything that is answered to the bytes of a request."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(text.encode("latin-1"))
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts).decode("utf-8", "replace")


def test_the_ui_s_own_requests_are_answered(port):
    for query, answer in (("{ version }", '"version":"'), (MUTATION, '"setNuxSeen":true')):
        body = json.dumps({"query": query})
        head = f"Host: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nConnection: close"
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}"
        said = raw(port, f"POST /graphql HTTP/1.1\r\n{head}\r\n{kind}\r\n\r\n{body}")
        assert said.startswith("HTTP/1.1 200") and answer in said
        assert "x-frame-options: SAMEORIGIN" in said


@pytest.mark.parametrize(
    "request_line",
    [
        "GET /%67raphql?query=mutation%7BsetNuxSeen%7D HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n",
        "GET http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: evil.example\r\n",
        "GET / HTTP/1.0\r\n",
    ],
)
def test_what_only_a_server_can_read_is_refused_too(port, request_line):
    """A path in codes, an address as the path, no host; the door's own tests have the rest."""
    said = raw(port, request_line.replace("{port}", str(port)) + "Connection: close\r\n\r\n")
    assert said.startswith("HTTP/1.1 403") and "setNuxSeen" not in said


def test_a_web_socket_opens_for_own_pages_alone(port):
    async def status(origin: str | None) -> int:
        try:
            async with websockets.connect(
                f"ws://127.0.0.1:{port}/graphql", origin=origin, subprotocols=["graphql-ws"]
            ) as connection:
                await connection.send(json.dumps({"type": "connection_init"}))
                assert json.loads(await connection.recv())["type"] == "connection_ack"
                return 101
        except websockets.InvalidStatus as error:
            return error.response.status_code

    own = f"http://127.0.0.1:{port}"
    for origin, expected in ((own, 101), (None, 101), ("http://evil.example", 403), ("null", 403)):
        assert asyncio.run(status(origin)) == expected, origin


@pytest.fixture
def served(home, monkeypatch):
    """Ports that would have been served; the environment is put back afterwards."""
    ports: list[int] = []
    monkeypatch.setattr(servers, "ensure_manifest", lambda home: None)
    monkeypatch.setattr("orchestration.dagster_ui.server.serve", ports.append)
    monkeypatch.setattr(servers.os, "chdir", lambda folder: None)
    with mock.patch.dict(os.environ):
        yield ports


def test_the_ui_is_served_for_its_landing(served, tmp_path):
    (tmp_path / "landing").mkdir()
    assert servers.serve_ui(str(tmp_path / "landing")) == 0
    assert served == [3000] and os.environ["CITYSYNC_LANDING"] == str(tmp_path / "landing")
    settings = tmp_path / "home" / "dagster" / "dagster.yaml"
    assert "enabled: false" in settings.read_text(encoding="utf-8")


@pytest.mark.parametrize("port", ["0", "65536", "3000 -h 0.0.0.0", "http", None])
def test_a_port_or_a_landing_that_is_none_starts_no_ui(served, tmp_path, monkeypatch, capsys, port):
    monkeypatch.setenv("CITYSYNC_UI_PORT", port or "3000")
    assert end_of(servers.serve_ui, str(tmp_path / "absent") if port is None else None) == 2
    said = capsys.readouterr().out
    assert not served and (str(tmp_path / "absent") if port is None else "CITYSYNC_UI_PORT") in said
