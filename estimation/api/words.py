"""Sentences about cities, provinces and pilots for panels of other units."""

from __future__ import annotations

import re
from collections.abc import Iterable

WORDS = {
    "never-pilots": "never-treated units",
    "never-pilot": "never-treated unit",
    "Pilots": "Treated units",
    "pilots": "treated units",
    "pilot": "treated unit",
    "cities": "units",
    "city": "unit",
    "provinces": "blocks",
    "province": "block",
    "Province": "Block",
    "admissions": "treatments",
    "admission": "treatment",
}
PATTERN = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, WORDS))})(?!\w)")


def of_units(sentences: Iterable[str]) -> tuple[str, ...]:
    """The sentences with the words for units of any kind."""
    return tuple(PATTERN.sub(lambda match: WORDS[match[1]], text) for text in sentences)
