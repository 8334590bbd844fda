"""A list of places with the dates of their policy: what of it is taken, and why the rest is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from numbers import Real
from typing import Any

from ..panel.columns import Source, is_nothing
from ..panel.panel_error import PanelError
from ..panel.panel_table import listed
from ..panel.sources import open_source

TAKEN, UNIDENTIFIED, UNTREATED = "taken", "unidentified", "untreated"
LEFT_OUT, REJECTED = "left_out", "rejected"
IN_PANEL = (TAKEN, UNIDENTIFIED, UNTREATED)
PLACES = ("city", "unit", "city_id")
DATES = ("date", "year")
COUNTY = "county"
PROVINCE = "province"
SCOPES = ("city", PROVINCE, "area", COUNTY)
# of a list: the test itself, of whatever outcome
SYNCHRONIZATION = "synchronization"
# Unknown places that an error names.
NAMED = 10
DATE = re.compile(r"(\d{4})(?:\.0)?(?:[-/.年]\s*(\d{1,2})(?:[-/.月].*)?)?年?")
SECOND_HALF = 7


@dataclass(frozen=True)
class Names:
    """What the places of a list can be called.

    Attributes
    ----------
    find : callable
        Return the unit that a text names, or None, and the units of the block that it names.
    known : sequence of str
        Names to offer for one that is unknown.
    unit, block : str
        What a unit and a block are called in messages.
    """

    find: Callable[[str], tuple[Any, Sequence[Any]]]
    known: Sequence[str]
    unit: str
    block: str


@dataclass(frozen=True)
class Place:
    """One place of a list.

    Attributes
    ----------
    row : int
        Of the list; in a CSV the line, with the header as line 1.
    given : str
        As the list names it.
    unit : id or None
    start, end : int or None
        First treated year, and the year in which the policy ended.
    status : str
        ``taken``; ``unidentified``: taken, but all units of its block start in one year;
        ``untreated``: it starts after the data end and is compared with until then;
        ``left_out`` of the panel, treated or not; ``rejected``: the row says nothing of a unit.
    reason : str
        Of any other status than ``taken``.
    """

    row: int
    given: str
    unit: Any
    start: int | None
    end: int | None = None
    status: str = TAKEN
    reason: str = ""


@dataclass(frozen=True)
class PolicyList:
    """A list as it was read.

    Attributes
    ----------
    places : tuple of Place
    outcome : str
        What the list declares; empty where it declares nothing.
    """

    places: tuple[Place, ...]
    outcome: str = ""

    @property
    def starts(self) -> dict[Any, int]:
        """First treated year of each unit that the list takes."""
        return {one.unit: one.start for one in self.places if one.status in IN_PANEL}


def list_of_starts(starts: dict[Any, int]) -> PolicyList:
    """Return a list from the first treated year of each unit."""
    ordered = enumerate(sorted(starts.items()), start=1)
    return PolicyList(
        tuple(Place(row, str(unit), unit, int(year)) for row, (unit, year) in ordered)
    )


def read_list(given: Any, names: Names) -> PolicyList:
    """Read a list of places and dates.

    Parameters
    ----------
    given : path, frame or mapping
        Columns `city` (or `unit`) and `year` or `date`; optional `end`, `scope` (city, province,
        area, county) and `outcome`. A date of July to December counts from the next year; a year
        counts as it stands, and must be that of the date where both are given. A row of scope
        ``province`` names a block and stands for its units; any other row names a unit.
    names : Names

    Raises
    ------
    PanelError
        If a column is missing, a place is unknown or of another scope, a cell is no date or no
        scope, a year is not that of its date, or the list declares two outcomes.
    """
    source = open_source(given, "list")
    # the panel may be a frame of the same kind
    source = replace(source, label=f"list, {source.label}")
    place, date = _column(source, PLACES), _column(source, DATES)
    optional = ["end", "scope", "outcome"]
    if date == "date":
        optional.append("year")
    read = [place, date, *(name for name in optional if name in source.names)]
    columns = source.read(read, read)
    n_rows = len(columns[place])
    if n_rows == 0:
        raise source.fail(None, None, "one row for a place", "no rows", "give a list with places")
    texts = [{name: _text(columns[name][row]) for name in read} for row in range(n_rows)]
    unknown, found = [], []
    for row, cells in enumerate(texts):
        scope = cells.get("scope") or "city"
        if scope not in SCOPES:
            raise source.fail(
                row, "scope", f"one of {', '.join(SCOPES)}", repr(scope), "correct it"
            )
        start = _year(source, row, date, cells[date])
        if date == "date" and cells.get("year"):
            _require_same_year(source, row, cells, start)
        end = None
        if cells.get("end"):
            end = _year(source, row, "end", cells["end"])
        units = _units(source, row, (place, cells[place]), scope, names)
        if not units:
            unknown.append((row, cells[place]))
        status, reason = TAKEN, ""
        if scope == COUNTY:
            status, reason = REJECTED, "A county does not treat its prefecture."
        line = source.line_of(row)
        found += [Place(line, cells[place], unit, start, end, status, reason) for unit in units]
    if unknown:
        raise _unknown(source, place, unknown, names.known)
    outcomes = sorted({cells["outcome"] for cells in texts if cells.get("outcome")})
    if len(outcomes) > 1:
        raise source.fail(
            None, "outcome", "one outcome", ", ".join(outcomes), "give each its own list"
        )
    return PolicyList(_without_repeats(found), "".join(outcomes))


def _units(
    source: Source, row: int, cell: tuple[str, str], scope: str, names: Names
) -> Sequence[Any]:
    """Return the units that a place and its scope mean; none where nothing has that name."""
    column, text = cell
    unit, of_block = names.find(text)
    if scope == PROVINCE:
        if unit is not None and not of_block:
            expected = f"a {names.block} beside the scope {PROVINCE}"
            remedy = f"name the {names.block} for all of it, or write city in its column scope"
            raise source.fail(row, column, expected, f"the {names.unit} {text!r}", remedy)
        return of_block
    if unit is None and of_block:
        found, remedy = f"the {names.block} {text!r}", f"write {PROVINCE} in its column scope"
        raise source.fail(row, column, f"a {names.unit}", found, remedy)
    return [] if unit is None else [unit]


def _column(source: Source, names: Sequence[str]) -> str:
    for name in names:
        if name in source.names:
            return name
    expected = f"a column {' or '.join(names[:2])}"
    remedy = 'give a table such as {"unit": [...], "year": [...]}, or a CSV with commas'
    raise source.fail(None, None, expected, listed(list(source.names)), remedy)


def _text(cell: Any) -> str:
    if cell is None or is_nothing(cell):
        return ""
    if isinstance(cell, Real) and cell % 1 > 0:
        # no text of a date looks like this: 2009.1 may be what is left of 2009.10
        return f"the number {cell}"
    return str(cell).strip()


def _year(source: Source, row: int, column: str, text: str) -> int:
    """Return the year that a date counts from."""
    found = DATE.fullmatch(text.partition(" ")[0].partition("T")[0])
    month = int(found[2] or 1) if found else 0
    if found is None or not 1 <= month <= 12:
        expected = "a year, or a date such as 2015-03-07"
        raise source.fail(
            row, column, expected, repr(text) if text else "a blank", "correct the cell"
        )
    return int(found[1]) + (month >= SECOND_HALF)


def _require_same_year(source: Source, row: int, cells: Mapping[str, str], start: int) -> None:
    """Raise an error if a year is neither that of the date beside it nor the one it counts from."""
    year = _year(source, row, "year", cells["year"])
    if year != start and not cells["date"].startswith(str(year)):
        expected = f"the year of the date beside it, {cells['date']}"
        raise source.fail(row, "year", expected, str(year), "correct one, or leave one column out")


def _unknown(
    source: Source, column: str, unknown: list[tuple[int, str]], known: Sequence[str]
) -> PanelError:
    """Return the error that names each unknown place by its row, with the names nearest to it."""
    said = []
    folded = {one.casefold(): one for one in known}
    for row, name in unknown[:NAMED]:
        near = [folded[one] for one in get_close_matches(name.casefold(), folded, 2, 0.5)]
        hint = f" (near: {', '.join(near)})" if near else ""
        said.append(f"{name!r} in {source.place} {source.line_of(row)}{hint}")
    more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
    found = "; ".join(said) + more
    return source.fail(None, column, "units of the panel", found, "correct or remove these rows")


def _without_repeats(places: Sequence[Place]) -> tuple[Place, ...]:
    """Return the places with each unit once: the row with the earliest start is taken."""
    first: dict[Any, Place] = {}
    for one in places:
        held = first.get(one.unit)
        if one.status == TAKEN and (held is None or one.start < held.start):
            first[one.unit] = one
    kept = []
    for one in places:
        held = first.get(one.unit)
        if one.status == TAKEN and held is not one:
            named = "" if held.given == one.given else f" ({held.given})"
            reason = f"The unit is in row {held.row}{named} already, from {held.start} on."
            kept.append(replace(one, status=REJECTED, reason=reason))
        else:
            kept.append(one)
    return tuple(kept)
