"""The webserver that `citysync ui` starts listens on this machine only, reads the landing that it
was given, and has access control: what a foreign page can make a browser send does not pass it,
what the UI's own pages send does; by itself and in a started server.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from typing import Any
from unittest import mock

import pytest

from orchestration.commands import servers
from orchestration.dagster_ui.access_control import AccessControl
from tests.conftest import REPO
from tests.orchestration.conftest import end_of

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
        f"server._start_code_and_daemon = lambda *_: None; server.serve('127.0.0.1', {number})"
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
    """A path in codes, an address as the path, no host; the tests below have the rest."""
    said = raw(port, request_line.replace("{port}", str(port)) + "Connection: close\r\n\r\n")
    assert said.startswith("HTTP/1.1 403") and "setNuxSeen" not in said


@pytest.fixture
def served(home, monkeypatch):
    """Ports that would have been served; the environment is put back afterwards."""
    ports: list[int] = []
    monkeypatch.setattr(servers, "ensure_manifest", lambda home: None)
    monkeypatch.setattr(
        "orchestration.dagster_ui.server.serve", lambda host, port: ports.append(port)
    )
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


def test_a_port_that_is_taken_starts_no_ui(served, port, monkeypatch, capsys):
    monkeypatch.setenv("CITYSYNC_UI_PORT", str(port))
    assert end_of(servers.serve_ui) == 2 and not served
    assert f"port {port} of 127.0.0.1: " in capsys.readouterr().out


PORT = 3000
OWN = {"host": "127.0.0.1:3000"}
JSON = {"content-type": "application/json"}
FRAME = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
IMAGE = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
Headers = dict[str, str] | list[tuple[str, str]]


def ask(
    method: str, path: str, headers: Headers, kind: str = "http"
) -> tuple[bool, list[dict[str, Any]]]:
    """Whether a request reached the application inside, and what was answered."""
    reached, answers = [], []

    async def inside(scope: dict, receive: Any, send: Any) -> None:
        reached.append(scope["path"])
        if kind == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: dict) -> None:
        answers.append(message)

    async def receive() -> dict:
        return {"type": "http.request", "body": b""}

    pairs = headers.items() if isinstance(headers, dict) else headers
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "headers": [(k.encode(), v.encode("latin-1")) for k, v in pairs],
    }
    asyncio.run(AccessControl(inside, PORT)(scope, receive, send))
    return bool(reached), answers


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", OWN),
        ("HEAD", "/", OWN),
        ("GET", "/runs", {"host": "localhost:3000"}),
        ("GET", "/runs", {"host": "LOCALHOST:3000"}),
        ("GET", "/runs", {**OWN, **LINK}),
        (
            "GET",
            "/static/app.js",
            {**OWN, "sec-fetch-site": "same-origin", "origin": "http://127.0.0.1:3000"},
        ),
        ("GET", "/graphql", {**OWN, "accept": "text/html,*/*"}),
        ("POST", "/graphql", {**OWN, **JSON}),
        (
            "POST",
            "/graphql",
            {
                **OWN,
                "content-type": "Application/JSON; charset=utf-8",
                "origin": "http://127.0.0.1:3000",
            },
        ),
        (
            "POST",
            "/graphql",
            {
                "host": "localhost:3000",
                **JSON,
                "origin": "http://localhost:3000",
                "sec-fetch-site": "same-origin",
            },
        ),
    ],
)
def test_own_pages_and_clients_pass(method: str, path: str, headers: Headers) -> None:
    reached, answers = ask(method, path, headers)
    assert reached and (b"x-frame-options", b"SAMEORIGIN") in answers[0]["headers"]


ATTACKS: dict[str, tuple[str, str, Headers]] = {
    "rebinding": ("GET", "/", {"host": "evil.example:3000"}),
    "other port": ("GET", "/", {"host": "127.0.0.1:3001"}),
    "no port": ("GET", "/", {"host": "127.0.0.1"}),
    "name that ends so": ("GET", "/", {"host": "xlocalhost:3000"}),
    "name that begins so": ("GET", "/", {"host": "127.0.0.1.evil.example:3000"}),
    "user in the host": ("GET", "/", {"host": "localhost:3000@evil.example"}),
    "two hosts": ("GET", "/", [("host", "127.0.0.1:3000"), ("host", "evil.example")]),
    "no host": ("GET", "/", {}),
    "forwarded host": ("GET", "/", {"host": "evil.example", "x-forwarded-host": "127.0.0.1:3000"}),
    "foreign origin": ("POST", "/graphql", {**OWN, **JSON, "origin": "http://evil.example"}),
    "null origin": ("POST", "/graphql", {**OWN, **JSON, "origin": "null"}),
    "other port's origin": ("POST", "/graphql", {**OWN, **JSON, "origin": "http://127.0.0.1:8000"}),
    "origin by the other name": (
        "POST",
        "/graphql",
        {**OWN, **JSON, "origin": "http://localhost:3000"},
    ),
    "origin of https": ("POST", "/graphql", {**OWN, **JSON, "origin": "https://127.0.0.1:3000"}),
    "origin that begins so": (
        "POST",
        "/graphql",
        {**OWN, **JSON, "origin": "http://127.0.0.1:3000.evil.example"},
    ),
    "two origins": (
        "POST",
        "/graphql",
        [
            *OWN.items(),
            *JSON.items(),
            ("origin", "http://127.0.0.1:3000"),
            ("origin", "http://evil"),
        ],
    ),
    "foreign reader": ("GET", "/runs", {**OWN, "origin": "http://evil.example"}),
    "another site of this machine": (
        "POST",
        "/graphql",
        {**OWN, **JSON, "sec-fetch-site": "same-site"},
    ),
    "two sites": (
        "POST",
        "/graphql",
        [
            *OWN.items(),
            *JSON.items(),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site"),
        ],
    ),
    "frame": ("GET", "/", {**OWN, **FRAME}),
    "script": ("GET", "/server_info", {**OWN, **IMAGE, "sec-fetch-dest": "script"}),
    "image": ("GET", "/graphql", {**OWN, "accept": "image/*"}),
    "address with a stroke": ("GET", "/graphql/", {**OWN, "accept": "*/*"}),
    "address without accept": ("HEAD", "/graphql", OWN),
    "form": ("POST", "/graphql", {**OWN, "content-type": "application/x-www-form-urlencoded"}),
    "plain form": ("POST", "/graphql", {**OWN, "content-type": "text/plain"}),
    "form with files": (
        "POST",
        "/graphql",
        {**OWN, "content-type": "multipart/form-data; boundary=application/json"},
    ),
    "type that begins so": ("POST", "/graphql", {**OWN, "content-type": "application/jsonp"}),
    "no type": ("POST", "/graphql", OWN),
    "two types": (
        "POST",
        "/graphql",
        [*OWN.items(), *JSON.items(), ("content-type", "text/plain")],
    ),
    "link that posts JSON": ("POST", "/graphql", {**OWN, **LINK, **JSON}),
    "put": ("PUT", "/graphql", {**OWN, **JSON}),
    "JSON in a type's parameter": (
        "POST",
        "/graphql",
        {**OWN, "content-type": 'text/plain; a="application/json"'},
    ),
    "types in a list": (
        "POST",
        "/graphql",
        {**OWN, "content-type": "application/json, text/plain"},
    ),
    "method in lower case": ("put", "/graphql", {**OWN, **JSON}),
    "two lists of types": (
        "GET",
        "/graphql",
        [*OWN.items(), ("accept", "application/json"), ("accept", "text/html")],
    ),
    "two lists of types, the other way": (
        "GET",
        "/graphql",
        [*OWN.items(), ("accept", "text/html"), ("accept", "*/*")],
    ),
    "types behind a semicolon": ("POST", "/graphql", {**OWN, "content-type": "; application/json"}),
    "signs of a terminal": ("GET", "/", {"host": "\x1b[2J" + "x" * 9000}),
    "question before": ("OPTIONS", "/graphql", {**OWN, "origin": "http://evil.example"}),
}


@pytest.mark.parametrize(("method", "path", "headers"), ATTACKS.values(), ids=ATTACKS)
def test_an_attack_gets_403_and_one_line(method: str, path: str, headers: Headers) -> None:
    reached, answers = ask(method, path, headers)
    assert not reached and answers[0]["status"] == 403
    body = answers[1]["body"].decode()
    assert body.startswith("citysync ui: expected ") and "found " in body and body.count("\n") == 1
    assert len(body) < 400 and "\x1b" not in body
    assert not any(name.lower().startswith(b"access-control") for name, _ in answers[0]["headers"])


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        (OWN, True),
        ({**OWN, "origin": "http://127.0.0.1:3000"}, True),
        (
            {
                **OWN,
                "origin": "http://127.0.0.1:3000",
                "sec-fetch-site": "same-origin",
                "sec-fetch-mode": "websocket",
            },
            True,
        ),
        ({**OWN, "origin": "http://evil.example"}, False),
        ({**OWN, "origin": "http://127.0.0.1:8000"}, False),
        ({**OWN, "origin": "null"}, False),
        ({"host": "evil.example:3000", "origin": "http://evil.example:3000"}, False),
        ({**OWN, "sec-fetch-site": "cross-site", "sec-fetch-mode": "websocket"}, False),
        ({**OWN, **LINK}, False),
    ],
)
def test_a_web_socket_is_judged_alike(headers: Headers, passes: bool) -> None:
    reached, answers = ask("GET", "/graphql", headers, kind="websocket")
    assert reached is passes
    assert passes or answers == [{"type": "websocket.close", "code": 1008}]


def test_the_start_of_the_server_itself_passes() -> None:
    assert ask("", "", {}, kind="lifespan")[0]
