"""How much of a refresh is left to do: nothing, the report, the estimates, or all of it.

After a publication a record keeps the fingerprint of what went in and the hashes of what came out.
The next run leaves out a stage only if everything the stage depends on has the same content, and
what it would use again is byte by byte what the recorded run left. After any other change (a file,
code, seed, setting or package, a changed publication or build, no record, FORCE=1) all is done.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from orchestration.home import Home
from orchestration.reuse.fingerprint import Fingerprint
from orchestration.terminal import say
from warehouse.hashing import hash_file, hash_tree
from warehouse.publication.manifest import MANIFEST, read_manifest
from warehouse.publication.verification import verify_files
from warehouse.whole_files import remove_any, write_whole

NOTHING, REPORT, ESTIMATES, ALL = "nothing", "report", "estimates", "all"
RECORD_VERSION = 1


@dataclass(frozen=True)
class Plan:
    """What to run (`nothing`, `report`, `estimates` or `all`), why in a few words, and the run that
    is built upon.
    """

    work: str
    reason: str
    run_id: str = ""


def record_path(home: Home) -> Path:
    """The record of the last publication of this home; anyone may delete it, the next refresh then
    does everything.
    """
    return home.root / "last_refresh.json"


def plan_refresh(home: Home, now: Fingerprint | None) -> Plan:
    """Compare what would go in now with the record of the last publication.

    Parameters
    ----------
    home : Home
    now : Fingerprint or None
        None where a file could not be read.
    """
    record = _read_record(home)
    reason = _reason_for_all(home, now, record)
    if reason:
        return Plan(ALL, reason)
    before, run_id = record["fingerprint"], record["run_id"]
    touched = _touched_publication(home, record) if now.report == before["report"] else ""
    if now.report == before["report"] and not touched:
        return Plan(NOTHING, "files, code, settings and packages are the same", run_id)
    if _hashes(home.build) != record["build"]:
        return Plan(
            ALL,
            (
                f"{touched or 'code of the estimates or the report changed'}, and build/ is not as "
                f"run {run_id} left it"
            ),
        )
    if now.estimates != before["estimates"]:
        return Plan(ESTIMATES, "only code of the estimates changed", run_id)
    return Plan(REPORT, touched or "only code of the report changed", run_id)


def _reason_for_all(home: Home, now: Fingerprint | None, record: dict | None) -> str:
    """Why no earlier work can be used, empty if some may be."""
    if os.environ.get("FORCE", "") == "1":
        return "FORCE=1"
    if now is None:
        return "a file cannot be read"
    if record is None:
        return "no record of an earlier publication"
    if now.marts != record["fingerprint"]["marts"]:
        return (
            "files changed"
            if now.landing != record["fingerprint"]["landing"]
            else "code, settings or packages changed"
        )
    return (
        "the simulated landing was changed"
        if record["simulated"] and _hashes(home.simulated) != record["simulated"]
        else ""
    )


def keep_record(
    home: Home, before: Fingerprint | None, after: Fingerprint | None, *, simulated: bool
) -> None:
    """Record a publication, unless anything it depends on changed while it was made.

    Parameters
    ----------
    home : Home
    before, after : Fingerprint or None
        Taken at the start and at the end of the run; None where something could not be read.
    simulated : bool
        Whether the landing was the simulated one, whose files lie in the home.
    """
    remove_any(record_path(home))
    if before is None or before != after:
        return
    manifest = home.published / MANIFEST
    record = {
        "version": RECORD_VERSION,
        "run_id": read_manifest(home.published)["run_id"],
        "manifest_sha256": hash_file(manifest),
        "fingerprint": after.as_dict(),
        "build": _hashes(home.build),
        "simulated": _hashes(home.simulated) if simulated else {},
    }
    with write_whole(record_path(home)) as draft:
        draft.write_text(json.dumps(record, sort_keys=True, indent=1) + "\n", encoding="utf-8")


def forget_record(home: Home) -> None:
    """A run that changes build/ leaves no record behind unless it publishes."""
    remove_any(record_path(home))


def _read_record(home: Home) -> dict | None:
    """The record, None where there is none that can be read."""
    try:
        record = json.loads(record_path(home).read_text(encoding="utf-8"))
        complete = record["version"] == RECORD_VERSION and all(
            isinstance(record["fingerprint"][name], str)
            for name in Fingerprint.__dataclass_fields__
        )
        complete = complete and all(
            isinstance(record[name], str) for name in ("run_id", "manifest_sha256")
        )
        complete = complete and all(
            isinstance(record[name], dict) for name in ("build", "simulated")
        )
        return record if complete else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        say(f"  {record_path(home).name} cannot be read: thrown away, every stage is run")
        return None


def _touched_publication(home: Home, record: dict) -> str:
    """Why the current publication is not the recorded one, or was changed since; empty if
    neither.
    """
    manifest = home.published / MANIFEST
    try:
        if home.published.resolve().name != record["run_id"]:
            return "another publication is the current one"
        if hash_file(manifest) != record["manifest_sha256"]:
            return "the publication's manifest was changed"
        faults = verify_files(home.published)
    except OSError as error:
        return f"the publication cannot be read ({error.strerror})"
    return f"the publication was changed ({faults[0]})" if faults else ""


def _hashes(folder: Path) -> dict[str, str]:
    try:
        return hash_tree(folder)
    except OSError:
        return {}
