"""p of the primary test and of its channels, draw by draw -> the table of
docs/evidence/primary-test.md.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from scipy.stats import binomtest

from estimation.primary.redeal import LEVEL

from .race import CHANNELS, SERIES, TEST, Cell

# Goal: the interval of each size, this sure over all, meets these.
SURE, MEETS = 0.99, (0.04, 0.06)


def rejection_table(folder: Path, cells: dict[str, Cell]) -> list[list[str]]:
    """One row a design: per cent of draws in which the test and the channels reject, growth/cycle;
    a size of the test is bold where its exact interval does not meet 4 to 6 %. The header first.
    """
    drawn = {name: _draws(folder, cell) for name, cell in cells.items()}
    run = [name for name, draws in drawn.items() if f"{SERIES[0]}, {TEST}" in draws]
    inside = 1 - (1 - SURE) / max(1, len(SERIES) * sum(cells[name].is_size for name in run))
    rows = [["design", TEST, *CHANNELS]]
    for name in run:
        row = [name]
        for what in (TEST, *CHANNELS):
            level = inside if cells[name].is_size and what == TEST else None
            row.append("/".join(_share(drawn[name], f"{s}, {what}", level) for s in SERIES))
        rows.append(row)
    return rows


def _draws(folder: Path, cell: Cell) -> dict[str, pd.Series]:
    """p of each draw with a verdict, by series and name; sizes have draws of their own."""
    found: dict[str, pd.Series] = {}
    for kind in ("primary", "size"):
        path = folder / f"{kind}_{cell.name}.csv"
        if path.exists():
            draws = pd.read_csv(path).drop(columns="draw")
            found |= {name: draws[name].dropna() for name in draws}
    return found


def _share(draws: dict[str, pd.Series], key: str, inside: float | None) -> str:
    """Per cent of the draws with a verdict."""
    if key not in draws:
        return "-"
    count, n_draws = int((draws[key] <= LEVEL).sum()), len(draws[key])
    share = f"{100 * count / n_draws:.1f}"
    if inside is None:
        return share
    low, high = binomtest(count, n_draws).proportion_ci(inside)
    return share if low <= MEETS[1] and high >= MEETS[0] else f"**{share}**"
