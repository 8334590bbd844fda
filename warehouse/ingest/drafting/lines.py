"""Pieces of the YAML of a drafted layout, and of the notes beside it (pure)."""

from __future__ import annotations

import json

from warehouse.ingest.drafting.header_matching import Catalog, HeaderMatch


def quoted(text: str) -> str:
    """Text as YAML."""
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
    """What was found for a column, row or sheet, for the person who reads the draft."""
    unit = match.unit or f"{catalog.canonical_unit[match.indicator_id]} (assumed)"
    return (
        f"{where}: {text!r} -> {match.indicator_id} ({match.how}, {match.score:.2f}), unit "
        f"{unit}: {evidence}"
    )
