"""Errors of the ingest that end a run: what a person who delivers files can put right."""

from __future__ import annotations

from collections.abc import Iterable

from warehouse.errors import Refused

_LONGEST = 300


class IngestError(Refused):
    """Base of every ingest error; the message is meant for the person who runs the refresh."""


class LayoutError(IngestError):
    """A layout file is not valid; names file, key, what is allowed and what was found."""


class FileFault(IngestError):
    """One delivered file cannot be read as its layout says.

    Parameters
    ----------
    expected, found, action : str
        What the layout or format asks for, what the file holds, and what to do.
    where : str, optional
        Sheet, cell or column inside the file.
    """

    def __init__(self, expected: str, found: str, action: str, where: str | None = None) -> None:
        self.expected, self.found, self.action, self.where = expected, found, action, where
        place = f"{where}: " if where else ""
        super().__init__(f"{place}expected {expected}; found {found}; {action}")


def message_of(error: BaseException) -> str:
    """Return a library's message on one line, at most 300 characters; without one, its class."""
    return " ".join(str(error).split())[:_LONGEST] or type(error).__name__


class LandingError(IngestError):
    """The landing as a whole cannot be taken (exit code 2 of a refresh).

    Parameters
    ----------
    message : str
        Summary with path, what was expected, what was found and what to do.
    faults : iterable of str
        One line per faulty file, all of them, in path order.
    """

    def __init__(self, message: str, faults: Iterable[str] = ()) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join([message, *(f"  - {fault}" for fault in self.faults)]))
