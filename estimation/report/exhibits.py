"""Figures and tables to take away: figures as SVG and PNG, tables as HTML, LaTeX, Word and CSV, the
same bytes for the same input.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from ..csv_files import csv_text
from .data import ReportData, read_report_data
from .docx_tables import write_docx
from .exhibit_data import ExhibitData, read_exhibit_data
from .exhibit_figures import FIGURES, save_figure
from .journal_tables import TABLES, JournalTable, build_table, to_html, to_latex, to_rows
from .language import Words


def write_exhibits(con: duckdb.DuckDBPyConnection, out_dir: Path | str) -> list[Path]:
    """Write ``figures/<name>`` as .svg and .png and ``tables/<name>`` as .html, .tex, .docx and
    .csv below a folder.

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
    out_dir = Path(out_dir)
    return [
        *_write_figures(read_exhibit_data(con), out_dir / "figures"),
        *_write_tables(read_report_data(con), out_dir / "tables"),
    ]


def _write_figures(data: ExhibitData, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, draw in FIGURES.items():
        figure = draw(data)
        if figure is not None:
            written += save_figure(figure, folder, name, is_simulated=data.is_simulated)
    return written


def _write_tables(data: ReportData, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in TABLES:
        table = build_table(data, Words("en"), name)
        if table is not None:
            written += _write_table(table, folder / name)
    return written


def _write_table(table: JournalTable, stem: Path) -> list[Path]:
    texts = {".html": to_html(table), ".tex": to_latex(table)}
    for suffix, text in texts.items():
        stem.with_suffix(suffix).write_text(text, encoding="utf-8", newline="\n")
    header, *rows = to_rows(table)
    stem.with_suffix(".csv").write_text(csv_text(header, rows), encoding="utf-8", newline="")
    write_docx(table, stem.with_suffix(".docx"))
    return [stem.with_suffix(suffix) for suffix in (*texts, ".csv", ".docx")]
