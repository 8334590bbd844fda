"""Raised and lowered letters of rich text: a reader joins 12.3 and a raised 1 to 12.31, which is
another number (pure).
"""

from __future__ import annotations

_PLAIN = "0123456789+-=()abcdefghijklmnoprstuvwxyz"
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ"
_FORMS: dict[str | None, dict[int, int]] = {
    "superscript": str.maketrans(_PLAIN, _RAISED),
    "subscript": str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎"),
}


def changed_letters(text: str, place: str | None) -> str:
    """The text with its letters raised (``superscript``) or lowered (``subscript``); a sign that
    has no such form stays.
    """
    return text.translate(_FORMS.get(place, {}))
