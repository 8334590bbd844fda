"""The columns of a panel, checked: what pair panels and city panels have in common."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from .columns import MISSING, Dates, Source, date_of, is_nothing, is_number
from .panel_error import PanelError

FIRST_YEAR, LAST_YEAR = 1000, 3000
# beyond it a float is no 32-bit integer
LARGEST = 2e9
# a table of that many possible values is quicker than sorting or hashing the rows
LARGEST_TABLE = 4_000_000
# ids that a note names
NAMED = 5
YEARS, PERIODS = f"a year from {FIRST_YEAR} to {LAST_YEAR}", f"a period from 1 to {FIRST_YEAR - 1}"


@dataclass(frozen=True)
class Labels:
    """Ids of units.

    Attributes
    ----------
    codes : tuple of (n_rows,) int arrays
        Position in `ids`, for each column that was read together.
    ids : (N,) array
        Ascending; integers where all of them are, else text.
    """

    codes: tuple[np.ndarray, ...]
    ids: np.ndarray


class PanelTable:
    """Columns of a `Source` that were asked for; every fault of one is a `PanelError` that names
    its row.

    Attributes
    ----------
    source : Source
    n_rows : int
    """

    def __init__(
        self, source: Source, names: Sequence[str], *, texts: Sequence[str], one_row: str, hint: str
    ) -> None:
        self.source = source
        _require(source, names, hint)
        self.columns = source.read(list(dict.fromkeys(names)), texts)
        self.n_rows = len(self.columns[names[0]])
        self.dates: Dates | None = None
        self.rows: np.ndarray | None = None
        if self.n_rows == 0:
            raise source.fail(None, None, one_row, "no rows", "give a panel with data")

    def at(self, rows: np.ndarray, names: Sequence[str]) -> PanelTable:
        """Some columns of some rows, named by their place in the whole."""
        chosen = copy(self)
        chosen.rows = rows
        chosen.columns = {name: self.columns[name].take(rows) for name in names}
        chosen.n_rows = len(rows)
        return chosen

    def fail(
        self, row: int | None, column: str | None, expected: str, found: str, remedy: str
    ) -> PanelError:
        """The error of a row counted from 0."""
        if row is not None and self.rows is not None:
            row = int(self.rows[row])
        return self.source.fail(row, column, expected, found, remedy)

    def place(self, row: int) -> int:
        """The row as a person counts it; see `Source`."""
        return self.source.line_of(row)

    def shown(self, column: str, row: int) -> str:
        """A cell as a message shows it."""
        value = self.columns[column][row]
        return repr(
            str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        )

    def numbers(self, column: str, kind: str = "a number or a blank") -> np.ndarray:
        """Floats (n_rows,), NaN for blanks; infinite values and text are errors."""
        values = self._floats(column, kind)
        wrong = np.isinf(values)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise self.fail(row, column, kind, self.shown(column, row), "correct the cell")
        return values

    def _floats(self, column: str, kind: str) -> np.ndarray:
        found = self.columns[column]
        if found.numbers is not None:
            return found.numbers.astype(np.float64, copy=False)
        parsed = np.full(len(found.values) + 1, np.nan)
        for code, value in enumerate(found.values):
            date = date_of(value)
            if self.dates is not None and date is not None:
                parsed[code] = self.dates.number(date)
            elif isinstance(value, str) and is_number(value):
                parsed[code] = float(value)
            elif not is_nothing(value):
                row = int(np.argmax(found.codes == code))
                remedy = "give numbers" if date is not None else "correct the cell"
                raise self.fail(row, column, kind, self.shown(column, row), remedy)
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
            found = [date_of(value) for value in self.columns[columns[0]].values]
            self.dates = Dates(found) if found and None not in found else None
        kind = (PERIODS if calendar is False else YEARS) + suffix
        values = [self._integers(column) for column in columns]
        values = [
            self.numbers(column, kind) if v is None else v
            for column, v in zip(columns, values, strict=True)
        ]
        if calendar is None:
            calendar = any(np.nanmax(v, initial=0) >= FIRST_YEAR for v in values)
        return [
            self._whole(column, v, may_be_blank, calendar, suffix)
            for column, v in zip(columns, values, strict=True)
        ]

    def _integers(self, column: str) -> np.ndarray | None:
        """A column of whole numbers without blanks, without a copy; None for any other."""
        found = self.columns[column].numbers
        return found if found is not None and found.dtype.kind in "iu" else None

    def _whole(
        self, column: str, values: np.ndarray, may_be_blank: bool, calendar: bool, suffix: str
    ) -> np.ndarray:
        first, last = (FIRST_YEAR, LAST_YEAR) if calendar else (1, FIRST_YEAR - 1)
        if values.dtype.kind == "i" and values.min() >= first and values.max() <= last:
            return values.astype(np.int32)
        blank = np.isnan(values)
        filled = np.where(blank, 0, values)
        whole = (
            filled.astype(np.int32, casting="unsafe")
            if np.abs(filled).max() < LARGEST
            else filled.astype(np.int64)
        )
        wrong = (filled != whole) | (((whole < first) | (whole > last)) & ~(blank & may_be_blank))
        if wrong.any():
            row = int(np.argmax(wrong))
            remedy = "correct the cell"
            if whole[row] > LAST_YEAR:
                remedy = "give years, or number the periods 1, 2, 3, ..."
            elif may_be_blank and calendar and whole[row] in (0, 1):
                remedy = "give the first treated year, blank = never; a 0/1 dummy does not do"
            raise self.fail(
                row,
                column,
                (YEARS if calendar else PERIODS) + suffix,
                self.shown(column, row),
                remedy,
            )
        return whole

    def labels(self, columns: Sequence[str], *, tokens: Sequence[str] = ("",)) -> Labels:
        """Ids in columns that share one set of units.

        Parameters
        ----------
        columns : sequence of str
        tokens : sequence of str
            Texts in lower case that stand for a blank, which is an error.
        """
        if (whole := self._whole_labels(columns)) is not None:
            return whole
        encoded = [self._encode(column, tokens) for column in columns]
        texts = [
            any(isinstance(value, str) and not is_integer(value) for value in values)
            for _, values in encoded
        ]
        plain = [any(isinstance(value, int) for value in values) for _, values in encoded]
        for column, other in zip(columns, reversed(columns), strict=True):
            if texts[columns.index(column)] and plain[columns.index(other)]:
                found = f"text there and whole numbers in {other}"
                raise self.fail(
                    None,
                    column,
                    "ids of one kind",
                    found,
                    "turn both columns into text, or into numbers",
                )
        kind = str if any(texts) else int
        values = [
            np.array([kind(value) for value in found], dtype=None if found else np.int64)
            for _, found in encoded
        ]
        ids, positions = np.unique(np.concatenate(values), return_inverse=True)
        parts = np.split(positions.reshape(-1), np.cumsum([len(found) for found in values])[:-1])
        return Labels(
            tuple(
                part.astype(np.int32)[codes]
                for part, (codes, _) in zip(parts, encoded, strict=True)
            ),
            ids,
        )

    def _whole_labels(self, columns: Sequence[str]) -> Labels | None:
        """Labels of columns of whole numbers that lie close together, by one table of all numbers
        between; None for others.
        """
        values = [self._integers(column) for column in columns]
        if any(found is None for found in values):
            return None
        low, high = (
            min(int(found.min()) for found in values),
            max(int(found.max()) for found in values),
        )
        if high - low >= LARGEST_TABLE:
            return None
        # small integers would overflow in the difference
        places = [found.astype(np.int64) - low for found in values]
        present = np.zeros(high - low + 1, dtype=bool)
        for found in places:
            present[found] = True
        code = np.cumsum(present, dtype=np.int32) - 1
        return Labels(tuple(code[found] for found in places), np.flatnonzero(present) + low)

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
        """The value of each of n units or pairs (n,); one that varies is an error.

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

    def is_blank(self, column: str) -> bool:
        """Whether any cell of an id column is blank."""
        if self._integers(column) is not None:
            return False
        found = self.columns[column].encoded
        return (found.codes < 0).any() or any(_is_missing(v, MISSING) for v in found.values)

    def _encode(self, column: str, tokens: Sequence[str]) -> tuple[np.ndarray, list[int | str]]:
        found = self.columns[column].encoded
        used = np.bincount(found.codes + 1, minlength=len(found.values) + 1)[1:] > 0
        place = np.append(np.cumsum(used) - 1, -1)
        values = [_as_id(v) for v, is_used in zip(found.values, used, strict=True) if is_used]
        codes = place[found.codes].astype(np.int32)
        bad = [
            k
            for k, value in enumerate(values)
            if _is_missing(value, tokens) or isinstance(value, float)
        ]
        wrong = np.isin(codes, [-1, *bad])
        if wrong.any():
            row = int(np.argmax(wrong))
            value = None if codes[row] < 0 else values[codes[row]]
            shown = "a blank cell" if _is_missing(value, ("",)) else repr(value)
            if isinstance(value, str) and value:
                shown += ", which is read as a blank"
            raise self.fail(row, column, "an id", shown, "fill it in or remove the row")
        return codes, values


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
        found = ", ".join(map(str, source.names)) or "no columns"
        raise source.fail(
            None, ", ".join(map(str, absent)), "it in the header", f"only {found}", hint
        )


