"""Marks of notes behind a number or a name: ①, ², *; in compatibility normal form they would turn
into digits (pure).
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

#: Marks that need no Unicode category to be known.
_SIGNS = frozenset("*＊†‡§※")
_POWER_OF_TEN = ("10", "１０")


@lru_cache(maxsize=4096)
def _kind(sign: str) -> str:
    """Return what a sign is: ``mark`` (①, ², ᵃ, *), ``other`` (½, ₂, ⒈: no digit and no mark), or
    ``plain``.
    """
    if sign in _SIGNS:
        return "mark"
    form = unicodedata.decomposition(sign)
    category = unicodedata.category(sign)
    if form.startswith("<super>"):
        return "mark" if category in ("No", "Lm", "Lo") else "other"
    if category == "No":
        is_circled_or_bracketed = form.startswith(("<circle>", "<compat> 0028")) or form == ""
        return "mark" if is_circled_or_bracketed else "other"
    return "other" if form.startswith("<sub>") else "plain"


def has_marks(text: str) -> bool:
    """Return whether a text holds signs that compatibility normal form would turn into digits or
    letters of a number.
    """
    return not text.isascii() and any(_kind(sign) != "plain" for sign in text)


def is_circled(sign: str) -> bool:
    """Return whether a sign is a circled, bracketed or negative number such as ①, ⑴ or ❶, and no
    exponent: a header's mark, never its unit.
    """
    return (
        unicodedata.category(sign) == "No"
        and _kind(sign) == "mark"
        and not unicodedata.decomposition(sign).startswith("<super>")
    )


@lru_cache(maxsize=65536)
def split_mark(text: str) -> tuple[str, str | None]:
    """Return a text without the marks at its end, and these; the text itself and None where there
    are none or nothing else.

    >>> split_mark("23014①"), split_mark("12.3 ¹⁾*"), split_mark("10⁴")
    (('23014', '①'), ('12.3', '¹⁾*'), ('10⁴', None))
    """
    trimmed = text.strip()
    end = len(trimmed)
    while end and (
        trimmed[end - 1].isspace() or _kind(trimmed[end - 1]) == "mark" or _closes(trimmed[:end])
    ):
        end -= 1
    body, mark = trimmed[:end].rstrip(), trimmed[end:].strip()
    is_power = body.endswith(_POWER_OF_TEN) and unicodedata.decomposition(
        mark[:1] or " "
    ).startswith("<super>")
    return (text, None) if not mark or not body or (is_power and _is_ten(body)) else (body, mark)


def _closes(text: str) -> bool:
    """Return whether a text ends with a raised bracket next to a mark, as in ¹⁾."""
    return text[-1] in "⁽⁾" and len(text) > 1


def _is_ten(body: str) -> bool:
    """Return whether a number is ten and no more, alone or behind a sign of multiplication: what
    stands above it is an exponent.
    """
    before = body[:-2].strip().lstrip("+-−–－")
    return not before or before[-1] in "×xX*·"
