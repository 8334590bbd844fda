"""Units of the study kept by content: after a change of some analyses, or back to marts of before,
only what is new is estimated.

A unit's rows depend on the marts, its specs, its settings and the code that estimates. Modules that
only list specs are no part of that code: what they say of a unit is in its specs. A file is used
only if it still has the hash that it bears.
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
from warehouse.hashing import hash_bytes, hash_parts
from warehouse.whole_files import remove_any, write_whole

#: Files that are kept of a name, each of other marts, code or packages.
KEPT = 3
#: Modules of `estimation.analyses` that hold nothing but specs, and the catalog of them.
LISTINGS = frozenset(
    f"estimation/analyses/{name}.py"
    for name in (
        *(
            "baseline",
            "catalog",
            "confounders",
            "dynamics",
            "heterogeneity",
            "matching",
            "mechanisms",
            "policy_tools",
        ),
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
        Its folder `units` holds the units of a name, one file for each of the last marts and codes.
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
        store = home.root / "units" / name
        made_from = hash_parts(
            [
                hash_estimation(without=LISTINGS),
                *(part for key in sorted(frames) for part in (key, hash_frames(frames[key]))),
            ]
        )
        known = {} if os.environ.get("FORCE", "") == "1" else _read(store, made_from)
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
        _write(store, made_from, known | kept)

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


def _read(store: Path, made_from: str) -> dict[str, Rows]:
    """Rows by key; nothing where no file is of these marts and this code, or it was changed since
    it was written.
    """
    try:
        # two where a run was killed before it removed the older one
        path = max(store.glob(f"*-{made_from}.json"), key=_order)
        sha256, _, content = path.read_bytes().partition(b"\n")
        return json.loads(content) if _seal(made_from, content) == sha256 else {}
    except (OSError, ValueError, RecursionError):
        return {}


def _write(store: Path, made_from: str, units: Mapping[str, Rows]) -> None:
    """Every number as the shortest text that reads back as itself; the oldest of too many files
    goes.
    """
    content = json.dumps(units, default=lambda value: value.item()).encode()
    for folder in (store.parent, store):
        if folder.exists() and not folder.is_dir():
            remove_any(folder)
    store.mkdir(parents=True, exist_ok=True)
    earlier = sorted(store.iterdir(), key=_order)
    # numbered, so that their order depends on no clock
    path = store / f"{1 + max(map(_order, earlier), default=0)}-{made_from}.json"
    with write_whole(path) as draft:
        draft.write_bytes(_seal(made_from, content) + b"\n" + content)
    same = [old for old in earlier if old.stem.endswith(made_from)]
    for old in (*same, *[old for old in earlier if old not in same][: 1 - KEPT]):
        remove_any(old)


def _seal(made_from: str, content: bytes) -> bytes:
    """Hash of the content and of what it was made from, so that a file under another's name is not
    taken for it.
    """
    return hash_bytes(made_from.encode() + content).encode()


def _order(path: Path) -> int:
    number, _, _ = path.name.partition("-")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0
