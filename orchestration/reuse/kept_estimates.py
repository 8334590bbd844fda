"""Estimates kept by the content of what they were made from: where new files do not change the marts, earlier estimates are used again.

The key holds every value that the study reads, the code of `estimation`, the packages and the number of draws. A kept entry is used only
if its files still have the hashes that were noted when they were written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from orchestration.home import Home
from orchestration.reuse.fingerprint import hash_estimation
from orchestration.terminal import progress
from warehouse.hashing import hash_file, hash_parts
from warehouse.whole_files import remove_any

KEPT_ENTRIES = 3
INDEX = "index.json"


def keep_estimates(
    home: Home, frames: Any, facts: Sequence[Any], compute: Callable[[], Mapping[str, pd.DataFrame]]
) -> dict[str, pd.DataFrame]:
    """The result of `compute`, or of an earlier call with the same inputs.

    Parameters
    ----------
    home : Home
    frames : dataclass of data frames
        Everything that `compute` reads.
    facts : sequence
        Further arguments of `compute`.
    compute : callable
        Gives data frames by table name.

    Returns
    -------
    dict
        Data frames by table name, equal to those of a fresh call; FORCE=1 makes one.
    """
    store = home.root / "estimates"
    folder = store / _key(frames, facts)
    found = None if os.environ.get("FORCE", "") == "1" else _read(folder)
    if found is not None:
        progress("estimates: the tables they are made from have not changed, kept results are used")
        return found
    tables = dict(compute())
    _write(folder, tables)
    for old in sorted(store.iterdir(), key=_order, reverse=True)[KEPT_ENTRIES:]:
        remove_any(old)
    return tables


def _key(frames: Any, facts: Sequence[Any]) -> str:
    return hash_parts((hash_estimation(), repr(list(facts)), hash_frames(frames)))


def hash_frames(frames: Any) -> str:
    """Hash of every value, type and label of a dataclass of data frames."""
    return hash_parts(part for name, value in sorted(vars(frames).items()) for part in (name, _content(value)))


def _content(value: Any) -> str | bytes:
    """Every value, type and label of a data frame as bytes; anything else as Python writes it."""
    if not isinstance(value, pd.DataFrame):
        return repr(value)
    table = pa.Table.from_pandas(value, preserve_index=True)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _read(folder: Path) -> dict[str, pd.DataFrame] | None:
    """Kept tables; None where there are none, or a file was changed since."""
    try:
        hashes = json.loads((folder / INDEX).read_text(encoding="utf-8"))["sha256"]
        if any(hash_file(folder / f"{name}.parquet") != value for name, value in hashes.items()):
            return None
        return {name: pd.read_parquet(folder / f"{name}.parquet") for name in hashes}
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException, RecursionError):
        return None


def _write(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Keep tables that come back exactly as they are; otherwise keep nothing."""
    draft = folder.with_name(f".{folder.name}")
    for path in (draft, folder):
        remove_any(path)
    if folder.parent.exists() and not folder.parent.is_dir():
        folder.parent.unlink()
    draft.mkdir(parents=True)
    hashes = {}
    for name, table in tables.items():
        path = draft / f"{name}.parquet"
        table.to_parquet(path, index=False)
        back = pd.read_parquet(path)
        if not (back.equals(table) and list(back.dtypes) == list(table.dtypes) and list(back.columns) == list(table.columns)):
            remove_any(draft)
            return
        hashes[name] = hash_file(path)
    number = 1 + max((_order(path) for path in folder.parent.iterdir()), default=0)
    (draft / INDEX).write_text(json.dumps({"number": number, "sha256": hashes}) + "\n", encoding="utf-8")
    os.replace(draft, folder)


def _order(folder: Path) -> int:
    """Number of an entry, counted up from 1 so that their order depends on no clock; 0 where it cannot be read."""
    try:
        return int(json.loads((folder / INDEX).read_text(encoding="utf-8"))["number"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return 0
