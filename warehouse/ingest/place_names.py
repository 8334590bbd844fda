"""Codes and spellings of cities as the seeds list them, looked up as the models do
(`stg_seeds__place_codes`, `stg_seeds__place_aliases`).

Only what has to be known before the models run is looked up here: whether the codes of a delivered
sheet belong to its names.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

SEEDS = Path(__file__).resolve().parents[1] / "seeds"
_MACROS = Path(__file__).resolve().parents[1] / "macros" / "text.sql"
_SPACE = re.compile(r"[\s\u00a0\u3000\u200b\ufeff]+")
_SIGNS = "⁽⁾*＊†‡§※"
_BRACKETED = re.compile(r"[\[(（〔【](?:注)?[0-9]{1,2}[)）\]〕】]$")
_CODE = re.compile(r"\s*([0-9]{6})(?:000)?(?:000)?(?:\.0+)?\s*|\s*([0-9]{4})(?:\.0+)?\s*")


@dataclass(frozen=True)
class PlaceNames:
    """Place by code and by key of its spelling, and the first full name of a place."""

    codes: Mapping[int, int]
    aliases: Mapping[str, int]
    names: Mapping[int, str]


@cache
def read_place_names() -> PlaceNames:
    """Codes and spellings of the cities; a code in use today means the city that has it today."""
    roster = read_seed("city_roster")
    codes: dict[int, int] = {}
    # a former code with two successors means the lower one
    for row in sorted(read_seed("city_code_changes"), key=lambda row: int(row["city_id"])):
        codes.setdefault(int(row["old_code"]), int(row["city_id"]))
    codes |= {int(row["city_id"]): int(row["city_id"]) for row in roster}
    aliases = {place_key(row["alias"]): int(row["city_id"]) for row in read_seed("city_aliases")}
    return PlaceNames(codes, aliases, {int(row["city_id"]): row["city_name_zh"] for row in roster})


@cache
def read_province_names() -> dict[str, int]:
    """Code of a province by key of its spelling."""
    return {
        place_key(row["alias"]): int(row["province_id"]) for row in read_seed("province_aliases")
    }


def read_seed(name: str) -> list[dict[str, str]]:
    """Return rows of a seed."""
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@lru_cache(maxsize=65536)
def place_key(text: str) -> str:
    """Spelling under which a name is looked up, the same as the macro ``place_key``: no white
    space, marks of notes, traditional signs.
    """
    key = _SPACE.sub("", text.lower()).translate(_simplified())
    while key:
        shorter = _BRACKETED.sub("", key)
        if shorter == key and (
            unicodedata.category(key[-1]) == "No" or key[-1] in _SIGNS or "ᵃ" <= key[-1] <= "ᶻ"
        ):
            shorter = key[:-1]
        if shorter == key:
            break
        key = shorter
    return key


@cache
def _simplified() -> dict[int, str]:
    """Traditional characters to simplified ones, as the macros list them."""
    text = _MACROS.read_text(encoding="utf-8")
    lists = [
        re.search(rf"macro {name}\(\) -%}}\s*(\S+)\s*{{%- endmacro", text).group(1)
        for name in ("traditional_characters", "simplified_characters")
    ]
    return str.maketrans(*lists)


@lru_cache(maxsize=65536)
def six_digit_code(text: str) -> int | None:
    """Return a delivered code as six digits, the same as the macro ``six_digit_code``; None where
    it is none, or a township's.
    """
    match = _CODE.fullmatch(text)
    if match is None:
        return None
    return int(match.group(1)) if match.group(1) else int(match.group(2)) * 100
