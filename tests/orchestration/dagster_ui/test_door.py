"""What a foreign page can make a browser send does not pass the door; what the UI's own pages send
does.
"""

from __future__ import annotations

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
    # rebinding and other hosts
    "rebinding": ("GET", "/", {"host": "evil.example:3000"}),
    "rebinding with JSON": (
        "POST",
        "/graphql",
        {"host": "evil.example:3000", "origin": "http://evil.example:3000", **JSON},
    ),
    "other port": ("GET", "/", {"host": "127.0.0.1:3001"}),
    "no port": ("GET", "/", {"host": "127.0.0.1"}),
    "name that begins so": ("GET", "/", {"host": "127.0.0.1.evil.example:3000"}),
    "name that ends so": ("GET", "/", {"host": "xlocalhost:3000"}),
    "trailing point": ("GET", "/", {"host": "localhost.:3000"}),
    "user in the host": ("GET", "/", {"host": "localhost:3000@evil.example"}),
    "address as a number": ("GET", "/", {"host": "2130706433:3000"}),
    "every address": ("GET", "/", {"host": "0.0.0.0:3000"}),
    "blank in the host": ("GET", "/", {"host": " 127.0.0.1:3000"}),
    "list of hosts": ("GET", "/", {"host": "127.0.0.1:3000, evil.example"}),
    "two hosts": ("GET", "/", [("host", "127.0.0.1:3000"), ("host", "evil.example")]),
    "no host": ("GET", "/", {}),
    "empty host": ("GET", "/", {"host": ""}),
    "forwarded host": ("GET", "/", {"host": "evil.example", "x-forwarded-host": "127.0.0.1:3000"}),
    # foreign pages
    "foreign origin": ("POST", "/graphql", {**OWN, **JSON, "origin": "http://evil.example"}),
    "null origin": ("POST", "/graphql", {**OWN, **JSON, "origin": "null"}),
    "empty origin": ("POST", "/graphql", {**OWN, **JSON, "origin": ""}),
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
    # mutations without a question
    "image": ("GET", "/graphql", {**OWN, "accept": "image/*"}),
    "image said to be one": ("GET", "/graphql", {**OWN, **IMAGE}),
    "address": ("GET", "/graphql", {**OWN, "accept": "*/*"}),
    "address with a stroke": ("GET", "/graphql/", {**OWN, "accept": "*/*"}),
    "address without accept": ("HEAD", "/graphql", OWN),
    "form": ("POST", "/graphql", {**OWN, "content-type": "application/x-www-form-urlencoded"}),
    "plain form": ("POST", "/graphql", {**OWN, "content-type": "text/plain"}),
    "form with files": (
        "POST",
        "/graphql",
        {**OWN, "content-type": "multipart/form-data; boundary=application/json"},
    ),
    "text that names JSON": (
        "POST",
        "/graphql",
        {**OWN, "content-type": "text/plain; application/json"},
    ),
    "type that begins so": ("POST", "/graphql", {**OWN, "content-type": "application/jsonp"}),
    "GraphQL's own type": ("POST", "/graphql", {**OWN, "content-type": "application/graphql"}),
    "no type": ("POST", "/graphql", OWN),
    "two types": (
        "POST",
        "/graphql",
        [*OWN.items(), *JSON.items(), ("content-type", "text/plain")],
    ),
    "report": ("POST", "/report_asset_materialization/x", {**OWN, "content-type": "text/plain"}),
    "link that posts": ("POST", "/graphql", {**OWN, **LINK, "content-type": "text/plain"}),
    "link that posts JSON": ("POST", "/graphql", {**OWN, **LINK, **JSON}),
    "put": ("PUT", "/graphql", {**OWN, **JSON}),
    # what else a browser, an old one, or a program that a page makes ask may send
    "beacon": (
        "POST",
        "/graphql",
        {**OWN, "content-type": "text/plain;charset=UTF-8", "origin": "http://evil.example"},
    ),
    "beacon without origin": (
        "POST",
        "/graphql",
        {**OWN, "content-type": "text/plain;charset=UTF-8"},
    ),
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
    "type behind a blank": ("POST", "/graphql", {**OWN, "content-type": "application/ json"}),
    "JSON of another kind": (
        "POST",
        "/graphql",
        {**OWN, "content-type": "application/graphql+json"},
    ),
    "JSON of reports": ("POST", "/graphql", {**OWN, "content-type": "application/csp-report"}),
    "method in lower case": ("put", "/graphql", {**OWN, **JSON}),
    "a method of its own": ("PROPFIND", "/", OWN),
    "tunnel": ("CONNECT", "evil.example:443", OWN),
    "trace": ("TRACE", "/", OWN),
    "method in a header": (
        "GET",
        "/graphql",
        {**OWN, "x-http-method-override": "POST", "accept": "application/json"},
    ),
    "delete": ("DELETE", "/", {**OWN, **JSON, "origin": "http://127.0.0.1:3000"}),
    "address in upper case": ("HEAD", "/graphql", {**OWN, "accept": "TEXT/CSV"}),
    "frame that asks for a page": ("GET", "/graphql", {**OWN, **FRAME, "accept": "text/html"}),
    "object": ("GET", "/", {**OWN, **FRAME, "sec-fetch-dest": "object"}),
    "prefetch": ("GET", "/", {**OWN, **IMAGE, "sec-purpose": "prefetch"}),
    "worker": ("GET", "/", {**OWN, **IMAGE, "sec-fetch-dest": "serviceworker"}),
    "unknown site": ("GET", "/", {**OWN, "sec-fetch-site": "else"}),
    "site in upper case": ("GET", "/", {**OWN, "sec-fetch-site": "SAME-ORIGIN"}),
    "origin of a file": ("POST", "/graphql", {**OWN, **JSON, "origin": "file://"}),
    "origin of an extension": (
        "POST",
        "/graphql",
        {**OWN, **JSON, "origin": "chrome-extension://abcdef"},
    ),
    "origin with a path": (
        "POST",
        "/graphql",
        {**OWN, **JSON, "origin": "http://127.0.0.1:3000/evil"},
    ),
    "origin with a user": (
        "POST",
        "/graphql",
        {**OWN, **JSON, "origin": "http://127.0.0.1:3000@evil.example"},
    ),
    "IPv6 of this machine": ("GET", "/", {"host": "[::1]:3000"}),
    "mapped address": ("GET", "/", {"host": "[::ffff:127.0.0.1]:3000"}),
    "short address": ("GET", "/", {"host": "127.1:3000"}),
    "another loopback address": ("GET", "/", {"host": "127.0.0.2:3000"}),
    "port with zeros": ("GET", "/", {"host": "127.0.0.1:03000"}),
    "a host of signs": ("GET", "/", {"host": "127.0.0.1:3000\xa0"}),
    "hosts in two cases": ("GET", "/", [("host", "127.0.0.1:3000"), ("Host", "127.0.0.1:3000")]),
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
    "a port twice": ("GET", "/", {"host": "localhost:3000:3000"}),
    "a port with a sign": ("GET", "/", {"host": "localhost:+3000"}),
    "a host with a path": ("GET", "/", {"host": "127.0.0.1:3000/"}),
    "a host with a mark": ("GET", "/", {"host": "localhost:3000#.evil.example"}),
    "a host with a code": ("GET", "/", {"host": "localhost%00:3000"}),
    "an octal address": ("GET", "/", {"host": "0177.0.0.1:3000"}),
    "a hexadecimal address": ("GET", "/", {"host": "0x7f.1:3000"}),
    "a zone of IPv6": ("GET", "/", {"host": "[::1%25lo]:3000"}),
    "a host behind a tab": ("GET", "/", {"host": "\t127.0.0.1:3000"}),
    "a host over two lines": ("GET", "/", {"host": "127.0.0.1:3000\r\n x"}),
    "origins in a list": (
        "POST",
        "/graphql",
        {**OWN, **JSON, "origin": "http://127.0.0.1:3000 http://evil.example"},
    ),
    "origin with a comma": (
        "POST",
        "/graphql",
        {**OWN, **JSON, "origin": "http://127.0.0.1:3000,"},
    ),
    "origin with a backslash": (
        "POST",
        "/graphql",
        {**OWN, **JSON, "origin": "http://127.0.0.1:3000\\@evil.example"},
    ),
    "origin of a sandbox": ("GET", "/graphql", {**OWN, "origin": "null", "accept": "text/html"}),
    "a change from a link of another tab": (
        "POST",
        "/graphql",
        {**OWN, **JSON, "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"},
    ),
    "types behind a semicolon": ("POST", "/graphql", {**OWN, "content-type": "; application/json"}),
    "question before": ("OPTIONS", "/graphql", {**OWN, "origin": "http://evil.example"}),
    "options": ("OPTIONS", "/graphql", {**OWN, **JSON}),
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
