"""What a person sees in a workbook: number formats and raised letters, in Excel's spelling of XML
and in any other.
"""

import io
import re
import zipfile

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from tests.warehouse.ingest.bad_files import SHEET, STRINGS, archive
from tests.warehouse.ingest.delivered import saved
from warehouse.ingest.formats.grids import read_grids
from warehouse.ingest.formats.number_formats import read_format, shown_text


@pytest.mark.parametrize(
    ("code", "stored", "shown"),
    [
        ("0%", "0.125", "12.5%"),
        ("0.00%;[Red]-0.00%", "-0.07", "-7%"),
        ("#,##0.00", "1234.5", None),
        ('_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ ', "1234.5", None),
        ("0.00_);(0.00)", "-5.5", None),
        ("[$¥-804]#,##0.00", "5", None),
        ('"¥"#,##0', "5", None),
        ('0.0"万元"', "12.345", "12.345万元"),
        ("0.0\\年", "2015", "2015年"),
        ('"约"0', "5", "约5"),
        ("#,##0,", "1234567", "1234567 (shown divided by 1000)"),
        ("0.0,,", "1234567", "1234567 (shown divided by 1000000)"),
        ("General", "5", None),
        ('General"①"', "5", "5①"),
        ('yyyy"年"m"月"', "42000", None),
        ('0"%"', "5", "5%"),
        ("0.0E+00", "5", None),
        ("@", "5", None),
    ],
)
def test_a_format_shows_a_number(code, stored, shown):
    assert shown_text(code, stored) == shown


def test_a_per_cent_keeps_its_full_precision():
    assert shown_text("0%", "0.12345678901234566") == "12.345678901234566%"
    assert shown_text("0%", "1E-7") == "0.00001%"
    assert read_format("0.0%").is_percent


def workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(
        ["a", 0.125, CellRichText("12.3", TextBlock(InlineFont(vertAlign="superscript"), "1)")), 7]
    )
    sheet.append(
        ["b", 0.25, CellRichText("CO", TextBlock(InlineFont(vertAlign="subscript"), "2")), 8]
    )
    sheet["B1"].number_format = "0.0%"
    return saved(book.save)


def respelt(data: bytes) -> bytes:
    """The same workbook with a prefix before every name of the sheet's XML, as some programs write
    it.
    """

    def prefixed(content: bytes) -> bytes:
        text = re.sub(r"<(/?)([A-Za-z])", r"<\1x:\2", content.decode())
        return text.replace("xmlns=", "xmlns:x=", 1).encode()

    return archive(data, {SHEET: prefixed})


def shared(data: bytes) -> bytes:
    """The same workbook with its rich texts in the table of shared texts, as Excel writes them."""
    inline = re.compile(rb' t="inlineStr"><is>(.*?)</is>')
    sheet = zipfile.ZipFile(io.BytesIO(data)).read(SHEET)
    texts = b"".join(b"<si>" + text + b"</si>" for text in inline.findall(sheet))
    numbers = iter(range(9))
    change = {
        SHEET: lambda content: inline.sub(lambda _: b' t="s"><v>%d</v>' % next(numbers), content)
    }
    name = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return archive(data, change, {STRINGS: b'<sst xmlns="' + name + b'">' + texts + b"</sst>"})


@pytest.mark.parametrize(
    "spelling", [lambda data: data, respelt, shared], ids=["plain", "prefixed", "shared"]
)
def test_cells_are_read_as_they_are_shown(spelling):
    (grid,) = read_grids(spelling(workbook()), "a.xlsx")
    assert grid.rows == [["a", "12.5%", "12.3¹⁾", 7.0], ["b", 0.25, "CO₂", 8.0]]
