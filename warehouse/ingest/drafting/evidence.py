"""Identify a column of an unknown source by its values first, its header second (pure)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from warehouse.ingest.cells.cell_values import normal_header
from warehouse.ingest.drafting.header_matching import (
    Catalog,
    HeaderMatch,
    match_header,
    split_known_unit,
)
from warehouse.ingest.drafting.value_matching import (
    CURRENT_PRICES,
    Reference,
    ValueMatch,
    growth_of_level,
    match_values,
)

#: So many common cells say something; a series of one place is shorter and must agree more.
FEWEST, FEWEST_OF_A_SERIES = 20, 6
#: Share of cells that agree: enough alone, and enough together with a header that says the same.
ALONE, WITH_NAME, NEAR_WITH_NAME = 0.4, 0.2, 0.7
#: By so much the best indicator must fit better than the next one, unless the header decides.
MARGIN = 0.1
_FEWEST_DISTINCT = 5


@dataclass(frozen=True)
class Finding:
    """What a column is taken for (None: nothing), why, in words, and the known source whose figures
    it has to the last digit.
    """

    match: HeaderMatch | None
    evidence: str
    copy_of: str | None = None


@dataclass(frozen=True)
class Knowledge:
    """What columns are compared with: the catalog, and published values where there are any."""

    catalog: Catalog
    reference: Reference | None = None


def identify_column(
    header: str,
    keys: np.ndarray,
    values: np.ndarray,
    knowledge: Knowledge,
    *,
    is_series: bool = False,
    is_panel: bool = True,
) -> Finding:
    """Return what a column is, by its values and its header.

    Parameters
    ----------
    header : str
    keys : ndarray of int64, shape (n,)
        ``cell_key`` of each value; empty where places or years are not known.
    values : ndarray of float64, shape (n,)
    knowledge : Knowledge
    is_series : bool
        Whether these are the years of one place.
    is_panel : bool
        Whether the rows are places and years of a table of statistics; else no header is believed.
    """
    name = match_header(header, knowledge.catalog)
    found = (
        match_values(keys, values, knowledge.reference)
        if knowledge.reference is not None and len(keys)
        else []
    )
    fewest = FEWEST_OF_A_SERIES if is_series else FEWEST
    comparable = [
        match for match in found if match.n >= fewest and match.n_distinct >= _FEWEST_DISTINCT
    ]
    best = _choose(comparable, name)
    if best is not None:
        return _by_values(header, best, name, knowledge)
    if name is None:
        return Finding(None, "neither header nor values are like those of an indicator")
    own = next((match for match in comparable if match.indicator_id == name.indicator_id), None)
    if own is not None:
        said = (
            f"the header is like {name.indicator_id}, but only {own.share:.0%} of {own.n:,} "
            "values agree with those known"
        )
        cause = _other_year(keys, values, own.indicator_id, knowledge) or _current_prices(
            keys, values, own.indicator_id, knowledge
        )
        return Finding(None, said + cause)
    return _by_header(name, knowledge, is_panel=is_panel)


def _other_year(
    keys: np.ndarray, values: np.ndarray, indicator_id: str, knowledge: Knowledge
) -> str:
    """Return what to say where the values are those of the year before or after their own."""
    for step, said in ((-1, "before"), (1, "after")):
        # the year is the end of a key
        for match in match_values(keys + step, values, knowledge.reference):
            if match.indicator_id == indicator_id and match.share >= ALONE:
                return f"; {match.share:.0%} are those of the year {said}: put the years right"
    return ""


def _current_prices(
    keys: np.ndarray, values: np.ndarray, indicator_id: str, knowledge: Knowledge
) -> str:
    """Return what to say where the values are growth of a level at current prices."""
    level = knowledge.catalog.growth_of.get(indicator_id)
    if level not in knowledge.reference.names:
        return ""
    growth = growth_of_level(knowledge.reference, level)
    if knowledge.catalog.canonical_unit[indicator_id] == "index_100":
        values = values - 100
    for match in match_values(keys, values, growth):
        if match.power == 0 and match.share >= ALONE:
            return f"; {match.share:.0%} are {CURRENT_PRICES}, of {level}: leave them out"
    return ""


def _by_header(name: HeaderMatch, knowledge: Knowledge, *, is_panel: bool) -> Finding:
    """Return what a header is worth where there is no known value to compare its column with."""
    if not is_panel:
        return Finding(
            None,
            f"the header is like {name.indicator_id}, but the rows are no table of places and "
            "years",
        )
    if name.how != "fuzzy":
        return Finding(name, "by its header alone: no known value to hold its values against")
    if knowledge.reference is None:
        return Finding(name, f"a guess by its header, score {name.score:.2f}: check")
    return Finding(
        None,
        (
            f"the header is like {name.indicator_id} (score {name.score:.2f}), and no known value "
            "bears it out"
        ),
    )


def _choose(comparable: list[ValueMatch], name: HeaderMatch | None) -> ValueMatch | None:
    """Return the indicator that the values fit; of two that fit nearly as well, the one that the
    header names.
    """
    if not comparable:
        return None
    named = next(
        (
            match
            for match in comparable
            if name is not None and match.indicator_id == name.indicator_id
        ),
        None,
    )
    best = comparable[0]
    rivals = [match for match in comparable if match.share >= best.share - MARGIN]
    if best.share >= ALONE and len(rivals) == 1:
        return best
    if named not in rivals:
        return None
    is_enough = best.share >= ALONE or named.share >= WITH_NAME
    is_near = name.how != "fuzzy" and named.near >= NEAR_WITH_NAME
    return named if is_enough or is_near else None


def _by_values(
    header: str, best: ValueMatch, name: HeaderMatch | None, knowledge: Knowledge
) -> Finding:
    """Return the indicator of the values, with the unit that fits their power of ten."""
    canonical = knowledge.catalog.canonical_unit[best.indicator_id]
    said = f"{best.share:.0%} of {best.n:,} values agree with those known"
    if best.power:
        said += f" times 10^{best.power}"
    if best.copy_of:
        said += f"; a copy of {best.copy_of}, to the last digit"
    is_named = name is not None and name.indicator_id == best.indicator_id
    if name is not None and not is_named and name.how != "fuzzy":
        said += f"; the header says {name.indicator_id}"
    stated = match_header_unit([header, *header.split("|")], best.indicator_id, knowledge.catalog)
    if (
        stated is not None
        and _power(knowledge.catalog.units[_unit_key(stated.unit), canonical]) == best.power
    ):
        return Finding(
            replace(stated, how="values", score=round(best.share, 2)),
            f"{said}, in the unit that the header states",
            best.copy_of,
        )
    unit = unit_of_power(best.power, canonical, knowledge.catalog.units, header)
    if unit is None:
        return Finding(
            None, f"{said}, but no unit of seed unit_factors is 10^{best.power} of {canonical}"
        )
    if stated is not None:
        said += f"; the header's {stated.unit} would be another power"
    match = HeaderMatch(best.indicator_id, "values", round(best.share, 2), unit, None)
    return Finding(match, said, best.copy_of)


def match_header_unit(
    parts: Iterable[str], indicator_id: str, catalog: Catalog
) -> HeaderMatch | None:
    """Return the first unit of the indicator that parts of a header, or titles, state."""
    for part in parts:
        _, unit, pattern = split_known_unit(normal_header(part), catalog.units)
        if (
            unit is not None
            and (_unit_key(unit), catalog.canonical_unit[indicator_id]) in catalog.units
        ):
            return HeaderMatch(indicator_id, "values", 1.0, unit, pattern)
    return None


def unit_of_power(
    power: int, canonical: str, factors: Mapping[tuple[str, str], float], header: str = ""
) -> str | None:
    """Return a unit whose values are 10^power times the canonical ones; the canonical one itself
    where the power is 0.
    """
    if power == 0:
        return canonical
    fitting = [
        unit
        for (unit, to), factor in factors.items()
        if to == canonical and _power(factor) == power
    ]
    # one that the header names, a Chinese word before an English one, then the shortest
    return min(
        fitting,
        key=lambda unit: (unit not in header, unit.isascii(), len(unit), unit),
        default=None,
    )


def _power(factor: float) -> int | None:
    """Return how many tens a number in a unit is of the canonical one: multiplying by 0.0001 undoes
    a power of 4.
    """
    power = -math.log10(factor)
    return round(power) if abs(power - round(power)) < 1e-9 else None


def _unit_key(unit: str | None) -> str:
    return "".join((unit or "").split()).lower()
