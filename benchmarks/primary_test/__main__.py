"""`python -m benchmarks.primary_test`: size and power of the candidates for the primary test on
pseudo-admissions, the rule of choice, and the tables of docs/evidence/primary-test.md; with one
candidate, its goals.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from benchmarks.page import markdown, write_between

from .candidates import CANDIDATES, CHANNELS, SERIES
from .race import Cell, cells, rejections

PAGE = Path(__file__).resolve().parents[2] / "docs" / "evidence" / "primary-test.md"
LEVEL = 0.05
# Power is judged by these in the newest window; S-60 is found by all, L+50 in the cycle by none.
JUDGED = {"growth": ("S-30", "S+60", "L+50", "L-50"), "cycle": ("S-30", "S+60", "L-50")}
POWER_DESIGN = "layout 2010-2023"
# Goal of the chosen candidate: the interval of each size, this sure over all, meets these.
SURE, MEETS = 0.99, (0.04, 0.06)
# Those of which the page shows every design; of the others it shows what decides.
SHOWN = ("two-way", "imputation", *CHANNELS)
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
        "--candidates",
        default=",".join(CANDIDATES + CHANNELS),
        help="names by comma; one alone is held against the goals",
    )
    parser.add_argument(
        "--counts", type=Path, required=True, help="file that holds the counts; may exist"
    )
    parser.add_argument("--write", action="store_true", help="write the table into the page")
    chosen = parser.parse_args()
    found: Counts = json.loads(chosen.counts.read_text()) if chosen.counts.exists() else {}
    names, all_cells = tuple(chosen.candidates.split(",")), list(cells(chosen.panel))
    for cell in all_cells:
        if chosen.draws and chosen.only in cell.name:
            counted = rejections(cell, range(chosen.draws), chosen.seed, names)
            draws = {f"draws, {key}": chosen.draws for key in counted}
            found[cell.name] = found.get(cell.name, {}) | counted | draws
            chosen.counts.write_text(json.dumps(found, indent=1))
            print(cell.name, flush=True)
    if len(names) == 1:
        mark, text = "goals", goals(found, all_cells, names[0])
    else:
        mark, text = "primary test", f"{table(found, all_cells)}\n\n{choice(found, all_cells)}"
    print(text)
    if chosen.write:
        write_between(PAGE, mark, text)


def _share(row: dict[str, int], key: str) -> float | None:
    """Share of the draws with a verdict."""
    draws = _draws(row, key)
    return row[key] / draws if draws > 0 else None


def _draws(row: dict[str, int], key: str) -> int:
    return row.get(f"draws, {key}", 0) - row.get("no verdict", 0)


def table(found: Counts, all_cells: list[Cell]) -> str:
    """One row a design: per cent of draws in which candidates and channels reject, growth/cycle."""
    rows = [("design", *SHOWN)]
    for cell in all_cells:
        row = found.get(cell.name, {})
        shares = [[_share(row, f"{series}, {name}") for series in SERIES] for name in SHOWN]
        if shares[0][0] is not None:
            shown = ("/".join(f"{100 * share:.1f}" for share in pair) for pair in shares)
            rows.append((cell.name, *shown))
    return markdown(rows)


def goals(found: Counts, all_cells: list[Cell], name: str) -> str:
    """One row a design whose size counts, of one candidate: per cent of draws in which it rejects,
    with the exact interval of 99 %, corrected for the number of sizes; bold where it does not meet
    4 to 6 %.
    """
    from scipy.stats import binomtest

    run = [
        cell for cell in all_cells if cell.is_size and f"growth, {name}" in found.get(cell.name, {})
    ]
    inside = 1 - (1 - SURE) / (len(SERIES) * len(run))
    rows = [("design", *SERIES)]
    for cell in run:
        row, shown = found[cell.name], []
        for series in SERIES:
            count, draws = row[f"{series}, {name}"], _draws(row, f"{series}, {name}")
            low, high = binomtest(count, draws).proportion_ci(inside)
            text = f"{100 * count / draws:.1f} ({100 * low:.1f}-{100 * high:.1f})"
            shown.append(text if low <= MEETS[1] and high >= MEETS[0] else f"**{text}**")
        rows.append((cell.name, *shown))
    return markdown(rows)


def choice(found: Counts, all_cells: list[Cell]) -> str:
    """What the rule of docs/methods, section 18.8 says: per candidate the mean share found, the
    largest size, and how many sizes are rejected as 5 %.
    """
    rows = [("candidate", "mean share found", "largest size", "where", "sizes rejected as 5 %")]
    scores: dict[str, tuple[bool, float, float]] = {}
    for name in CANDIDATES:
        power = [
            _share(found.get(f"{POWER_DESIGN} {kind}", {}), f"{series}, {name}")
            for series, kinds in JUDGED.items()
            for kind in kinds
        ]
        sizes = {
            f"{cell.name} ({series})": (share, found[cell.name], f"{series}, {name}")
            for cell in all_cells
            if cell.is_size and cell.name in found
            for series in SERIES
            if (share := _share(found[cell.name], f"{series}, {name}")) is not None
        }
        if not sizes or None in power:
            continue
        failed, worst = _rejected(sizes), max(sizes, key=lambda design: sizes[design][0])
        mean, largest = 100 * float(np.mean(power)), 100 * sizes[worst][0]
        scores[name] = (not failed, mean if not failed else 0.0, -largest)
        rows.append((name, f"{mean:.1f}", f"{largest:.1f}", worst, f"{failed} of {len(sizes)}"))
    if not scores:
        return ""
    return f"{markdown(rows)}\n\nThe rule chooses: **{max(scores, key=scores.get)}**."


def _rejected(sizes: dict[str, tuple[float, dict[str, int], str]]) -> int:
    """How many sizes an exact binomial test rejects as 5 %, Holm over the designs."""
    from scipy.stats import binomtest

    p = sorted(
        binomtest(row[key], _draws(row, key), LEVEL).pvalue for _, row, key in sizes.values()
    )
    passes = [place for place, value in enumerate(p) if value > LEVEL / (len(p) - place)]
    return passes[0] if passes else len(p)


if __name__ == "__main__":
    main()
