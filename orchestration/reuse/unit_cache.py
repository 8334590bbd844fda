"""A cache of the study's units: their rows are kept in a file, and a later run estimates only units
that changed.

A unit's rows depend on the marts and the code that estimates: their hash is the name of the file.
They also depend on the unit's specs and settings, whose hash is its key in the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from orchestration.home import Home
from orchestration.reuse.fingerprint import hash_estimation, require_same_code
from orchestration.settings import is_forced
from orchestration.terminal import progress
from warehouse.hashing import hash_parts
from warehouse.whole_files import read_noted, write_text

#: Number of files that are kept, each for other marts, code or packages.
KEPT = 3
Rows = dict[str, list[dict[str, Any]]]
RunUnits = Callable[..., None]


def cached_units(home: Home, estimate_units: RunUnits, *, code: Mapping[str, str]) -> RunUnits:
    """Return a function that gives the same rows as `estimate_units`, but takes those that an
    earlier call kept from the file and keeps those that are new.

    Parameters
    ----------
    home : Home
        Its folder `units` holds them.
    estimate_units : callable
        `run_units` of `estimation.study.run.run_study`.
    code : mapping of str to str
        What `note_code` returned when the run began.

    Returns
    -------
    callable
        With FORCE=1 it estimates all units. Where files of the checkout changed since the run
        began, it raises `CodeChanged` and keeps nothing.
    """

    def take_or_estimate(
        marts: Any, units: Iterable[Any], on_done: Callable[[Any, Rows], None]
    ) -> None:
        require_same_code(code)
        name = hash_parts([hash_estimation(), hash_frames(marts)])
        path = home.root / "units" / "study" / f"{name}.json"
        known = {}
        if not is_forced():
            known = read_noted(path)
        left = []
        n_kept = 0
        for unit in units:
            key = _key(unit)
            if key in known:
                n_kept += 1
                on_done(unit, known[key])
            else:
                left.append(unit)
        if n_kept:
            progress(
                f"  {n_kept} of {n_kept + len(left)} parts of the estimates have not changed: "
                "what was kept of them is used"
            )

        def keep(unit: Any, rows: Rows) -> None:
            known[_key(unit)] = rows
            on_done(unit, rows)

        if left:
            estimate_units(marts, left, keep)
        # else rows of the code as it was would be kept under the hash of the code as it is now
        require_same_code(code)
        # other units of the file stay: between two runs of all analyses there may be one of a few
        _write(path, known)

    return take_or_estimate


def _key(unit: Any) -> str:
    return hash_parts([repr((unit.kind, unit.specs))])


def hash_frames(frames: Any) -> str:
    """Return the hash of every value, type and label of a dataclass of data frames and of others
    like it.
    """
    return hash_parts(_parts_of(frames))


def _parts_of(frames: Any) -> Iterator[str | bytes]:
    for name, value in sorted(vars(frames).items()):
        yield name
        yield _content(value)


def _content(value: Any) -> str | bytes:
    """Return every value, type and label of a data frame as bytes; anything else as Python writes
    it.
    """
    if is_dataclass(value):
        return hash_frames(value)
    if not isinstance(value, pd.DataFrame):
        return repr(value)
    table = pa.Table.from_pandas(value, preserve_index=True)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _write(path: Path, units: Mapping[str, Rows]) -> None:
    """Write the rows of units, each number as the shortest text that reads back as itself; remove
    all but the newest files.
    """
    write_text(path, json.dumps(units, default=lambda value: value.item()))
    files = sorted(path.parent.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
    for old in files[:-KEPT]:
        old.unlink()
