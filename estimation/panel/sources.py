"""Columns of a panel from wherever it lies: a frame of pandas, polars, Arrow or DuckDB, or a file.

Only what is asked for is read.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .panel_error import PanelError, need

MISSING = ("", "na", "nan", "null", "none", "<na>")
FORMATS = "a CSV in UTF-8 or a Parquet file"
# value labels that a message shows
SHOWN_LABELS = 3


@dataclass(frozen=True)
class Source:
    """A panel whose columns are not read yet.

    Attributes
    ----------
    label : str
        Name of the file, or the kind of frame: the head of every message.
    names : tuple of str
        Columns, as they stand in the header.
    backend : str
        ``pandas``, ``polars`` or ``pyarrow`` for a frame of that kind, else empty.
    place : str
        What a message counts: ``line`` of a CSV, else ``row``.
    """

    label: str
    names: tuple[str, ...]
    read: Callable[[Sequence[str], Sequence[str]], Mapping[str, pa.ChunkedArray]] = field(
        repr=False
    )
    backend: str = ""
    place: str = "row"
    line_of: Callable[[int], int] = field(default=lambda row: row + 1, repr=False)

    def fail(
        self, row: int | None, column: str | None, expected: str, found: str, remedy: str
    ) -> PanelError:
        """The error, for a row counted from 0."""
        return PanelError(
            self.label,
            None if row is None else self.line_of(row),
            column,
            expected,
            found,
            remedy,
            self.place,
        )


def open_source(panel: Any) -> Source:
    """What a panel holds, before any column is read.

    Parameters
    ----------
    panel : path, frame or mapping
        A path to CSV, Parquet or Stata's .dta; a frame of pandas, polars or pyarrow; a DuckDB
        relation; a mapping of names to arrays; any object with Arrow's C stream.

    Raises
    ------
    PanelError
        If it is none of these, or the file cannot be read.
    ImportError
        If a .dta is given and pandas is not installed.
    """
    if isinstance(panel, str | os.PathLike):
        return _open_file(Path(panel))
    if isinstance(panel, Mapping):
        return _open_mapping(panel)
    try:
        frame = nw.from_native(panel)
    except TypeError:
        if hasattr(panel, "__arrow_c_stream__"):
            return _open_arrow(pa.table(panel), type(panel).__name__)
        remedy = (
            "give a frame of pandas, polars or pyarrow, a DuckDB relation, a mapping of columns, "
            "or a path"
        )
        raise PanelError(
            "panel", None, None, "a panel", f"an object of type {type(panel).__name__}", remedy
        ) from None
    except Exception as error:  # narwhals names what each kind of frame has against it
        raise PanelError(
            "panel",
            None,
            None,
            "a frame with each column once",
            _first_line(error),
            "rename one of them",
        ) from error
    return _open_lazy(panel, frame) if isinstance(frame, nw.LazyFrame) else _open_frame(frame)


def _open_frame(frame: nw.DataFrame) -> Source:
    backend = frame.implementation.value

    def read(names: Sequence[str], texts: Sequence[str]) -> dict[str, pa.ChunkedArray]:
        return {name: _as_arrow(frame, name, f"{backend} frame") for name in names}

    if len(set(frame.columns)) < len(frame.columns):
        twice = next(name for name in frame.columns if frame.columns.count(name) > 1)
        raise PanelError(
            f"{backend} frame",
            None,
            str(twice),
            "each column once",
            "the name twice",
            "rename one of them",
        )
    return Source(f"{backend} frame", tuple(frame.columns), read, backend)


def _open_lazy(panel: Any, frame: nw.LazyFrame) -> Source:
    kind = frame.implementation.value
    if kind == "polars":
        raise PanelError(
            "polars LazyFrame",
            None,
            None,
            "a frame with its rows",
            "a polars LazyFrame",
            "give panel.collect()",
        )

    def read(names: Sequence[str], texts: Sequence[str]) -> dict[str, pa.ChunkedArray]:
        table = frame.select(*names).collect(backend="pyarrow").to_native()
        return {name: table[name] for name in names}

    return Source(f"{kind} relation", tuple(frame.collect_schema().names()), read)


def _open_arrow(table: pa.Table, label: str) -> Source:
    names = [str(name) for name in table.column_names]
    return Source(
        label,
        tuple(names),
        lambda wanted, texts: {name: table.column(names.index(name)) for name in wanted},
        "pyarrow",
    )


def _open_mapping(columns: Mapping[Any, Any]) -> Source:
    try:
        arrays = {
            str(name): pa.chunked_array([pa.array(values, from_pandas=True)])
            for name, values in columns.items()
        }
        return _open_arrow(pa.table(arrays), "mapping")
    except (pa.ArrowException, TypeError) as error:
        raise PanelError(
            "mapping",
            None,
            None,
            "arrays of one length and one kind each",
            _first_line(error),
            "correct them",
        ) from error


def _as_arrow(frame: nw.DataFrame, name: str, label: str) -> pa.ChunkedArray:
    """A column as Arrow has it; one that mixes kinds of values is an error that names the first row
    of another kind.
    """
    column = frame.get_column(name)
    if frame.implementation.is_pandas_like() and (values := _plain_numbers(column)) is not None:
        return pa.chunked_array([pa.array(values)])
    try:
        found = column.to_arrow()
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise _mixed(column.to_list(), name, label, error) from error
    return found if isinstance(found, pa.ChunkedArray) else pa.chunked_array([found])


def _plain_numbers(column: nw.Series) -> np.ndarray | None:
    """Numbers of a pandas column without a copy; None for every other dtype."""
    dtype = getattr(column.to_native(), "dtype", None)
    return column.to_numpy() if isinstance(dtype, np.dtype) and dtype.kind in "iuf" else None


def _mixed(values: list[Any], name: str, label: str, error: Exception) -> PanelError:
    kinds = [_kind(value) for value in values]
    first = next((kind for kind in kinds if kind), "")
    for row, kind in enumerate(kinds):
        if kind and kind != first:
            found = f"{values[row]!r}, {kind} beside {first}"
            return PanelError(
                label,
                row + 1,
                name,
                "values of one kind",
                found,
                "turn the whole column into text, or into numbers",
            )
    return PanelError(
        label,
        None,
        name,
        "numbers or text",
        _first_line(error),
        "turn the column into numbers or text",
    )


def is_nothing(value: Any) -> bool:
    """Whether a value is one that stands for none: None, NaN, pandas' NA, a blank text."""
    return value is None or str(value).strip().lower() in MISSING


