"""`python -m benchmarks.primary_test`: size and power of the candidates for the primary test on
pseudo-admissions, the rule of choice, and the tables of docs/evidence/primary-test.md; with one
candidate, its goals.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import numpy as np

from .candidates import CANDIDATES, CHANNELS, SERIES
from .race import Cell, cells, rejections

PAGE = Path(__file__).resolve().parents[2] / "docs" / "evidence" / "primary-test.md"
LEVEL = 0.05
# Power is judged by these in the newest window; S-60 is found by all, L+50 in the cycle by none.
JUDGED = {"growth": ("S-30", "S+60", "L+50", "L-50"), "cycle": ("S-30", "S+60", "L-50")}
POWER_DESIGN = "layout 2010-2023"
# Goal of the chosen candidate: the interval of each size, this sure over all, meets these.
SURE, MEETS = 0.99, (0.04, 0.06)
Counts = dict[str, dict[str, int]]


def main() -> None:
    """Parse the command line, run what is asked for, and write the table of all that was run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.primary_test", description=__doc__)
    parser.add_argument("--draws", type=int, default=2000, help="draws of each design")
    parser.add_argument("--first", type=int, default=0, help="number of the first draw")
    parser.add_argument(
        "--panel",
        type=Path,
        default=None,
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
        "--counts", type=Path, required=True, help="file that counts are added to; may exist"
    )
    parser.add_argument("--write", action="store_true", help="write the table into the page")
    chosen = parser.parse_args()
    found: Counts = json.loads(chosen.counts.read_text()) if chosen.counts.exists() else {}
    names = tuple(chosen.candidates.split(","))
    draws = range(chosen.first, chosen.first + chosen.draws)
    all_cells = list(cells(chosen.panel or _published()))
    for cell in all_cells if draws else []:
        if chosen.only not in cell.name:
            continue
        row = found.setdefault(cell.name, {})
        for key, count in rejections(cell, draws, chosen.seed, names).items():
            row[key] = row.get(key, 0) + count
            row[f"draws, {key}"] = row.get(f"draws, {key}", 0) + len(draws)
        chosen.counts.write_text(json.dumps(found, indent=1))
        print(cell.name, flush=True)
    if len(names) == 1:
        mark, text = "goals", goals(found, all_cells, names[0])
    else:
        mark = "primary test"
        text = table(found, all_cells) + "\n\n" + choice(found, all_cells)
    print(text)
    if chosen.write:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(replace_between(page, mark, text), encoding="utf-8")


def _published() -> Path | None:
    database = Path(os.environ.get("CITYSYNC_HOME", "data")) / "published" / "citysync.duckdb"
    return database if database.exists() else None


def _share(row: dict[str, int], key: str) -> float | None:
    """Share of the draws with a verdict."""
    draws = row.get(f"draws, {key}", 0) - row.get("no verdict", 0)
    return row[key] / draws if draws > 0 else None


def table(found: Counts, all_cells: list[Cell]) -> str:
    """One row a design: per cent of draws in which each candidate and channel rejects, growth /
    cycle.
    """
    names = CANDIDATES + CHANNELS
    lines = [
        "| design | draws | " + " | ".join(names) + " |",
        "| --- | --- |" + " --- |" * len(names),
    ]
    for cell in all_cells:
        row = found.get(cell.name, {})
        if _share(row, f"growth, {names[0]}") is None:
            continue
        draws = min(row[f"draws, growth, {name}"] for name in names if f"growth, {name}" in row)
        shown = [
            " / ".join(
                "-" if (share := _share(row, f"{series}, {name}")) is None else f"{100 * share:.1f}"
                for series in SERIES
            )
            for name in names
        ]
        lines.append(f"| {cell.name} | {draws} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def goals(found: Counts, all_cells: list[Cell], name: str) -> str:
    """One row a design whose size counts, of one candidate: per cent of draws in which it rejects,
    the exact interval of 99 %, corrected for the number of sizes, and whether it meets 4 to 6 %.
    """
    from scipy.stats import binomtest

    run = [
        cell
        for cell in all_cells
        if cell.is_size and _share(found.get(cell.name, {}), f"growth, {name}") is not None
    ]
    inside = 1 - (1 - SURE) / (len(SERIES) * len(run))
    lines = [
        "| design | draws | growth | interval | 4 to 6 | cycle | interval | 4 to 6 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for cell in run:
        row = found[cell.name]
        draws = row[f"draws, growth, {name}"] - row.get("no verdict", 0)
        shown = [cell.name, str(draws)]
        for series in SERIES:
            count = row[f"{series}, {name}"]
            low, high = binomtest(count, draws).proportion_ci(inside)
            meets = "yes" if low <= MEETS[1] and high >= MEETS[0] else "**no**"
            shown += [f"{100 * count / draws:.1f}", f"{100 * low:.1f} to {100 * high:.1f}", meets]
        lines.append(f"| {' | '.join(shown)} |")
    return "\n".join(lines)


def choice(found: Counts, all_cells: list[Cell]) -> str:
    """What the rule of docs/methods, section 18.8 says: per candidate the mean share found, the
    largest size, and how many sizes are rejected as 5 %.
    """
    lines = [
        "| candidate | mean share found | largest size | where | sizes rejected as 5 % |",
        "| --- | --- | --- | --- | --- |",
    ]
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
        scores[name] = (not failed, mean, -largest)
        lines.append(
            f"| {name} | {mean:.1f} | {largest:.1f} | {worst} | {failed} of {len(sizes)} |"
        )
    if scores:
        fine = {name: score[1] for name, score in scores.items() if score[0]}
        ranked = fine or {name: score[2] for name, score in scores.items()}
        lines += ["", f"The rule chooses: **{max(ranked, key=ranked.get)}**."]
    return "\n".join(lines)


def _rejected(sizes: dict[str, tuple[float, dict[str, int], str]]) -> int:
    """How many sizes an exact binomial test rejects as 5 %, Holm over the designs."""
    from scipy.stats import binomtest

    p = sorted(
        binomtest(row[key], row[f"draws, {key}"] - row.get("no verdict", 0), LEVEL).pvalue
        for _, row, key in sizes.values()
    )
    passes = [place for place, value in enumerate(p) if value > LEVEL / (len(p) - place)]
    return passes[0] if passes else len(p)


def replace_between(text: str, mark: str, table: str) -> str:
    """The page with a table put between a mark's begin and end.

    Raises
    ------
    ValueError
        If the page lacks the mark.
    """
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(
            f"{PAGE.name}: expected {begin} and {end} once each, in this order; put them back"
        )
    return (
        text[: text.index(begin) + len(begin)] + "\n\n" + table + "\n\n" + text[text.index(end) :]
    )


if __name__ == "__main__":
    main()
