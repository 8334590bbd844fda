"""Where numba keeps the compiled loops of this folder: under the hash of their sources, or nowhere.

numba compiles the functions that a loop calls into the loop, but sees a change only in the loop's
own file. With one folder for each state of the sources no run takes a loop that was compiled from
others.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import numba

from ..linear import normal_equations as constants
from .compile_cache import use_compile_cache

# whoever comes to the loops first, by whatever door
use_compile_cache()
# without a folder of our own numba would write beside the sources
CACHE = bool(os.environ.get("NUMBA_CACHE_DIR"))


# what goes into compiled loops: the files of this folder, and the one whose constants they take
SOURCES = (*sorted(Path(__file__).parent.glob("*.py")), Path(constants.__file__))


def hash_sources(files: Iterable[Path] = SOURCES) -> str:
    """Hash of the files' bytes, of 16 hexadecimal digits."""
    return hashlib.sha256(
        b"".join(hashlib.sha256(path.read_bytes()).digest() for path in files)
    ).hexdigest()[:16]


if CACHE:
    # numba may have been imported before the folder was named
    numba.config.CACHE_DIR = os.path.join(os.environ["NUMBA_CACHE_DIR"], hash_sources())
