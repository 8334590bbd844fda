"""Units of the study kept by content: after a change of some analyses only what changed is estimated.

A unit's rows depend on the marts, its specs, its settings and the code that estimates. Modules that only list specs are no part of that
code: what they say of a unit is in its specs. The file is used only if it still has the hash that it bears.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from orchestration.home import Home
from orchestration.reuse.fingerprint import hash_estimation
from orchestration.reuse.kept_estimates import hash_frames
from orchestration.terminal import progress
from warehouse.hashing import hash_bytes, hash_parts
from warehouse.whole_files import remove_any, write_whole

#: Modules of `estimation.analyses` that hold nothing but specs, and the catalog of them.
LISTINGS = frozenset(
    f"estimation/analyses/{name}.py"
    for name in (
        *("baseline", "catalog", "confounders", "dynamics", "heterogeneity", "matching", "mechanisms", "policy_tools"),
        *("robustness", "spillovers", "study_form"),
    )
)
Rows = dict[str, list[dict[str, Any]]]
RunUnits = Callable[..., None]


def keep_units(home: Home, name: str, run_units: RunUnits) -> RunUnits:
    """Units that are run by `run_units`, but for those whose rows an earlier call has kept.

    Parameters
    ----------
    home : Home
        Its folder `units` holds one file a name, with the units of these marts and this code.
    name : str
        Of the caller, such as `study`.
    run_units : callable
        As of `estimation.study.run.run_study`.

    Returns
    -------
    callable
        The same rows in the same order of the units; FORCE=1 runs all.
    """

    def run(frames: Mapping[str, Any], units: Iterable[Any], on_done: Callable[[Any, Rows], Iterable[Any]]) -> None:
        path = home.root / "units" / f"{name}.json"
        made_from = hash_parts(
            [hash_estimation(without=LISTINGS), *(part for key in sorted(frames) for part in (key, hash_frames(frames[key])))]
        )
        known = {} if os.environ.get("FORCE", "") == "1" else _read(path, made_from)
        kept: dict[str, Rows] = {}

        def take(wanted: Iterable[Any]) -> list[Any]:
            """Hand out what is known, and give back what has to be run; a unit that is done may ask for more."""
            waiting, left = list(wanted), []
            while waiting:
                unit = waiting.pop(0)
                key = _key(unit)
                if key in known:
                    kept[key] = known[key]
                    waiting += on_done(unit, known[key])
                else:
                    left.append(unit)
            return left

        def done(unit: Any, rows: Rows) -> list[Any]:
            kept[_key(unit)] = rows
            return take(on_done(unit, rows))

        left = take(units)
        if kept:
            progress(f"  {len(kept)} of {len(kept) + len(left)} parts of the estimates have not changed: what was kept of them is used")
        if left:
            run_units(frames, left, done)
        # units that this call did not ask for stay: a run of some analyses comes between two of all
        _write(path, made_from, known | kept)

    return run


def _key(unit: Any) -> str:
    return hash_parts([repr((unit.kind, unit.specs, unit.permutations, unit.seed, unit.given))])


def _read(path: Path, made_from: str) -> dict[str, Rows]:
    """Rows by key; nothing where the file is of other marts or code, or was changed since it was written."""
    try:
        sha256, _, content = path.read_bytes().partition(b"\n")
        if hash_bytes(content).encode() != sha256:
            return {}
        found = json.loads(content)
        return found["units"] if found["made_from"] == made_from else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _write(path: Path, made_from: str, units: Mapping[str, Rows]) -> None:
    """Every number as the shortest text that reads back as itself."""
    content = json.dumps({"made_from": made_from, "units": units}, default=lambda value: value.item()).encode()
    if path.parent.exists() and not path.parent.is_dir():
        remove_any(path.parent)
    if path.is_dir():
        remove_any(path)
    with write_whole(path) as draft:
        draft.write_bytes(hash_bytes(content).encode() + b"\n" + content)
