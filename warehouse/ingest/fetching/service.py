"""Ask a service: one request at a time, not too often, again after a fault of the network; an
answer that is none ends the fetch.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from warehouse.ingest.errors import IngestError
from warehouse.ingest.fetching.editions import Edition, Request

#: At most two requests a second.
PAUSE_SECONDS = 0.5
TRIES = 4
_TIMEOUT_SECONDS = 60.0
#: What a fetch takes at most: seconds in all, requests, and bytes of one reply. The largest of
#: today takes 3 minutes, 150 requests and 200 kB.
MOST_SECONDS = 3_600.0
MOST_REQUESTS = 2_000
MOST_BYTES = 20_000_000
# what a service says of its own faults, or that it is asked too often
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
# the statistics bureau turns away what is no browser
_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 "
    "Safari/537.36 citysync"
)
Shape = TypeVar("Shape")


class _Again(Exception):
    """A fault that may be over in a while."""


@dataclass
class Service:
    """A service below one address.

    Attributes
    ----------
    base : str
        Address that every path is put behind.
    edition : Edition
        Where replies are kept and looked up.
    by_hand : str
        What a person can do where the service refuses.
    pause : float
        Seconds between two requests.
    wait : float
        Seconds before the second try; the later ones wait longer.
    """

    base: str
    edition: Edition
    by_hand: str
    pause: float = PAUSE_SECONDS
    wait: float = 2.0
    say: Callable[[str], None] = lambda _: None
    n_asked: int = 0
    _began: float = field(default_factory=time.monotonic, repr=False)
    _last: float = field(default=0.0, repr=False)

    def ask(self, request: Request, shape: type[Shape]) -> Shape:
        """Return the reply to a request in the shape that is expected, from the edition where it is
        there already.

        Raises
        ------
        IngestError
            A refusal, a page, JSON of another shape, or no answer after several tries.
        """
        kept = self.edition.find(request)
        content = self._fetch(request) if kept is None else kept
        answer = self._shaped(content, shape, request)
        if kept is None:
            self.edition.keep(request, self._address(request), content)
        return answer

    def _fetch(self, request: Request) -> bytes:
        tries = Retrying(
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential_jitter(multiplier=self.wait, max=60),
            retry=retry_if_exception_type((_Again, httpx.TransportError)),
            reraise=True,
        )
        try:
            return tries(self._once, request)
        except (_Again, httpx.TransportError) as error:
            said = str(error) or type(error).__name__
            raise IngestError(
                f"{self._address(request)}: expected an answer; found {said}, {TRIES} times; try "
                f"again later, or {self.by_hand}"
            ) from error

    def _once(self, request: Request) -> bytes:
        time.sleep(max(0.0, self._last + self.pause - time.monotonic()))
        self._last = time.monotonic()
        self.n_asked += 1
        if self.n_asked > MOST_REQUESTS:
            raise self._refused(request, f"more than {MOST_REQUESTS:,} pages or branches", b"")
        content = bytearray()
        with httpx.stream(
            request.method,
            self.base + request.path,
            params=dict(request.params),
            json=request.body,
            headers={"user-agent": _AGENT, "accept": "application/json"},
            timeout=_TIMEOUT_SECONDS,
        ) as response:
            if response.status_code in _AGAIN:
                raise _Again(f"status {response.status_code}")
            for part in response.iter_bytes():
                content += part
                if len(content) > MOST_BYTES:
                    raise self._refused(request, f"more than {MOST_BYTES:,} bytes", bytes(content))
                # a service that sends a byte a minute keeps within every timeout
                if time.monotonic() - self._began > MOST_SECONDS:
                    raise self._refused(request, f"no end after {MOST_SECONDS:,.0f} s", b"")
        if response.status_code != httpx.codes.OK:
            raise self._refused(request, f"status {response.status_code}", bytes(content))
        return bytes(content)

    def _shaped(self, content: bytes, shape: type[Shape], request: Request) -> Shape:
        try:
            answer = json.loads(content)
            # half of a pair of surrogates is no letter, and no file takes it
            json.dumps(answer, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            what = "a web page" if content.lstrip()[:1] == b"<" else "no JSON in Unicode"
            raise self._refused(request, what, content) from None
        try:
            return TypeAdapter(shape).validate_python(answer)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the whole answer"
            raise self._refused(
                request, f"another shape ({where}: {first['msg']})", content
            ) from error

    def _refused(self, request: Request, found: str, content: bytes) -> IngestError:
        kept = self.edition.keep_refusal(content)
        return IngestError(
            f"{self._address(request)}: expected JSON as its description says; found {found}, kept "
            f"in {kept}; the service refuses or has changed: {self.by_hand}"
        )

    def _address(self, request: Request) -> str:
        return str(httpx.URL(self.base + request.path, params=dict(request.params)))
