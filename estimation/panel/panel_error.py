"""What is said where a panel cannot be used."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any

# longer, and a value is shown by its type
LONGEST_SHOWN = 60


class PanelError(ValueError):
    """A panel cannot be used. The message names the place, what was expected, what was found and
    what to do.

    Attributes
    ----------
    source : str
        Name of the file, or the kind of frame.
    row : int, str or None
        From 1; in a CSV the line, with the header as line 1; of what is given beside a panel the
        unit.
    column : str or None
    expected, found, remedy : str
    place : str
        What `row` counts or names: ``line``, ``row`` or ``unit``.
    """

    def __init__(
        self,
        source: str,
        row: int | str | None,
        column: str | None,
        expected: str,
        found: str,
        remedy: str,
        place: str = "row",
    ) -> None:
        super().__init__(source, row, column, expected, found, remedy, place)
        self.source, self.row, self.column = source, row, column
        self.expected, self.found, self.remedy, self.place = expected, found, remedy, place

    def __str__(self) -> str:
        where = "" if self.row is None else f", {self.place} {self.row}"
        where += "" if self.column is None else f", column {self.column}"
        return f"{self.source}{where}: expected {self.expected}, found {self.found}; {self.remedy}"


def require_among(
    what: str, given: Iterable[Any], allowed: Iterable[Any], how: str = "one"
) -> None:
    """Refuse what is none of the names that an argument may have."""
    for name in given:
        if name not in allowed:
            expected = f"{how} of {', '.join(str(one) for one in allowed if one)}"
            raise PanelError(what, None, None, expected, repr(name), "choose among them")


def require_count(value: Any, what: str, least: int = 0) -> int:
    """Return the whole number that an argument gives."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        expected = f"a whole number from {least}"
        raise PanelError(what, None, None, expected, shown(value), "correct it")
    return int(value)


def require_names(given: Any, what: str, *, may_be_empty: bool = False) -> tuple[str, ...]:
    """Return the names that an argument gives: one text, or several."""
    names: tuple[Any, ...] = (given,)
    if isinstance(given, Iterable) and not isinstance(given, str):
        names = tuple(given)
    is_empty = not names and not may_be_empty
    if is_empty or not all(isinstance(name, str) for name in names):
        remedy = "give a text or a list of texts"
        raise PanelError(what, None, None, "one name or more", shown(given), remedy)
    return names


def require_pair(unit: Any) -> tuple[str, str]:
    """Return the two columns of units of a pair."""
    names = tuple(unit) if isinstance(unit, tuple | list) else ()
    are_names = len(names) == 2 and all(isinstance(name, str) for name in names)
    if not are_names or names[0] == names[1]:
        expected = "two names of columns, one for each unit of a pair"
        raise PanelError("unit", None, None, expected, shown(unit), "give unit=(first, second)")
    return names[0], names[1]


def shown(value: Any) -> str:
    """Return a value as a message shows it."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"an object of type {type(value).__name__}"


def need(package: str, purpose: str) -> ImportError:
    """The one line for a person who lacks an optional package. It names that package and no extra:
    an index that does not have this library has nothing to install one from.
    """
    return ImportError(f"{purpose} needs {package}: pip install {package}", name=package)
