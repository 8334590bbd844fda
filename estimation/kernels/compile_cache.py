"""Where compiled loops are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]


def use_compile_cache() -> None:
    """Point numba's cache into CITYSYNC_HOME (`data/` of the checkout) unless a place is set; without a writable place nothing is kept."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    folder = Path(os.environ.get("CITYSYNC_HOME") or REPO / "data").absolute() / "cache" / "numba"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if os.access(folder, os.W_OK):
        os.environ["NUMBA_CACHE_DIR"] = str(folder)
