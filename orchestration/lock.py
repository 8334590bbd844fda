"""The lock of a home: one command at a time changes it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from orchestration.home import Home

#: Variable that holds the process which watches this one.
WATCHED_BY = "CITYSYNC_WATCHED_BY"


class RefreshRunning(Exception):
    """Another process holds the lock of this home: a refresh, or a command that must not run beside
    one.
    """


@contextmanager
def hold_lock(home: Home, work: str = "refresh") -> Iterator[None]:
    """Let one command change a home at a time: refresh, reproduce, rollback, clean or a run of the
    UI.

    Parameters
    ----------
    home : Home
    work : str
        What the lock is held for; the message to another command names it.

    Raises
    ------
    RefreshRunning
        At once when somebody holds the lock; the message names the process. The kernel holds the
        lock, so a killed process leaves none behind.
    """
    home.make()
    with open(home.lock, "a+", encoding="utf-8", errors="replace") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise RefreshRunning(
                f"{_holder(file.read(200))} is at work in {home.root}; wait for it or stop it"
            ) from None
        file.truncate(0)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        json.dump({"pid": _pid_to_end(), "since": since, "work": work}, file)
        file.flush()
        yield


def _pid_to_end() -> int:
    """Return the process that a person would end: the one that watches, where one does."""
    parent = os.getppid()
    if os.environ.get(WATCHED_BY) == str(parent):
        return parent
    return os.getpid()


def _holder(note: str) -> str:
    """Return who holds the lock, by the note in it if the process that wrote it is alive. Other
    programs can hold the lock too, and write no note.
    """
    with suppress(ValueError, TypeError, KeyError, OverflowError, ProcessLookupError):
        said = json.loads(note)
        with suppress(PermissionError):  # alive, and another user's
            os.kill(said["pid"], 0)
        return f"another {said['work']} ({note.strip()})"
    return "a program that does not say its name (fuser refresh.lock shows it)"
