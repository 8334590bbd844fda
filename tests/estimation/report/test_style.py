"""Colours of the one file of tokens can be read in both themes: small text, so WCAG 2 asks for a
contrast of 4.5.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import estimation.report
from estimation.report.figures import TOKENS

FOLDER = Path(estimation.report.__file__).parent / "templates"
LIGHT, DARK = (FOLDER / "tokens.css").read_text(encoding="utf-8").split("@media", maxsplit=1)


def tokens(theme: str) -> dict[str, str]:
    """Colours of a theme by their names; what the dark one does not change is that of the light
    one.
    """
    light = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", LIGHT))
    return light | (
        dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", DARK)) if theme == "dark" else {}
    )


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, as WCAG 2 defines it."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read(theme: str) -> None:
    """On the page, on panels, on the caution strip, in the cells of the heat table and on coloured
    tags.
    """
    colour = tokens(theme)
    pairs = [
        (text, back)
        for text in ("ink", "soft", "link", "vermilion", "green", "blue")
        for back in ("paper", "panel")
    ]
    pairs += [("ink", "caution"), ("link", "caution"), ("ink", "mark"), ("ink", "shade")]
    pairs += (
        [("q-ink", f"q{k}") for k in (0, 1, 2)]
        + [("q-middle", "q3")]
        + [("q-light", f"q{k}") for k in (4, 5)]
    )
    pairs += [("on-colour", name) for name in ("blue", "green", "vermilion")]
    faint = {pair: contrast(colour[pair[0]], colour[pair[1]]) for pair in pairs}
    assert {pair: value for pair, value in faint.items() if value < 4.5} == {}


def test_every_colour_of_a_picture_has_a_token() -> None:
    """So that a picture follows the theme of the page."""
    assert {name.removeprefix("--") for name in TOKENS.values()} <= tokens("light").keys()
