"""`make audit`: is what is installed what was locked, byte for byte, under which licences, with
which known advisories? Offline.
"""

from __future__ import annotations

import base64
import csv
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from packaging.markers import Marker

from orchestration.commands.advisories import AdvisoriesError, find_advisories, locked_versions
from orchestration.home import REPO
from orchestration.terminal import Exit, end_command, say
from warehouse.hashing import hash_file

LOCK = REPO / "requirements.lock"
#: The same and what tests need; `make test` puts it into the same environment.
DEV_LOCK = REPO / "requirements-dev.lock"
TABLE = REPO / "docs" / "licences.md"
# data that is given on with the code, and under which licence
DATA = REPO / "estimation" / "data" / "README.md"
# what `make setup` brings along to install the rest
INSTALLERS = {"pip", "setuptools", "uv", "wheel"}


@dataclass(frozen=True)
class Locked:
    """A requirement of the lock file: normalised name, version, sha256 of its files, and its
    environment marker.
    """

    name: str
    version: str
    hashes: tuple[str, ...]
    marker: str

    @property
    def has_hash(self) -> bool:
        """Whether a hash stands with it."""
        return bool(self.hashes)


def normalised(name: str) -> str:
    """A distribution's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(path: Path = LOCK) -> list[Locked]:
    """Requirements of a hashed lock file.

    Raises
    ------
    ValueError
        Naming a line that is neither a pinned requirement nor a hash of one.
    """
    found = []
    for entry in path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        line = entry.split(" #")[0].strip()
        if not line or line.startswith("#"):
            continue
        match = re.match(
            r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)\s*(?:;\s*(.*?))?\s*((?:--hash=sha256:[0-9a-f]{64}\s*)*)$",
            line,
        )
        if not match:
            raise ValueError(
                f"{path}: expected 'name==version --hash=sha256:...', found {line[:80]!r}"
            )
        hashes = tuple(re.findall(r"sha256:([0-9a-f]{64})", match[4]))
        found.append(Locked(normalised(match[1]), match[2], hashes, (match[3] or "").strip()))
    return found


def applicable(locked: list[Locked]) -> dict[str, Locked]:
    """Requirements whose marker holds in this environment, by name; a lock for all platforms may
    pin a package twice.
    """
    return {
        entry.name: entry for entry in locked if not entry.marker or Marker(entry.marker).evaluate()
    }


def recorded_hashes(distributions: list[metadata.Distribution]) -> dict[Path, set[str]]:
    """sha256 of every installed file as its distribution recorded it; packages of one namespace may
    both record its `__init__.py`.
    """
    found: dict[Path, set[str]] = {}
    for distribution in distributions:
        # the record itself: `distribution.files` leaves out what is missing
        for row in csv.reader((distribution.read_text("RECORD") or "").splitlines()):
            if len(row) > 1 and row[1].startswith("sha256="):
                found.setdefault(Path(distribution.locate_file(row[0])), set()).add(
                    row[1].removeprefix("sha256=")
                )
    return found


def changed_files(distributions: list[metadata.Distribution]) -> list[str]:
    """Installed files that are gone or have bytes that no distribution recorded for them."""
    changed = []
    for path, hashes in recorded_hashes(distributions).items():
        if not path.is_file():
            changed.append(
                f"{path}: missing, expected as installed: make a new environment with `make setup`"
            )
            continue
        digest = base64.urlsafe_b64encode(bytes.fromhex(hash_file(path))).rstrip(b"=").decode()
        if digest not in hashes:
            changed.append(
                f"{path}: not as it was installed: make a new environment with `make setup`"
            )
    return changed


def licence_of(distribution: metadata.Distribution) -> str:
    """The licence a distribution declares: its expression, else its classifiers, else its short
    licence field.
    """
    said = distribution.metadata
    if said.get("License-Expression"):
        return said["License-Expression"]
    classified = [
        c.rsplit(" :: ", 1)[1]
        for c in said.get_all("Classifier") or []
        if c.startswith("License :: ") and c.count(" :: ") > 1
    ]
    if classified:
        return ", ".join(sorted(classified))
    text = " ".join((said.get("License") or "").split())
    return text if 0 < len(text) <= 60 else "not declared in its metadata"


def audit_faults() -> list[str]:
    """One line for each difference between the lock and what is installed."""
    everything = [*read_lock(DEV_LOCK), *read_lock()]
    locked, distributions = applicable(everything), list(metadata.distributions())
    faults = [
        f"{LOCK.name}: {entry.name} {entry.version} has no hash"
        for entry in everything
        if not entry.has_hash
    ]
    faults += [
        f"{DEV_LOCK.name}: {fault}"
        for fault in differing_versions(read_lock(), read_lock(DEV_LOCK))
    ]
    for distribution in distributions:
        name = normalised(distribution.metadata["Name"])
        if name in INSTALLERS:
            continue
        if name not in locked:
            faults.append(
                f"{name} {distribution.version} is installed and not in {LOCK.name}: make a new "
                "environment with `make setup`"
            )
        elif locked[name].version != distribution.version:
            faults.append(
                f"{name} {distribution.version} is installed, {LOCK.name} says "
                f"{locked[name].version}: run `make setup`"
            )
    return sorted({*faults, *changed_files(distributions)})


def differing_versions(own: list[Locked], more: list[Locked]) -> list[str]:
    """What of the first lock stands in the second with another version, or not at all."""
    known = {(entry.name, entry.version, entry.marker) for entry in more}
    return [
        (
            f"expected {entry.name} {entry.version} as in {LOCK.name}; make it again with the "
            "command "
            "in pyproject.toml"
        )
        for entry in own
        if (entry.name, entry.version, entry.marker) not in known
    ]


def licence_table() -> str:
    """The page docs/licences.md: every locked distribution that is installed here, and the data
    that comes with the code.
    """
    everything = read_lock(DEV_LOCK)
    versions = {entry.name: entry.version for entry in applicable(everything).values()}
    skipped = sorted({entry.name for entry in everything} - set(versions))
    found = {normalised(d.metadata["Name"]): d for d in metadata.distributions()}
    rows = [
        f"| {name} | {version} | {licence_of(found[name])} |"
        for name, version in sorted(versions.items())
        if name in found
    ]
    note = (
        f"\nLocked for other platforms, not installed here: {', '.join(skipped)}.\n"
        if skipped
        else ""
    )
    data = (
        "\n## Data that comes with the code\n\n"
        + DATA.read_text(encoding="utf-8").split("\n\n", 1)[1]
    )
    about = (
        "Written by `make audit` from the packages' own metadata; citysync's own licence is in "
        "LICENSE."
    )
    head = f"# Licences of the dependencies\n\n{about}\n\n"
    return (
        head
        + "| package | version | licence as declared |\n| --- | --- | --- |\n"
        + "\n".join(rows)
        + "\n"
        + note
        + data
    )


def audit(advisories: str | None = None) -> int:
    """Check what is installed, look up known advisories, and rewrite the licence table.

    Parameters
    ----------
    advisories : folder or zip archive of advisories (`advisories.py` says which); None to leave
    them out.

    Returns
    -------
    int
        0; 1 with a line per fault or advisory; 2 where the advisories cannot be used.
    """
    faults = audit_faults()
    if not advisories:
        say(
            "known advisories: no copy was given, so none was looked up (ADVISORIES=path of a "
            "folder or zip archive in the OSV format)"
        )
    else:
        try:
            found = find_advisories(Path(advisories), locked_versions())
        except AdvisoriesError as error:
            return end_command("audit", Exit.BAD_INPUT, str(error))
        say(
            f"known advisories: {found.age(datetime.now(UTC))}; {len(found.lines)} for a locked "
            "version"
        )
        faults += found.lines
    for fault in faults:
        say(fault)
    TABLE.write_text(licence_table(), encoding="utf-8")
    outcome = (
        f"{len(faults)} faults"
        if faults
        else f"{len(read_lock())} locked packages, every installed file as its record says"
    )
    code = Exit.FAILED if faults else Exit.DONE
    return end_command("audit", code, f"{outcome}; licences in {TABLE.relative_to(REPO)}")
