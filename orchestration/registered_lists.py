"""Read and write registered lists of cities, and count how often lists were run: two kinds of small
files in the archive, which no command removes.

`archive/registered/<hash>.json` is a rule that was written before its data exist;
`archive/policy_runs/<run id>.json` are the runs of `citysync policy` on one publication.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from warehouse.whole_files import read_noted, write_noted

REGISTERED, RUNS = "registered", "policy_runs"


def write_registered(archive: Path, entry: dict[str, Any]) -> Path | None:
    """Write an entry under its `sha256`; None where that rule is registered already."""
    path = archive / REGISTERED / f"{entry['sha256']}.json"
    if path.exists():
        return None
    write_noted(path, entry)
    return path


def read_registered(archive: Path, *, is_simulated: bool) -> list[dict[str, Any]]:
    """Return the entries for delivered data, or for simulated, in the order of their dates."""
    found = [json.loads(path.read_text("utf-8")) for path in (archive / REGISTERED).glob("*.json")]
    own = [entry for entry in found if entry["is_simulated"] == is_simulated]
    return sorted(own, key=lambda entry: (entry["registered_on"], entry["sha256"]))


def count_run(archive: Path, run_id: str, run: dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """Add a run of a list to those on a publication, unless its rule was run before.

    Returns
    -------
    list of dict, int
        All runs in their order, and the place of this rule among them.
    """
    path = archive / RUNS / f"{run_id}.json"
    runs = read_noted(path).get("runs", [])
    hashes = [one["sha256"] for one in runs]
    if run["sha256"] in hashes:
        return runs, hashes.index(run["sha256"])
    write_noted(path, {"runs": [*runs, run]})
    return [*runs, run], len(runs)
