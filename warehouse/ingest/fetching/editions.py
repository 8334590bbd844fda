"""Replies of a service as an edition: every one is kept as it came, with request, hash and date,
and asked for only once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from warehouse.hashing import hash_bytes
from warehouse.whole_files import write_noted, write_whole

MANIFEST, DONE = "requests.jsonl", "done.json"


@dataclass(frozen=True)
class Request:
    """What is asked: method, path below the service's base, parameters, and the body of a POST."""

    method: str
    path: str
    params: Mapping[str, str]
    body: Mapping[str, object] | None = None

    @property
    def key(self) -> str:
        """One name for the same question."""
        facts = [self.method, self.path, sorted(self.params.items()), self.body]
        return hash_bytes(json.dumps(facts, sort_keys=True, ensure_ascii=True).encode())[:24]


class Edition:
    """A folder ``<source>/<date>`` of replies; a fetch that was interrupted goes on in the folder
    that it began.

    Attributes
    ----------
    folder : Path
    date : str
        ISO date of the day it was begun.
    n_kept : int
        Replies that were there already.
    """

    def __init__(self, root: Path, today: str | None = None) -> None:
        day = today or datetime.now(UTC).date().isoformat()
        open_ones = sorted(
            path for path in root.glob("????-??-??") if path.is_dir() and not (path / DONE).exists()
        )
        self.folder = open_ones[-1] if open_ones else root / day
        self.date = self.folder.name
        self.folder.mkdir(parents=True, exist_ok=True)
        if (self.folder / DONE).exists():
            # a second fetch of the same day asks again
            (self.folder / DONE).unlink()
            (self.folder / MANIFEST).unlink(missing_ok=True)
        self.n_kept = 0
        self._known = self._read_manifest()

    def find(self, request: Request) -> bytes | None:
        """Return the reply to a request, if it is there and still what came."""
        entry = self._known.get(request.key)
        if entry is None:
            return None
        content = (self.folder / entry["file"]).read_bytes()
        if hash_bytes(content) != entry["sha256"]:
            return None
        self.n_kept += 1
        return content

    def keep(self, request: Request, url: str, content: bytes) -> None:
        """Write a reply and note it."""
        name = f"{request.key}.json"
        with write_whole(self.folder / name) as temporary:
            temporary.write_bytes(content)
        entry = {
            "key": request.key,
            "method": request.method,
            "url": url,
            "body": request.body,
            "file": name,
            "sha256": hash_bytes(content),
            "bytes": len(content),
            "fetched_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        with (self.folder / MANIFEST).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(entry, ensure_ascii=False) + "\n")
        self._known[request.key] = entry

    def keep_refusal(self, content: bytes) -> Path:
        """Write what came instead of an answer, to be looked at; it is no reply."""
        path = self.folder / "refused.txt"
        path.write_bytes(content[:1_000_000])
        return path

    def close(self, facts: Mapping[str, object]) -> None:
        """Note that the edition is whole."""
        write_noted(self.folder / DONE, {"replies": len(self._known), **facts})

    def _read_manifest(self) -> dict[str, dict]:
        path = self.folder / MANIFEST
        if not path.exists():
            return {}
        known = {}
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                entry = json.loads(line)
                known[entry["key"]] = entry
            except (ValueError, KeyError, TypeError):
                # a line that a killed fetch left half written: that reply is asked for again
                continue
        return known
