"""Explain errors of the machine in a sentence for the last line of a command: what failed, what it
means, what to do.

An error reaches a command as an exception, often wrapped by the library that met it, or as the text
that Dagster kept of it. Both end here. Imports nothing heavy; the words are those of Linux, SQLite
3 and DuckDB.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from orchestration import DAMAGED

#: A package that is not found, unless it is one of this checkout's own.
PACKAGE = re.compile(
    r"No module named "
    r"'(?!(?:benchmarks|citysync|estimation|expectations|orchestration|tests|warehouse)\b)([\w.]+)'"
)
COMPILED = re.compile("marshal data too short|bad marshal data")
PLACE = re.compile(r"""["'](/[^"'\n]{1,400})["']""")


#: Numbers and words of an error, and what it means with what to do.
FAULTS = (
    # SQLite calls any write that fails an error of the disk
    (
        (errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
        "No space left on device|disk is full|disk full|disk I/O error|File too large|quota exceed",
        "the disk is full or a limit is reached (df -h, df -i, quota -s and ulimit -f show which); "
        "make room",
    ),
    (
        (errno.EROFS,),
        "Read-only file system|attempt to write a readonly database",
        "it cannot be written; mount it writable",
    ),
    (
        (errno.EACCES, errno.EPERM),
        "Permission denied|Operation not permitted|unable to open database file",
        f"{os.strerror(errno.EACCES)}; check that the folder can be read and written",
    ),
    (
        (errno.EEXIST, errno.ENOTDIR, errno.EISDIR),
        "Not a directory|Is a directory",
        "expected a folder where a file is, or a file where a folder is; name another path",
    ),
    (
        (errno.EMFILE, errno.ENFILE),
        "Too many open files",
        "too many files are open at once; allow more (ulimit -n 4096) or close other programs",
    ),
    (
        (errno.ENOMEM,),
        "Cannot allocate memory|Out of Memory Error|MemoryError|bad allocation|std::bad_alloc|"
        "failed to map segment from shared object",
        "memory ran out; close other programs, set CITYSYNC_THREADS=1, or give the machine more",
    ),
    (
        (),
        "Could not set lock on file|database is locked",
        "another program has the database open; close it (`fuser` names it), then run again",
    ),
)


def explain(error: BaseException, home: Path) -> str:
    """Return the sentence of an exception or of what caused it; empty for a fault that is not the
    machine's.

    Parameters
    ----------
    error : exception, with its causes.
    home : the folder that is named where the error names none.
    """
    for cause in _causes(error):
        number = cause.errno if isinstance(cause, OSError) else None
        for numbers, _, meaning in FAULTS:
            if number in numbers:
                return f"{cause.filename or home}: {meaning}"
        text = "MemoryError" if isinstance(cause, MemoryError) else str(cause)
        if sentence := explain_text(text, home):
            return sentence
    return ""


def explain_text(text: str, home: Path) -> str:
    """Return the sentence of an error's text; empty for a fault that is not the machine's."""
    if package := PACKAGE.search(text):
        return (
            f"{sys.prefix}: its package {package[1]} is gone or damaged; run `make setup`, then "
            "this again"
        )
    if COMPILED.search(text):
        return f"{sys.pycache_prefix or sys.prefix}: {DAMAGED}"
    for _, words, meaning in FAULTS:
        if re.search(words, text):
            named = PLACE.search(text)
            return f"{named[1] if named else home}: {meaning}"
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, then what it was raised from or while handling, each once."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        found = waiting.pop(0)
        if found is not None and id(found) not in seen:
            seen.add(id(found))
            yield found
            waiting += [found.__cause__, found.__context__]
