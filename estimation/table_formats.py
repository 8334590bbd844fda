"""A table of regressions and its files; every label and cell is data, never markup or a formula."""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .csv_files import csv_text
from .panel.panel_error import need, require_file

_TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    # the default fonts have other signs in their places
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "†": r"\textsuperscript{\dag}",
    "–": "--",
    "−": "$-$",
}
# the sign of a number, which text would print as a hyphen
MINUS = re.compile(r"(?<![\w)\]-])-(?=\.?\d)")
# more columns of numbers than that are set small, in .docx on a page on its side
UPRIGHT = 4
# so that the same table has the same bytes
STAMP = datetime(2000, 1, 1)
Line = tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Table:
    """A table of regressions as text.

    Attributes
    ----------
    title : str
    headers : tuple of str
        Of the columns, without the one of the labels.
    rows : tuple of (label, cells)
        A row without label continues the one above.
    first_of_foot : int
        Position of the first row beneath the coefficients.
    notes : tuple of str
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    first_of_foot: int
    notes: tuple[str, ...]

    @property
    def lines(self) -> list[Line]:
        """All lines: numbers and headers of the columns, then the rows."""
        numbers = ("", *(f"({k})" for k in range(1, len(self.headers) + 1)))
        return [numbers, ("", *self.headers), *((label, *cells) for label, cells in self.rows)]

    def write(self, file: Any) -> None:
        """Write the table; the ending says how: .docx, .tex, .html, .md or .csv. Folders above are
        made.

        Raises
        ------
        PanelError
            If the ending is another one.
        ImportError
            If a .docx is asked for and the extra `tables` is not installed.
        """
        path = require_file(file, WRITERS)
        found = WRITERS[path.suffix.lower()](self)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(found.encode() if isinstance(found, str) else found)

    def __repr__(self) -> str:
        return to_markdown(self)

    def _repr_html_(self) -> str:
        return to_html(self)


def to_markdown(table: Table) -> str:
    """Return the table for Markdown."""
    lines = [tuple(map(_escaped, line)) for line in table.lines]
    widths = [max(3, *map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ("-" * widths[0], *("-" * (w - 1) + ":" for w in widths[1:])))
    text = [f"| {' | '.join(map(str.ljust, line, widths))} |" for line in lines]
    title = [f"**{_escaped(table.title)}**", ""] if table.title else []
    return "\n".join([*title, *text, "", *map(_escaped, table.notes)]) + "\n"


def _escaped(text: str) -> str:
    for sign in ("\\", "|", "<"):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", " ")


def to_latex(table: Table) -> str:
    """Return the table for LaTeX, with booktabs."""
    head, rows = table.lines[:2], table.lines[2:]
    foot = rows[table.first_of_foot :]
    width = len(table.headers)
    columns, size = "c" * width, ""
    if width > UPRIGHT:
        share = f"{0.72 / width:.3f}\\linewidth"
        columns, size = (
            f"*{{{width}}}{{>{{\\centering\\arraybackslash}}p{{{share}}}}}",
            "\\footnotesize",
        )
    lines = ["% needs \\usepackage{booktabs,array}", "\\begin{table}[htbp]", f"\\centering{size}"]
    lines += [f"\\caption{{{_tex(table.title)}}}"] if table.title else []
    lines += [f"\\begin{{tabular}}{{l{columns}}}", "\\toprule"]
    for part in (head, rows[: table.first_of_foot], foot):
        lines += [*map(_tex_row, part), *(["\\midrule"] if part and part is not foot else [])]
    lines += ["\\bottomrule", "\\end{tabular}", ""]
    notes = _tex(" ".join(table.notes))
    lines += [f"\\parbox{{\\linewidth}}{{\\footnotesize {notes}}}", "\\end{table}"]
    return "\n".join(lines) + "\n"


def _tex_row(cells: Line) -> str:
    return " & ".join(map(_tex_cell, cells)) + " \\\\"


def _tex_cell(cell: str) -> str:
    # a cell that begins with a bracket would be an argument of the line break above
    return f"{{{_tex(cell)}}}" if cell.startswith("[") else _tex(cell)


def _tex(text: str) -> str:
    signs = MINUS.sub("\N{MINUS SIGN}", text)
    return "".join(_TEX.get(c, f"\\{c}" if c in "&%$#_{}" else c) for c in signs)


def to_html(table: Table) -> str:
    """Return the table for a page."""
    return html_table(table.lines, 2, 2 + table.first_of_foot, table.title, table.notes)


def html_table(
    lines: Sequence[Line], n_head: int, rule: int = 0, title: str = "", notes: Sequence[str] = ()
) -> str:
    """Return lines as a table of HTML: the first `n_head` are its head, a thin line stands above
    the one at `rule`.
    """
    caption = f"<caption>{_escape(title)}</caption>" if title else ""
    parts = ['<table cellpadding="4" style="border-collapse:collapse;text-align:center">', caption]
    for k, line in enumerate(lines):
        kind = "th" if k < n_head else "td"
        above = ' style="border-top:1px solid"' if k in (n_head, rule) else ""
        label, *cells = (f"{_escape(cell)}</{kind}>" for cell in line)
        row = "".join(f"<{kind}>{cell}" for cell in cells)
        parts.append(f'<tr{above}><{kind} style="text-align:left">{label}{row}</tr>')
    wide = f'<tr><td colspan="{len(lines[0])}" style="text-align:left">'
    parts += [f"{wide}{_escape(note)}</td></tr>" for note in notes]
    return "\n".join([*filter(None, parts), "</table>"])


def _escape(text: str) -> str:
    return html.escape(text).replace("\n", " ")


def to_docx(table: Table) -> bytes:
    """Return the table as a document of Word, by python-docx; the same bytes for the same table."""
    try:
        from docx import Document
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Pt
    except ImportError as error:
        raise need("python-docx", "a table in .docx") from error
    document, lines = Document(), table.lines
    page, about = document.sections[0], document.core_properties
    if len(table.headers) > UPRIGHT:
        page.page_width, page.page_height = page.page_height, page.page_width
    about.created = about.modified = STAMP
    about.author, about.title = "citysync", table.title
    if table.title:
        document.add_paragraph().add_run(table.title).bold = True
    grid = document.add_table(rows=len(lines), cols=len(lines[0]))
    below = {1, 1 + table.first_of_foot, len(lines) - 1}
    for k, (row, line) in enumerate(zip(grid.rows, lines, strict=True)):
        for c, (cell, text) in enumerate(zip(row.cells, line, strict=True)):
            paragraph = cell.paragraphs[0]
            paragraph.add_run(text).font.size = Pt(9)
            paragraph.paragraph_format.space_after = Pt(0)
            if c:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            _draw_rules(cell, [*["top"] * (k == 0), *["bottom"] * (k in below)])
    for note in table.notes:
        document.add_paragraph().add_run(note).font.size = Pt(8)
    buffer = io.BytesIO()
    document.save(buffer)
    return _same_times(buffer.getvalue())


def _draw_rules(cell: Any, edges: Sequence[str]) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    borders = OxmlElement("w:tcBorders")
    for edge in edges:
        line = OxmlElement(f"w:{edge}")
        line.set(qn("w:val"), "single")
        line.set(qn("w:sz"), "6")
        borders.append(line)
    cell._tc.get_or_add_tcPr().append(borders)


def _same_times(content: bytes) -> bytes:
    """Return an archive with one fixed time for every member."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            member = zipfile.ZipInfo(name, STAMP.timetuple()[:6])
            member.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(member, old.read(name))
    return target.getvalue()


def to_csv(table: Table) -> str:
    """Return the table for a spreadsheet."""
    first, *rest = table.lines
    return csv_text(first, [*rest, *((note,) for note in table.notes)])


WRITERS: dict[str, Callable[[Table], str | bytes]] = {
    ".docx": to_docx,
    ".tex": to_latex,
    ".html": lambda table: f'<!doctype html>\n<meta charset="utf-8">\n{to_html(table)}\n',
    ".md": to_markdown,
    ".csv": to_csv,
}
