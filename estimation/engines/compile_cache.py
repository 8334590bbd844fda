"""Find the folder that keeps compiled loops between runs."""

from __future__ import annotations

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
# under its other name the package is installed, and the folder above it is not ours to write into
IS_INSTALLED = __name__.split(".", maxsplit=1)[0] != "estimation"


def use_compile_cache() -> None:
    """Point numba's cache to `cache_folder` unless a place is set; without a writable place nothing
    is kept.
    """
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        # no home, or none that can be written to
        return
    if os.access(folder, os.W_OK):
        os.environ["NUMBA_CACHE_DIR"] = str(folder)


def cache_folder() -> Path:
    """Return a folder in CITYSYNC_HOME, else in `data/` of the checkout, else in the user's
    cache.
    """
    if os.environ.get("CITYSYNC_HOME") or not IS_INSTALLED:
        return (
            Path(os.environ.get("CITYSYNC_HOME") or CHECKOUT / "data").absolute()
            / "cache"
            / "numba"
        )
    return (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute()
        / "citysync"
        / "numba"
    )


def is_compiled() -> bool:
    """Return whether loops were kept, so that a permutation starts at once."""
    folder = os.environ.get("NUMBA_CACHE_DIR")
    return bool(folder) and next(Path(folder).rglob("*.nbi"), None) is not None
