"""One cell as delivered: its text, its number, its year, its address, a header's normal form
(pure).
"""

from __future__ import annotations

import datetime
import math
import re
import unicodedata
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import NamedTuple

from warehouse.ingest.cells.note_marks import has_marks, is_circled, split_mark

FIRST_YEAR, LAST_YEAR = 1900, 2100
DEFAULT_MISSING = (
    "",
    "-",
    "--",
    "—",
    "——",
    "…",
    "……",
    "NA",
    "NaN",
    "---",
    "―",
    "――",
    "─",
    "──",
    "–",
    "−",
    "..",
    ".",
    "N/A",
    "n/a",
    "n.a.",
    "nan",
    "null",
    "NULL",
    "None",
    "缺",
    "缺失",
    "暂缺",
    "暂无",
    "无数据",
)
#: Key of ``sheet_indicators`` of a layout for any sheet, also that of a file without sheets.
ANY_SHEET = "*"

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# a group of thousands never begins with a zero: 0,123 is a decimal comma or a slip
_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:([, ])[0-9]{3})(?:\1[0-9]{3})*(?:\.[0-9]*)?")
_WITH_COMMA = re.compile(
    r"([+-]?(?:[0-9]+|[1-9][0-9]{0,2}(?:([. ])[0-9]{3})(?:\2[0-9]{3})*|(?=,[0-9])))(?:,([0-9]*))?"
)
_RATIOS = ("%", "‰")
#: Units of a column in which a cell may state per cent or per mille itself.
_RATIO_UNITS = frozenset({"%", "‰", "pct", "percent", "percentage", "permille", "ratio"})
_YEAR = re.compile(r"([0-9]{4})(?:\.0+)?年?")
_SPACE = re.compile(r"(?:\s|_x000D_|\u200b|\ufeff)+")
_MINUS = str.maketrans({"−": "-", "﹣": "-", "–": "-"})


def cell_text(cell: object) -> str:
    """Return the text of a cell as delivered; a workbook's number in its shortest form, 36631000
    and not 36631000.0.
    """
    if isinstance(cell, str):
        return cell
    if is_blank(cell):
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return repr(cell).removesuffix(".0")
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    return str(cell)


def is_blank(cell: object) -> bool:
    """Return whether a cell holds nothing: null, NaN or white space."""
    if isinstance(cell, str):
        return not cell or cell.isspace()
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def is_missing(cell: object, signs: Collection[str]) -> bool:
    """Return whether a cell is blank, or a text that is one of the signs for a missing value
    (normalised by NFKC, trimmed).
    """
    if isinstance(cell, str):
        return unicodedata.normalize("NFKC", cell).strip() in signs or not cell.strip()
    return is_blank(cell)


def is_blank_row(cells: Sequence[object]) -> bool:
    """Return whether every cell of a row holds nothing."""
    return all(map(is_blank, cells))


def parse_number(text: str) -> float | None:
    """Return the number in a text, or None; full-width digits and thousands separators are
    understood, words and infinities are not.

    >>> [parse_number(text) for text in ("３，６６３.5", "约12", "1_000", "23014①")]
    [3663.5, None, None, None]
    """
    plain = text.strip()
    if not plain.isascii():
        # a mark of a note becomes a digit in NFKC: 23014① would be 230141
        if has_marks(plain):
            return None
        plain = unicodedata.normalize("NFKC", plain).strip().translate(_MINUS)
    if not _NUMBER.fullmatch(plain):
        if not _GROUPED.fullmatch(plain):
            return None
        plain = plain.replace(",", "").replace(" ", "")
    number = float(plain)
    return number if math.isfinite(number) else None


class ReadNumber(NamedTuple):
    """A number with the mark of a note behind it and the unit that the cell itself states, each
    None where there is none.
    """

    number: float
    mark: str | None = None
    unit: str | None = None


def read_number(
    text: str, *, unit: str | None = None, decimal_comma: bool = False
) -> ReadNumber | None:
    """Return the number of a text as a person reads it, with mark and unit, or None.

    Parameters
    ----------
    text : str
    unit : str, optional
        Unit of the column, which a cell may repeat after its number. A per cent or per mille sign
        is read too, unless the column has another unit.
    decimal_comma : bool
        Whether the comma separates decimals and the point thousands.

    >>> read_number("23014①"), read_number("12.5%").unit
    (ReadNumber(number=23014.0, mark='①', unit=None), '%')
    >>> read_number("12亿元", unit="亿元").number, read_number("12.5", decimal_comma=True)
    (12.0, None)
    """
    body, mark = split_mark(text)
    if has_marks(body):
        return None
    plain = unicodedata.normalize("NFKC", body).strip()
    stated = plain[-1:] if plain.endswith(_RATIOS) else None
    if stated and unit and normal_header(unit).lower() not in _RATIO_UNITS:
        return None
    if stated:
        plain = plain[:-1].rstrip()
    elif unit and plain.endswith(own := unicodedata.normalize("NFKC", unit).strip()):
        plain = plain.removesuffix(own).rstrip()
    number = _number_with_comma(plain.translate(_MINUS)) if decimal_comma else parse_number(plain)
    return None if number is None or not math.isfinite(number) else ReadNumber(number, mark, stated)


def _number_with_comma(plain: str) -> float | None:
    match = _WITH_COMMA.fullmatch(plain)
    if match is None:
        return None
    whole = match.group(1).replace(".", "").replace(" ", "")
    return float(
        f"{whole}.{match.group(3) or ''}"
        if whole not in ("", "+", "-")
        else f"{whole}0.{match.group(3)}"
    )


def cell_number(cell: object) -> float | None:
    """Finite number of a non-blank cell, or None when it holds anything else (text, a date, true or
    false).
    """
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int):
        return float(cell)
    return (
        parse_number(cell_text(cell))
        if isinstance(cell, str) or hasattr(cell, "as_tuple")
        else None
    )


@lru_cache(maxsize=4096)
def parse_year(text: str) -> int | None:
    """Return the year 1900..2100 from a text such as 2015, 2015.0, ２０１５, 2015年 or 2015①
    (a mark of a note), or None.
    """
    body = split_mark(text)[0]
    match = (
        None if has_marks(body) else _YEAR.fullmatch(unicodedata.normalize("NFKC", body).strip())
    )
    if match is None:
        return None
    year = int(match.group(1))
    return year if FIRST_YEAR <= year <= LAST_YEAR else None


@lru_cache(maxsize=4096)
def code_text(text: str) -> str:
    """Place code as delivered, white space trimmed and without the decimal zero that a float column
    adds.
    """
    return re.sub(r"^([0-9]+)\.0+$", r"\1", text.strip())


@lru_cache(maxsize=65536)
def normal_header(text: str) -> str:
    """Header without white space, line breaks and circled marks of notes, full-width signs made
    half-width: （亿元）① becomes (亿元).
    """
    if not text.isascii():
        text = "".join(sign for sign in text if not is_circled(sign))
    return _SPACE.sub("", unicodedata.normalize("NFKC", text))


@lru_cache(maxsize=4096)
def column_letters(col_no: int) -> str:
    """Spreadsheet letters of a 1-based column: 1 is A, 28 is AB."""
    letters = ""
    while col_no > 0:
        col_no, rest = divmod(col_no - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def cell_ref(row_no: int, col_no: int) -> str:
    """Spreadsheet address of a 1-based row and column, such as B7."""
    return f"{column_letters(col_no)}{row_no}"
