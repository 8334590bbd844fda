"""`make simulation-study`: run what is missing, then write the tables into docs/methods.md and the figure beside it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from benchmarks.simulation_study import summary
from benchmarks.simulation_study.figure import draw_sizes
from benchmarks.simulation_study.grid import cells
from benchmarks.simulation_study.placebo import run_placebos
from benchmarks.simulation_study.run import run_cells

REPOSITORY = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- simulation study: begin -->", "<!-- simulation study: end -->"
SECTIONS = (
    ("Size: rejections of a true null at nominal 5 %, in per cent (Monte-Carlo error)", summary.size_table),
    ("Other estimators, province-correlated shocks, no effect", summary.estimator_table),
    ("Bias and coverage under an effect that differs between cities", summary.coverage_table),
    ("Power of the default line, in per cent", summary.power_table),
    ("Pseudo-pilots on the real panel, all pairs, official growth 2010-2019", summary.placebo_table),
)


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="make simulation-study", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the number of draws (0.01 for a trial)")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only-tables", action="store_true", help="write the tables from the cells that are there")
    chosen = parser.parse_args()
    home = Path(os.environ.get("CITYSYNC_HOME", "data"))
    folder = home / "simulation_study"
    if not chosen.only_tables:
        run_cells(cells(chosen.scale), folder, processes=chosen.processes, say=_say)
        _placebos(home, folder, chosen.scale)
    write_tables(folder, REPOSITORY / "docs" / "methods.md", REPOSITORY / "docs" / "images" / "simulation_size.svg")


def _say(line: str) -> None:
    print(line, flush=True)


def _placebos(home: Path, folder: Path, scale: float) -> None:
    database = home / "published" / "citysync.duckdb"
    if not database.exists():
        _say(f"placebo pilots skipped: {database} is not there; make refresh LANDING=<delivered files> publishes it")
        return
    run_placebos(database, folder, n_draws=max(20, int(2000 * scale)), permuted_draws=max(20, int(1000 * scale)), say=_say)


def write_tables(folder: Path, page: Path, picture: Path) -> None:
    """Replace what stands between the two marks of the page, and the figure.

    Raises
    ------
    ValueError
        If the page lacks a mark.
    """
    text = page.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise ValueError(f"{page}: expected the lines {BEGIN} and {END}, between which the tables stand")
    tables = [(title, table(folder)) for title, table in SECTIONS]
    body = "\n\n".join(f"### {title}\n\n{summary.markdown(rows)}" for title, rows in tables if len(rows) > 1)
    head, rest = text.split(BEGIN)
    page.write_text(f"{head}{BEGIN}\n\n{body}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")
    draw_sizes(folder, picture)


if __name__ == "__main__":
    main()
