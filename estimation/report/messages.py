"""Sentences of the tables in the language of a page: the tables hold them in English,
`messages.yml` has their Chinese.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from itertools import chain

from .language import book

BOOK = "messages.yml"
# what a place of a template may hold, by its name: whole numbers, ids, any text, codes of places;
# else what has no semicolon
_ID, _PLACE = "[a-z][a-z0-9_]*", r"\d{6}(?: \([^()]*\))?"
KINDS = {
    "n": r"[\d,]+",
    "m": r"[\d,]+",
    "i": _ID,
    "j": _ID,
    "s": ".+",
    "p": f"{_PLACE}(?:, {_PLACE})*",
}
PLACE = re.compile(r"\{(\w+)\}")
# where a text of several sentences is taken apart, and what joins the Chinese
CUTS = ((re.compile(r"(?<=[.!?]) (?=[A-Z0-9])"), ""), (re.compile(r"; "), "；"))
NAMED_PLACE = re.compile(r"\b(\d{6}) \([^()]*\)")
# ends of what is filled in, with a blank of the template that Chinese on both sides does not want
ENDS = re.compile(r"(?<=[一-鿿）]) \ue000(?=[一-鿿])|(?<=[一-鿿）])\ue000 (?=[一-鿿])|\ue000")


@functools.cache
def _templates() -> list[tuple[str, re.Pattern[str], str]]:
    """Of each template its first words, a pattern of the whole text and the Chinese; those with the
    most words of their own first.
    """
    rows = chain.from_iterable(book(BOOK).values())
    by_words = sorted(rows, key=lambda row: -len(PLACE.sub("", row[0])))
    made = []
    for english, chinese in by_words:
        parts = PLACE.split(english)
        patterns = list(map(re.escape, parts))
        # every second part is the name of a place
        patterns[1::2] = [f"(?P<{part}>{KINDS.get(part, '[^;]+?')})" for part in parts[1::2]]
        made.append((parts[0], re.compile("".join(patterns), re.DOTALL), chinese))
    return made


@functools.cache
def _templates_of(letter: str) -> list[tuple[str, re.Pattern[str], str]]:
    """Templates that a text with this first letter may fit."""
    return [row for row in _templates() if row[0][:1] in ("", letter)]


def in_chinese(text: str, places: Mapping[int, str] | None = None) -> str | None:
    """Return a text in Chinese.

    Parameters
    ----------
    text : str
        As the tables hold it.
    places : mapping of int to str, optional
        Chinese names of cities and provinces by their code.

    Returns
    -------
    str or None
        None where no template fits.
    """
    places = places or {}
    for first, pattern, chinese in _templates_of(text[:1]):
        found = pattern.fullmatch(text) if text.startswith(first) else None
        if found:
            inside = {
                name: f"\ue000{in_chinese(part, places) or _with_names(part, places)}\ue000"
                for name, part in found.groupdict().items()
            }
            return ENDS.sub("", chinese.format(**inside))
    for cut, joint in CUTS:
        parts = cut.split(text)
        said = [in_chinese(part, places) for part in parts] if len(parts) > 1 else [None]
        if None not in said:
            return joint.join(part for part in said if part)
    return None


def _with_names(text: str, places: Mapping[int, str]) -> str:
    """Return a policy tool by its name, or names behind codes of places, in Chinese."""
    tool = book()["classes"].get(text.replace(" ", "_"))
    if tool:
        return tool[1]
    return NAMED_PLACE.sub(
        lambda found: f"{found[1]}（{places.get(int(found[1]), found[0][8:-1])}）", text
    )
