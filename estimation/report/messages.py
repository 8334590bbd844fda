"""Sentences of the tables in the language of a page: the tables hold them in English,
`messages.yml` has their Chinese.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

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
NUMBERED = re.compile(r"\{(\d+)\}")
# where a text of several sentences is taken apart, and what joins the Chinese
CUTS = ((re.compile(r"(?<=[.!?]) (?=[A-Z0-9])"), ""), (re.compile(r"; "), "；"))
NAMED_PLACE = re.compile(r"\b(\d{6}) \([^()]*\)")


@dataclass(frozen=True)
class Message:
    """A template: what the English looks like, and the Chinese with ``{0}``, ``{1}`` for what
    differs.

    Attributes
    ----------
    pattern : str
        A regular expression of the whole text, the same in Python and JavaScript.
    chinese : str
    own : tuple of str
        The words between the places.
    """

    pattern: str
    chinese: str
    own: tuple[str, ...]


def message(english: str, chinese: str) -> Message:
    """A template of `messages.yml` as a pattern."""
    names = PLACE.findall(english)
    parts = PLACE.split(english)
    literal = [re.sub(r"([.*+?^${}()|\[\]\\/])", r"\\\1", part) for part in parts[::2]]
    places = [f"({KINDS.get(name, '[^;]+?')})" for name in names]
    pattern = "".join(text for pair in zip(literal, [*places, ""], strict=True) for text in pair)
    return Message(
        pattern,
        PLACE.sub(lambda found: "{" + str(names.index(found[1])) + "}", chinese),
        tuple(parts[::2]),
    )


@functools.cache
def messages(*groups: str) -> tuple[Message, ...]:
    """Templates of groups (none: of all), those with the most words of their own first."""
    found = book(BOOK)
    rows = [row for group in (groups or found) for row in found[group]]
    rows.sort(key=lambda row: -len(PLACE.sub("", row[0])))
    return tuple(message(*row) for row in rows)


@functools.cache
def _compiled() -> tuple[tuple[Message, re.Pattern[str]], ...]:
    return tuple((one, re.compile(one.pattern, re.DOTALL)) for one in messages())


def _may_fit(own: tuple[str, ...], text: str) -> bool:
    """Whether a text has the words of a template in their order: a pattern of several places is
    slow to fail.
    """
    at = 0
    for part in own:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return text.startswith(own[0]) and text.endswith(own[-1])


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
    for one, pattern in _compiled():
        found = pattern.fullmatch(text) if _may_fit(one.own, text) else None
        if found:
            inside = [
                in_chinese(part, places) or _with_names(part, places) for part in found.groups()
            ]
            parts = NUMBERED.split(one.chinese)
            return "".join(inside[int(part)] if k % 2 else part for k, part in enumerate(parts))
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
