"""Read the columns of a panel from any source: a frame of pandas, polars, Arrow or DuckDB, or a
CSV, Parquet or Stata file, refused in a sentence where it promises more than memory holds.

Only what is asked for is read; pyarrow is needed for CSV and Parquet alone.
"""

from __future__ import annotations

import csv
import os
import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from .columns import BACKENDS, MISSING, Column, Source, column_of, kind_of
from .panel_error import PanelError, need

FORMATS = "a CSV in UTF-8 or a Parquet file"
SPREADSHEETS = (".xlsx", ".xlsm", ".xls", ".ods")
# value labels that a message shows
SHOWN_LABELS = 3
BYTES_OF_CELL = 8
# texts of a Parquet file: ids, blocks and dates, whose mean length is bounded
LONGEST_TEXT = 1_000
LARGEST_HEAD = 100_000
SHORT = f"texts of at most {LONGEST_TEXT:,} bytes"

A_PANEL = (
    "give a frame of pandas, polars or pyarrow, a DuckDB relation, a mapping of columns, or a path"
)


def open_source(panel: Any, what: str = "panel") -> Source:
    """Return what a panel holds, before any column is read.

    Parameters
    ----------
    panel : path, frame or mapping
        A path to CSV, Parquet or Stata's .dta; a frame of pandas, polars or pyarrow; a DuckDB
        relation; a mapping of names to arrays.
    what : str
        Name of the argument, for messages.

    Raises
    ------
    PanelError
        If it is none of these, or the file cannot be read.
    """
    if isinstance(panel, str | os.PathLike):
        return open_file(Path(panel))
    if isinstance(panel, Mapping):
        return _open_mapping(panel, what)
    package = type(panel).__module__.split(".")[0].removeprefix("_")
    if type(panel).__name__ == "LazyFrame":
        found, remedy = "a polars LazyFrame", "give panel.collect()"
        raise PanelError(what, None, None, "a frame with its rows", found, remedy)
    if type(panel).__name__ == "DuckDBPyRelation":
        return _open_relation(panel)
    names = getattr(panel, "column_names", getattr(panel, "columns", None))
    if package not in BACKENDS or names is None:
        found = f"an object of type {type(panel).__name__}"
        raise PanelError(what, None, None, "a table", found, A_PANEL)
    names = tuple(str(name) for name in names)
    label = f"{package} frame"

    def read(wanted: Sequence[str], texts: Sequence[str]) -> dict[str, Column]:
        return {name: _one_kind(panel[name], name, label) for name in wanted}

    index = tuple(getattr(getattr(panel, "index", None), "names", ()))
    return Source(label, names, read, package, index=index)


def _one_kind(cells: Any, name: str, label: str) -> Column:
    """Return a column; one that mixes kinds of cells is an error that names the first row of
    the rarest.
    """
    try:
        column = column_of(cells)
    except (TypeError, ValueError) as error:
        remedy = "turn the column into numbers or text"
        raise PanelError(label, None, name, "numbers or text", str(error), remedy) from error
    kinds = [kind_of(value) for value in column.values]
    if len({*kinds} - {""}) > 1:
        # a blank has the code -1, which takes the last one
        kinds.append("")
        of_row = [kinds[code] for code in column.codes]
        counts = Counter(filter(None, of_row))
        # of two that are as frequent the one that comes later
        *_, (kind, _) = counts.most_common()
        row = of_row.index(kind)
        found = f"{column[row]!r}, {kind} beside {counts.most_common(1)[0][0]}"
        remedy = "correct it (blank = missing), or turn the whole column into text, or into numbers"
        raise PanelError(label, row + 1, name, "values of one kind", found, remedy)
    return column


def quote(name: str) -> str:
    """Return an SQL identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def _open_relation(relation: Any) -> Source:
    label = "duckdb relation"

    def read(wanted: Sequence[str], texts: Sequence[str]) -> dict[str, Column]:
        found = relation.project(", ".join(map(quote, dict.fromkeys(wanted)))).fetchnumpy()
        return {name: _one_kind(found[name], name, label) for name in wanted}

    return Source(label, tuple(relation.columns), read)


def _open_mapping(columns: Mapping[Any, Any], what: str) -> Source:
    found = {str(name): _one_kind(cells, str(name), what) for name, cells in columns.items()}
    lengths = {name: len(column) for name, column in found.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{length} in {name}" for name, length in lengths.items())
        remedy = "give each a value for every row"
        raise PanelError(what, None, None, "columns of one length", shown, remedy)
    return Source("mapping", tuple(found), lambda wanted, texts: {n: found[n] for n in wanted})


def free_memory() -> float:
    """Return bytes; without bound where the system does not say."""
    try:
        return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (ValueError, OSError, AttributeError):
        return float("inf")


def _require_memory(path: Path, n_rows: int, n_columns: int, n_bytes: int = 0) -> None:
    """Refuse what a file's own head promises, before memory is asked for: rows, and bytes of what
    is stored compressed.
    """
    n_bytes = max(n_bytes, n_rows * n_columns * BYTES_OF_CELL)
    if n_bytes > free_memory():
        found = f"{n_rows:,} rows, {n_bytes / 1e9:,.1f} GB, with {free_memory() / 1e9:,.1f} GB free"
        remedy = "choose rows or columns before"
        raise PanelError(path.name, None, None, "columns that fit into memory", found, remedy)


def open_file(path: Path) -> Source:
    """Return a file whose columns are not read yet.

    Raises
    ------
    PanelError
        If there is none, or it cannot be read.
    ImportError
        If what reads it is not installed.
    """
    if not path.is_file():
        expected = "a CSV, Parquet or Stata file"
        found = "a folder" if path.is_dir() else "no file of this name"
        raise PanelError(str(path), None, None, expected, found, "check the path")
    if path.suffix.lower() in SPREADSHEETS:
        remedy = "save the sheet as CSV, or give pandas.read_excel(path)"
        raise PanelError(path.name, None, None, FORMATS, f"a {path.suffix} workbook", remedy)
    kinds = {".parquet": _open_parquet, ".pq": _open_parquet, ".dta": _open_stata}
    with _named(path):
        return kinds.get(path.suffix.lower(), _open_csv)(path)


UNREADABLE = (
    *(OSError, ValueError, TypeError, KeyError, NotImplementedError, csv.Error),
    *(MemoryError, OverflowError, RecursionError, struct.error),
)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Faults of a reader as one that names the file."""
    try:
        yield
    except (PanelError, ImportError):
        raise
    except UNREADABLE as error:
        said = (str(error).splitlines() or [""])[0] or type(error).__name__
        remedy = "save it again in one of these"
        raise PanelError(path.name, None, None, FORMATS, said, remedy) from error


