"""The compiled loops that are kept between runs are machine code: one flipped bit ends a run by a signal, or changes a number.

numba keeps them and asks only whether the source changed. So their hashes are noted when a run ends, and what no longer has its hash is
thrown away before the next one loads it. What a killed run compiled has no hash yet; it was moved into place whole, and is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestration.home import Home
from orchestration.terminal import progress
from warehouse.hashing import hash_file
from warehouse.whole_files import remove_any, write_whole

RECORD = "numba.sha256.json"


@contextmanager
def checked_loops(home: Home) -> Iterator[None]:
    """Throw away what changed before a run, and note what is there after it, however it ends."""
    changed = drop_changed(home.cache / "numba", home.cache / RECORD)
    if changed:
        progress(f"  cache: {changed} compiled loops are not as they were written: thrown away and made again")
    try:
        yield
    finally:
        note_compiled(home.cache / "numba", home.cache / RECORD)


def drop_changed(folder: Path, record: Path) -> int:
    """Remove the compiled files that are not as they were noted; all of them where the note itself cannot be read. How many there were."""
    if not record.exists():
        return 0
    try:
        noted = json.loads(record.read_text(encoding="utf-8"))
        is_read = isinstance(noted, dict)
    except (OSError, ValueError, RecursionError):
        is_read = False
    changed = [path for path, name in _files(folder) if not is_read or (name in noted and noted[name] != _hash(path))]
    for path in changed:
        remove_any(path)
    if not is_read:
        remove_any(record)
    return len(changed)


def note_compiled(folder: Path, record: Path) -> None:
    """Note the hash of every compiled file. A disk that is full by then is no fault of the run: without a note all are used as they are."""
    try:
        with write_whole(record) as temporary:
            temporary.write_text(json.dumps({name: _hash(path) for path, name in _files(folder)}), encoding="utf-8")
    except OSError:
        return


def _files(folder: Path) -> list[tuple[Path, str]]:
    if not folder.is_dir():
        return []
    return [(path, path.relative_to(folder).as_posix()) for path in sorted(folder.rglob("*.nb[ic]")) if path.is_file()]


def _hash(path: Path) -> str:
    """sha256; empty for a file that another run has just replaced or that cannot be read."""
    try:
        return hash_file(path)
    except OSError:
        return ""
