"""Draws of a simulation: what is asked for, in processes, and kept in a file with what they were
made with.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd

CHUNK = 50


def in_processes(
    draw: Callable[[range], list[dict]], seeds: range, processes: int = 1
) -> pd.DataFrame:
    """Rows of all seeds, in their order whatever the number of processes."""
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    if processes == 1:
        parts = [draw(chunk) for chunk in chunks]
    else:
        with ProcessPoolExecutor(processes) as pool:
            parts = list(pool.map(draw, chunks))
    return pd.DataFrame([row for part in parts for row in part])


def keep(
    rows: Path, made_with: str, draw: Callable[[], pd.DataFrame], say: Callable[[], None]
) -> None:
    """Draw rows and write them, unless they lie there, made with the same."""
    settings = rows.with_suffix(".json")
    if rows.exists() and settings.exists() and settings.read_text(encoding="utf-8") == made_with:
        return
    say()
    rows.parent.mkdir(parents=True, exist_ok=True)
    unfinished = rows.with_suffix(".partial")
    draw().to_csv(unfinished, index=False, float_format="%.10g")
    os.replace(unfinished, rows)
    settings.write_text(made_with, encoding="utf-8")
