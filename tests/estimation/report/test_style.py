"""Colours of the heat table can be read: the numbers in it are small text, so WCAG 2 asks for a contrast of 4.5."""

from __future__ import annotations

import re
from pathlib import Path

import estimation.report

STYLE = (Path(estimation.report.__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
TEXT = re.search(r"--ink: (#[0-9a-f]{6})", STYLE)[1]


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, as WCAG 2 defines it."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_numbers_of_the_heat_table_can_be_read() -> None:
    steps = re.findall(r"\.q(\d) \{ background: (#[0-9a-f]{6});(?: color: (#[0-9a-f]{3}))?", STYLE)
    assert [step for step, *_ in steps] == ["0", "1", "2", "3", "4", "5"]
    faint = {step: contrast(back, "#ffffff" if front == "#fff" else TEXT) for step, back, front in steps}
    assert {step: value for step, value in faint.items() if value < 4.5} == {}
