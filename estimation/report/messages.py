"""Sentences of the tables in the language of a page: the tables hold them in English,
`messages.yml` has their Chinese.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

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


@functools.cache
def _templates() -> list[tuple[list[str], list[str], re.Pattern[str], str]]:
    """Of each template the words between its places, the places' names, a pattern of the whole
    text and the Chinese; those with the most words of their own first.
    """
    rows = [row for group in book(BOOK).values() for row in group]
    rows.sort(key=lambda row: -len(PLACE.sub("", row[0])))
    made = []
    for english, chinese in rows:
        own, names = PLACE.split(english)[::2], PLACE.findall(english)
        places = [f"({KINDS.get(name, '[^;]+?')})" for name in names]
        parts = zip(map(re.escape, own), [*places, ""], strict=True)
        pattern = re.compile("".join(text for pair in parts for text in pair), re.DOTALL)
        made.append((own, names, pattern, chinese))
    return made


def _may_fit(own: list[str], text: str) -> bool:
    """Whether a text has the words of a template in their order: a pattern of several places is
    slow to fail.
    """
    if not (text.startswith(own[0]) and text.endswith(own[-1])):
        return False
    at = 0
    for part in own:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


def in_chinese(text: str, places: Mapping[int, str] | None = None) -> str | None:
    """A text in Chinese.

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
    for own, names, pattern, chinese in _templates():
        found = pattern.fullmatch(text) if _may_fit(own, text) else None
        if found:
            inside = {
                name: in_chinese(part, places) or _with_names(part, places)
                for name, part in zip(names, found.groups(), strict=True)
            }
            return PLACE.sub(lambda place, inside=inside: inside[place[1]], chinese)
    for cut, joint in CUTS:
        parts = cut.split(text)
        said = [in_chinese(part, places) for part in parts] if len(parts) > 1 else [None]
        if None not in said:
            return joint.join(part for part in said if part)
    return None


def _with_names(text: str, places: Mapping[int, str]) -> str:
    """Names behind codes of places in Chinese."""
    return NAMED_PLACE.sub(
        lambda found: f"{found[1]}（{places.get(int(found[1]), found[0][8:-1])}）", text
    )
