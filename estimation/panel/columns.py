"""Columns of a panel, from wherever they lie, as numbers or as places in their distinct values: all
that a panel asks of them; and back to a frame of the kind a person works with.
"""

from __future__ import annotations

import math
import re
from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from .panel_error import PanelError, need, require_among

MISSING = ("", "na", "nan", "null", "none", "<na>")
# whole numbers from here on are kept as they are: as floating point many would be the same
TOO_LARGE = 2**63
# a quarter or month as R, Stata and pandas write it, or a day
OF_TEXT = re.compile(
    r"(?P<year>[12]\d{3})"
    r"(?:[- ]?[Qq](?P<quarter>[1-4])|(?:-|[Mm])(?P<month>0?[1-9]|1[0-2])(?:-(?P<day>\d\d))?)"
)
BACKENDS = ("pandas", "polars", "pyarrow")


@dataclass(frozen=True)
class Column:
    """Cells of a column; give `numbers`, or `codes` with `values`.

    Attributes
    ----------
    numbers : (n,) int or float array, optional
        NaN for blanks.
    codes : (n,) int array, optional
        Position in `values`; -1 for blanks.
    values : tuple
        Distinct cells: texts, dates, numbers.
    is_category : bool
        Whether the frame declares the cells to be names of groups.
    """

    # one of the two is an array
    numbers: Any = None
    codes: Any = None
    values: tuple[Any, ...] = ()
    is_category: bool = False

    def __len__(self) -> int:
        return len(self.codes if self.numbers is None else self.numbers)

    def __getitem__(self, row: int) -> Any:
        """Return the cell of a row; None for a blank."""
        if self.numbers is not None:
            return self.numbers[row].item()
        return None if self.codes[row] < 0 else self.values[self.codes[row]]

    def take(self, rows: np.ndarray) -> Column:
        """Return the cells of some rows."""
        if self.numbers is not None:
            return replace(self, numbers=self.numbers[rows])
        return replace(self, codes=self.codes[rows])

    @property
    def blank(self) -> np.ndarray:
        """Cells without a number or letter; shape (n,) bool."""
        if self.numbers is not None:
            return np.isnan(self.numbers)
        empty = [k for k, value in enumerate(self.values) if not str(value).strip()]
        return np.isin(self.codes, [-1, *empty])

    @property
    def bits(self) -> np.ndarray:
        """Cells (n,) as integers that are equal only where the cells are; two that differ may still
        mean the same, such as 0.0 and -0.0.
        """
        if self.numbers is None:
            return self.codes
        is_float = self.numbers.dtype.kind == "f"
        return self.numbers.view(f"i{self.numbers.itemsize}") if is_float else self.numbers

    @cached_property
    def encoded(self) -> Column:
        """The same as places in distinct values, also where it holds numbers."""
        if self.numbers is None:
            return self
        import pandas as pd  # takes longer to load than the library

        codes, values = pd.factorize(self.numbers, sort=True)
        return Column(None, codes.astype(np.int32), tuple(values.tolist()))


