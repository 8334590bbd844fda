"""What a person sees in a cell and a reader does not get (pure).

A number format shows per cent, a unit behind the number, or thousands; a reader gets the stored
number alone. Rich text shows a raised 1 behind 12.3, which a reader joins to 12.31.

ECMA-376, part 1, sections 18.8.30 (numFmt) and 18.8.31 (sections, literals, scaling by commas).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from xml.etree import ElementTree

#: Formats that need no definition and show more than the number.
BUILT_IN = {9: "0%", 10: "0.00%"}
_PIECE = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[[^\]]*\]|(.)', re.DOTALL)
_SIGNS = re.compile(r"[0#?][0#?,. ]*")
_CURRENCY = re.compile(r"[¥￥$€£\s]+")


@dataclass(frozen=True)
class NumberFormat:
    """One section of a number format.

    Attributes
    ----------
    is_percent : bool
    before, behind : str
        Literal texts around the number, currency signs left out.
    thousands : int
        How often the number is shown divided by 1,000.
    """

    is_percent: bool = False
    before: str = ""
    behind: str = ""
    thousands: int = 0

    @property
    def is_plain(self) -> bool:
        """Whether it shows the stored number, however rounded."""
        return self == NumberFormat()

    def shown(self, stored: str) -> str | None:
        """Return the text that a person would read for a stored number, in full precision; None
        where this is no number.
        """
        try:
            number = Decimal(stored)
        except InvalidOperation:
            return None
        if not number.is_finite():
            return None
        if self.thousands:
            return f"{stored} (shown divided by {1000**self.thousands})"
        if self.is_percent:
            number *= 100
        digits = format(number, "f")
        text = digits.rstrip("0").rstrip(".") if "." in digits else digits
        return f"{self.before}{text}{'%' if self.is_percent else ''}{self.behind}"


@lru_cache(maxsize=1024)
def read_format(code: str, *, is_negative: bool = False) -> NumberFormat:
    """Format of a number by its code, such as ``0.0%`` or ``0.00"亿元"``; of several sections the
    one for its sign.

    >>> read_format("0.0%").is_percent, read_format('0.0"万元"').behind
    (True, '万元')
    >>> read_format("#,##0,").thousands, read_format("#,##0.00_ ").is_plain
    (1, True)
    """
    sections = _sections(code)
    section = sections[1] if is_negative and len(sections) > 1 else sections[0]
    plain, literals = "", []
    for quoted, escaped, sign in section:
        if sign:
            plain += sign
        elif quoted or escaped:
            literals.append((len(plain), quoted or escaped))
    digits = _SIGNS.search(plain)
    if digits is None:
        is_general = "general" in plain.lower()
        start, end = (
            (plain.lower().find("general"), plain.lower().find("general") + 7)
            if is_general
            else (0, 0)
        )
    else:
        start, end = digits.span()
    before = _CURRENCY.sub("", "".join(text for place, text in literals if place <= start < end))
    behind = _CURRENCY.sub("", "".join(text for place, text in literals if place >= end > start))
    if is_negative and before in ("-", "("):
        before, behind = "", "" if behind == ")" else behind
    # commas behind the last digit, or right before the point, divide by a thousand each
    numeric = plain[start:end].rstrip()
    whole = numeric if numeric.endswith(",") else numeric.partition(".")[0]
    thousands = len(whole) - len(whole.rstrip(","))
    return NumberFormat("%" in plain, before, behind, thousands)


def _sections(code: str) -> list[list[tuple[str, str, str]]]:
    """Return pieces of each section: quoted text, escaped sign, or any other sign; padding and what
    stands in square brackets is left out.
    """
    sections: list[list[tuple[str, str, str]]] = [[]]
    for match in _PIECE.finditer(code):
        quoted, escaped, sign = match.groups()
        if sign == ";":
            sections.append([])
        elif any((quoted, escaped, sign)):
            sections[-1].append((quoted or "", escaped or "", sign or ""))
    return sections


def read_styles(styles: bytes) -> dict[str, str]:
    """Style of a cell (its number as text) to the code of its number format, for those that show
    more than the stored number.

    Parameters
    ----------
    styles : bytes
        ``xl/styles.xml`` of a workbook, without a document type; one that cannot be parsed has no
        formats.
    """
    if not styles:
        return {}
    try:
        root = ElementTree.fromstring(styles)  # noqa: S314 -- entities were refused when the archive was unpacked
    except (ElementTree.ParseError, LookupError, ValueError):
        return {}
    codes: dict[int, str] = dict(BUILT_IN)
    formats: Sequence[int] = ()
    for element in root:
        name = element.tag.rpartition("}")[2]
        if name == "numFmts":
            codes |= {_number(item.get("numFmtId")): item.get("formatCode", "") for item in element}
        elif name == "cellXfs":
            formats = [_number(item.get("numFmtId")) for item in element]
    return not_plain(
        {str(style): codes[kind] for style, kind in enumerate(formats) if kind in codes}
    )


def not_plain(codes: Mapping[str, str]) -> dict[str, str]:
    """Those formats that show more than the stored number, of either sign."""
    return {
        style: code
        for style, code in codes.items()
        if not (read_format(code).is_plain and read_format(code, is_negative=True).is_plain)
    }


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 7 else 0


def shown_text(code: str, stored: str) -> str | None:
    """Return the text that a person reads where a format shows more than the stored number; None
    where it does not.
    """
    form = read_format(code, is_negative=stored.startswith("-"))
    return None if form.is_plain else form.shown(stored)


_PLAIN = "0123456789+-=()abcdefghijklmnoprstuvwxyz"
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ"
_FORMS: dict[str | None, dict[int, int]] = {
    "superscript": str.maketrans(_PLAIN, _RAISED),
    "subscript": str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎"),
}


def changed_letters(text: str, place: str | None) -> str:
    """Return the text with its letters raised (``superscript``) or lowered (``subscript``); a sign
    that has no such form stays.
    """
    return text.translate(_FORMS.get(place, {}))
