"""Known advisories for what is locked, from a copy at hand: nothing is fetched, and the copy's age
is said.

A copy is a folder (or its zip archive) of advisories in the OSV format, one file each: JSON as
https://osv.dev exports them for PyPI (`all.zip`), or YAML as the Python Packaging Authority keeps
them (github.com/pypa/advisory-database, folder `vulns/`). What is used:

- `id`, `summary`, `modified`, `withdrawn` (such an advisory counts no more);
- `affected[]`: `package.name` where `package.ecosystem` is PyPI, `versions[]`, and of `ranges[]` of
  type ECOSYSTEM the `events[]` with `introduced`, `fixed`, `last_affected`.

A copy was written by others, so it is data: a file that is none of this is counted, no error; texts
are shown without control codes.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from orchestration.home import REPO

SUFFIXES = (".json", ".yaml", ".yml")
LARGEST_BYTES = 5_000_000
#: A copy whose newest advisory is older is said to be old.
OLD_DAYS = 30
LONGEST_SUMMARY = 120
EVENTS = ("introduced", "fixed", "last_affected")


class AdvisoriesError(Exception):
    """The copy cannot be used; the message says what was expected and what was found."""


@dataclass(frozen=True)
class Findings:
    """What a copy says of some packages.

    Attributes
    ----------
    lines : list of str
        One per package and advisory.
    n_advisories, n_unread : int
        Advisories for PyPI that were read, and files that are none.
    newest : datetime
        When the last of them was changed: the copy is at least as new.
    """

    lines: list[str]
    n_advisories: int
    n_unread: int
    newest: datetime

    def age(self, now: datetime) -> str:
        """Such as `12,345 advisories, the newest of 2026-11-01 (25 days old)`."""
        days = max(0, (now - self.newest).days)
        old = f": old, take a newer copy (more than {OLD_DAYS} days)" if days > OLD_DAYS else ""
        unread = f"; {self.n_unread:,} files are none" if self.n_unread else ""
        return (
            f"{self.n_advisories:,} advisories, the newest of {self.newest:%Y-%m-%d} ({days} days "
            f"old){old}{unread}"
        )


def find_advisories(copy: Path, locked: Mapping[str, Iterable[str]]) -> Findings:
    """Advisories that affect a locked version.

    Parameters
    ----------
    copy : folder or zip archive of advisories.
    locked : versions by package name.

    Raises
    ------
    AdvisoriesError
        There is nothing there, or not one advisory for PyPI in it.
    """
    versions = {canonicalize_name(name): sorted(set(found)) for name, found in locked.items()}
    lines, n_advisories, n_unread, newest = set(), 0, 0, datetime.min.replace(tzinfo=UTC)
    for content in _contents(copy):
        advisory = _parse(content)
        if advisory is None:
            n_unread += 1
            continue
        if advisory["affected"]:
            n_advisories += 1
            newest = max(newest, advisory["modified"])
            lines.update(_lines(advisory, versions))
    if not n_advisories:
        raise AdvisoriesError(
            f"{copy}: expected advisories of PyPI in the OSV format (one JSON or YAML file each, "
            "in a folder or zip archive), "
            f"found none in {n_unread:,} files; see docs/operators.md"
        )
    return Findings(sorted(lines), n_advisories, n_unread, newest)


def locked_versions() -> dict[str, set[str]]:
    """Versions by package of every lock file of the project, those for other platforms and
    environments included.
    """
    from orchestration.commands.audit import read_lock

    found: dict[str, set[str]] = {}
    for path in (
        *sorted(REPO.glob("requirements*.lock")),
        REPO / "tests" / "browser" / "requirements.lock",
    ):
        for entry in read_lock(path):
            found.setdefault(entry.name, set()).add(entry.version)
    return found


def _contents(copy: Path) -> Iterator[bytes | None]:
    """Bytes of each file that has a name of an advisory; None for one that cannot be read or is too
    large.
    """
    if copy.is_dir():
        for path in sorted(copy.rglob("*")):
            if path.suffix.lower() in SUFFIXES and path.is_file():
                yield path.read_bytes() if path.stat().st_size <= LARGEST_BYTES else None
        return
    try:
        with zipfile.ZipFile(copy) as archive:
            for member in archive.infolist():
                if member.filename.lower().endswith(SUFFIXES):
                    yield _member(archive, member)
    except (OSError, zipfile.BadZipFile) as error:
        raise AdvisoriesError(
            f"{copy}: expected a folder or zip archive of advisories, found none ({error}); check "
            "ADVISORIES="
        ) from None


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes | None:
    try:
        with archive.open(member) as stream:
            # a header may lie about the size: no more is read than is allowed
            content = stream.read(LARGEST_BYTES + 1)
    except (
        Exception
    ):  # whatever a damaged or foreign member does to the unpacker, it is no advisory
        return None
    return content if len(content) <= LARGEST_BYTES else None


def _parse(content: bytes | None) -> dict[str, Any] | None:
    """Id, summary, time of change and affected packages of PyPI; None where the bytes are no
    advisory.
    """
    if content is None:
        return None
    try:
        found = json.loads(content) if content.lstrip()[:1] == b"{" else _read_yaml(content)
        affected = (
            []
            if found.get("withdrawn")
            else [a for a in found.get("affected", []) if a["package"]["ecosystem"] == "PyPI"]
        )
        return {
            "id": str(found["id"]),
            "summary": str(found.get("summary") or found.get("details") or "")[:LONGEST_SUMMARY],
            "modified": _time(found["modified"]),
            "affected": [
                (
                    canonicalize_name(a["package"]["name"]),
                    a.get("versions") or [],
                    a.get("ranges") or [],
                )
                for a in affected
            ],
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ImportError):
        return None


def _read_yaml(content: bytes) -> Any:
    import yaml

    try:
        return yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (both build plain values alone)
    except yaml.YAMLError as error:
        raise ValueError("no YAML") from error


def _time(value: object) -> datetime:
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _lines(advisory: Mapping[str, Any], versions: Mapping[str, list[str]]) -> Iterator[str]:
    for name, listed, ranges in advisory["affected"]:
        for version in versions.get(name, []):
            if version in listed or any(_is_in(version, found) for found in ranges):
                fixed = sorted(
                    {
                        event["fixed"]
                        for found in ranges
                        for event in _events(found)
                        if "fixed" in event
                    },
                    key=str,
                )
                mended = (
                    f"mended in {', '.join(map(str, fixed))}"
                    if fixed
                    else "no mended version is named"
                )
                line = f"{name} {version}: {advisory['id']} ({mended}): {advisory['summary']}"
                yield "".join(sign if sign.isprintable() else " " for sign in line)


def _events(found: Any) -> list[dict[str, Any]]:
    events = found.get("events") if isinstance(found, dict) else None
    return (
        [event for event in events if isinstance(event, dict)] if isinstance(events, list) else []
    )


def _is_in(version: str, found: Any) -> bool:
    """Whether a version lies in a range: after what introduced it, before what mended it."""
    if not isinstance(found, dict) or found.get("type") != "ECOSYSTEM":
        return False
    ours, is_affected = Version(version), False
    try:
        for event in sorted(_events(found), key=_event_order):
            kind = next((kind for kind in EVENTS if kind in event), None)
            bound = Version(str(event.get(kind, "0")))
            # the last affected version itself is affected still
            if kind and (ours > bound or (ours == bound and kind != "last_affected")):
                is_affected = kind == "introduced"
    except InvalidVersion:
        # a range that cannot be read is shown rather than passed over
        return True
    return is_affected


def _event_order(event: Mapping[str, Any]) -> tuple[Version, int]:
    """By version; a fix comes before what is introduced at the same one."""
    text = str(next((event[kind] for kind in EVENTS if kind in event), "0"))
    return Version(text), int("introduced" in event)