def _open_parquet(path: Path) -> Source:
    try:
        import pyarrow.parquet as pq
    except ImportError as error:
        raise need("pyarrow", "reading a Parquet file") from error
    schema = pq.read_schema(path)
    names = tuple(schema.names)
    # a text is then read once, however often it stands there
    texts_of_file = [field.name for field in schema if str(field.type).endswith("string")]

    @_named(path)
    def read(wanted: Sequence[str], texts: Sequence[str]) -> dict[str, Column]:
        # the file itself: with a folder's name pyarrow would add columns that it reads from the
        # path
        for name in wanted:
            if schema.field(name).type.num_fields:
                found = str(schema.field(name).type)
                raise PanelError(path.name, None, name, "numbers or text", found, "choose another")
        with pq.ParquetFile(path, memory_map=True, read_dictionary=texts_of_file) as file:
            _require_sizes(path, file, wanted)
            table = file.read(columns=list(wanted))
        _require_short_texts(path, table)
        return {name: column_of(table[name]) for name in wanted}

    return Source(path.name, names, read)


def _require_sizes(path: Path, file: Any, wanted: Sequence[str]) -> None:
    """Refuse columns that are too large by what the file declares of them."""
    n_rows = file.metadata.num_rows
    sizes = dict.fromkeys(wanted, 0)
    for k in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(k)
        for j in range(group.num_columns):
            name = group.column(j).path_in_schema.split(".")[0]
            if name in sizes:
                sizes[name] += group.column(j).total_uncompressed_size
    _require_memory(path, n_rows, len(wanted), sum(sizes.values()))
    for name in sizes:
        if sizes[name] > LONGEST_TEXT * n_rows + LARGEST_HEAD:
            found = f"{sizes[name]:,} bytes in {n_rows:,} rows"
            raise PanelError(path.name, None, name, SHORT, found, "shorten them")


def _require_short_texts(path: Path, table: Any) -> None:
    """Refuse texts that no id, block or date is."""
    for name in table.column_names:
        for part in table[name].chunks:
            texts = getattr(part, "dictionary", None)
            if texts is not None and texts.nbytes > LONGEST_TEXT * len(texts) + LARGEST_HEAD:
                found = f"{texts.nbytes:,} bytes in {len(texts):,} texts"
                raise PanelError(path.name, None, name, SHORT, found, "shorten them")


def _open_stata(path: Path) -> Source:
    from pandas.io.stata import StataReader  # takes longer to load than the library

    with StataReader(path) as reader:
        names = tuple(reader.read(1).columns)
        n_rows = reader._nobs

    @_named(path)
    def read(wanted: Sequence[str], texts: Sequence[str]) -> dict[str, Column]:
        _require_memory(path, n_rows, len(wanted))
        with StataReader(path, columns=list(wanted), convert_dates=False) as reader:
            frame = reader.read()
        for name in wanted:
            if frame[name].dtype == "category":
                shown = ", ".join(map(str, frame[name].cat.categories[:SHOWN_LABELS]))
                found = f"codes with value labels ({shown}, ...)"
                remedy = (
                    f"in Stata `decode {name}, generate(name)` for the texts or `label values "
                    f"{name} .` for the codes, then save again"
                )
                raise PanelError(path.name, None, name, "numbers or text", found, remedy)
        return {name: column_of(frame[name]) for name in wanted}

    return Source(path.name, names, read)


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

    @_named(path)
    def read(wanted: Sequence[str], texts: Sequence[str]) -> dict[str, Column]:
        wanted_of_last_reading[:] = [header.index(name) for name in wanted]
        table = _read_csv(path, header, above, wanted, texts)
        columns = {name: column_of(table[name]) for name in wanted}
        # a row of separators has no cell
        blank = np.logical_and.reduce([column.blank for column in columns.values()])
        if not blank.any():
            return columns
        return {name: column.take(np.flatnonzero(~blank)) for name, column in columns.items()}

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

    return Source(path.name, tuple(header), read, place="line", line_of=line_of)


def _read_csv(
    path: Path, header: list[str], above: int, wanted: Sequence[str], texts: Sequence[str]
) -> Any:
    """Return ids as text, the rest as numbers; where a cell is none, everything as text, so that
    the cell can be named.
    """
    try:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv
    except ImportError as error:
        raise need("pyarrow", "reading a CSV") from error
    spellings = sorted(
        {spell(token) for token in MISSING for spell in (str, str.upper, str.title)}
        | {"NaN", "<NA>"}
    )
    blank = {
        "null_values": spellings,
        "strings_can_be_null": False,
        "include_columns": list(wanted),
    }

    def read(types: dict[str, Any]) -> Any:
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
