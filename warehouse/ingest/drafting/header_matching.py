"""Match the headers of an unknown source to the indicator catalog: exact, by a known wording, then
by likeness with a score; a match as YAML of a layout and as a note (pure).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain, product

from warehouse.ingest.cells.cell_values import normal_header
from warehouse.ingest.layout_model import Layout

MIN_SCORE = 0.7
_BRACKET = re.compile(r"\(([^()]*)\)")
# what a bracket holds that qualifies the indicator and is not its unit
_QUALIFIER = re.compile(r"(?i)价|口径|previous|prices|不变|全市|市辖")
_ASCII = re.compile(r"[\x20-\x7e]+")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
# what stands between a label and its unit
_BEFORE_UNIT = "_:,/(["
# words that say nothing of which indicator it is
_FILLER = re.compile(
    r"(?i)\b(total|number|of|the|at|in|by|year|end|city|cities|regional|gross)\b|其中:?|全市|各地区|[|_:：,，、/\-]"
)
_SHORTHAND = {
    "gdp": "gross domestic product",
    "grp": "gross domestic product",
    "fdi": "foreign direct investment",
    "cpi": "consumer price index",
    "pc": "per capita",
    "pop": "population",
}


@dataclass(frozen=True)
class HeaderMatch:
    """What a header most likely means: indicator, how it was found (exact, alias, fuzzy), score
    from 0 to 1, unit and how it is written.
    """

    indicator_id: str
    how: str
    score: float
    unit: str | None
    unit_pattern: str | None


@dataclass(frozen=True)
class Catalog:
    """Wordings of every indicator in normal form, its canonical unit and place level, the factor of
    each known unit by unit and canonical unit, and the level that a rate is the growth of.
    """

    exact: Mapping[str, str]
    aliases: Mapping[str, str]
    canonical_unit: Mapping[str, str]
    place_level: Mapping[str, str]
    units: Mapping[tuple[str, str], float]
    growth_of: Mapping[str, str]


def build_catalog(
    indicators: Iterable[Mapping[str, str]],
    units: Iterable[Mapping[str, str]],
    layouts: Iterable[Layout],
) -> Catalog:
    """Catalog from the seeds ``indicator_catalog`` and ``unit_factors``, with the headers of the
    layouts at hand as further wordings.
    """
    rows = list(indicators)
    exact = {
        _plain(row[key]): row["indicator_id"]
        for row, key in product(rows, ("indicator_id", "label_en", "label_zh"))
    }
    aliases: dict[str, str] = {}
    for layout in layouts:
        for table in layout.tables:
            rules = [
                *table.indicators,
                *(table.row_indicators.indicators if table.row_indicators else []),
            ]
            wordings = []
            for rule in rules:
                wordings += [(label, rule.id) for label in rule.columns]
            wordings += [(name, rule.id) for name, rule in table.sheet_indicators.items()]
            for label, indicator_id in wordings:
                aliases.setdefault(_plain(split_unit(normal_header(label))[0]), indicator_id)
    factors = {
        (row["unit_text"], row["canonical_unit"]): float(row["multiply_by"])
        / float(row["divide_by"])
        for row in units
    }
    levels = {row["indicator_id"]: row["place_level"] for row in rows}
    return Catalog(
        exact,
        aliases,
        {row["indicator_id"]: row["canonical_unit"] for row in rows},
        levels,
        factors,
        {row["indicator_id"]: row["growth_of"] for row in rows if row["growth_of"]},
    )


def split_unit(header: str) -> tuple[str, str | None, str | None]:
    """Label, unit and the pattern that finds the unit, from a normal-form header such as
    ``GDP(亿元)`` or ``GDP/亿元``.

    >>> split_unit("年末常住人口(万人)")[:2], split_unit("GDP/亿元")[:2]
    (('年末常住人口', '万人'), ('GDP', '亿元'))
    """
    brackets = _BRACKET.findall(header)
    for unit in reversed(brackets):
        if unit and not _QUALIFIER.search(unit):
            return header.replace(f"({unit})", "", 1), unit, r"\((" + re.escape(unit) + r")\)"
    label, slash, unit = header.rpartition("/")
    if slash and label and len(unit) <= 12:
        return label, unit, "/([^/]+)$"
    label, comma, unit = header.rpartition(",")
    if comma and label and 0 < len(unit) <= 12:
        return label, unit, ",([^,]+)$"
    return header, None, None


def split_known_unit(
    header: str, units: Iterable[tuple[str, str]]
) -> tuple[str, str | None, str | None]:
    """Like `split_unit`, for known units (pairs of a unit and its canonical one) alone, also where
    one is the end of the header or of a bracket: ``收入_万元``, ``收入万元``, ``收入(单位:万元)``.

    A unit of one sign, or in Latin letters, needs a sign before it; `gdp_index` states no unit.
    """
    words = {word for word, _ in units}
    label, unit, pattern = split_unit(header)
    if unit is not None and unit.lower() in words:
        return label, unit, pattern
    text = header.rstrip(")")
    closed = r"\)" if text != header else ""
    for word in sorted(words, key=lambda word: (-len(word), word)):
        if not text.lower().endswith(word):
            continue
        before = text[: len(text) - len(word)]
        if _CHINESE.search(word):
            is_unit = len(word) > 1 or before.endswith(tuple(_BEFORE_UNIT))
        else:
            is_unit = before.endswith(tuple(_BEFORE_UNIT.replace("_", "")))
        if before and is_unit:
            unit = text[len(before) :]
            label = before.rstrip(_BEFORE_UNIT).removesuffix("单位").rstrip(_BEFORE_UNIT)
            return label, unit, f"({re.escape(unit)}){closed}$"
    return header, None, None


def match_header(header: str, catalog: Catalog) -> HeaderMatch | None:
    """Best indicator for a header, or None where nothing is like enough.

    Parameters
    ----------
    header : str
        Header in any language; both halves of a bilingual one are tried.
    catalog : Catalog
        What is known.

    A joined header of several rows (``a|b``) is tried as a whole and row by row.
    """
    parts = dict.fromkeys([header, *header.split("|")])
    found = filter(None, (_match_part(part, catalog) for part in parts))
    return max(found, key=lambda match: match.score, default=None)


def _match_part(header: str, catalog: Catalog) -> HeaderMatch | None:
    whole, _, _ = split_unit(normal_header(header))
    label, unit, pattern = split_known_unit(normal_header(header), catalog.units)
    labels = [text for text in [*_halves(header, whole), *_halves(header, label)] if text]
    for how, wordings in (("exact", catalog.exact), ("alias", catalog.aliases)):
        for text in labels:
            if text in wordings:
                return _with_unit(wordings[text], how, 1.0, unit, pattern, catalog)
    known = chain(catalog.exact.items(), catalog.aliases.items())
    scored = [
        (_likeness(text, wording), indicator_id)
        for (wording, indicator_id), text in product(known, labels)
        if len(text) > 1 and bool(_CHINESE.search(text)) == bool(_CHINESE.search(wording))
    ]
    score, indicator_id = max(scored, default=(0.0, ""))
    if score < MIN_SCORE:
        return None
    return _with_unit(indicator_id, "fuzzy", round(score, 2), unit, pattern, catalog)


def _with_unit(
    indicator_id: str,
    how: str,
    score: float,
    unit: str | None,
    pattern: str | None,
    catalog: Catalog,
) -> HeaderMatch:
    is_known = (
        unit is not None
        and (normal_header(unit).lower(), catalog.canonical_unit[indicator_id]) in catalog.units
    )
    return HeaderMatch(
        indicator_id, how, score, unit if is_known else None, pattern if is_known else None
    )


def _halves(header: str, label: str) -> list[str]:
    """Return the label as a whole, without its English, and its English alone: bilingual headers
    name an indicator twice.
    """
    english = " ".join(_ASCII.findall(_BRACKET.sub(" ", header))).strip()
    chinese = _ASCII.sub("", label)
    return list(dict.fromkeys([_plain(label), _plain(chinese), _plain(english)]))


def _plain(text: str) -> str:
    """Label for comparison: lower case, shorthand written out, without fillers, signs and white
    space.
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|_|(?<=[A-Za-z])(?=[0-9])", " ", text)
    spelled = re.sub(
        r"[A-Za-z]+",
        lambda match: _SHORTHAND.get(match.group().lower(), match.group().lower()),
        words,
    )
    kept = _FILLER.sub(" ", spelled) if not _CHINESE.search(spelled) else _FILLER.sub("", spelled)
    return re.sub(r"[\s().'\"]+", "", kept) or re.sub(r"\s+", "", spelled)


