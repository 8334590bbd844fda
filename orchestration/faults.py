"""Errors of the machine as sentences: what failed, what it means, what to do. For the last line of
a command.

An error reaches a command as an exception, often wrapped by the library that met it, or as the text
that Dagster kept of it. Both end here. Imports nothing heavy; the words are those of Linux, SQLite
3 and DuckDB.
"""

from __future__ import annotations

import errno
import os
import re
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

READABLE = "check that the folder can be read and written"
#: A disk with less room than this takes no page of a database any more.
NO_ROOM_BYTES = 100_000
#: A package that is not found, unless it is one of this checkout's own.
PACKAGE = re.compile(
    r"No module named "
    r"'(?!(?:benchmarks|citysync|estimation|expectations|orchestration|tests|warehouse)\b)([\w.]+)'"
)
PLACE = re.compile(r"""["']([^"'\n]{1,400})["']""")


@dataclass(frozen=True)
class Fault:
    """What an error's text or number says, and what it means with what to do."""

    numbers: tuple[int, ...]
    words: str
    meaning: str


FAULTS = (
    Fault(
        (errno.ENOSPC,),
        "No space left on device|database or disk is full|disk full",
        "the disk is full (df -h shows it); make room",
    ),
    Fault(
        (errno.EDQUOT,),
        "Disk quota exceeded",
        "your quota of the disk is used up (quota -s shows it); make room or ask for more",
    ),
    Fault(
        (errno.EROFS,),
        "Read-only file system|attempt to write a readonly database",
        f"it cannot be written; mount it writable; {READABLE}",
    ),
    Fault(
        (errno.EACCES, errno.EPERM),
        "Permission denied|Operation not permitted",
        f"{os.strerror(errno.EACCES)}; {READABLE}",
    ),
    Fault(
        (errno.EMFILE, errno.ENFILE),
        "Too many open files",
        "too many files are open at once; allow more (ulimit -n 4096) or close other programs",
    ),
    Fault(
        (),
        "database is locked|Could not set lock on file|Conflicting lock is held",
        (
            "another program has the database open; close it (the holder's process is named above "
            "or "
            "by `fuser`), then run again"
        ),
    ),
    Fault(
        (errno.ENOMEM,),
        "Cannot allocate memory|Out of Memory Error|MemoryError|bad allocation|std::bad_alloc",
        "memory ran out; close other programs, set CITYSYNC_THREADS=1, or give the machine more",
    ),
    Fault(
        (errno.EFBIG,),
        "File too large",
        (
            "a file would be larger than this shell or disk allows (ulimit -f shows it); allow "
            "larger "
            "ones"
        ),
    ),
    Fault(
        (errno.EIO,),
        "Input/output error|disk I/O error",
        "the disk or mount failed while it was used; look at it (dmesg), then run again",
    ),
    Fault(
        (errno.EISDIR,), "Is a directory", "a folder stands where a file is expected; move it away"
    ),
    Fault(
        (errno.ENOTDIR,),
        "Not a directory",
        "a file stands where a folder is expected; move it away",
    ),
    Fault(
        (errno.ELOOP,), "Too many levels of symbolic links", "a link leads in a circle; remove it"
    ),
    Fault(
        (errno.ENAMETOOLONG,),
        "File name too long",
        "the path is too long for this disk; give CITYSYNC_HOME a shorter one",
    ),
    Fault(
        (),
        "database disk image is malformed|file is not a database",
        (
            "Dagster's history of runs is damaged; remove the folder dagster/ of the home (only "
            "the "
            "history goes with it), then run again"
        ),
    ),
    Fault(
        (),
        "unable to open database file",
        (
            "Dagster's history of runs cannot be opened; make room or give write permission; "
            f"{READABLE}"
        ),
    ),
)


def explain(error: BaseException, home: Path) -> str:
    """The sentence of an exception or of what caused it; empty for a fault that is not the
    machine's.

    Parameters
    ----------
    error : exception, with its causes.
    home : the folder that is named where the error names none.
    """
    for cause in _causes(error):
        number = cause.errno if isinstance(cause, OSError) else None
        place = str(getattr(cause, "filename", None) or home)
        for fault in FAULTS:
            if number in fault.numbers:
                return _sentence(fault, place)
        text = "MemoryError" if isinstance(cause, MemoryError) else str(cause)
        sentence = explain_text(text, home)
        if sentence:
            return sentence
    return ""


def explain_text(text: str, home: Path) -> str:
    """The sentence of an error's text; empty for a fault that is not the machine's."""
    if package := PACKAGE.search(text):
        return (
            f"{sys.prefix}: its package {package[1]} is gone or damaged; run `make setup`, then "
            "this again"
        )
    for fault in FAULTS:
        if re.search(fault.words, text):
            named = PLACE.search(text)
            return _sentence(fault, named[1] if named and named[1].startswith("/") else str(home))
    return ""


def _sentence(fault: Fault, place: str) -> str:
    if errno.ENOSPC in fault.numbers and _has_no_inodes(place):
        return (
            f"{place}: the disk holds as many files as it can, though it has room (df -i shows "
            "it); remove many small files"
        )
    if errno.EIO in fault.numbers and (likelier := _likelier_than_a_broken_disk(place)):
        return f"{place}: {likelier}"
    return f"{place}: {fault.meaning}"


def _likelier_than_a_broken_disk(place: str) -> str:
    """SQLite calls any write that fails an error of the disk; where a limit or a full disk is at
    hand, it is that.
    """
    most = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if most != resource.RLIM_INFINITY:
        meaning = next(fault.meaning for fault in FAULTS if errno.EFBIG in fault.numbers)
        return f"{meaning}; it is {most:,} bytes now"
    found = _disk_of(place)
    is_full = found is not None and found.f_bavail * found.f_frsize < NO_ROOM_BYTES
    return (
        next(fault.meaning for fault in FAULTS if errno.ENOSPC in fault.numbers) if is_full else ""
    )


def _has_no_inodes(place: str) -> bool:
    """Whether it is the number of files and not the room that is used up, on the disk of a path
    that may not be there.
    """
    found = _disk_of(place)
    # a disk without a fixed number of files says zero of zero
    return found is not None and found.f_files > 0 and found.f_favail == 0 and found.f_bavail > 0


def _disk_of(place: str) -> os.statvfs_result | None:
    for folder in [Path(place), *Path(place).parents]:
        try:
            return os.statvfs(folder)
        except (OSError, ValueError):
            continue
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, then what it was raised from or while handling, each once; SQLAlchemy keeps the
    driver's own in `orig`.
    """
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        found = waiting.pop(0)
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting += [getattr(found, "orig", None), found.__cause__, found.__context__]
