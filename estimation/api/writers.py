"""A table of regressions into files; every label and cell is data, never markup or a formula."""

from __future__ import annotations

import html
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ..csv_files import csv_text
from ..panel.frames import as_frame
from ..panel.panel_error import need

if TYPE_CHECKING:
    from .tables import Table

_TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "†": r"\textsuperscript{\dag}",
}


def headed(table: Table) -> list[tuple[str, ...]]:
    """The two lines of the head: numbers and headers."""
    return [("", *(f"({k})" for k in range(1, len(table.headers) + 1))), ("", *table.headers)]


def to_markdown(table: Table) -> str:
    """The table for Markdown."""
    lines = [*headed(table), *((label, *cells) for label, cells in table.rows)]
    lines = [
        tuple(cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ") for cell in line)
        for line in lines
    ]
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    text = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    ]
    rule = (
        "| "
        + " | ".join(
            "-" * (width - 1) + (":" if k else "-")
            for k, width in enumerate(max(w, 3) for w in widths)
        )
        + " |"
    )
    title = [f"**{table.title}**", ""] if table.title else []
    return "\n".join([*title, text[0], rule, *text[1:], "", *table.notes]) + "\n"


def to_latex(table: Table) -> str:
    """The table for LaTeX, with booktabs."""
    lines = ["% needs \\usepackage{booktabs}", "\\begin{table}[htbp]", "\\centering"]
    lines += [f"\\caption{{{_tex(table.title)}}}"] if table.title else []
    lines += [f"\\begin{{tabular}}{{l{'c' * len(table.headers)}}}", "\\toprule"]
    lines += [_tex_row(cells) for cells in headed(table)]
    lines.append("\\midrule")
    for k, (label, cells) in enumerate(table.rows):
        if k == table.first_of_foot and k:
            lines.append("\\midrule")
        lines.append(_tex_row((label, *cells)))
    notes = _tex(" ".join(table.notes))
    lines += [
        "\\bottomrule",
        "\\end{tabular}",
        "",
        f"\\parbox{{\\linewidth}}{{\\footnotesize {notes}}}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _tex_row(cells: tuple[str, ...]) -> str:
    # a cell that begins with a bracket would be an argument of the line break above
    return (
        " & ".join(f"{{{_tex(cell)}}}" if cell.startswith("[") else _tex(cell) for cell in cells)
        + " \\\\"
    )


def _tex(text: str) -> str:
    return "".join(_TEX.get(c, f"\\{c}" if c in "&%$#_{}" else c) for c in text)


def to_html(table: Table) -> str:
    """The table for a page, by great_tables."""
    try:
        import great_tables as gt
    except ImportError as error:
        raise need("great-tables", "tables", "a table in HTML") from error
    columns = {" ": [label for label, _ in table.rows]}
    columns |= {f"c{k}": [cells[k] for _, cells in table.rows] for k in range(len(table.headers))}
    # great_tables escapes cells itself, and takes what `html` marks as it stands
    heads = {
        f"c{k}": gt.html(f"({k + 1})<br>{_escape(name)}") for k, name in enumerate(table.headers)
    }
    with warnings.catch_warnings():
        # great_tables calls its Arrow support experimental; texts are all it is given
        warnings.simplefilter("ignore", UserWarning)
        return _render(gt, table, columns, heads)


def _render(gt: ModuleType, table: Table, columns: dict[str, list[str]], heads: dict) -> str:
    shown = (
        gt.GT(as_frame(columns), id="etable")
        .cols_label(**heads)
        .cols_align("center", columns=list(heads))
    )
    if table.title:
        shown = shown.tab_header(title=gt.html(_escape(table.title)))
    for note in table.notes:
        shown = shown.tab_source_note(gt.html(_escape(note)))
    if 0 < table.first_of_foot < len(table.rows):
        rule = gt.style.borders(sides="top", color="#444444", weight="1px")
        shown = shown.tab_style(rule, gt.loc.body(rows=[table.first_of_foot]))
    return shown.as_raw_html()


def _escape(text: str) -> str:
    return html.escape(text).replace("\n", " ")


def write_docx(table: Table, path: Path) -> None:
    """The table as a document of Word, by python-docx."""
    try:
        from docx import Document
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Pt
    except ImportError as error:
        raise need("python-docx", "tables", "a table in .docx") from error
    document = Document()
    if table.title:
        document.add_paragraph(table.title).runs[0].bold = True
    lines = [*headed(table), *((label, *cells) for label, cells in table.rows)]
    grid = document.add_table(rows=len(lines), cols=len(lines[0]))
    for k, line in enumerate(lines):
        for c, text in enumerate(line):
            paragraph = grid.cell(k, c).paragraphs[0]
            paragraph.add_run(text).font.size = Pt(10)
            paragraph.paragraph_format.space_after = Pt(0)
            if c:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for k, edge in (
        (0, "top"),
        (1, "bottom"),
        (1 + table.first_of_foot, "bottom"),
        (len(lines) - 1, "bottom"),
    ):
        for cell in grid.rows[k].cells:
            _rule(cell, edge)
    for note in table.notes:
        document.add_paragraph().add_run(note).font.size = Pt(8)
    document.save(path)


def _rule(cell, edge: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    properties = cell._tc.get_or_add_tcPr()
    borders = properties.find(qn("w:tcBorders"))
    if borders is None:
        borders = OxmlElement("w:tcBorders")
        properties.append(borders)
    line = OxmlElement(f"w:{edge}")
    for name, value in (("val", "single"), ("sz", "6"), ("color", "000000")):
        line.set(qn(f"w:{name}"), value)
    borders.append(line)


def write_csv(table: Table, path: Path) -> None:
    """The table for a spreadsheet."""
    first, *rest = headed(table)
    rows = (
        *rest,
        *((label, *cells) for label, cells in table.rows),
        *((note,) for note in table.notes),
    )
    path.write_text(csv_text(first, rows), encoding="utf-8", newline="")


def _write_text(render: Callable[[Table], str]) -> Callable[[Table, Path], None]:
    return lambda table, path: path.write_text(render(table), encoding="utf-8") and None


WRITERS: dict[str, Callable] = {
    ".docx": write_docx,
    ".tex": _write_text(to_latex),
    ".html": _write_text(
        lambda table: f'<!doctype html>\n<meta charset="utf-8">\n{to_html(table)}\n'
    ),
    ".md": _write_text(to_markdown),
    ".csv": write_csv,
}