def _as_id(value: object) -> int | str | float | None:
    """An id as an integer or a text; a fraction stays a float, and is none."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    return str(value).strip()


def _is_missing(value: object, tokens: Sequence[str]) -> bool:
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or (isinstance(value, str) and value.lower() in tokens)


def is_integer(text: int | str) -> bool:
    """Whether an id is a whole number, also as text."""
    return isinstance(text, int) or (text.removeprefix("-").isdecimal() and text.isascii())


def like_ids(ids: Sequence[object]) -> list[str]:
    """A note on units that are one when width, case and blanks do not count; empty without any."""
    same: dict[str, list[str]] = {}
    for text in map(str, ids):
        plain = "".join(unicodedata.normalize("NFKC", text).casefold().split())
        same.setdefault(plain, []).append(text)
    found = [" and ".join(map(repr, texts)) for texts in same.values() if len(texts) > 1]
    if not found:
        return []
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return [f"Units that look like one are counted apart: {', '.join(found[:NAMED])}{more}."]


def positions(values: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Distinct values in ascending order, and the position of each value among them; values lie in
    0..size-1.
    """
    if size > max(LARGEST_TABLE, 4 * len(values)):
        found, place = np.unique(values, return_inverse=True)
        return found, place.reshape(-1)
    present = np.zeros(size, dtype=bool)
    present[values] = True
    found = np.flatnonzero(present)
    place = np.empty(size, dtype=np.int32)
    place[found] = np.arange(len(found), dtype=np.int32)
    return found, place[values]
