"""The library's errors: `PanelError`, and checks of arguments that raise it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from math import inf
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
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


def refused(what: str, expected: str, given: Any, remedy: str) -> PanelError:
    """Return the error of an argument that is of another kind."""
    return PanelError(what, None, None, expected, shown(given), remedy)


def require_among(
    what: str, given: Iterable[Any], allowed: Iterable[Any], how: str = "one"
) -> None:
    """Refuse what is none of the names that an argument may have."""
    allowed = tuple(allowed)
    for name in given:
        # the kind first: an array has no truth, and True is no 1
        if not any(_is_of_kind(name, one) and name == one for one in allowed):
            expected = f"{how} of {', '.join(str(one) for one in allowed if one != '')}"
            raise refused(what, expected, name, "choose among them")


def _is_of_kind(value: Any, one: Any) -> bool:
    is_like = isinstance(value, type(one)) or isinstance(one, type(value))
    return is_like and isinstance(value, bool) == isinstance(one, bool)


def require_count(value: Any, what: str, least: float = 0, most: float = inf) -> int:
    """Return the whole number that an argument gives."""
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_whole or not least <= value <= most:
        expected = "a whole number"
        if least > -inf:
            expected = f"{expected} from {least}"
        if most < inf:
            expected = f"{expected} to {most}"
        raise refused(what, expected, value, "correct it")
    return int(value)


def require_number(value: Any, what: str, below: float = inf) -> None:
    """Refuse what is no number above 0 and below a bound, if there is one."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not (0 < value < below or value == below == inf):
        expected = "a number above 0"
        if below < inf:
            expected = f"a number between 0 and {below:g}"
        raise refused(what, expected, value, "correct it")


def require_text(
    value: Any, what: str, expected: str = "a text", remedy: str = "give a text"
) -> None:
    """Refuse what is no text."""
    if not isinstance(value, str):
        raise refused(what, expected, value, remedy)


def require_names(given: Any, what: str, *, may_be_empty: bool = False) -> tuple[str, ...]:
    """Return the names that an argument gives: one text, or several in an order."""
    names: tuple[Any, ...] = (given,)
    has_order = not isinstance(given, Mapping | Set) and not hasattr(given, "columns")
    if isinstance(given, Iterable) and not isinstance(given, str) and has_order:
        names = tuple(given)
    is_empty = not names and not may_be_empty
    if is_empty or not all(isinstance(name, str) for name in names):
        raise refused(what, "one name or more", given, "give a text or a list of texts")
    return names


def require_pair(given: Any, what: str = "unit", instead: str = "") -> tuple[str, str]:
    """Return the two columns of units of a pair."""
    names = tuple(given) if isinstance(given, tuple | list) else ()
    are_names = len(names) == 2 and all(isinstance(name, str) for name in names)
    if not are_names or names[0] == names[1]:
        expected = "two names of columns, one for each unit of a pair"
        raise refused(what, expected, given, f"give {what}=(first, second){instead}")
    return names[0], names[1]


def require_mapping(given: Any, what: str, kind: type | tuple[type, ...], of: str) -> None:
    """Refuse what is no mapping of texts to values of a kind, or of several."""
    is_mapping = isinstance(given, Mapping) and all(isinstance(name, str) for name in given)
    if not is_mapping or not all(isinstance(value, kind) for value in given.values()):
        raise refused(what, of, given, "give a mapping, such as a dict")


def require_file(given: Any, endings: Iterable[str]) -> Path:
    """Return the path of a file to be written, which has one of some endings."""
    endings = tuple(endings)
    path = Path(given) if isinstance(given, str | PathLike) else None
    if path is None or path.suffix.lower() not in endings:
        expected = f"a name that ends in {', '.join(filter(None, endings))}"
        raise refused("file", expected, given, "give another name")
    return path


def plural(number: int, many: str, one: str) -> str:
    """Return which of two texts fits a number."""
    return one if number == 1 else many


def too_few(counts: Iterable[tuple[int, int, str, str]]) -> tuple[str, ...]:
    """Return of each count that is below its least the text for many or for one."""
    return tuple(plural(n, many, one) for n, least, many, one in counts if n < least)


def shown(value: Any) -> str:
    """Return a value as a message shows it."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"an object of type {type(value).__name__}"


def need(package: str, purpose: str) -> ImportError:
    """Return the one line for a person who lacks an optional package. It names that package and no
    extra: an index that does not have this library has nothing to install one from.
    """
    return ImportError(f"{purpose} needs {package}: pip install {package}", name=package)
