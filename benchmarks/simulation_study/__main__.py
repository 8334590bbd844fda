"""`citysync simulation-study`: run what is missing, then write the tables of
docs/evidence/simulation-study.md.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from benchmarks.page import markdown, write_between
from benchmarks.simulation_study import summary
from benchmarks.simulation_study.grid import PERMUTATIONS, cells
from benchmarks.simulation_study.placebo import LAYOUTS, run_placebos
from benchmarks.simulation_study.run import run_cells
from benchmarks.simulation_study.selection import run_selection

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "evidence" / "simulation-study.md"
SELECTION_DRAWS, SELECTION_PERMUTATIONS = 400, 199
# mark on the page, rows
TABLES = {
    "two-way": summary.two_way_table,
    "placebos": summary.placebo_table,
    "estimators": summary.estimator_table,
    "selection": summary.selection_table,
}


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="citysync simulation-study", description=__doc__)
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
    chosen = parser.parse_args()
    home = Path(os.environ.get("CITYSYNC_HOME", "data"))
    folder = home / "simulation_study"
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
    write_tables(folder, PAGE if chosen.scale == 1 else None)


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


def write_tables(folder: Path, page: Path | None) -> None:
    """Print the tables; those of which every cell was run are written into the page, too.

    Raises
    ------
    ValueError
        If the page lacks a mark between which a table stands.
    """
    for mark, table in TABLES.items():
        rows = table(folder)
        _say(f"{mark}\n{markdown(rows)}")
        if page and is_whole(mark, folder):
            write_between(page, mark, markdown(rows))


def is_whole(mark: str, folder: Path) -> bool:
    """Whether every cell of a table was run."""
    if mark == "selection":
        # designs are run all or none; those on delivered growth need a publication of it
        return any(folder.glob("selection_by_GDP_*.csv"))
    if mark == "placebos":
        return all((folder / f"placebo_{layout}.csv").exists() for layout in LAYOUTS)
    wanted = [cell.name for cell in cells() if cell.estimator == "twfe" or mark == "estimators"]
    return all((folder / f"{name}.csv").exists() for name in wanted)


if __name__ == "__main__":
    main()
