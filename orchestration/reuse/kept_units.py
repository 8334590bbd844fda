"""Units of the study kept by content: after a change of some analyses, or back to marts of before,
only what is new is estimated.

A unit's rows depend on the marts and the code that estimates (one file for each of the last), and
on its specs and settings (its key in the file).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from orchestration.home import Home
from orchestration.reuse.fingerprint import hash_estimation
from orchestration.terminal import progress
from warehouse.hashing import hash_parts
from warehouse.whole_files import write_whole

#: Files that are kept of a name, each of other marts, code or packages.
KEPT = 3
Rows = dict[str, list[dict[str, Any]]]
RunUnits = Callable[..., None]


def keep_units(home: Home, name: str, run_units: RunUnits) -> RunUnits:
    """Units that are run by `run_units`, but for those whose rows an earlier call has kept.

    Parameters
    ----------
    home : Home
        Its folder `units` holds the units of a name.
    name : str
        Of the caller, such as `study`.
    run_units : callable
        As of `estimation.study.run.run_study`.

    Returns
    -------
    callable
        The same rows in the same order of the units; FORCE=1 runs all.
    """

    def run(
        frames: Mapping[str, Any],
        units: Iterable[Any],
        on_done: Callable[[Any, Rows], Iterable[Any]],
    ) -> None:
        contents = [part for key in sorted(frames) for part in (key, hash_frames(frames[key]))]
        path = home.root / "units" / name / f"{hash_parts([hash_estimation(), *contents])}.json"
        known = {} if os.environ.get("FORCE", "") == "1" else _read(path)
        kept: dict[str, Rows] = {}

        def take(wanted: Iterable[Any]) -> list[Any]:
            """Hand out what is known, and give back what has to be run; a unit that is done may ask
            for more.
            """
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
            progress(
                f"  {len(kept)} of {len(kept) + len(left)} parts of the estimates have not "
                "changed: what was kept of them is used"
            )
        if left:
            run_units(frames, left, done)
        # units that this call did not ask for stay: a run of some analyses comes between two of all
        _write(path, known | kept)

    return run


def _key(unit: Any) -> str:
    return hash_parts([repr((unit.kind, unit.specs, unit.permutations, unit.seed, unit.given))])


def hash_frames(frames: Any) -> str:
    """Hash of every value, type and label of a dataclass of data frames."""
    return hash_parts(
        part for name, value in sorted(vars(frames).items()) for part in (name, _content(value))
    )


def _content(value: Any) -> str | bytes:
    """Every value, type and label of a data frame as bytes; anything else as Python writes it."""
    if not isinstance(value, pd.DataFrame):
        return repr(value)
    table = pa.Table.from_pandas(value, preserve_index=True)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _read(path: Path) -> dict[str, Rows]:
    """Rows by key; nothing where there is no such file, or none that can be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _write(path: Path, units: Mapping[str, Rows]) -> None:
    """Every number as the shortest text that reads back as itself; the files that were used longest
    ago go.
    """
    with write_whole(path) as draft:
        draft.write_text(json.dumps(units, default=lambda value: value.item()), encoding="utf-8")
    files = sorted(path.parent.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
    for old in files[:-KEPT]:
        old.unlink()
