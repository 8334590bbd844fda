"""Figures and tables to take away: each figure as SVG and PNG, each table as HTML and LaTeX, the same bytes for the same input."""

from __future__ import annotations

from pathlib import Path

import duckdb

from .exhibit_data import ExhibitData, read_exhibit_data
from .exhibit_figures import FIGURES, save_figure
from .journal_tables import TABLES, build_table, to_html, to_latex


def write_exhibits(con: duckdb.DuckDBPyConnection, out_dir: Path | str) -> list[Path]:
    """Write ``figures/<name>.svg`` and ``.png`` and ``tables/<name>.html`` and ``.tex`` below a folder.

    Parameters
    ----------
    con : duckdb connection
        To the build or to a publication.
    out_dir : folder, made if it does not exist

    Returns
    -------
    list of Path
        In order of writing. A figure or table whose estimates lack is left out.
    """
    data = read_exhibit_data(con)
    out_dir = Path(out_dir)
    return [*_write_figures(data, out_dir / "figures"), *_write_tables(data, out_dir / "tables")]


def _write_figures(data: ExhibitData, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, draw in FIGURES.items():
        figure = draw(data)
        if figure is not None:
            written += save_figure(figure, folder, name, is_simulated=data.is_simulated)
    return written


def _write_tables(data: ExhibitData, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, layout in TABLES.items():
        table = build_table(data, layout)
        if table is None:
            continue
        for suffix, text in (("html", to_html(table)), ("tex", to_latex(table))):
            path = folder / f"{name}.{suffix}"
            path.write_text(text, encoding="utf-8", newline="\n")
            written.append(path)
    return written
