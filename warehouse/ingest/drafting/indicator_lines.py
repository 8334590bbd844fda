"""Write a layout's lines for the indicators of a sheet: known ones, and those that are new."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from warehouse.hashing import hash_bytes
from warehouse.ingest.cells.cell_values import normal_header
from warehouse.ingest.drafting.evidence import Finding, Knowledge
from warehouse.ingest.drafting.header_matching import (
    HeaderMatch,
    meaning,
    note_of,
    quoted,
    split_known_unit,
)
from warehouse.ingest.drafting.sheet_profile import SheetProfile
from warehouse.ingest.formats.grids import Grid


@dataclass(frozen=True)
class SheetInDraft:
    """What is known of a sheet while it is drafted, the place of each row among it."""

    where: str
    grid: Grid
    profile: SheetProfile
    level: str
    place_ids: Sequence[int | None]
    knowledge: Knowledge
    notes: list[str]
    # of each column or row that was taken: the known source whose figures it has
    copies: list[str | None] = field(default_factory=list)


def taken_lines(
    sheet: SheetInDraft,
    taken: Mapping[Hashable, HeaderMatch],
    texts: Mapping[Hashable, str],
    findings: Mapping[Hashable, Finding],
    indent: str,
    *,
    by_pattern: bool = True,
) -> list[str]:
    """Return a rule and a note for each column or row whose indicator is known."""
    lines, catalog = [], sheet.knowledge.catalog
    for key, match in taken.items():
        text, evidence = texts[key], findings[key].evidence
        sheet.copies.append(findings[key].copy_of)
        said = meaning(match, catalog, evidence, by_pattern=by_pattern)
        lines.append(f"{indent}- {{column: {quoted(text)}, {said}")
        sheet.notes.append(note_of(sheet.where, text, match, catalog, evidence))
    return lines


def new_indicator_lines(
    sheet: SheetInDraft,
    values_of: Mapping[str, Sequence[float]],
    findings: Mapping[str, Finding],
    indent: str,
    *,
    titles: Sequence[str] = (),
) -> list[str]:
    """Return lines for indicators that the catalog lacks, under names to be changed; what the
    catalog needs is a note for each. Where a name holds no unit, one of ``titles`` may.
    """
    lines = []
    for text, values in values_of.items():
        label, unit, pattern = split_known_unit(text, sheet.knowledge.catalog.units)
        units = _canonical_units(sheet, unit)
        titled = None
        if not units:
            titled = next((one for one in titles if _canonical_units(sheet, one)), None)
            units = _canonical_units(sheet, titled)
        name = re.sub("[^a-z0-9]+", "_", label.lower()).strip("_")
        if not re.match("[a-z]", name):
            # a layout takes no id that begins with a digit
            name = f"new_{hash_bytes(label.encode())[:4]}"
        indicator = f"{name}_{(units or ['count'])[0]}"
        found = np.asarray(values, dtype=float)
        found = found[np.isfinite(found)] if np.isfinite(found).any() else np.zeros(1)
        least, most = min(0, 10 * found.min()), 10 * max(1, found.max())
        how = ""
        if titled is not None:
            how = f", unit: {quoted(normal_header(titled))}"
        elif pattern and units:
            how = f", unit_pattern: {quoted(pattern)}"
        lines.append(
            f"{indent}- {{column: {quoted(text)}, id: {indicator}{how}}}  # "
            f"{findings[text].evidence}; if it is no indicator of the catalog, choose a name and "
            "add it there"
        )
        sheet.notes.append(
            f"{sheet.where}: column {text!r} was not matched: {findings[text].evidence}; if it is "
            "no indicator of the catalog, a line for "
            f'warehouse/seeds/indicator_catalog.csv: {indicator},"{label}","{label}",{sheet.level},'
            f"{(units or ['count'])[0]},flow,{least:.0f},{most:.0f},false,false,,,false; and one "
            f'for indicator_definitions.csv: {indicator},"what is counted","统计口径"'
        )
    return lines


def _canonical_units(sheet: SheetInDraft, unit: str | None) -> list[str]:
    """Canonical units to which a unit can be converted."""
    word = normal_header(unit or "").lower()
    return sorted(canonical for known, canonical in sheet.knowledge.catalog.units if known == word)
