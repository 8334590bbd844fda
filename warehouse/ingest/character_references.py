"""Character references such as `&amp;` and `&#20013;` as the characters that they stand for
(pure).
"""

from __future__ import annotations

import html
import re

# Python turns no number of more than 4,300 digits into an integer; no character has more than seven
_ENDLESS = re.compile(r"&#[0-9]{1000,};?")
NO_CHARACTER = "\ufffd"


def without_endless(text: str) -> str:
    """The text with references beyond any number as browsers show them: as the sign for no
    character.
    """
    return _ENDLESS.sub(NO_CHARACTER, text)


def unescape(text: str) -> str:
    """As `html.unescape`, which ends in a ValueError at a reference of thousands of digits."""
    return html.unescape(without_endless(text))
