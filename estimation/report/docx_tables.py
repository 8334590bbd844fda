"""Journal tables as Word documents, the same bytes for the same table."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from pathlib import Path

import docx
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt
from docx.table import _Row

from .journal_tables import JournalTable

STAMP = datetime(2000, 1, 1)
ZIP_STAMP = (2000, 1, 1, 0, 0, 0)
FIRST_OF_SAMPLE = 3  # rows of estimate, error and p come before


def write_docx(table: JournalTable, path: Path) -> None:
    """Write a table as a landscape page: title, three rules as journals set them, notes.

    Parameters
    ----------
    table : JournalTable
    path : file to write
    """
    document = docx.Document()
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = section.page_height, section.page_width
    document.core_properties.created = document.core_properties.modified = STAMP
    document.core_properties.author, document.core_properties.title = "citysync", table.title
    document.add_paragraph().add_run(table.title).bold = True
    _fill(document, table)
    notes = document.add_paragraph().add_run(table.notes)
    notes.font.size = Pt(8)
    buffer = io.BytesIO()
    document.save(buffer)
    path.write_bytes(_same_times(buffer.getvalue()))


def _fill(document: docx.document.Document, table: JournalTable) -> None:
    lines = [["", *(f"({k}) {text}" for k, text in enumerate(table.headers, start=1))]]
    lines += [[label, *(cell.full for cell in cells)] for label, cells in table.rows]
    made = document.add_table(rows=len(lines), cols=len(lines[0]))
    for k, (row, texts) in enumerate(zip(made.rows, lines, strict=True)):
        for c, (cell, text) in enumerate(zip(row.cells, texts, strict=True)):
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.space_after = Pt(0)
            paragraph.alignment = WD_ALIGN_PARAGRAPH.LEFT if c == 0 else WD_ALIGN_PARAGRAPH.CENTER
            paragraph.add_run(text).font.size = Pt(9)
        _rules(row, above=k in (0, 1, 1 + FIRST_OF_SAMPLE), below=k == len(lines) - 1)


def _rules(row: _Row, *, above: bool, below: bool) -> None:
    for cell in row.cells:
        borders = OxmlElement("w:tcBorders")
        for edge in [name for name, wanted in (("top", above), ("bottom", below)) if wanted]:
            line = OxmlElement(f"w:{edge}")
            line.set(qn("w:val"), "single")
            line.set(qn("w:sz"), "8")
            borders.append(line)
        cell._tc.get_or_add_tcPr().append(borders)


def _same_times(content: bytes) -> bytes:
    """The archive with one fixed time for every member."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            member = zipfile.ZipInfo(name, ZIP_STAMP)
            member.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(member, old.read(name))
    return target.getvalue()
