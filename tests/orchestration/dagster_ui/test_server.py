"""The webserver that `citysync ui` starts has the door in front: raw requests against a started
one, over HTTP and a web socket.
"""

from __future__ import annotations

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
    code = f"from orchestration.dagster_ui.server import serve; serve({number}, None)"
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


def post(
    port: int, body: str, *, host: str = "", kind: str = "application/json", more: str = ""
) -> str:
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: {host or f'127.0.0.1:{port}'}\r\nContent-Type: "
        f"{kind}\r\nContent-Length: {len(body)}\r\n{more}"
    )
    return raw(port, f"{head}Connection: close\r\n\r\n{body}")


def test_the_ui_s_own_requests_are_answered(port: int) -> None:
    said = post(
        port, json.dumps({"query": "{ version }"}), more=f"Origin: http://127.0.0.1:{port}\r\n"
    )
    assert (
        said.startswith("HTTP/1.1 200")
        and '"version":"' in said
        and "x-frame-options: SAMEORIGIN" in said
    )
    assert '"setNuxSeen":true' in post(port, json.dumps({"query": MUTATION}))


@pytest.mark.parametrize(
    "request_line",
    [
        (
            "GET /graphql?query=mutation%7BsetNuxSeen%7D HTTP/1.1\r\nHost: "
            "127.0.0.1:{port}\r\nAccept: image/*\r\n"
        ),
        "GET /%67raphql?query=mutation%7BsetNuxSeen%7D HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n",
        (
            "GET http://127.0.0.1:{port}/graphql?query=mutation%7BsetNuxSeen%7D HTTP/1.1\r\nHost: "
            "evil.example\r\n"
        ),
        "GET / HTTP/1.1\r\nHost: evil.example:{port}\r\n",
        "GET / HTTP/1.0\r\n",
        (
            "POST /graphql?query=mutation%7BsetNuxSeen%7D HTTP/1.1\r\nHost: "
            "127.0.0.1:{port}\r\nContent-Length: 0\r\n"
        ),
        (
            "POST /graphql?query=mutation%7BsetNuxSeen%7D HTTP/1.1\r\nHost: "
            "localhost:{port}\r\nContent-Type: a/b\r\nContent-Length: 0\r\n"
        ),
        "DELETE /graphql HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n",
    ],
)
def test_a_request_that_a_page_can_send_by_itself_is_refused(port: int, request_line: str) -> None:
    said = raw(port, request_line.replace("{port}", str(port)) + "Connection: close\r\n\r\n")
    assert (
        said.startswith("HTTP/1.1 403")
        and "citysync ui: expected" in said
        and "setNuxSeen" not in said
    )


def test_foreign_posts_are_refused(port: int) -> None:
    body = json.dumps({"query": MUTATION})
    assert post(port, body, more="Origin: http://evil.example\r\n").startswith("HTTP/1.1 403")
    assert post(port, body, host=f"evil.example:{port}").startswith("HTTP/1.1 403")
    assert post(port, body, kind="text/plain; application/json").startswith("HTTP/1.1 403")
    # two hosts: the server itself may refuse them before the door is asked
    assert post(port, body, more="Host: evil.example\r\n").startswith(
        ("HTTP/1.1 403", "HTTP/1.1 400")
    )


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

    for origin, expected in (
        (f"http://127.0.0.1:{port}", 101),
        (None, 101),
        ("http://evil.example", 403),
        ("null", 403),
    ):
        assert asyncio.run(status(origin)) == expected, origin
