"""Files that a reader sees whole or not at all, and the removal of what has their name
already.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def write_whole(target: Path) -> Iterator[Path]:
    """A temporary path beside `target` to write to; on leaving without an error it takes the place
    of `target` in one rename.

    Folders above are made. Whatever interrupts the writing, nothing is left beside an old file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, target)
    except OSError as error:
        if error.errno is not None and error.filename is None:
            # libraries that write it leave its name out; what has no number has words of its own
            error.filename = str(target)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def move_whole(draft: Path, target: Path) -> None:
    """Let a folder take the place of another in one rename, from another disk too.

    Folders above are made. Nothing is left beside the target where that fails.
    """
    beside = target.with_name(f".{target.name}.new")
    remove_any(beside)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        try:
            shutil.move(draft, beside)
        except shutil.Error as error:
            # of a copy to another disk: it names what was read, and not where there is no room
            [(_, _, reason), *_] = error.args[0]
            raise OSError(f"{str(beside)!r}: {reason}") from error
        remove_any(target)
        beside.rename(target)
    finally:
        remove_any(beside)


def read_noted(path: Path) -> dict[str, Any]:
    """Return the object of a JSON file; an empty one where the file is missing or damaged."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def remove_any(path: Path) -> bool:
    """Remove a file, a folder with what is in it, or of a link the link alone; whether there was
    one.

    Raises
    ------
    OSError
        If it cannot be removed.
    """
    if not os.path.lexists(path):
        return False
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
    return True