def _kind(value: Any) -> str:
    if is_nothing(value):
        return ""
    return (
        "text"
        if isinstance(value, str)
        else "a number"
        if isinstance(value, int | float | np.number)
        else f"a {type(value).__name__}"
    )


def _open_file(path: Path) -> Source:
    if not path.is_file():
        remedy = "check the path"
        raise PanelError(
            str(path), None, None, "a CSV, Parquet or Stata file", "no file of this name", remedy
        )
    opener = {".parquet": _open_parquet, ".pq": _open_parquet, ".dta": _open_stata}.get(
        path.suffix.lower(), _open_csv
    )
    try:
        return opener(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        if isinstance(error, PanelError):
            raise
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> PanelError:
    return PanelError(
        path.name, None, None, FORMATS, _first_line(error), "save it again in one of these"
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0] or type(error).__name__


def _open_parquet(path: Path) -> Source:
    import pyarrow.parquet as pq

    names = tuple(pq.read_schema(path).names)

    def read(wanted: Sequence[str], texts: Sequence[str]) -> dict[str, pa.ChunkedArray]:
        # the file itself: with a folder's name pyarrow would add columns that it reads from the
        # path
        with pq.ParquetFile(path, memory_map=True) as file:
            table = file.read(columns=list(wanted))
        return {name: table[name] for name in wanted}

    return Source(path.name, names, _guarded(path, read))


def _guarded(path: Path, read: Callable) -> Callable:
    def guarded(wanted: Sequence[str], texts: Sequence[str]) -> Mapping[str, pa.ChunkedArray]:
        try:
            return read(wanted, texts)
        except (OSError, pa.ArrowException) as error:
            raise _unreadable(path, error) from error

    return guarded


def _open_stata(path: Path) -> Source:
    try:
        from pandas.io.stata import StataReader
    except ImportError as error:
        raise need("pandas", "stata", "reading a .dta") from error
    with StataReader(path, convert_categoricals=True) as reader:
        head = reader.read(1)
    labelled = {
        name: list(head[name].cat.categories)
        for name in head.columns
        if head[name].dtype == "category"
    }

    def read(wanted: Sequence[str], texts: Sequence[str]) -> dict[str, pa.ChunkedArray]:
        for name in wanted:
            if name in labelled:
                found = (
                    "codes with value labels ("
                    + ", ".join(map(str, labelled[name][:SHOWN_LABELS]))
                    + ", ...)"
                )
                remedy = (
                    f"in Stata `decode {name}, generate(name)` for the texts or `label values "
                    f"{name} .` for the codes, then save again"
                )
                raise PanelError(path.name, None, name, "numbers or text", found, remedy)
        with StataReader(
            path, convert_categoricals=False, convert_dates=False, columns=list(wanted)
        ) as reader:
            frame = reader.read()
        return {
            name: pa.chunked_array([pa.array(frame[name], from_pandas=True)]) for name in wanted
        }

    return Source(path.name, tuple(head.columns), _guarded(path, read))


def _open_csv(path: Path) -> Source:
    header, position = [], 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        for position, cells in enumerate(csv.reader(file)):  # noqa: B007 (where the loop ended is read below)
            if any(cell.strip() for cell in cells):
                header = [cell.strip() for cell in cells]
                break
    above = position
    if not header or any("\0" in name for name in header):
        raise ValueError("an empty file" if not header else "binary data")
    wanted_of_last_reading: list[int] = []

    def read(wanted: Sequence[str], texts: Sequence[str]) -> dict[str, pa.ChunkedArray]:
        wanted_of_last_reading[:] = [header.index(name) for name in wanted]
        table = _without_blank_rows(_read_csv(path, header, above, wanted, texts), texts)
        return {name: table[name] for name in wanted}

    def line_of(row: int) -> int:
        """Found by reading again: rows without a cell that was asked for do not count."""
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = enumerate(csv.reader(file), start=1)
            full = (
                n
                for n, cells in lines
                if n > above + 1
                and any(cells[k].strip() for k in wanted_of_last_reading if k < len(cells))
            )
            return next(islice(full, row, None))

    return Source(path.name, tuple(header), _guarded(path, read), place="line", line_of=line_of)


def _read_csv(
    path: Path, header: list[str], above: int, wanted: Sequence[str], texts: Sequence[str]
) -> pa.Table:
    """Ids as text, the rest as numbers; where a cell is none, everything as text, so that the cell
    can be named.
    """
    from pyarrow import csv as arrow_csv

    spellings = sorted(
        {spell(token) for token in MISSING for spell in (str, str.upper, str.title)}
        | {"NaN", "<NA>"}
    )
    blank = {
        "null_values": spellings,
        "strings_can_be_null": False,
        "include_columns": list(wanted),
    }

    def read(types: dict[str, pa.DataType]) -> pa.Table:
        return arrow_csv.read_csv(
            path,
            read_options=arrow_csv.ReadOptions(column_names=header, skip_rows=above + 1),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(column_types=types, **blank),
        )

    try:
        return read({name: pa.string() if name in texts else pa.float64() for name in wanted})
    except pa.ArrowInvalid as error:
        if "conversion error" not in str(error):
            raise
        return read(dict.fromkeys(wanted, pa.string()))


def _without_blank_rows(table: pa.Table, texts: Sequence[str]) -> pa.Table:
    """The rows that hold a cell; a row of separators has none."""
    first = next((name for name in texts if name in table.column_names), None)
    if first is None or not pc.any(_is_blank(table[first])).as_py():
        return table
    blank = np.logical_and.reduce(
        [_is_blank(table[name]).to_numpy() for name in table.column_names]
    )
    return table.filter(pa.array(~blank)) if blank.any() else table


def _is_blank(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return (
        pc.equal(pc.utf8_trim_whitespace(column), "")
        if pa.types.is_string(column.type)
        else pc.is_null(column)
    )
