"""The columns of a panel, checked: what pair panels and city panels have in common."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain
from typing import Any

import numpy as np

from .columns import Dates, Source, date_of, is_nothing, is_number, positions
from .panel_error import PanelError

FIRST_YEAR, LAST_YEAR = 1000, 3000
# squares of squares stay within what floating point holds
LARGEST = 1e75
# ids that a note names
NAMED = 5
# columns of a table that a message names all
MOST_COLUMNS = 12
YEARS, PERIODS = f"a year from {FIRST_YEAR} to {LAST_YEAR}", f"a period from 1 to {FIRST_YEAR - 1}"


class PanelTable:
    """Columns of a `Source` that were asked for; every fault of one is a `PanelError` that names
    its row.

    Attributes
    ----------
    source : Source
    n_rows : int
    """

    def __init__(
        self,
        source: Source,
        names: Sequence[str],
        *,
        texts: Sequence[str],
        one_row: str,
        hint: str = "add the column or name another",
    ) -> None:
        self.source = source
        _require(source, names, hint)
        self.columns = source.read(list(dict.fromkeys(names)), texts)
        self.n_rows = len(self.columns[names[0]])
        self.dates: Dates | None = None
        self.rows: np.ndarray | None = None
        if self.n_rows == 0:
            raise source.fail(None, None, one_row, "no rows", "give one row or more")

    def at(self, rows: np.ndarray, names: Sequence[str]) -> PanelTable:
        """Return some columns of some rows, named by their place in the whole."""
        chosen = copy(self)
        chosen.rows = rows
        chosen.columns = {name: self.columns[name].take(rows) for name in names}
        chosen.n_rows = len(rows)
        return chosen

    def fail(
        self, row: int | None, column: str | None, expected: str, found: str, remedy: str
    ) -> PanelError:
        """Return the error of a row counted from 0."""
        if row is not None and self.rows is not None:
            row = int(self.rows[row])
        return self.source.fail(row, column, expected, found, remedy)

    def shown(self, column: str, row: int) -> str:
        """Return a cell as a message shows it."""
        value = self.columns[column][row]
        if self.columns[column].blank[row]:
            return "a blank cell"
        if hasattr(value, "freqstr"):
            return f"{str(value)!r}, a period of frequency {value.freqstr}"
        return repr(
            str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        )

    def numbers(self, column: str, kind: str = "a number or a blank") -> np.ndarray:
        """Return numbers (n_rows,) as they lie, NaN for blanks; infinite values and text are
        errors.
        """
        values = self._read(column, kind)
        wrong = np.isinf(values)
        if wrong.any():
            row = int(np.argmax(wrong))
            remedy = "correct the cell"
            if "blank" in kind:
                remedy = "correct the cell or leave it blank"
            raise self.fail(row, column, kind, self.shown(column, row), remedy)
        largest = float(np.nanmax(np.abs(values), initial=0))
        if largest > LARGEST or 0 < largest < 1 / LARGEST:
            expected = f"numbers of which the largest is from {1 / LARGEST:g} to {LARGEST:g}"
            raise self.fail(None, column, expected, f"{largest:g}", "give it in another unit")
        return values

    def _read(self, column: str, kind: str) -> np.ndarray:
        found = self.columns[column]
        if found.numbers is not None:
            return found.numbers
        parsed = np.full(len(found.values) + 1, np.nan)

        def fail(code: int, expected: str, remedy: str) -> PanelError:
            row = int(np.argmax(found.codes == code))
            return self.fail(row, column, expected, self.shown(column, row), remedy)

        for code, value in enumerate(found.values):
            date = date_of(value)
            if self.dates is not None and date is not None:
                if not self.dates.has_zone_like(date):
                    expected = "dates that have a time zone if, and only if, the panel's have one"
                    raise fail(code, expected, "give both a time zone, or neither")
                parsed[code] = self.dates.number(date)
            elif isinstance(value, str) and is_number(value):
                parsed[code] = float(value)
            elif kind.startswith(YEARS) and getattr(date, "freqstr", "") == "Y-DEC":
                parsed[code] = date.year
            elif not is_nothing(value):
                remedy = "correct the cell"
                if date is not None:
                    remedy = "give numbers"
                elif is_number(str(value).replace(",", ".")):
                    remedy = "write decimals with a point"
                if date is not None and kind.startswith((YEARS, PERIODS)):
                    remedy = "give whole numbers, as the panel's periods are"
                raise fail(code, kind, remedy)
        # a blank has the code -1: the last place
        return parsed[found.codes]

    def periods(
        self, columns: Sequence[str], *, may_be_blank: bool, calendar: bool | None = None
    ) -> list[np.ndarray]:
        """Integer years or period numbers (n_rows,) of each column, 0 for blanks.

        Parameters
        ----------
        columns : sequence of str
        may_be_blank : bool
        calendar : bool, optional
            Whether they are years (from 1000) or periods counted from 1; None: years if any is 1000
            or more.
        """
        suffix = " or a blank (never)" if may_be_blank else ""
        if calendar is None:
            self.dates = self._dates(columns[0])
        kind = (PERIODS if calendar is False else YEARS) + suffix
        values = [self.numbers(column, kind) for column in columns]
        if calendar is None:
            calendar = any(np.nanmax(v, initial=0) >= FIRST_YEAR for v in values)
        return [
            self._whole(column, v, may_be_blank, calendar, suffix)
            for column, v in zip(columns, values, strict=True)
        ]

    def _dates(self, column: str) -> Dates | None:
        """Return the dates of a column; None where no cell is one."""
        cells = self.columns[column]
        codes = [code for code, value in enumerate(cells.values) if not is_nothing(value)]
        found = [date_of(cells.values[code]) for code in codes]
        if not any(found):
            return None
        if None in found:
            row = int(np.argmax(cells.codes == codes[found.index(None)]))
            expected, remedy = "a date, as in other rows", "write all as dates, or all as numbers"
            raise self.fail(row, column, expected, self.shown(column, row), remedy)
        return Dates(found)

    def period_shown(self, number: int) -> Any:
        """Return a period as it was given."""
        return number if self.dates is None else self.dates.shown.get(number, number)

    def _whole(
        self, column: str, values: np.ndarray, may_be_blank: bool, calendar: bool, suffix: str
    ) -> np.ndarray:
        first, last = (FIRST_YEAR, LAST_YEAR) if calendar else (1, FIRST_YEAR - 1)
        blank = np.isnan(values)
        filled = np.where(blank, 0, values)
        whole = filled.clip(-1, LAST_YEAR + 1).astype(np.int64)
        wrong = (filled != whole) | (((whole < first) | (whole > last)) & ~(blank & may_be_blank))
        if wrong.any():
            row = int(np.argmax(wrong))
            remedy = "correct the cell"
            if blank[row]:
                remedy = "fill it in or remove the row"
            elif self.dates is not None and not calendar:
                remedy = "give a date; a number counts the panel's periods from 1"
            elif not may_be_blank:
                remedy = "give years, or number the periods 1, 2, 3, ..."
            elif calendar and whole[row] in (0, 1):
                remedy = "give the first treated year, blank = never; a 0/1 dummy does not do"
            else:
                remedy = "write it as the panel's periods are; blank = never"
            raise self.fail(
                row,
                column,
                (YEARS if calendar else PERIODS) + suffix,
                self.shown(column, row),
                remedy,
            )
        return whole

    def labels(
        self, columns: Sequence[str], *, tokens: Sequence[str] = ("",)
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """Return positions (n_rows,) of the ids in each column, and the ascending ids (N,) that all
        share: integers where all of them are, else text.

        Parameters
        ----------
        columns : sequence of str
        tokens : sequence of str
            Texts in lower case that stand for a blank, which is an error.
        """
        encoded = [self._encode(column, tokens) for column in columns]
        texts: list[bool] = []
        plain: list[bool] = []
        for _, values in encoded:
            texts.append(any(isinstance(value, str) and not is_integer(value) for value in values))
            plain.append(any(isinstance(value, int) for value in values))
        for column, other in zip(columns, reversed(columns), strict=True):
            if texts[columns.index(column)] and plain[columns.index(other)]:
                found = f"text there and whole numbers in {other}"
                remedy = "turn both columns into text, or into numbers"
                raise self.fail(None, column, "ids of one kind", found, remedy)
        kind = str if any(texts) else int
        given = [found for _, found in encoded]
        ids, place = np.unique(
            np.array([kind(value) for value in chain(*given)]), return_inverse=True
        )
        places = np.split(place.astype(np.int32), np.cumsum([len(found) for found in given]))
        return [own[codes] for own, (codes, _) in zip(places[:-1], encoded, strict=True)], ids

    def constant(
        self,
        values: np.ndarray,
        place: np.ndarray,
        names: np.ndarray | int,
        columns: Sequence[str],
        what: str,
        remedy: str,
        shown: Callable[[Any], str] = str,
    ) -> np.ndarray:
        """Return the value of each of n units or pairs (n,); one that varies is an error.

        Parameters
        ----------
        values : (n_rows,) array, or of several columns one after the other
        place : int array of that shape
            Position of the unit or pair, 0..n-1.
        names : (n,) array or n
            What a message calls them.
        columns : names of the columns
        what : str
            Of what the rows are.
        remedy : str
        shown : callable
            A value as a message shows it.
        """
        first = np.zeros(names if isinstance(names, int) else len(names), dtype=values.dtype)
        first[place[::-1]] = values[::-1]
        wrong = first[place] != values
        if wrong.any():
            at = int(np.argmax(wrong))
            side, row = divmod(at, self.n_rows)
            found = f"{shown(values[at])} beside {shown(first[place[at]])}"
            found += "" if isinstance(names, int) else f" for {names[place[at]]}"
            expected = f"one value for all rows of a {what}"
            raise self.fail(row, columns[side], expected, found, remedy)
        return first

    def repeats(self, cell: np.ndarray) -> np.ndarray:
        """Return rows (n, 2) of the same cell (n_rows,), each with the next one."""
        order = np.argsort(cell, kind="stable")
        again = np.flatnonzero(np.diff(cell[order]) == 0)
        return np.stack([order[again], order[again + 1]], axis=1)

    def is_blank(self, column: str) -> bool:
        """Return whether any cell of an id column is blank."""
        found = self.columns[column].encoded
        return (found.codes < 0).any() or any(map(is_nothing, found.values))

    def _encode(self, column: str, tokens: Sequence[str]) -> tuple[np.ndarray, list[Any]]:
        found = self.columns[column].encoded
        used, codes = positions(found.codes)
        values: list[Any] = []
        for code in used.tolist():
            if code < 0:
                values.append(None)
            else:
                values.append(as_id(found.values[code]))
        bad = [
            code
            for code, value in enumerate(values)
            if not isinstance(value, int | str) or str(value).lower() in tokens
        ]
        if bad:
            row = int(np.argmax(np.isin(codes, bad)))
            value = values[codes[row]]
            shown = "a blank cell" if value in (None, "") else repr(value)
            if isinstance(value, str) and value:
                shown += ", which is read as a blank"
            remedy = "fill it in or remove the row"
            if self.source.place == "unit":
                remedy = "fill it in"
            if isinstance(value, str) and value:
                remedy = "write it otherwise, or remove the row"
            if isinstance(value, float):
                remedy = "make the ids whole numbers or text"
            raise self.fail(row, column, "an id", shown, remedy)
        return codes, values


@dataclass(frozen=True)
class Rows:
    """Rows of a table, and the positions (n_rows,) of the unit on each of their sides, and of the
    pair where there is one.
    """

    table: PanelTable
    sides: Sequence[np.ndarray]
    pair: Any = None


def _require(source: Source, names: Sequence[str], hint: str) -> None:
    """Refuse a header without a column, or with one twice."""
    repeated = [name for name in source.names if source.names.count(name) > 1]
    if repeated:
        raise source.fail(
            None,
            repeated[0],
            "each column once",
            "the name twice in the header",
            "rename one of them",
        )
    absent = list(dict.fromkeys(name for name in names if name not in source.names))
    if absent:
        found = _columns_shown(source.names, absent)
        if len(source.names) == 1 and not {";", "\t"}.isdisjoint(found):
            hint = "separate columns by commas"
        elif not set(absent).isdisjoint(source.index):
            hint = "they are in the index of the frame: give frame.reset_index()"
        raise source.fail(
            None, ", ".join(map(str, absent)), "it in the header", f"only {found}", hint
        )


def _columns_shown(names: Sequence[str], absent: Sequence[str]) -> str:
    """Return the columns that there are; of many those first whose names are like one that is
    absent.
    """
    if len(names) <= MOST_COLUMNS:
        return ", ".join(map(str, names)) or "no columns"
    near = []
    for name in absent:
        near += [one for one in names if str(name) in str(one)]
        near += get_close_matches(str(name), [str(one) for one in names])
    return listed(list(dict.fromkeys([*near, *names])))


def as_id(value: object) -> int | str | float | None:
    """Return an id as an integer or a text; a fraction stays a float, and is none."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    return str(value).strip()


