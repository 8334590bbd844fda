"""Raised and lowered letters of rich text: a reader joins 12.3 and a raised 1 to 12.31, which is
another number (pure).
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from xml.etree import ElementTree

_PLAIN = "0123456789+-=()abcdefghijklmnoprstuvwxyz"
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ"
_FORMS: dict[str | None, dict[int, int]] = {
    "superscript": str.maketrans(_PLAIN, _RAISED),
    "subscript": str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎"),
}
_SIGN = b"vertAlign"


def changed_letters(text: str, place: str | None) -> str:
    """The text with its letters raised (``superscript``) or lowered (``subscript``); a sign that
    has no such form stays.
    """
    return text.translate(_FORMS.get(place, {}))


def raised_shared_texts(strings: bytes) -> dict[int, str]:
    """Shared texts with raised or lowered letters, by their number, such letters as ² or ₂.

    Parameters
    ----------
    strings : bytes
        ``xl/sharedStrings.xml`` of a workbook, without a document type; one that cannot be parsed
        has none.
    """
    if _SIGN not in strings:
        return {}
    found = {}
    for number, element in enumerate(_elements(strings, "si")):
        text = _raised(element)
        if text is not None:
            found[number] = text
        element.clear()
    return found


def _elements(content: bytes, name: str) -> Iterator[ElementTree.Element]:
    try:
        # entities were refused when the archive was unpacked
        for _, element in ElementTree.iterparse(BytesIO(content)):  # noqa: S314
            if _name(element) == name:
                yield element
    except (ElementTree.ParseError, LookupError, ValueError):
        return


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _raised(text: ElementTree.Element) -> str | None:
    """Text of all runs; None where none of them is raised or lowered."""
    parts, is_raised = [], False
    for run in text:
        if _name(run) == "t":
            parts.append(run.text or "")
        if _name(run) != "r":
            continue
        place = next((item.get("val") for item in run.iter() if _name(item) == "vertAlign"), None)
        own = "".join(item.text or "" for item in run if _name(item) == "t")
        is_raised = is_raised or place in _FORMS
        parts.append(changed_letters(own, place))
    return "".join(parts) if is_raised else None
