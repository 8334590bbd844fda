"""`python -m benchmarks.primary_test`: size and power of the primary test and of its channels on
pseudo-admissions, the table of docs/evidence/primary-test.md.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from scipy.stats import binomtest

from benchmarks.page import markdown, write_between

from .race import CHANNELS, SERIES, TEST, Cell, cells, rejections

PAGE = Path(__file__).resolve().parents[2] / "docs" / "evidence" / "primary-test.md"
# Goal: the interval of each size, this sure over all, meets these.
SURE, MEETS = 0.99, (0.04, 0.06)
Counts = dict[str, dict[str, int]]


def main() -> None:
    """Parse the command line, run what is asked for, and write the table of all that was run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.primary_test", description=__doc__)
    parser.add_argument("--draws", type=int, default=2000, help="draws of each design")
    parser.add_argument(
        "--panel",
        type=Path,
        help="published warehouse of delivered files; without it simulated designs alone",
    )
    parser.add_argument("--seed", type=int, default=20261127)
    parser.add_argument("--only", default="", help="designs whose name holds this")
    parser.add_argument(
        "--sizes", action="store_true", help="the test alone, in the designs without an effect"
    )
    parser.add_argument(
        "--counts", type=Path, required=True, help="file that holds the counts; may exist"
    )
    parser.add_argument("--write", action="store_true", help="write the table into the page")
    chosen = parser.parse_args()
    found: Counts = json.loads(chosen.counts.read_text()) if chosen.counts.exists() else {}
    all_cells = list(cells(chosen.panel))
    for cell in all_cells:
        if chosen.draws and chosen.only in cell.name and (cell.is_size or not chosen.sizes):
            names = (TEST,) if chosen.sizes else (TEST, *CHANNELS)
            counted = rejections(cell, range(chosen.draws), chosen.seed, names)
            found[cell.name] = found.get(cell.name, {}) | counted
            chosen.counts.write_text(json.dumps(found, indent=1))
            print(cell.name, flush=True)
    text = table(found, all_cells)
    print(text)
    if chosen.write:
        write_between(PAGE, "measured", text)


def table(found: Counts, all_cells: list[Cell]) -> str:
    """One row a design: per cent of draws in which the test and the channels reject, growth/cycle;
    a size of the test is bold where its exact interval does not meet 4 to 6 %.
    """
    judged = f"draws, {SERIES[0]}, {TEST}"
    run = [cell for cell in all_cells if found.get(cell.name, {}).get(judged)]
    inside = 1 - (1 - SURE) / max(1, len(SERIES) * sum(cell.is_size for cell in run))
    rows = [("design", TEST, *CHANNELS)]
    for cell in run:
        row = [cell.name]
        for name in (TEST, *CHANNELS):
            level = inside if cell.is_size and name == TEST else None
            shares = (_share(found[cell.name], f"{series}, {name}", level) for series in SERIES)
            row.append("/".join(shares))
        rows.append(tuple(row))
    return markdown(rows)


def _share(row: dict[str, int], key: str, inside: float | None) -> str:
    """Per cent of the draws with a verdict."""
    draws = row.get(f"draws, {key}", 0)
    if draws == 0:
        return "-"
    share = f"{100 * row[key] / draws:.1f}"
    if inside is None:
        return share
    low, high = binomtest(row[key], draws).proportion_ci(inside)
    return share if low <= MEETS[1] and high >= MEETS[0] else f"**{share}**"


if __name__ == "__main__":
    main()
