"""Decide how much of a refresh has to run: nothing, the stages after the marts, or all of them.

After a publication a record keeps the fingerprint of what went in and the hash of the manifest that
came out. The next run leaves out a stage only if everything the stage depends on has the same
content. After any other change (a file, code, seed, setting or package, no record, FORCE=1)
everything runs. Every run removes the record first, and only a refresh that published writes one:
if there is a record, build/ is unchanged since that run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from orchestration.home import Home
from orchestration.reuse.fingerprint import Fingerprint
from orchestration.settings import is_forced
from warehouse.hashing import hash_file
from warehouse.publication.manifest import MANIFEST, read_manifest
from warehouse.publication.verification import verify_files
from warehouse.whole_files import read_noted, remove_any, write_noted

# scopes of a refresh; the second holds estimates, report and publication
NOTHING = "nothing"
AFTER_MARTS = "estimates"
ALL = "all"
RECORD = "last_refresh.json"


@dataclass(frozen=True)
class Plan:
    """What a refresh has to do.

    Attributes
    ----------
    scope : str
        `NOTHING`, `AFTER_MARTS` or `ALL`.
    reason : str
        Why, in a few words.
    run_id : str
        The recorded run, whose tables are used again; empty where everything is run.
    """

    scope: str
    reason: str
    run_id: str = ""


def plan_refresh(home: Home, now: Fingerprint | None) -> Plan:
    """Compare what a run would read now with the record of the last publication, and return what is
    left to do.

    Parameters
    ----------
    home : Home
    now : Fingerprint or None
        None where a file could not be read.
    """
    record = read_noted(home.root / RECORD)
    if now is None:
        return Plan(ALL, "a file cannot be read")
    if reason := _why_all(now, record):
        return Plan(ALL, reason)
    run_id = record["run_id"]
    touched = _touched_publication(home, record)
    if asdict(now).items() <= record.items() and not touched:
        return Plan(NOTHING, "files, code, settings and packages are the same", run_id)
    if not home.database.exists():
        return Plan(ALL, f"{touched or 'code changed'}, and build/ of run {run_id} is gone")
    return Plan(AFTER_MARTS, touched or "only code of estimates or report changed", run_id)


def _why_all(now: Fingerprint, record: Mapping[str, str]) -> str:
    """Return why nothing of the recorded run may be used again; an empty text if it may."""
    if not record:
        return "no record of an earlier publication"
    if is_forced():
        return "FORCE=1"
    if now.landing != record.get("landing"):
        return "files changed"
    if now.marts != record.get("marts"):
        return "code, seeds, settings or packages changed"
    return ""


def keep_record(home: Home, before: Fingerprint | None, after: Fingerprint | None) -> None:
    """Record a publication, unless anything it depends on changed while it was made.

    Parameters
    ----------
    home : Home
    before, after : Fingerprint or None
        Taken at the start and at the end of the run; None where something could not be read.
    """
    if before is None or before != after:
        return
    record = {
        "run_id": read_manifest(home.published)["run_id"],
        "manifest_sha256": hash_file(home.published / MANIFEST),
        **asdict(after),
    }
    write_noted(home.root / RECORD, record)


def forget_record(home: Home) -> None:
    """Remove the record: a run that changes build/ leaves none unless it publishes."""
    remove_any(home.root / RECORD)


def _touched_publication(home: Home, record: dict) -> str:
    """Return why the current publication is not the recorded one, or how it was changed since; an
    empty text if neither.
    """
    try:
        if home.published.resolve().name != record["run_id"]:
            return "another publication is the current one"
        if hash_file(home.published / MANIFEST) != record["manifest_sha256"]:
            return "the publication's manifest was changed"
        faults = verify_files(home.published)
    except OSError as error:
        return f"the publication cannot be read ({error.strerror})"
    return f"the publication was changed ({faults[0]})" if faults else ""


def drop_later_tables(home: Home) -> None:
    """Drop the tables of a build that the stages after the marts write, so that none is left that
    earlier code wrote.
    """
    from warehouse.database import open_build

    with open_build(home.build) as con:
        for schema in ("meta", "estimates"):
            con.execute(f"drop schema if exists {schema} cascade")
        for table in ("expectation_result", "expectation_row"):
            con.execute(f"delete from quality.{table} where stage = 'estimates'")
