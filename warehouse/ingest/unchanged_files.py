"""Hash a delivered file and refuse it if its size or time of change differ later.

A file that is still being copied would otherwise be read in part.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from warehouse.hashing import hash_stream
from warehouse.ingest.errors import FileFault

#: No delivered file of more bytes is opened, whatever its kind.
MOST_BYTES = 1 << 31
_AGAIN = "wait until the delivery is complete, then try again"
# error numbers of a network mount or disk that fails, as opposed to the file
MOUNT_FAILED = frozenset(
    {
        errno.EIO,
        errno.ESTALE,
        errno.ETIMEDOUT,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.ENETUNREACH,
    }
)


@dataclass(frozen=True)
class Snapshot:
    """What a file was when it was hashed: bytes, time of change in nanoseconds, and sha256."""

    size: int
    mtime_ns: int
    sha256: str


def take_snapshot(
    location: Path,
    most_bytes: int = MOST_BYTES,
    called: str = "file",
    smaller: str = "deliver it in smaller parts",
) -> Snapshot:
    """Hash a file, after its kind and size have been checked.

    Parameters
    ----------
    location : Path
    most_bytes : int
        A larger file is refused.
    called, smaller : str
        What such a file is called, and what to do with one that is too large.

    Raises
    ------
    FileFault
        It is no file or too large, cannot be read, or changes meanwhile.
    OSError
        The mount failed (``MOUNT_FAILED``): not the file's fault, the same read may succeed in a
        while.
    """
    with open_delivered(location) as stream, _as_faults():
        status = os.fstat(stream.fileno())
        if status.st_size > most_bytes:
            found = f"{status.st_size:,} bytes"
            raise FileFault(f"a {called} of at most {most_bytes:,} bytes", found, smaller)
        snapshot = Snapshot(status.st_size, status.st_mtime_ns, hash_stream(stream))
    require_unchanged(location, snapshot)
    return snapshot


def require_unchanged(location: Path, snapshot: Snapshot) -> None:
    """Raise a FileFault where a file has another size or time of change than when it was hashed."""
    with _as_faults():
        status = _require_file(location.stat())
    if (status.st_size, status.st_mtime_ns) != (snapshot.size, snapshot.mtime_ns):
        found = f"{snapshot.size:,} bytes first, {status.st_size:,} then"
        if status.st_size == snapshot.size:
            found = "a later time of change the second time"
        raise FileFault(
            "a file that stays as it is", f"one that changed while it was read: {found}", _AGAIN
        )


def open_delivered(location: Path) -> BinaryIO:
    """Return the file open for reading; a FileFault if it cannot be opened or is no file."""
    with _as_faults():
        # without O_NONBLOCK opening a pipe waits for a writer, who may never come
        descriptor = os.open(location, os.O_RDONLY | os.O_NONBLOCK)
        try:
            _require_file(os.fstat(descriptor))
        except FileFault:
            os.close(descriptor)
            raise
        return os.fdopen(descriptor, "rb")


def _require_file(status: os.stat_result) -> os.stat_result:
    if not stat.S_ISREG(status.st_mode):
        raise FileFault("a file", "a folder, pipe or device in its place", _AGAIN)
    return status


@contextmanager
def _as_faults() -> Iterator[None]:
    """Turn an error of the system into a fault of the file, except an error of the mount."""
    try:
        yield
    except OSError as error:
        if error.errno in MOUNT_FAILED:
            raise
        found = f"an unreadable one ({error.strerror})"
        if error.errno == errno.ENOENT:
            found = "a broken link, or nothing there any more"
        todo = "grant read permission, or deliver the file again"
        raise FileFault("a readable file", found, todo) from error
