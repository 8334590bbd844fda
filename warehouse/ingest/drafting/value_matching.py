"""Match a column of an unknown source to indicators by its values: those of the published warehouse
for the same places and years (pure).

Two tables of one statistic agree in most cells, whatever their headers say; in another unit they do
so up to a power of ten.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

#: A value agrees within this share (rounding), and is near within that one (another vintage).
EQUAL, NEAR = 0.002, 0.05
#: It is a copy of a source that has so much of its cells, of which so many are the same to the last
#: digit that single precision keeps, and not by chance.
SAME, COPIED, FEWEST_COPIED = 1e-6, 0.95, 100
#: A column is compared with at most so many cells.
MOST_CELLS = 4_000
#: What a rate of growth is that takes no account of prices, as messages call it.
CURRENT_PRICES = "growth at current prices"
LEVELS = {"city": 0, "province": 1, "country": 2}
_LEVEL_STEP, PLACE_STEP = 10**11, 10**4
_MOST_POWER = 9


@dataclass(frozen=True)
class Reference:
    """Known values, sorted by key.

    Attributes
    ----------
    keys : ndarray of int64, shape (n,)
        ``cell_key`` of each.
    indicators : ndarray of int32, shape (n,)
        Position in ``names``.
    values : ndarray of float64, shape (n,)
        In the canonical unit.
    names : list of str
        Indicators.
    sources : ndarray of int32, shape (n,)
        Position in ``source_names``.
    source_names : list of str
    """

    keys: np.ndarray
    indicators: np.ndarray
    values: np.ndarray
    names: list[str]
    sources: np.ndarray
    source_names: list[str]


@dataclass(frozen=True)
class ValueMatch:
    """How well a column fits an indicator: values are about 10^power times those known.

    ``share`` of the common cells agree, ``near`` of them lie within five per cent; ``n`` cells are
    common, ``n_distinct`` unlike values. ``copy_of`` is the source whose figures they are.
    """

    indicator_id: str
    power: int
    share: float
    near: float
    n: int
    n_distinct: int
    copy_of: str | None = None


def cell_key(level: str, place_id: int, year: int) -> int:
    """Return one number for a place and a year."""
    return LEVELS[level] * _LEVEL_STEP + place_id * PLACE_STEP + year


def read_reference(database: Path) -> Reference | None:
    """Return values of a published database that no rule blocked; None where there is none."""
    if not database.is_file():
        return None
    from warehouse.publication.untrusted import open_untrusted

    with open_untrusted(database) as con:
        columns = con.execute(
            'select place_level, city_id, "year", indicator_id, "value", source_id from '
            "marts.fct_indicator_observation where quality_flag <> 'blocked' and \"value\" <> 0"
        ).fetchnumpy()
    if not len(columns["value"]):
        return None
    level = np.array([LEVELS[str(text)] for text in columns["place_level"]], np.int64)
    keys = (
        level * _LEVEL_STEP
        + columns["city_id"].astype(np.int64) * PLACE_STEP
        + columns["year"].astype(np.int64)
    )
    names, indicators = np.unique(columns["indicator_id"].astype(str), return_inverse=True)
    source_names, sources = np.unique(columns["source_id"].astype(str), return_inverse=True)
    order = np.lexsort((sources, columns["value"], indicators, keys))
    return Reference(
        keys[order],
        indicators[order].astype(np.int32),
        columns["value"][order].astype(float),
        names.tolist(),
        sources[order].astype(np.int32),
        source_names.tolist(),
    )


def match_values(keys: np.ndarray, values: np.ndarray, reference: Reference) -> list[ValueMatch]:
    """Indicators that a column may be, the best first.

    Parameters
    ----------
    keys : ndarray of int64, shape (n,)
        ``cell_key`` of each value.
    values : ndarray of float64, shape (n,)
        Zeros and NaN say nothing and are left out.
    reference : Reference

    Returns
    -------
    list of ValueMatch
        One for each indicator with a common cell, with its best power of ten.
    """
    known = np.isfinite(values) & (values != 0)
    keys, first = np.unique(keys[known], return_index=True)
    values = values[known][first]
    start, end = (
        np.searchsorted(reference.keys, keys, "left"),
        np.searchsorted(reference.keys, keys, "right"),
    )
    common = np.flatnonzero(end > start)
    if len(common) > MOST_CELLS:
        common = common[np.linspace(0, len(common) - 1, MOST_CELLS).astype(int)]
    if not len(common):
        return []
    counts = (end - start)[common]
    cells = np.repeat(np.arange(len(common)), counts)
    at = np.repeat(start[common] - np.r_[0, np.cumsum(counts)[:-1]], counts) + np.arange(
        counts.sum()
    )
    own, ratio = values[common], values[common][cells] / reference.values[at]
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.where(ratio > 0, np.round(np.log10(np.abs(ratio))), 99).astype(int)
    gap = np.abs(ratio / 10.0 ** np.clip(power, -_MOST_POWER, _MOST_POWER) - 1)
    is_usable = (ratio > 0) & (np.abs(power) <= _MOST_POWER)
    indicators = reference.indicators[at]
    found = []
    for number, name in enumerate(reference.names):
        mine = indicators == number
        if mine.any():
            found.append(_best(name, own, cells[mine], power[mine], gap[mine], is_usable[mine]))
    found.sort(key=lambda match: (-match.share, -match.near, -match.n, match.indicator_id))
    # of the others nobody asks whose figures they are
    best, mine = found[0], indicators == reference.names.index(found[0].indicator_id)
    is_same = is_usable & (power == best.power) & (gap <= SAME)
    copied = _copied(cells[mine], reference.sources[at][mine], is_same[mine], best.n)
    if copied is not None:
        found[0] = replace(best, copy_of=reference.source_names[copied])
    return found


def growth_of_level(reference: Reference, level: str) -> Reference:
    """Return growth in per cent from the year before, within each source of a known level."""
    mine = np.flatnonzero(reference.indicators == reference.names.index(level))
    mine = mine[np.lexsort((reference.keys[mine], reference.sources[mine]))]
    before, after = mine[:-1], mine[1:]
    # the year is the end of a key
    is_next = (reference.keys[after] == reference.keys[before] + 1) & (
        reference.sources[after] == reference.sources[before]
    )
    before, after = before[is_next], after[is_next]
    growth = 100 * (reference.values[after] / reference.values[before] - 1)
    kept = after[growth != 0]
    order = np.argsort(reference.keys[kept], kind="stable")
    return replace(
        reference,
        keys=reference.keys[kept][order],
        indicators=np.zeros(len(kept), np.int32),
        values=growth[growth != 0][order],
        names=[CURRENT_PRICES],
        sources=reference.sources[kept][order],
    )


def _best(
    name: str,
    own: np.ndarray,
    cells: np.ndarray,
    power: np.ndarray,
    gap: np.ndarray,
    is_usable: np.ndarray,
) -> ValueMatch:
    """Return the power of ten at which most cells agree; a cell that any of its known values agrees
    with, agrees.
    """
    n = len(np.unique(cells))
    n_distinct = len(np.unique(own[np.unique(cells)]))
    best = ValueMatch(name, 0, 0.0, 0.0, n, n_distinct)
    for exponent in np.unique(power[is_usable]).tolist():
        at = is_usable & (power == exponent)
        equal = len(np.unique(cells[at & (gap <= EQUAL)]))
        near = len(np.unique(cells[at & (gap <= NEAR)]))
        if (equal, near) > (best.share * n, best.near * n):
            best = ValueMatch(name, exponent, equal / n, near / n, n, n_distinct)
    return best


def _copied(
    cells: np.ndarray, sources: np.ndarray, is_same: np.ndarray, n_cells: int
) -> int | None:
    """Return the position of the source whose figures most cells are, to the last digit; None where
    none has nearly all of the cells, or nearly all of its own are not the same.
    """
    best = None
    most = 0
    for source in np.unique(sources).tolist():
        of_source = sources == source
        n_common = len(np.unique(cells[of_source]))
        n_same = len(np.unique(cells[of_source & is_same]))
        is_copy = n_same >= max(FEWEST_COPIED, COPIED * n_common) and n_common >= COPIED * n_cells
        if is_copy and n_same > most:
            best = source
            most = n_same
    return best