def is_integer(text: int | str) -> bool:
    """Return whether an id is a whole number, also as text; 007 is a text, as 7 is another unit."""
    is_digits = isinstance(text, str) and text.isascii() and text.removeprefix("-").isdecimal()
    return isinstance(text, int) or (is_digits and str(int(text)) == text)


def like_ids(ids: np.ndarray) -> list[str]:
    """Return a note on units that are one when width, case, blanks and the zeros around a whole
    number do not count; empty without any.
    """
    same: dict[str, list[str]] = {}
    for text in () if ids.dtype.kind == "i" else map(str, ids):
        plain = "".join(unicodedata.normalize("NFKC", text).casefold().split())
        plain = re.sub(r"^0*(\d+?)(\.0*)?$", r"\1", plain)
        same.setdefault(plain, []).append(text)
    found = [" and ".join(map(repr, texts)) for texts in same.values() if len(texts) > 1]
    return [f"Units that look like one are counted apart: {listed(found)}."] if found else []


def note_few_on_both_sides(n_both: int, n_units: int, remedy: str) -> list[str]:
    """Return a note where few ids are on both sides of a pair, as they are if two kinds of units,
    such as banks and firms, are both numbered from 1.
    """
    if not 0 < n_both < n_units / 2:
        return []
    return [
        f"{n_both} of {n_units} ids are on both sides of a pair, and each is taken for one unit. "
        f"If the sides are of two kinds, such as banks and firms, {remedy}."
    ]


def listed(names: Sequence[object]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(map(str, names[:NAMED])) + more
