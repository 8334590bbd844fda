"""Results of `citysync sql`: as wide as the terminal, or a file of the kind that its name says.

The connection itself can write nothing.
"""

from __future__ import annotations

import datetime as dt
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb

from estimation.csv_files import csv_lines
from warehouse.errors import Refused
from warehouse.whole_files import write_whole

ROWS_SHOWN = 200
# of a Parquet file, held in memory at a time: pairs of counties are more than memory holds
ROWS_OF_A_PART = 122_880
# a sheet of a workbook, less its header
MOST_ROWS_OF_A_SHEET = 1_048_575
NARROWEST = 80


def show(con: duckdb.DuckDBPyConnection, query: str) -> None:
    """Print a result, at most `ROWS_SHOWN` rows and as wide as the terminal.

    Raises
    ------
    duckdb.Error, RuntimeError
        As DuckDB says; a query that is interrupted ends with one of them too.
    """
    relation = con.sql(query)
    if relation is not None:
        width = max(shutil.get_terminal_size((200, 50)).columns, NARROWEST)
        relation.show(max_rows=ROWS_SHOWN, max_width=width)


def write(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """Write a result to a file and return its number of rows; an existing file is replaced.

    Parameters
    ----------
    con : duckdb connection
    query : str
    path : Path
        Ends in .csv, .parquet or .xlsx.

    Raises
    ------
    Refused
        If the ending is another one, or a sheet cannot hold the rows.
    duckdb.Error, OSError
        As DuckDB says; what Arrow reads from a query that fails is an OSError too.
    """
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise Refused(
            f"{path}: expected a name that ends in {', '.join(WRITERS)}; found "
            f"{path.suffix or 'no ending'!r}"
        )
    with write_whole(path) as draft:
        return writer(con, query, draft)


def _write_csv(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    found = con.execute(query)
    lines = csv_lines(_names(found), iter(found.fetchone, None))
    with path.open("w", encoding="utf-8", newline="") as file:
        # less the mark and the header
        return sum(file.write(line) > 0 for line in lines) - 2


def _write_parquet(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    import pyarrow.parquet as pq

    n_rows, parts = 0, con.sql(query).to_arrow_reader(ROWS_OF_A_PART)
    with pq.ParquetWriter(path, parts.schema, compression="zstd") as file:
        for part in parts:
            file.write_batch(part)
            n_rows += part.num_rows
    return n_rows


def _write_xlsx(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """Numbers and dates as such, everything else as text, which is never a formula."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    found = con.execute(query)
    names, rows = _names(found), found.fetchmany(MOST_ROWS_OF_A_SHEET + 1)
    if len(rows) > MOST_ROWS_OF_A_SHEET:
        raise Refused(
            f"a sheet of .xlsx holds {MOST_ROWS_OF_A_SHEET:,} rows and the result has more; "
            "write .csv or .parquet"
        )
    book = Workbook(write_only=True)
    sheet = book.create_sheet("result")

    def cell(value: object) -> object:
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return None
        if isinstance(value, (int, float, dt.date)) and getattr(value, "tzinfo", None) is None:
            return value
        text = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", str(value)))
        # a text like "=1+1" would be taken for a formula by its first character
        text.data_type = "s"
        return text

    for row in [names, *rows]:
        sheet.append([cell(value) for value in row])
    book.save(path)
    return len(rows)


def _names(found: duckdb.DuckDBPyConnection) -> list[str]:
    return [column[0] for column in found.description or []]


WRITERS: dict[str, Callable[[duckdb.DuckDBPyConnection, str, Path], int]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".xlsx": _write_xlsx,
}
