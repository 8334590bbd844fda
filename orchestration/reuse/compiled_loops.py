"""The compiled loops that are kept between runs are machine code: one flipped bit ends a run by a
signal, or changes a number.

numba keeps them and asks only whether the source changed. So their hashes are noted when a run
ends, and what no longer has its hash is thrown away before the next one loads it. What was compiled
since, by a run that was killed or by a fit beside the runs, has no hash yet: numba moves a whole
new file into place, which is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orchestration.home import Home
from orchestration.terminal import progress
from warehouse.hashing import hash_file
from warehouse.whole_files import remove_any, write_whole

RECORD = "numba.noted.json"


@contextmanager
def checked_loops(home: Home) -> Iterator[None]:
    """Throw away what changed before a run, and note what is there after it, however it ends."""
    changed = drop_changed(home.cache / "numba", home.cache / RECORD)
    if changed:
        progress(
            f"  cache: {changed} compiled loops are not as they were written: thrown away and "
            "made again"
        )
    try:
        yield
    finally:
        note_compiled(home.cache / "numba", home.cache / RECORD)


def drop_changed(folder: Path, record: Path) -> int:
    """Remove the compiled files that are not as they were noted; all of them where the note itself
    cannot be read. How many there were.
    """
    if not record.exists():
        return 0
    try:
        noted = json.loads(record.read_text(encoding="utf-8"))
        is_read = isinstance(noted, dict)
    except (OSError, ValueError, RecursionError):
        is_read = False
    changed = [
        path
        for path, name in _files(folder)
        if not is_read or (name in noted and not _is_as_noted(path, noted[name]))
    ]
    for path in changed:
        remove_any(path)
    if not is_read:
        remove_any(record)
    return len(changed)


def note_compiled(folder: Path, record: Path) -> None:
    """Note the hash of every compiled file.

    A disk that is full by then is no fault of the run: without a note all are used as they are.
    """
    try:
        with write_whole(record) as temporary:
            temporary.write_text(
                json.dumps({name: _note(path) for path, name in _files(folder)}), encoding="utf-8"
            )
    except OSError:
        return


def _files(folder: Path) -> list[tuple[Path, str]]:
    if not folder.is_dir():
        return []
    return [
        (path, path.relative_to(folder).as_posix())
        for path in sorted(folder.rglob("*.nb[ic]"))
        if path.is_file()
    ]


def _note(path: Path) -> list[Any]:
    """sha256, number of the file and nanosecond of its last change; empty for one that is gone or
    cannot be read.
    """
    try:
        status = path.stat()
        return [hash_file(path), status.st_ino, status.st_mtime_ns]
    except OSError:
        return []


def _is_as_noted(path: Path, noted: Any) -> bool:
    """Whether a file has its hash, or is another file than the noted one and younger."""
    now = _note(path)
    if not (now and isinstance(noted, list) and len(noted) == len(now)):
        return False
    is_replaced = now[1] != noted[1] and isinstance(noted[2], int) and now[2] > noted[2]
    return now[0] == noted[0] or is_replaced
