"""`citysync simulation-study`: run what is missing, then write the tables of
docs/evidence/simulation-study.md and docs/evidence/primary-test.md.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.draws import in_processes, keep
from benchmarks.page import markdown, write_between
from benchmarks.primary_test import race
from benchmarks.primary_test.summary import rejection_table
from benchmarks.simulation_study import placebo, run, selection, summary
from benchmarks.simulation_study.grid import cells
from warehouse.hashing import code_files, hash_named_files

REPO = Path(__file__).resolve().parents[2]
PAGES = REPO / "docs" / "evidence"
# What draws depend on besides the estimators.
CODE = ("benchmarks/simulation_study", "benchmarks/primary_test")
FEWEST = 20


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
        help="draws whose name holds this, such as 254_twfe, selection or size_; prints tables",
    )
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    home = Path(os.environ.get("CITYSYNC_HOME", "data"))
    published, folder = home / "published" / "citysync.duckdb", home / "simulation_study"
    database = published if published.exists() else None
    if database is None:
        print(
            f"designs on delivered growth skipped: {published} is not there; make refresh "
            "LANDING=<delivered files> publishes it",
            flush=True,
        )
    panel = published.stat().st_mtime_ns if database else None
    code = hash_named_files(REPO, code_files(REPO, CODE))
    for name, n_draws, draw in jobs(database):
        n_scaled = max(FEWEST, int(n_draws * chosen.scale))
        if chosen.only in name:
            keep(
                folder / f"{name}.csv",
                f"{n_scaled} {panel} {code}",
                partial(in_processes, draw, range(n_scaled), chosen.processes),
                partial(print, f"{name}: {n_scaled} draws", flush=True),
            )
    of_test = {"measured": rejection_table(folder, race.cells_of(database))}
    of_study = summary.tables(folder, selection.designs_of(database))
    for page, tables in (("primary-test.md", of_test), ("simulation-study.md", of_study)):
        for mark, rows in tables.items():
            print(f"{mark}\n{markdown(rows)}", flush=True)
            if chosen.scale == 1 and not chosen.only and database:
                write_between(PAGES / page, mark, markdown(rows))


def jobs(database: Path | None) -> Iterator[tuple[str, int, Callable[[range], list[dict]]]]:
    """Name, number of draws and what draws seeds, of all that the tables need."""
    for cell in cells():
        yield cell.name, cell.n_draws, partial(run.draw_chunk, cell)
    for layout in placebo.LAYOUTS if database else ():
        draw = partial(placebo.draw_chunk, database, layout)
        yield f"placebo_{layout}", placebo.DRAWS, draw
    for name in selection.designs_of(database):
        draw = partial(selection.draw_chunk, database, name)
        yield f"selection_{name}", selection.DRAWS, draw
    for name, cell in race.cells_of(database).items():
        draw = partial(race.draw_chunk, database, name, (race.TEST, *race.CHANNELS), race.SEED)
        yield f"primary_{name}", race.DRAWS, draw
        if cell.is_size:
            draw = partial(race.draw_chunk, database, name, (race.TEST,), race.SIZE_SEED)
            yield f"size_{name}", race.SIZE_DRAWS, draw


if __name__ == "__main__":
    main()
