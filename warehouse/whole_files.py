"""Files that a reader sees whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def write_whole(target: Path) -> Iterator[Path]:
    """A temporary path beside `target` to write to; on leaving without an error it takes the place of `target` in one rename.

    Folders above are made. Whatever interrupts the writing, nothing is left beside an old file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
