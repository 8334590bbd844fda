"""Whether the codes of a delivered sheet belong to its names: a column shifted by a row gives every
city its neighbour's values.

A row whose code and name are two cities is rejected by the models (`place_mismatch`). Here a sheet
with many of them stops the delivery, and the message says how the columns are shifted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.ingest.errors import FileFault
from warehouse.ingest.place_names import PlaceNames, place_key, read_place_names, six_digit_code

#: So few rows are rejected alone; of more, this share stops the file, or a shift that explains
#: nearly all of them.
FEW_ROWS, MANY_SHARE, EXPLAINED_SHARE = 5, 0.05, 0.8
_FARTHEST = 3
_COLUMNS = ["sheet_name", "row_no", "place_level", "place_code_text", "place_text"]


@dataclass(frozen=True)
class _Row:
    row_no: int
    code: int | None
    name: int | None

    @property
    def is_mismatch(self) -> bool:
        return self.code is not None and self.name is not None and self.code != self.name


def check_places(raw: Path) -> FileFault | None:
    """What is wrong with the places of one file, from its raw Parquet; None where code and name
    agree, or only a few rows do not.

    Parameters
    ----------
    raw : Path
        Raw Parquet file of one delivered file.
    """
    file = pq.ParquetFile(raw)
    names = read_place_names()
    parts = list(_parts(file))
    if sum(_count_mismatches(part, names) for part in parts) < FEW_ROWS:
        return None
    for sheet_name, rows in _sheets(parts, names).items():
        fault = _judge(rows, names, f"sheet {sheet_name!r}" if sheet_name is not None else None)
        if fault is not None:
            return fault
    return None


def _parts(file: pq.ParquetFile) -> Iterator[pa.Table]:
    """The parts of a file that have codes and names, one line for each row of the sheet."""
    for group in range(file.num_row_groups):
        if not (_is_empty(file, group, "place_code_text") or _is_empty(file, group, "place_text")):
            yield _first_of_each_row(file.read_row_group(group, columns=_COLUMNS))


def _count_mismatches(part: pa.Table, names: PlaceNames) -> int:
    """Lines whose code and name are two cities.

    Each text is looked up once: nearly every file has none, and is done with this.
    """
    levels, _ = _known(part, "place_level", lambda text: 1 if text == "city" else None)
    codes, has_code = _known(
        part, "place_code_text", lambda text: names.codes.get(six_digit_code(text))
    )
    places, has_name = _known(part, "place_text", lambda text: names.aliases.get(place_key(text)))
    return int(((levels == 1) & has_code & has_name & (codes != places)).sum())


def _known(
    part: pa.Table, name: str, known: Callable[[str], int | None]
) -> tuple[np.ndarray, np.ndarray]:
    """What each text of a column is known as, a number, and whether it is known at all."""
    encoded = pc.dictionary_encode(part.column(name).combine_chunks(), null_encoding="encode")
    meanings = [None if text is None else known(text) for text in encoded.dictionary.to_pylist()]
    indices = encoded.indices.to_numpy()
    numbers = np.array([0 if meaning is None else meaning for meaning in meanings], dtype=np.int64)
    return numbers[indices], np.array([meaning is not None for meaning in meanings], dtype=bool)[
        indices
    ]


def _sheets(parts: Iterable[pa.Table], names: PlaceNames) -> dict[str | None, list[_Row]]:
    """Rows of each sheet with a code and a name, in the order of the sheet, each once."""
    sheets: dict[str | None, dict[int, _Row]] = {}
    for table in parts:
        columns = [table.column(name).to_pylist() for name in _COLUMNS]
        for sheet_name, row_no, level, code, name in zip(*columns, strict=True):
            if level == "city" and None not in (code, name, row_no):
                row = _Row(
                    row_no,
                    names.codes.get(six_digit_code(code)),
                    names.aliases.get(place_key(name)),
                )
                sheets.setdefault(sheet_name, {}).setdefault(row_no, row)
    return {sheet: [rows[row_no] for row_no in sorted(rows)] for sheet, rows in sheets.items()}


def _first_of_each_row(table: pa.Table) -> pa.Table:
    """One line of each row of the sheet that has a code; lines of a row stand together."""
    with_code = np.flatnonzero(pc.is_valid(table.column("place_code_text")).to_numpy())
    row_nos = table.column("row_no").fill_null(0).to_numpy()[with_code]
    return table.take(pa.array(with_code[np.diff(row_nos, prepend=-1) != 0]))


def _is_empty(file: pq.ParquetFile, group: int, name: str) -> bool:
    """Whether the statistics of a part of a file say that a column is empty there."""
    part = file.metadata.row_group(group)
    statistics = part.column(file.schema_arrow.get_field_index(name)).statistics
    return statistics is not None and statistics.null_count == part.num_rows


def _judge(rows: Sequence[_Row], names: PlaceNames, where: str | None) -> FileFault | None:
    wrong = [i for i, row in enumerate(rows) if row.is_mismatch]
    both = sum(row.code is not None and row.name is not None for row in rows)
    if len(wrong) < FEW_ROWS:
        return None
    shift, explained = _shift(rows, wrong)
    is_shift = explained >= EXPLAINED_SHARE
    if not is_shift and len(wrong) < MANY_SHARE * both:
        return None
    first = rows[wrong[0]]
    example = (
        f"code {first.code} is {names.names.get(first.code)}, the name there is "
        f"{names.names.get(first.name)}"
    )
    way = f"{abs(shift)} row{'s' if abs(shift) > 1 else ''} {'down' if shift > 0 else 'up'}"
    found = (
        f"codes are shifted by {way} from row {first.row_no}"
        if is_shift
        else f"other codes than names from row {first.row_no} on"
    )
    return FileFault(
        "code and name of one place in every row",
        f"{found} ({example}), {len(wrong):,} of {both:,} rows disagree",
        "put the columns of code and name right, or leave one of them out of the layout's place",
        where,
    )


def _shift(rows: Sequence[_Row], wrong: Sequence[int]) -> tuple[int, float]:
    """By how many rows codes stand below their names (above: negative), and which share of the
    wrong rows that explains.
    """
    best = (0, 0.0)
    for size in range(1, _FARTHEST + 1):
        for shift in (size, -size):
            hits = sum(
                0 <= i - shift < len(rows) and rows[i - shift].name == rows[i].code for i in wrong
            )
            if hits / len(wrong) > best[1]:
                best = (shift, hits / len(wrong))
    return best
