"""What a foreign page can make a browser send does not pass the door; what the UI's own pages send
does.
"""

import asyncio
from typing import Any

import pytest

from orchestration.dagster_ui.door import Door

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
    asyncio.run(Door(inside, PORT)(scope, receive, send))
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
    "question before": ("OPTIONS", "/graphql", {**OWN, "origin": "http://evil.example"}),
}


@pytest.mark.parametrize(("method", "path", "headers"), ATTACKS.values(), ids=ATTACKS)
def test_an_attack_gets_403_and_one_line(method: str, path: str, headers: Headers) -> None:
    reached, answers = ask(method, path, headers)
    assert not reached and answers[0]["status"] == 403
    body = answers[1]["body"].decode()
    assert body.startswith("citysync ui: expected ") and "found " in body and body.count("\n") == 1
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


def test_what_is_shown_of_a_request_is_short_and_printable() -> None:
    _, answers = ask("GET", "/", {"host": "\x1b[2J" + "x" * 9000})
    assert len(answers[1]["body"]) < 400 and b"\x1b" not in answers[1]["body"]


def test_the_start_of_the_server_itself_passes() -> None:
    assert ask("", "", {}, kind="lifespan")[0]
