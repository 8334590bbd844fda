"""A landing is a snapshot: a file is hashed once, what is parsed is what was hashed, and it is
still the same when all were read.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from warehouse.ingest.errors import FileFault

#: No delivered file of more bytes is opened, whatever its kind.
MOST_BYTES = 1 << 31

#: A larger file is not held in memory: a private copy of it is parsed.
HELD_BYTES = 64_000_000
_PIECE = 1 << 20
_AGAIN = "wait until the delivery is complete, then try again"
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
            raise FileFault("a file", "a folder, pipe or device in its place", _AGAIN)
        if inside is not None and not _opened_path(descriptor, location).is_relative_to(
            inside.resolve()
        ):
            raise FileFault(
                "a file of the landing", "a link in its place that leaves the landing", _AGAIN
            )
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
    location: Path,
    most_bytes: int = MOST_BYTES,
    called: str = "file",
    smaller: str = "deliver it in smaller parts",
    inside: Path | None = None,
) -> tuple[Snapshot, bytes | None]:
    """Hash a file; its content where it is small enough to be held.

    Everything that touches a delivered file does so through here: kind and size are asked before
    a byte is read, and of a file that grows one byte more than it had is the last that is read.

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
        It is no file or too large, cannot be read, or changes meanwhile.
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
            digest, held = hashlib.sha256(), []
            for piece in _pieces(stream, before.st_size):
                digest.update(piece)
                if before.st_size <= HELD_BYTES:
                    held.append(piece)
        after = location.stat()
    except OSError as error:
        if error.errno in MOUNT_FAILED:
            raise
        found = (
            "a broken link, or nothing there any more"
            if error.errno == errno.ENOENT
            else f"an unreadable one ({error.strerror})"
        )
        raise FileFault(
            "a readable file", found, "grant read permission, or deliver the file again"
        ) from error
    snapshot = Snapshot(before.st_size, before.st_mtime_ns, digest.hexdigest())
    _compare(snapshot, Snapshot(after.st_size, after.st_mtime_ns, snapshot.sha256))
    return snapshot, b"".join(held) if before.st_size <= HELD_BYTES else None


def _pieces(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """All bytes of a file of this size; a FileFault where there are more or fewer."""
    left = size + 1
    while left and (piece := stream.read(min(_PIECE, left))):
        left -= len(piece)
        yield piece
    if left != 1:
        raise _changed(f"{size:,} bytes first, {size + 1 - left:,} then")


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
        for piece in _pieces(source, snapshot.size):
            digest.update(piece)
            copy.write(piece)
        copy.flush()
        if digest.hexdigest() != snapshot.sha256:
            raise _changed("another content the second time")
        return os.dup(copy.fileno())


def require_unchanged(location: Path, snapshot: Snapshot) -> None:
    """Raise a FileFault where a file is no longer what was hashed: size, time of change and content
    are compared.
    """
    _compare(snapshot, take_snapshot(location)[0])


def _compare(before: Snapshot, after: Snapshot) -> None:
    if after.size != before.size:
        raise _changed(f"{before.size:,} bytes first, {after.size:,} then")
    if after.mtime_ns != before.mtime_ns:
        raise _changed("a later time of change the second time")
    if after.sha256 != before.sha256:
        raise _changed("another content the second time")


def _changed(how: str) -> FileFault:
    return FileFault(
        "a file that stays as it is", f"one that changed while it was read: {how}", _AGAIN
    )
