"""Access control of the Dagster UI: which requests may reach it.

Dagster's webserver asks nobody who sends a request. It listens on this machine only, but every page
that is open in a browser here can send requests to it: by a picture's address, by a form, by a
script, or by a host name of its own that it lets point to 127.0.0.1 (DNS rebinding). The browser
says in each request which host was asked (`Host`), which page asked (`Origin`, `Sec-Fetch-Site`)
and what is sent (`Content-Type`), and a page cannot forge these. So a request passes if

- its `Host` is localhost or 127.0.0.1 with the port of the UI (a rebinding name is another host);
- its `Origin`, where there is one, is the UI itself;
- it is no part of a foreign page (`Sec-Fetch-Site`); a link that leads here may be followed;
- it changes nothing (GET, HEAD) or is a POST of JSON, which a foreign page cannot send without
  being asked first;
- it is no GraphQL in an address: a query is answered by POST only, so no address can hold a
  mutation.

Belongs here: checking a request by its headers. Not here: what Dagster does with it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ("localhost", "127.0.0.1")
READING = ("GET", "HEAD")
# a page that frames the UI could make a person click in it
OWN_HEADER = (b"x-frame-options", b"SAMEORIGIN")
LONGEST = 80
#: Headers of a request that are checked.
ASKED = (
    *("host", "origin", "sec-fetch-site", "content-type", "accept"),
    *("sec-fetch-mode", "sec-fetch-dest"),
)


class AccessControl:
    """An ASGI application that lets requests of this machine's own pages through to another one.

    Parameters
    ----------
    inside : ASGI application
    port : int
        Port that the UI listens on.
    """

    def __init__(self, inside: ASGIApp, port: int) -> None:
        self._inside = inside
        self._hosts = {f"{host}:{port}" for host in HOSTS} | (set(HOSTS) if port == 80 else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 with one line, or hand the request on."""
        is_request = scope["type"] in ("http", "websocket")
        if not (reason := self.refusal(scope) if is_request else ""):
            await self._inside(scope, receive, _with_header(send))
            return
        logging.getLogger("dagster-webserver").warning("refused: %s", reason)
        if scope["type"] == "websocket":
            # before it was accepted: the server answers 403
            await send({"type": "websocket.close", "code": 1008})
            return
        answer = PlainTextResponse(f"citysync ui: {reason}\n", status_code=403)
        await answer(scope, receive, _with_header(send))

    def refusal(self, scope: Scope) -> str:
        """Return why a request may not pass: what was expected and what was found; empty where it
        may.
        """
        headers, is_socket = Headers(scope=scope), scope["type"] == "websocket"
        hosts, origins, sites, types, accepted, mode, target = map(headers.getlist, ASKED)
        method = "" if is_socket else scope["method"].upper()
        is_reading = method in READING
        # a link that a person follows opens a page of the UI as a whole
        is_link = is_reading and mode == ["navigate"] and target == ["document"]
        # of several such headers Dagster reads one
        is_page = accepted and all("text/html" in names for names in accepted)
        essence = [text.split(";", 1)[0].strip().lower() for text in types]
        own, again = "a request of this UI's own pages", "use the UI's own page"
        rules = (
            (
                len(hosts) == 1 and hosts[0].lower() in self._hosts,
                f"the host {' or '.join(sorted(self._hosts))}",
                _shown(hosts),
                "open the address that `citysync ui` printed",
            ),
            (
                {origin.lower() for origin in origins}
                <= {f"http://{host.lower()}" for host in hosts},
                own,
                f"one of {_shown(origins)}",
                again,
            ),
            (
                is_link or {*sites} <= {"same-origin", "none"},
                own,
                f"one of another page ({_shown(sites)})",
                again,
            ),
            (
                # the same address opened as a page shows an empty editor and runs nothing
                not is_reading or is_page or scope["path"].rstrip("/") != "/graphql",
                "GraphQL as POST with Content-Type: application/json",
                "it in an address",
                "send it as POST",
            ),
            (
                is_socket or is_reading or (method == "POST" and essence == ["application/json"]),
                "GET, or POST with Content-Type: application/json",
                f"{method[:LONGEST]!r} with {_shown(types)}",
                "send JSON",
            ),
        )
        faults = (
            f"expected {one}, found {found}; {do}" for holds, one, found, do in rules if not holds
        )
        return next(faults, "")


def _shown(values: Iterable[str]) -> str:
    return ", ".join(repr(value[:LONGEST]) for value in values) or "none"


def _with_header(send: Send) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), OWN_HEADER]}
        await send(message)

    return answer
