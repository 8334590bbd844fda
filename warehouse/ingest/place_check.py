"""Whether the codes of a delivered sheet belong to its names: a column shifted by a row gives every
city its neighbour's values.

A row whose code and name are two cities is rejected by the models (`place_mismatch`). Here a sheet
with many of them stops the delivery, and the message says how the columns are shifted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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


def check_places(raw: Path) -> FileFault | None:
    """Return what is wrong with the places of one file, from its raw Parquet; None where code and
    name agree, or only a few rows do not.

    Parameters
    ----------
    raw : Path
        Raw Parquet file of one delivered file.
    """
    names, sheets = read_place_names(), {}
    table = pq.read_table(raw, columns=_COLUMNS, partitioning=None)
    table = table.filter((pc.field("place_level") == "city") & pc.field("row_no").is_valid())
    distinct = table.group_by(_COLUMNS).aggregate([]).sort_by("row_no")
    for sheet_name, row_no, _, code, name in zip(*distinct.to_pydict().values(), strict=True):
        if code is not None and name is not None:
            row = _Row(
                row_no,
                names.codes.get(six_digit_code(code)),
                names.aliases.get(place_key(name)),
            )
            sheets.setdefault(sheet_name, {}).setdefault(row_no, row)
    for sheet_name, rows in sheets.items():
        where = f"sheet {sheet_name!r}" if sheet_name is not None else None
        fault = _fault_of(list(rows.values()), names, where)
        if fault is not None:
            return fault
    return None


def _fault_of(rows: Sequence[_Row], names: PlaceNames, where: str | None) -> FileFault | None:
    both = [i for i, row in enumerate(rows) if row.code is not None and row.name is not None]
    wrong = [i for i in both if rows[i].code != rows[i].name]
    if len(wrong) < FEW_ROWS:
        return None
    shift, explained = _shift(rows, wrong)
    is_shift = explained >= EXPLAINED_SHARE
    if not is_shift and len(wrong) < MANY_SHARE * len(both):
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
        f"{found} ({example}), {len(wrong):,} of {len(both):,} rows disagree",
        "put the columns of code and name right, or leave one of them out of the layout's place",
        where,
    )


def _shift(rows: Sequence[_Row], wrong: Sequence[int]) -> tuple[int, float]:
    """Return by how many rows codes are below their names (above: negative), and which share of the
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
