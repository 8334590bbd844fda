"""The webserver that `citysync ui` starts has the door in front: raw requests against a started
one, over HTTP and a web socket.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import websockets

from tests.orchestration.conftest import REPO

# harmless, but it changes what is kept: what a page would send to start a run passes or stops at
# the same place
MUTATION = "mutation { setNuxSeen }"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
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


def test_the_ui_s_own_requests_are_answered(port: int) -> None:
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
def test_what_only_a_server_can_read_is_refused_too(port: int, request_line: str) -> None:
    """A path in codes, an address as the path, no host; the door's own tests have the rest."""
    said = raw(port, request_line.replace("{port}", str(port)) + "Connection: close\r\n\r\n")
    assert said.startswith("HTTP/1.1 403") and "setNuxSeen" not in said


def test_a_web_socket_opens_for_own_pages_alone(port: int) -> None:
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