def _likeness(text: str, wording: str) -> float:
    """Return the share of matching signs (Ratcliff and Obershelp), where one wording contains the
    other at least 0.75.
    """
    ratio = SequenceMatcher(None, text, wording, autojunk=False).ratio()
    shorter, longer = sorted((text, wording), key=len)
    is_inside = len(shorter) >= 4 and shorter in longer and len(shorter) >= 0.5 * len(longer)
    return max(ratio, 0.75 if is_inside else 0.0)


def quoted(text: str) -> str:
    """Return a text as YAML."""
    return json.dumps(text, ensure_ascii=False)


def meaning(match: HeaderMatch, catalog: Catalog, evidence: str, *, by_pattern: bool = True) -> str:
    """Indicator and unit of a column, row or sheet as its rule writes them, and the evidence
    behind them.
    """
    unit, assumed = "", ""
    if match.unit is None:
        assumed = f"; no known unit: {catalog.canonical_unit[match.indicator_id]} assumed, check"
    elif by_pattern and match.unit_pattern:
        unit = f", unit_pattern: {quoted(match.unit_pattern)}"
    else:
        unit = f", unit: {quoted(match.unit)}"
    return f"id: {match.indicator_id}{unit}}}  # {evidence}{assumed}"


def note_of(where: str, text: str, match: HeaderMatch, catalog: Catalog, evidence: str) -> str:
    """Return what was found for a column, row or sheet, for the person who reads the draft."""
    unit = match.unit or f"{catalog.canonical_unit[match.indicator_id]} (assumed)"
    return (
        f"{where}: {text!r} -> {match.indicator_id} ({match.how}, {match.score:.2f}), unit "
        f"{unit}: {evidence}"
    )
