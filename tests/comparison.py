"""Two publications up to rounding, with the largest difference of every table. Each is a folder as
`published/` leads to.
"""

from pathlib import Path

import numpy as np
import pandas as pd

TOLERANCE = 1e-12
# a hash of values differs where any of their last bits does; the values themselves are compared
OF_BITS = "panel_hash"


def compare_publications(first: Path, second: Path) -> dict[str, float | str]:
    """Return the largest difference of every table (relative where the first value is above 1), or
    a sentence where anything but numbers differs; tables of `meta` are those of the run itself.
    """
    names: dict[str, None] = {}
    for folder in (first, second):
        tables = sorted(folder.glob("parquet/*/*"))
        names |= dict.fromkeys(path.relative_to(folder).as_posix() for path in tables)
    return {
        name: compare_tables(first / name, second / name)
        for name in names
        if not name.startswith("parquet/meta/")
    }


def compare_tables(first: Path, second: Path) -> float | str:
    """Compare two tables, rows in the order of all but numbers, then of numbers to six digits."""
    if not (first.exists() and second.exists()):
        return "is in one of the two alone"
    frames = []
    for path in (first, second):
        frame = pd.read_parquet(path).drop(columns=OF_BITS, errors="ignore")
        floats = frame.select_dtypes("floating").columns
        keys = frame.drop(columns=floats).astype(str).join(frame[floats].round(6))
        order = keys.sort_values([*keys.columns]).index
        frames.append(frame.loc[order].reset_index(drop=True))
    one, two = frames
    if list(one) != list(two) or len(one) != len(two):
        return f"columns or rows differ: {one.shape}, {two.shape}"
    others = one.drop(columns=floats).astype(str).compare(two.drop(columns=floats).astype(str))
    if len(others):
        return f"values differ: {sorted({*others.columns.get_level_values(0)})}"
    a, b = (frame[floats].to_numpy(dtype=float) for frame in frames)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        gap = np.where(same, 0.0, np.abs(a - b) / np.maximum(1, np.abs(a)))
    # what is no number, or infinite, in one of the two alone
    return float(np.nan_to_num(gap, nan=np.inf).max(initial=0.0))
