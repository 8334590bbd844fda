"""Source ``tidy``: CSV or Parquet with one value per row, read by whole columns; it needs no layout
(pure).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.ingest.cells.cell_values import (
    FIRST_YEAR,
    LAST_YEAR,
    cell_number,
    cell_text,
    code_text,
    column_letters,
    is_blank,
    normal_header,
    parse_year,
    read_number,
)
from warehouse.ingest.errors import FileFault
from warehouse.ingest.formats.row_batches import Cell
from warehouse.ingest.raw_table import (
    FileOrigin,
    build_raw_table,
    build_rejected_line,
    build_rejected_table,
    in_sheet_order,
)
from warehouse.ingest.sheets.values import rejection_of

REQUIRED = ("city_id", "year", "indicator_id", "value")
OPTIONAL = ("unit", "edition_year")
#: How statistical programs write a missing value into a text file.
MISSING = frozenset({"NA", "NaN", "nan"})


def build_tidy_parts(parts: Iterator[list[list[Cell]]], origin: FileOrigin) -> Iterator[pa.Table]:
    """Raw rows of a tidy file, a table a part of it; a blank value (or NA) is no row.

    Parameters
    ----------
    parts : iterator of list of list
        Rows of the file, some at a time; the first one is the header: columns ``city_id, year,
        indicator_id, value``, optionally ``unit, edition_year``.
    origin : FileOrigin
        Source and path; a row's own ``edition_year`` takes precedence over that of the folder.

    Raises
    ------
    FileFault
        The file cannot be read, or a column is missing or doubled.
    """
    first = next(parts, [])
    if not first:
        raise FileFault(f"a header with {', '.join(REQUIRED)}", "no rows", "deliver the file again")
    header = first[0]
    found, width, n_before = _find_columns(header), len(header), 0
    is_filled = [False] * width
    for rows in chain([first[1:]], parts):
        lines = _even_out(rows, width, first_row=n_before + 2)
        columns = [[row[col] for row in rows] for col in range(width)]
        is_filled = [
            was or not all(map(is_blank, column))
            for was, column in zip(is_filled, columns, strict=True)
        ]
        kept = [
            i
            for i, cell in enumerate(columns[found["value"]])
            if not is_blank(cell) and cell not in MISSING
        ]
        table = _taken_columns(columns, found, kept, origin, first_row=n_before + 2)
        yield in_sheet_order(pa.concat_tables([table, build_rejected_table(origin, lines)]))
        n_before += len(rows)
    yield build_rejected_table(origin, _unmapped(header, is_filled))


def _even_out(rows: list[list[Cell]], width: int, first_row: int) -> list[dict[str, object]]:
    """Give all records the header's length; longer ones are blanked and get a line each, as a
    separator inside a cell shifted the rest.
    """
    lines = []
    for i, row in enumerate(rows):
        if len(row) > width and any(not is_blank(cell) for cell in row[width:]):
            detail = (
                f"expected {width} cells as in the header, found {len(row)}; put cells that hold "
                "the separator in quotation marks"
            )
            lines.append(
                build_rejected_line(
                    "dropped_row",
                    detail,
                    row_no=i + first_row,
                    col_no=1,
                    raw_text=cell_text(row[0]),
                )
            )
            rows[i] = [""] * width
        elif len(row) != width:
            rows[i] = row[:width] + [""] * (width - len(row))
    return lines


def _find_columns(header: list[str]) -> dict[str, int]:
    names = [normal_header(cell_text(name)) for name in header]
    missing = [name for name in REQUIRED if name not in names]
    doubled = [name for name in (*REQUIRED, *OPTIONAL) if names.count(name) > 1]
    if missing or doubled:
        found = (
            f"no {', '.join(missing)}" if missing else f"a duplicate header {', '.join(doubled)}"
        )
        shown = ", ".join(names)[:400] or "nothing"
        raise FileFault(
            f"columns {', '.join(REQUIRED)} once each (and optionally {', '.join(OPTIONAL)})",
            f"{found} (row 1 holds: {shown})",
            "deliver the file with these columns",
        )
    return {name: names.index(name) for name in (*REQUIRED, *OPTIONAL) if name in names}


def _unmapped(header: list[str], is_filled: list[bool]) -> list[dict[str, object]]:
    known = {*REQUIRED, *OPTIONAL}
    detail = (
        f"expected only the columns {', '.join((*REQUIRED, *OPTIONAL))}, found another one; its "
        "cells are not read"
    )
    return [
        build_rejected_line(
            "unmapped_column", detail, row_no=1, col_no=col, raw_text=cell_text(name)
        )
        for col, name in enumerate(header, start=1)
        if normal_header(cell_text(name)) not in known
        and not (is_blank(name) and not is_filled[col - 1])
    ]


def _taken_columns(
    columns: list[list[Cell]],
    found: dict[str, int],
    kept: list[int],
    origin: FileOrigin,
    first_row: int,
) -> pa.Table:
    value_no = found["value"] + 1
    cells = [columns[found["value"]][i] for i in kept]
    units = _mapped(columns, found, "unit", kept)
    raw_texts, numbers = [cell_text(cell) for cell in cells], [cell_number(cell) for cell in cells]
    notes: list[str | None] = [None] * len(cells)
    for i, number in enumerate(numbers):
        if (
            number is None
            and isinstance(cells[i], str)
            and (marked := read_number(cells[i], unit=units[i]))
        ):
            numbers[i], notes[i], units[i] = marked.number, marked.mark, marked.unit or units[i]
    year_texts = _mapped(columns, found, "year", kept)
    years = _mapped(columns, found, "year", kept, parse_year)
    edition_texts = _mapped(columns, found, "edition_year", kept)
    editions = _mapped(columns, found, "edition_year", kept, parse_year)
    for i, text in enumerate(edition_texts):
        if text is None:
            editions[i] = origin.edition_year
    reasons, details = _rejections(raw_texts, numbers, year_texts, years, edition_texts, editions)
    codes = _mapped(columns, found, "city_id", kept, code_text)
    names = _mapped(
        columns, found, "city_id", kept, lambda text: None if code_text(text).isdecimal() else text
    )
    row_nos = pc.add(pa.array(kept, type=pa.int32()), pa.scalar(first_row, type=pa.int32()))
    built = {
        "edition_year": editions,
        "cell_ref": pc.binary_join_element_wise(
            column_letters(value_no), row_nos.cast(pa.string()), ""
        ),
        "row_no": row_nos,
        "col_no": value_no,
        "place_code_text": codes,
        "place_text": names,
        "year_text": year_texts,
        "year": years,
        "indicator_id": _mapped(columns, found, "indicator_id", kept, str.strip),
        "unit_text": units,
        "raw_text": raw_texts,
        "value": numbers,
        "reason": reasons,
        "detail": details,
        "observation_note": notes,
    }
    return build_raw_table(origin, built, len(kept))


def _rejections(
    raw_texts: list[str],
    numbers: list[float | None],
    year_texts: list[str | None],
    years: list[int | None],
    edition_texts: list[str | None],
    editions: list[int | None],
) -> tuple[list[str | None], list[str | None]]:
    """Return the reason and detail of every value, null where number, year and edition are good."""
    reasons: list[str | None] = [None] * len(numbers)
    details = list(reasons)
    for i, (number, year) in enumerate(zip(numbers, years, strict=True)):
        if number is None or year is None:
            reasons[i], details[i] = rejection_of(number, year, raw_texts[i], year_texts[i])
    for i, text in enumerate(edition_texts):
        if text is not None and editions[i] is None and reasons[i] is None:
            reasons[i] = "unknown_year"
            details[i] = (
                f"expected an edition_year from {FIRST_YEAR} to {LAST_YEAR}, found {text!r}; "
                "correct it or leave it blank"
            )
    return reasons, details


def _mapped(
    columns: list[list[Cell]],
    found: dict[str, int],
    name: str,
    kept: list[int],
    function: Callable[[str], object] = str,
) -> list[object]:
    """Return a named column's texts through a function, each distinct text once; None where blank
    or where there is no such column.
    """
    if name not in found:
        return [None] * len(kept)
    column = columns[found[name]]
    known = {cell: None if is_blank(cell) else function(cell_text(cell)) for cell in set(column)}
    return [known[column[i]] for i in kept]
