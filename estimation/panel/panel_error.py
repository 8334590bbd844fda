"""What is said where a panel cannot be used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


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


def need(package: str, purpose: str) -> ImportError:
    """The one line for a person who lacks an optional package. It names that package and no extra:
    an index that does not have this library has nothing to install one from.
    """
    return ImportError(f"{purpose} needs {package}: pip install {package}", name=package)