def positions(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return distinct whole numbers in ascending order, and the position of each value among
    them.
    """
    import pandas as pd  # takes longer to load than the library

    places, found = pd.factorize(values, sort=True)
    return found, places


@dataclass(frozen=True)
class Source:
    """A panel whose columns are not read yet.

    Attributes
    ----------
    label : str
        Name of the file, or the kind of frame: the head of every message.
    names : tuple of str
        Columns, as the header spells them.
    backend : str
        ``pandas``, ``polars`` or ``pyarrow`` for a frame of that kind, else empty.
    place : str
        What a message counts: ``line`` of a CSV, ``unit`` of values beside a panel, else ``row``.
    index : tuple
        Names of the levels of a pandas index, which are no columns.
    """

    label: str
    names: tuple[str, ...]
    read: Callable[[Sequence[str], Sequence[str]], Mapping[str, Column]] = field(repr=False)
    backend: str = ""
    place: str = "row"
    line_of: Callable[[int], int | str] = field(default=lambda row: row + 1, repr=False)
    index: tuple[Any, ...] = ()

    def fail(
        self, row: int | None, column: str | None, expected: str, found: str, remedy: str
    ) -> PanelError:
        """Return the error, for a row counted from 0."""
        return PanelError(
            self.label,
            None if row is None else self.line_of(row),
            column,
            expected,
            found,
            remedy,
            self.place,
        )


def is_nothing(value: Any) -> bool:
    """Return whether a value is one that stands for none: None, NaN, pandas' NA, a blank text."""
    return str(value).strip().lower() in MISSING


def column_of(cells: Any) -> Column:
    """Return a column of a frame of pandas, polars or Arrow, an array or a list.

    Raises
    ------
    ValueError
        If it has two dimensions or complex numbers.
    """
    import pandas as pd  # takes longer to load than the library

    package = type(cells).__module__.split(".")[0]
    is_category = package == "polars" and str(cells.dtype).startswith(("Categorical", "Enum"))
    if package == "polars":
        # its own way to pandas needs pyarrow
        numbers = cells.cast(float) if cells.dtype.is_decimal() else cells
        cells = numbers.to_numpy() if cells.dtype.is_numeric() else cells.to_list()
    elif package == "pyarrow":
        # whole numbers with blanks: the quick way to NaN
        is_gappy = cells.null_count and str(cells.type).startswith("int")
        cells = (cells.cast("float64") if is_gappy else cells).to_pandas()
    series = pd.Series(cells)
    is_category = is_category or series.dtype.name == "category"
    if series.dtype.kind == "c":
        raise ValueError("complex numbers")
    if getattr(series.dtype, "_is_numeric", False) and series.hasnans:
        return Column(series.to_numpy(np.float64, na_value=np.nan))
    if series.dtype.kind in "iufb":
        array, narrow = series.to_numpy(), {"bool": np.int8, "uint64": np.float64}
        return Column(array.astype(narrow.get(str(array.dtype), array.dtype), copy=False))
    codes, found = series.factorize()
    values: list[Any] = found.tolist()
    # a Real has abs()
    kinds: Any = (Real, Decimal)
    if values and all(isinstance(value, kinds) and abs(value) < TOO_LARGE for value in values):
        is_whole = all(isinstance(value, int) for value in values) and (codes >= 0).all()
        numbers = np.array(values, dtype=np.int64 if is_whole else np.float64)
        cells = numbers[codes] if is_whole else np.append(numbers, np.nan)[codes]
        return Column(cells, is_category=is_category)
    return Column(None, codes.astype(np.int32), tuple(values), is_category)


def kind_of(value: Any) -> str:
    """Return what a cell is called in a message; empty for a blank."""
    if is_nothing(value):
        return ""
    return (
        "text"
        if isinstance(value, str)
        else "a number"
        if isinstance(value, Real | np.number)
        else f"a {type(value).__name__}"
    )


@dataclass(frozen=True)
class Moment:
    """A day, a month or a quarter that was written as text."""

    text: str
    year: int
    month: int
    day: int = 1

    def __str__(self) -> str:
        return self.text


def date_of(value: Any) -> Any:
    """Return the day, moment, month or quarter that a cell is, also as text such as 2010Q1, 2010-03
    and 2010-03-31; None for any other cell.
    """
    if not isinstance(value, str):
        return value if hasattr(value, "year") and hasattr(value, "month") else None
    found = OF_TEXT.fullmatch(value.strip())
    if found is None:
        return None
    year, day = int(found["year"]), int(found["day"] or 1)
    month = 3 * int(found["quarter"]) - 2 if found["quarter"] else int(found["month"])
    if not 1 <= day <= monthrange(year, month)[1]:
        return None
    return Moment(value.strip(), year, month, day)


class Dates:
    """Dates as years, or as quarters, months or days counted from the first one.

    Parameters
    ----------
    dates : sequence of dates, as `date_of` gives them
        Of the panel; the coarsest unit that tells them apart is taken.
    """

    UNITS: ClassVar = {
        "year": lambda date: date.year,
        "quarter": lambda date: 4 * date.year + (date.month - 1) // 3,
        "month": lambda date: 12 * date.year + date.month - 1,
    }

    def __init__(self, dates: Sequence[Any]) -> None:
        # pandas Periods have a frequency, such as fiscal years, and timestamps may have a time zone
        self.freq = getattr(dates[0], "freq", None)
        self.zone = getattr(dates[0], "tzinfo", None)
        dates = [self._like_panel(date) for date in dates]
        self.sorted = sorted(set(dates), key=lambda date: (date.year, date.month, _shown(date)))
        fitting = (
            unit
            for unit, place in self.UNITS.items()
            if len({place(date) for date in self.sorted}) == len(self.sorted)
        )
        self.unit = next(fitting, "date")

    def _like_panel(self, date: Any) -> Any:
        """Return the panel's own period that holds the date, or the date in the panel's time
        zone.
        """
        if hasattr(date, "asfreq"):
            return date.start_time if self.freq is None else date.asfreq(self.freq, "start")
        if self.freq is not None:
            import pandas as pd  # takes longer to load than the library

            day = {"year": date.year, "month": date.month, "day": getattr(date, "day", 1)}
            return pd.Period(**day, freq="D").asfreq(self.freq)
        if self.zone is not None and getattr(date, "tzinfo", None) is not None:
            return date.astimezone(self.zone)
        return date

    def has_zone_like(self, date: Any) -> bool:
        """Return whether a moment has a time zone if the panel's have one, and none if they have
        none.

        A day, a month or a period is read in the time zone of the panel.
        """
        is_moment = isinstance(date, datetime) and self.freq is None
        return not is_moment or (date.tzinfo is None) == (self.zone is None)

    def number(self, date: Any) -> int:
        """Return a year; else the period's number, the first is 1; what lies before it counts
        as 1.
        """
        date = self._like_panel(date)
        if self.unit == "date":
            return max(1, 1 + sum(_shown(one) < _shown(date) for one in self.sorted))
        place = self.UNITS[self.unit]
        if self.unit == "year":
            return place(date)
        return max(1, 1 + place(date) - place(self.sorted[0]))

    @property
    def shown(self) -> dict[int, Any]:
        """What each number stands for: a text where texts were given."""
        of_texts = {self.number(one): one for one in self.sorted}
        return {n: one.text if isinstance(one, Moment) else one for n, one in of_texts.items()}

    @property
    def note(self) -> str:
        """What the numbers mean; empty for years."""
        if self.unit == "year":
            return ""
        last = self.number(self.sorted[-1])
        return (
            f"Periods are numbered by {self.unit}: 1 is {_shown(self.sorted[0])}, {last} is "
            f"{_shown(self.sorted[-1])}."
        )


def _shown(date: Any) -> str:
    return str(date).removesuffix(" 00:00:00")


def is_number(text: str) -> bool:
    """Return whether a text is one."""
    try:
        return not math.isnan(float(text)) and "_" not in text
    except ValueError:
        return False


def columns_of(rows: Iterable[Any], names: Iterable[str]) -> dict[str, list[Any]]:
    """Return the attributes of objects as columns by name, a row for each object."""
    found = list(rows)
    columns = {}
    for name in names:
        columns[name] = [getattr(row, name) for row in found]
    return columns


def series_of(values: Mapping[str, float | None], name: str) -> Any:
    """Return numbers by coefficient as a pandas series."""
    import pandas as pd  # takes longer to load than the library

    index = pd.Index(list(values), name="term")
    return pd.Series(list(values.values()), index, dtype=float, name=name)


def as_frame(columns: Mapping[str, list[Any]], backend: str = "") -> Any:
    """Return a frame of pandas, polars or pyarrow; of pandas where none is named.

    Raises
    ------
    PanelError
        If there is no such kind.
    ImportError
        If it is not installed.
    """
    require_among("backend", [backend], (*BACKENDS, "", None))
    name = backend or BACKENDS[0]
    if not find_spec(name):
        raise need(name, f"a frame of {name}")
    module = import_module(name)
    if name == "pyarrow":
        return module.table(dict(columns))
    if name == "polars":
        return module.DataFrame(dict(columns), infer_schema_length=None)
    frame = module.DataFrame(dict(columns))
    whole = [key for key, values in columns.items() if any(type(value) is int for value in values)]
    # None between whole numbers would make them floats, and a column of None an object
    frame = frame.astype(dict.fromkeys(whole, "Int64"))
    empty = [key for key, values in columns.items() if all(value is None for value in values)]
    return frame.astype(dict.fromkeys(empty, "float64"))
