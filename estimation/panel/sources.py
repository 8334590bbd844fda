"""Columns of a panel from wherever it lies: a frame of pandas, polars, Arrow or DuckDB, or a file.

Only what is asked for is read; pyarrow is needed for CSV and Parquet alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .columns import BACKENDS, Column, Source, column_of, kind_of
from .files import open_file
from .panel_error import PanelError

A_PANEL = (
    "give a frame of pandas, polars or pyarrow, a DuckDB relation, a mapping of columns, or a path"
)


def open_source(panel: Any) -> Source:
    """What a panel holds, before any column is read.

    Parameters
    ----------
    panel : path, frame or mapping
        A path to CSV, Parquet or Stata's .dta; a frame of pandas, polars or pyarrow; a DuckDB
        relation; a mapping of names to arrays.

    Raises
    ------
    PanelError
        If it is none of these, or the file cannot be read.
    """
    if isinstance(panel, str | os.PathLike):
        return open_file(Path(panel))
    if isinstance(panel, Mapping):
        return _open_mapping(panel)
    package = type(panel).__module__.split(".")[0].removeprefix("_")
    if type(panel).__name__ == "LazyFrame":
        found, remedy = "a polars LazyFrame", "give panel.collect()"
        raise PanelError("panel", None, None, "a frame with its rows", found, remedy)
    if type(panel).__name__ == "DuckDBPyRelation":
        return _open_relation(panel)
    names = getattr(panel, "column_names", getattr(panel, "columns", None))
    if package not in BACKENDS or names is None:
        found = f"an object of type {type(panel).__name__}"
        raise PanelError("panel", None, None, "a panel", found, A_PANEL)
    names, label = tuple(str(name) for name in names), f"{package} frame"

    def read(wanted: Sequence[str], texts: Sequence[str]) -> dict[str, Column]:
        return {name: _one_kind(panel[name], name, label) for name in wanted}

    return Source(label, names, read, package)


def _one_kind(cells: Any, name: str, label: str) -> Column:
    """A column; one that mixes kinds of cells is an error that names the first row of another."""
    try:
        column = column_of(cells)
    except (TypeError, ValueError) as error:
        remedy = "turn the column into numbers or text"
        raise PanelError(label, None, name, "numbers or text", str(error), remedy) from error
    kinds = [kind_of(value) for value in column.values]
    if len({*kinds} - {""}) > 1:
        of_row = [kinds[code] if code >= 0 else "" for code in column.codes]
        first = next(filter(None, of_row))
        row, kind = next((r, k) for r, k in enumerate(of_row) if k not in {"", first})
        found = f"{column[row]!r}, {kind} beside {first}"
        remedy = "turn the whole column into text, or into numbers"
        raise PanelError(label, row + 1, name, "values of one kind", found, remedy)
    return column


def quote(name: str) -> str:
    """An SQL identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def _open_relation(relation: Any) -> Source:
    label = "duckdb relation"

    def read(wanted: Sequence[str], texts: Sequence[str]) -> dict[str, Column]:
        found = relation.project(", ".join(map(quote, dict.fromkeys(wanted)))).fetchnumpy()
        return {name: _one_kind(found[name], name, label) for name in wanted}

    return Source(label, tuple(relation.columns), read)


def _open_mapping(columns: Mapping[Any, Any]) -> Source:
    found = {str(name): _one_kind(cells, str(name), "mapping") for name, cells in columns.items()}
    lengths = {name: len(column) for name, column in found.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{length} in {name}" for name, length in lengths.items())
        raise PanelError("mapping", None, None, "arrays of one length", shown, "correct them")
    return Source("mapping", tuple(found), lambda wanted, texts: {n: found[n] for n in wanted})
