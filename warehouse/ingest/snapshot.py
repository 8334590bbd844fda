"""A landing is a snapshot: a file is hashed once, what is parsed is what was hashed, and it is
still the same when all were read.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from warehouse.hashing import hash_bytes
from warehouse.ingest.errors import FileFault

#: A larger file is not held in memory: a private copy of it is parsed.
HELD_BYTES = 64_000_000
_PIECE = 1 << 20
_AGAIN = "wait until the delivery is complete, then refresh again"
_EXPECTED = "a file that stays as it is while it is read"
# what the kernel says when a network mount or its disk, not the file, fails
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


def open_file(location: Path, inside: Path | None = None) -> BinaryIO:
    """Open a delivered file, whatever was put in its place since the landing was listed.

    Parameters
    ----------
    location : Path
    inside : Path, optional
        Folder that the file must lie in, links resolved.

    Raises
    ------
    FileFault
        It is a pipe, a device or a folder by now, or a link that leads out.
    OSError
        It cannot be opened.
    """
    # without waiting: a pipe in its place would be waited for without end
    descriptor = os.open(location, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileFault(_EXPECTED, "a folder, pipe or device in its place", _AGAIN)
        if inside is not None and not _opened_path(descriptor, location).is_relative_to(
            inside.resolve()
        ):
            raise FileFault(_EXPECTED, "a link in its place that leaves the landing", _AGAIN)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _opened_path(descriptor: int, location: Path) -> Path:
    """Where the open file itself lies; where the system does not say, where its name leads now."""
    try:
        return Path(os.readlink(f"/proc/self/fd/{descriptor}"))
    except OSError:
        return location.resolve()


def take_snapshot(
    location: Path, most_bytes: int, called: str, smaller: str, inside: Path | None = None
) -> tuple[Snapshot, bytes | None]:
    """Hash a file; its content where it is small enough to be held.

    Parameters
    ----------
    location : Path
    most_bytes : int
        A larger file is refused.
    called, smaller : str
        What such a file is called, and what to do with one that is too large.
    inside : Path, optional
        Folder that it must lie in.

    Raises
    ------
    FileFault
        It is too large, cannot be read, or changes meanwhile.
    OSError
        The mount failed (``MOUNT_FAILED``): not the file's fault, the same read may succeed in a
        while.
    """
    try:
        with open_file(location, inside) as stream:
            before = os.fstat(stream.fileno())
            if before.st_size > most_bytes:
                raise FileFault(
                    f"a {called} of at most {most_bytes:,} bytes",
                    f"{before.st_size:,} bytes",
                    smaller,
                )
            # one byte more than there was: a file that grows is not read to its end
            data = stream.read(before.st_size + 1) if before.st_size <= HELD_BYTES else None
            sha256 = (
                hashlib.file_digest(stream, "sha256").hexdigest()
                if data is None
                else hash_bytes(data)
            )
        after = location.stat()
    except OSError as error:
        if error.errno in MOUNT_FAILED:
            raise
        found = (
            "a broken link"
            if error.errno == errno.ENOENT
            else f"an unreadable one ({error.strerror})"
        )
        raise FileFault(
            "a readable file", found, "grant read permission, or deliver the file again"
        ) from error
    if data is not None and len(data) != before.st_size:
        raise FileFault(_EXPECTED, f"{before.st_size:,} bytes first and {len(data):,} then", _AGAIN)
    snapshot = Snapshot(before.st_size, before.st_mtime_ns, sha256)
    _compare(snapshot, after)
    return snapshot, data


def copy_privately(location: Path, snapshot: Snapshot, folder: Path) -> int:
    """An open copy without a name, so that nobody changes it and a killed run leaves none; the
    caller closes it.

    Raises
    ------
    FileFault
        The file is not what was hashed.
    OSError
        The copy cannot be written, or the mount failed.
    """
    digest = hashlib.sha256()
    with open_file(location) as source, tempfile.TemporaryFile(dir=folder) as copy:
        while piece := source.read(_PIECE):
            digest.update(piece)
            copy.write(piece)
        copy.flush()
        if digest.hexdigest() != snapshot.sha256:
            raise FileFault(_EXPECTED, "another content when it was read a second time", _AGAIN)
        return os.dup(copy.fileno())


def require_unchanged(location: Path, snapshot: Snapshot) -> None:
    """Raise a FileFault where a file is no longer what was hashed: size, time of change and content
    are compared.
    """
    try:
        _compare(snapshot, location.stat())
        with open_file(location) as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        if error.errno in MOUNT_FAILED:
            raise
        raise FileFault(
            _EXPECTED, f"none that can be read any more ({error.strerror})", _AGAIN
        ) from error
    if sha256 != snapshot.sha256:
        raise FileFault(_EXPECTED, "another content after reading than before", _AGAIN)


def _compare(snapshot: Snapshot, now: os.stat_result) -> None:
    if now.st_size != snapshot.size:
        raise FileFault(
            _EXPECTED, f"{snapshot.size:,} bytes before reading and {now.st_size:,} after", _AGAIN
        )
    if now.st_mtime_ns != snapshot.mtime_ns:
        raise FileFault(_EXPECTED, "a later time of change after reading than before", _AGAIN)
