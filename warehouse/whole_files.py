"""Write files that a reader sees whole or not at all, read small JSON files, and remove whatever
has a path.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
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
            # a library that writes the file leaves out its name; an error without a number has a
            # message of its own
            error.filename = str(target)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def move_whole(draft: Path, target: Path) -> None:
    """Move a folder to `target`, from another disk too, and remove what was there.

    It is copied whole next to the target first, so the target is missing only between its removal
    and one rename. Folders above are made. If this fails, no copy is left there.
    """
    beside = target.with_name(f".{target.name}.new")
    remove_any(beside)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        try:
            shutil.move(draft, beside)
        except shutil.Error as error:
            # a copy to another disk failed: its message names the file that was read, not the disk
            # that is full
            [(_, _, reason), *_] = error.args[0]
            raise OSError(f"{str(beside)!r}: {reason}") from error
        remove_any(target)
        beside.rename(target)
    finally:
        remove_any(beside)


def write_text(target: Path, text: str) -> None:
    """Write a file of text, whole or not at all."""
    with write_whole(target) as draft:
        draft.write_text(text, encoding="utf-8")


def write_noted(target: Path, content: Mapping[str, Any]) -> None:
    """Write an object as a JSON file, which `read_noted` returns."""
    write_text(target, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


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
