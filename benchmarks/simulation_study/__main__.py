"""`make simulation-study`: run what is missing, then write the tables of
docs/evidence/simulation-study.md and their picture.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from benchmarks.simulation_study import summary
from benchmarks.simulation_study.figure import draw_sizes
from benchmarks.simulation_study.grid import PERMUTATIONS, cells
from benchmarks.simulation_study.page import markdown, merge_rows, read_tables, write_page
from benchmarks.simulation_study.placebo import run_placebos
from benchmarks.simulation_study.run import run_cells
from benchmarks.simulation_study.selection import run_selection

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, PICTURE = DOCS / "evidence" / "simulation-study.md", DOCS / "images" / "simulation_size.svg"
SELECTION_DRAWS, SELECTION_PERMUTATIONS = 400, 199
# title, rows, and how many cells of a row say what was run
SECTIONS = (
    (
        "Size: rejections of a true null at nominal 5 %, in per cent (Monte-Carlo error)",
        summary.size_table,
        2,
    ),
    ("Other estimators, province-correlated shocks, no effect", summary.estimator_table, 3),
    ("Bias and coverage under an effect that differs between cities", summary.coverage_table, 2),
    ("Power of the default line, in per cent", summary.power_table, 2),
    (
        "Pseudo-pilots on the real panel, all pairs, official growth 2010-2019",
        summary.placebo_table,
        1,
    ),
    (
        (
            "Selection designs: rejections of a true null at nominal 5 %, in per cent (Monte-Carlo "
            "error)"
        ),
        summary.selection_table,
        1,
    ),
    (
        "Warnings: economies without effect in which each is given, in per cent",
        summary.warning_table,
        1,
    ),
)


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="make simulation-study", description=__doc__)
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="multiplies the draws (0.01 for a trial, which prints its tables)",
    )
    parser.add_argument(
        "--only",
        default="",
        help=(
            "cells whose name holds this, such as 254_twfe; `placebo` or `selection` for those "
            "alone"
        ),
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--only-tables", action="store_true", help="write the tables from the cells that are there"
    )
    chosen = parser.parse_args()
    home = Path(os.environ.get("CITYSYNC_HOME", "data"))
    folder = home / "simulation_study"
    if not chosen.only_tables:
        run_cells(
            [cell for cell in cells(chosen.scale) if chosen.only in cell.name],
            folder,
            processes=chosen.processes,
            say=_say,
        )
        if chosen.only in "placebo":
            _placebos(home, folder, chosen.scale)
        if chosen.only in "selection":
            _selection(home, folder, chosen.scale, chosen.processes)
    if chosen.scale == 1:
        write_tables(folder, PAGE, PICTURE)
    else:
        _say(
            "\n\n".join(
                f"{title}\n{markdown(table(folder))}"
                for title, table, _ in SECTIONS
                if len(table(folder)) > 1
            )
        )


def _say(line: str) -> None:
    print(line, flush=True)


def _placebos(home: Path, folder: Path, scale: float) -> None:
    database = home / "published" / "citysync.duckdb"
    if not database.exists():
        _say(
            f"placebo pilots skipped: {database} is not there; make refresh LANDING=<delivered "
            "files> publishes it"
        )
        return
    run_placebos(
        database, folder, n_draws=max(20, int(2000 * scale)), permutations=PERMUTATIONS, say=_say
    )


def _selection(home: Path, folder: Path, scale: float, processes: int) -> None:
    database = home / "published" / "citysync.duckdb"
    if not database.exists():
        _say(
            f"selection designs on delivered growth skipped: {database} is not there; simulated "
            "ones alone"
        )
    draws = max(20, int(SELECTION_DRAWS * scale))
    panel = database if database.exists() else None
    run_selection(
        panel,
        folder,
        n_draws=draws,
        permutations=SELECTION_PERMUTATIONS,
        processes=processes,
        say=_say,
    )


def write_tables(folder: Path, page: Path, picture: Path) -> None:
    """Put the figures of the cells that are there into the page's tables and draw the sizes;
    figures of other cells stand.

    Raises
    ------
    ValueError
        If the page lacks a mark between which the tables stand.
    """
    text = page.read_text(encoding="utf-8")
    before = read_tables(text)
    tables = {
        title: merge_rows(before.get(title, []), table(folder), n_keys)
        for title, table, n_keys in SECTIONS
    }
    page.write_text(write_page(text, tables), encoding="utf-8")
    draw_sizes(tables[SECTIONS[0][0]], picture)


if __name__ == "__main__":
    main()
