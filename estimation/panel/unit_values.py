"""Read what is given for each unit separately from the panel: its first treated period and its
block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from .columns import Dates, Source
from .panel_error import PanelError, refused
from .panel_table import FIRST_YEAR, PanelTable, Rows, listed
from .sources import open_source

ABSORBING = "treatment must be absorbing: give the first treated year in every row, blank = never"
# names of two columns, one for each side of a pair, that stand for `name`
SIDES = ("{name}_{unit}", "{unit}_{name}")
ENDINGS = (("_i", "_j"), ("_a", "_b"), ("_1", "_2"), ("_o", "_d"))
UNIT_FILES = (".csv", ".parquet", ".dta")
NO_FRAME = (str, tuple, list)


def columns_of_sides(source: Source, name: str, unit: tuple[str, str]) -> tuple[str, str] | None:
    """Return the two columns that hold `name` of each unit of a pair:

    `name_exporter, name_importer`, `exporter_name, ...` or `name_i, name_j`.
    """
    first, second = unit
    candidates = [
        (form.format(name=name, unit=first), form.format(name=name, unit=second)) for form in SIDES
    ]
    candidates += [(name + one, name + two) for one, two in ENDINGS]
    return next((pair for pair in candidates if set(pair) <= set(source.names)), None)


def named(given: Any) -> tuple[str, ...]:
    """Return names among what was given: one, several, or none."""
    if isinstance(given, str):
        return (given,)
    return tuple(given) if isinstance(given, tuple | list) else ()


def beside(given: Any, what: str) -> Any:
    """Return what was given; a text that names a file of units and values as a path."""
    # values in an order say of no unit which is its own
    is_in_order = type(given).__name__ in ("ndarray", "Series") and not hasattr(given, "index")
    if given is None or is_in_order or isinstance(given, Real):
        expected = "a column, or values of units as a mapping, a series, a frame or a path"
        raise refused(what, expected, given, "name the column, or give the values by unit")
    is_file = isinstance(given, str) and given.lower().endswith(UNIT_FILES)
    return Path(given) if is_file else given


def is_beside(given: Any) -> bool:
    """Return whether values of units are given beside the panel: as a mapping, a series or a frame
    of their own.
    """
    return given is not None and not isinstance(given, NO_FRAME)


def rows_beside(
    given: Any, what: str, ids: np.ndarray, dates: Dates | None, n_rows: int = 0
) -> tuple[Rows, list[str]]:
    """Return what is given of units beside the panel, as rows of a table that calls each by its
    unit; and a note on units that the panel does not hold, whose rows are left out.

    Parameters
    ----------
    given : mapping, series or frame
        Of unit to value; a frame or a path has two columns, unit and value.
    what : str
        Name of the argument, for messages.
    ids : (N,) array
        Units of the panel.
    dates : Dates or None
        Of the panel.
    n_rows : int
        Of the panel; 0 where that is not known.

    Raises
    ------
    PanelError
        If the labels of a series are rows of the panel, a frame has not two columns, or its units
        are none of the panel's, or numbers where those are texts.
    """
    if hasattr(given, "to_dict") and not hasattr(given, "columns"):
        _refuse_rows(given, what, len(ids), n_rows)
        given = {"unit": given.index.tolist(), what: given.tolist()}
    elif isinstance(given, Mapping):
        given = {"unit": list(given), what: list(given.values())}
    source = replace(open_source(given, what), label=what)
    names = source.names
    if len(names) != 2 or names[0] == names[1]:
        found = ", ".join(names)
        raise PanelError(what, None, None, "two columns, unit and value", found, "select these two")
    table = PanelTable(source, names, texts=names, one_row="one row for a unit")
    (code,), own = table.labels(names[:1])
    table.dates = dates
    known = {unit: k for k, unit in enumerate(map(str, ids.tolist()))}
    place = np.array([known.get(unit, -1) for unit in map(str, own.tolist())])
    table.source = replace(source, place="unit", line_of=lambda row: str(own[code[row]]))
    rows, foreign = np.flatnonzero(place[code] >= 0), own[place < 0].tolist()
    # numbers may be what is left of texts such as 007, of which some look the same
    is_other_kind = own.dtype.kind == "i" and isinstance(ids[0], str)
    if foreign and (is_other_kind or not len(rows)):
        expected, remedy = f"units of the panel, such as {ids[0]}", "write them as the panel does"
        raise PanelError(what, None, None, expected, listed(foreign), remedy)
    notes = [f"{what} names units that the panel does not hold: {listed(foreign)}."]
    return Rows(table.at(rows, names[1:]), (place[code[rows]],)), notes if foreign else []


def _refuse_rows(given: Any, what: str, n_units: int, n_rows: int) -> None:
    """Refuse a series that is a column of the panel, or a part of one: its labels count rows, and
    where ids are numbers they would be taken for units.
    """
    rows = range(max(n_rows, len(given)))
    are_rows = len(given) == n_rows or all(label in rows for label in given.index.tolist())
    if are_rows and len(given) > n_units:
        found = f"a series of {len(given):,}, labelled by rows of the panel"
        remedy = "give the names of columns, or a mapping of units to values"
        raise PanelError(what, None, None, "one value for each unit", found, remedy)


def cohorts_of_units(
    rows: Rows, names: Sequence[str], ids: np.ndarray, years: np.ndarray
) -> np.ndarray:
    """Return the first treated period of each unit (N,), 0 for never and for units without a row,
    from a column for each side of the rows.
    """
    is_calendar = bool(years[-1] >= FIRST_YEAR)
    periods = rows.table.periods(names, may_be_blank=True, calendar=is_calendar)
    given = (np.concatenate(periods), np.concatenate(rows.sides), ids, names, "city")
    return rows.table.constant(*given, "make them agree; " + ABSORBING, shown_cohort)


def blocks_of_units(
    rows: Rows, names: Sequence[str], ids: np.ndarray, tokens: Sequence[str]
) -> np.ndarray:
    """Return the block of each unit (N,), from a column for each side of the rows; `tokens` as of
    `PanelTable.labels`.
    """
    place = np.concatenate(rows.sides)
    without = np.setdiff1d(np.arange(len(ids)), place)
    if len(without):
        expected = "the block of every unit of the panel"
        raise PanelError("block", str(ids[without[0]]), None, expected, "none", "add it", "unit")
    codes, blocks = rows.table.labels(names, tokens=tokens)
    values = blocks[np.concatenate(codes)]
    return rows.table.constant(values, place, ids, names, "city", "make them agree")


def shown_cohort(year: int) -> str:
    """Return a first treated period as a message shows it: 0 stands for a blank cell."""
    return str(year) if year else "blank"
