"""What is said of each unit beside the panel: when it is first treated, and its block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .columns import Dates, Source, date_of, is_nothing
from .panel_error import PanelError
from .panel_table import as_id, is_integer, listed
from .sources import open_source

# names of two columns, one for each side of a pair, that stand for `name`
SIDES = ("{name}_{unit}", "{unit}_{name}")
ENDINGS = (("_i", "_j"), ("_a", "_b"), ("_1", "_2"), ("_o", "_d"))
NO_FRAME = (str, tuple, list)


def columns_of_sides(source: Source, name: str, unit: tuple[str, str]) -> tuple[str, str] | None:
    """The two columns that hold `name` of each unit of a pair:

    `name_exporter, name_importer`, `exporter_name, ...` or `name_i, name_j`.
    """
    candidates = [tuple(form.format(name=name, unit=side) for side in unit) for form in SIDES]
    candidates += [(name + first, name + second) for first, second in ENDINGS]
    return next((pair for pair in candidates if set(pair) <= set(source.names)), None)


def is_beside(given: Any) -> bool:
    """Whether values of units are given beside the panel: as a mapping, a series or a frame of
    their own.
    """
    return given is not None and not isinstance(given, NO_FRAME)


def values_beside(given: Any, ids: np.ndarray, what: str) -> tuple[list[Any], list[str]]:
    """The value of each unit, None where none is given, and the ids (as text) that the panel does
    not hold.

    Parameters
    ----------
    given : mapping, series or frame
        Of unit to value; a frame or a path has two columns, unit and value.
    ids : (N,) array
        Units of the panel.
    what : str
        Name of the argument, for messages.

    Raises
    ------
    PanelError
        If a frame has not two columns, or gives a unit two values.
    """
    found = {_key(unit): value for unit, value in _pairs(given, what)}
    known = [_key(unit) for unit in ids.tolist()]
    foreign = sorted(str(unit) for unit in set(found) - set(known))
    return [found.get(unit) for unit in known], foreign


def _pairs(given: Any, what: str) -> list[tuple[Any, Any]]:
    if hasattr(given, "to_dict") and not hasattr(given, "columns"):
        given = given.to_dict()
    if isinstance(given, Mapping):
        return list(given.items())
    source = open_source(given)
    if len(source.names) != 2 or source.names[0] == source.names[1]:
        found = ", ".join(source.names)
        raise PanelError(what, None, None, "two columns, unit and value", found, "select these two")
    columns = source.read(source.names, source.names)
    pairs = list(zip(*(columns[name].tolist() for name in source.names), strict=True))
    values: dict[Any, Any] = {}
    for row, (unit, given_value) in enumerate(pairs):
        value = None if is_nothing(given_value) else given_value
        if values.setdefault(_key(unit), value) != value:
            found = f"{value} beside {values[_key(unit)]} for {unit}"
            raise PanelError(
                what,
                row + 1,
                source.names[1],
                "one value for a unit",
                found,
                "keep one row for each unit",
            )
    return list(values.items())


def _key(unit: Any) -> Any:
    found = as_id(unit)
    return int(found) if isinstance(found, str) and is_integer(found) else found


def cohorts_beside(
    given: Any, ids: np.ndarray, calendar: bool, dates: Dates | None = None
) -> tuple[np.ndarray, list[str]]:
    """First treated period of each unit (N,), 0 for never and for units that are not named, and
    notes.
    """
    values, foreign = values_beside(given, ids, "cohort")
    result = np.zeros(len(ids), dtype=np.int64)
    for k, value in enumerate(values):
        if is_nothing(value):
            continue
        date = None if dates is None else date_of(value)
        period = value if date is None else dates.number(date)
        number = float(period) if str(period).replace(".", "", 1).isdecimal() else float("nan")
        if not number.is_integer() or (number >= 1000) != calendar or number < 1:
            expected = (
                "a year, like those of the panel, or nothing"
                if calendar
                else "a period, like those of the panel, or nothing"
            )
            remedy = "give the first treated period of each unit, and leave never-treated units out"
            raise PanelError("cohort", None, str(ids[k]), expected, repr(value), remedy)
        result[k] = int(number)
    return result, _note("cohort", foreign)


def blocks_beside(given: Any, ids: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Block of each unit (N,), and notes."""
    values, foreign = values_beside(given, ids, "block")
    for unit, value in zip(ids.tolist(), values, strict=True):
        if is_nothing(value):
            raise PanelError(
                "block",
                None,
                str(unit),
                "the block of every unit of the panel",
                f"{value!r}, which is read as a blank" if isinstance(value, str) else "none",
                "add it, or leave block out",
            )
    kind = int if all(isinstance(value, int | np.integer) for value in values) else str
    return np.array([kind(value) for value in values]), _note("block", foreign)


def _note(what: str, foreign: Sequence[str]) -> list[str]:
    if not foreign:
        return []
    return [f"{what} names units that the panel does not hold: {listed(foreign)}."]


def shown_cohort(year: int) -> str:
    """A first treated period as a message shows it: 0 stands for a blank cell."""
    return str(year) if year else "blank"
