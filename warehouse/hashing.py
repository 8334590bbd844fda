"""Every sha256 of this project outside `estimation`: of bytes, of a file, of parts in their order,
of named files, of a folder.

Belongs here: how something is turned into a hash. Not here: what is hashed
(`warehouse/publication/manifest.py`, `warehouse/ingest/landing.py`,
`orchestration/reuse/fingerprint.py`) and hashes of tables, which DuckDB computes
(`warehouse/publication/tables.py`). Hashes of bytes and of files
are in manifests, published tables and the names of raw Parquet files, so they must keep their
values; the others are only compared with what the same code wrote before. Imports nothing heavy.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO


def hash_bytes(data: bytes) -> str:
    """sha256 of bytes, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def hash_file(path: Path) -> str:
    """sha256 of a file's bytes, read in pieces.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with open(path, "rb") as file:
        return hash_stream(file)


def hash_stream(stream: BinaryIO) -> str:
    """sha256 of what is left of an open file, read in pieces."""
    return hashlib.file_digest(stream, "sha256").hexdigest()


def hash_parts(parts: Iterable[str | bytes]) -> str:
    """sha256 of parts in their order.

    Each part is preceded by its length, so that no two lists of parts give the same bytes. Texts
    count as UTF-8; a file name that is not valid UTF-8 keeps its own bytes.
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogateescape")
        digest.update(b"%d\0" % len(data))
        digest.update(data)
    return digest.hexdigest()


def hash_named_files(root: Path, paths: Iterable[Path]) -> str:
    """sha256 over files in the order given, by their path inside `root` and their content.

    Raises
    ------
    OSError
        If one cannot be read.
    """
    parts = ((path.relative_to(root).as_posix(), hash_file(path)) for path in paths)
    return hash_parts(chain.from_iterable(parts))


def code_files(root: Path, places: Iterable[str]) -> Iterator[Path]:
    """Files of a checkout below some of its folders (or the files themselves), in path order,
    without Python's compiled ones.
    """
    for place in places:
        below: Iterable[Path] = [root / place]
        if (root / place).is_dir():
            below = _below(root / place)
        for path in below:
            if "__pycache__" not in path.parts and path.suffix != ".pyc":
                yield path


def hash_tree(folder: Path, hash_one: Callable[[Path], str] = hash_file) -> dict[str, str]:
    """Return the kind and sha256 of everything below a folder, by its path inside. Links are not
    followed: of a link, its target is noted.

    Parameters
    ----------
    folder : Path
    hash_one : callable
        Returns the hash of a file.

    Returns
    -------
    dict of str to str
        `file <hash>`, `link <target> <where it leads>` or `other <kind>`. A path with characters
        that cannot be printed is named by its bytes, such as ``b'more\\xff'``.

    Raises
    ------
    OSError
        If something cannot be read.
    """
    found = {}
    for path in _below(folder):
        status = path.lstat()
        name = path.relative_to(folder).as_posix()
        if not name.isprintable():
            name = str(os.fsencode(name))
        if stat.S_ISLNK(status.st_mode):
            found[name] = f"link {os.readlink(path)} {os.path.realpath(path)}"
        elif stat.S_ISREG(status.st_mode):
            found[name] = f"file {hash_one(path)}"
        else:
            found[name] = f"other {stat.S_IFMT(status.st_mode)}"
    return found


def _below(folder: Path) -> Iterator[Path]:
    """Everything below a folder that is not a folder itself, in the order of the names' bytes;
    links to folders are not followed.
    """
    for entry in sorted(os.scandir(folder), key=lambda entry: os.fsencode(entry.name)):
        if entry.is_dir(follow_symlinks=False):
            yield from _below(Path(entry.path))
        else:
            yield Path(entry.path)
