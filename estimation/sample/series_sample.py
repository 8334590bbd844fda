"""Samples from series of cities instead of pair-years: the same cities, pairs and groups as
`build.build_sample`, without a frame of pairs, for many rules of one series.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..analyses.rules import TIE_MEASURES, TIE_RULES
from ..analyses.spec import TIE_NEEDS, SampleError, Spec
from ..measures.synchronization import ROUNDING
from ..panel.pair_panel import NEVER
from .cities import build_sample_cities
from .outcomes import CitySeries
from .ties import choose_pairs


@dataclass(frozen=True)
class SeriesSample:
    """Kept pairs of one sample: cities as positions in the sample_cities, groups by cohort, and the
    series of the sample's cities.
    """

    sample_cities: pd.DataFrame
    city_i: np.ndarray
    city_j: np.ndarray
    group: np.ndarray
    start: np.ndarray
    series: CitySeries


def ties_by_city(pairs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Each measure of the tie as a symmetric table of cities by cities."""
    ids = np.union1d(pairs["city_i_id"], pairs["city_j_id"]).astype(np.int64)
    i, j = (
        np.searchsorted(ids, pairs[name].to_numpy(dtype=np.int64))
        for name in ("city_i_id", "city_j_id")
    )
    found = {}
    for measure in (name for name in TIE_MEASURES if name in pairs):
        table = np.full((len(ids), len(ids)), np.nan)
        table[i, j] = table[j, i] = pairs[measure].to_numpy(dtype=float, na_value=np.nan)
        found[measure] = pd.DataFrame(table, index=ids, columns=ids)
    return found


def moving(found: CitySeries) -> CitySeries:
    """Without cities whose series never moves, which have no standard scores."""
    moves = ((found.d - found.d.mean(axis=1, keepdims=True)) ** 2).mean(axis=1) > ROUNDING
    return CitySeries(found.city_ids[moves], found.years, found.d[moves])


def build_series_sample(
    cities: pd.DataFrame, ties: dict[str, pd.DataFrame], found: CitySeries, spec: Spec
) -> SeriesSample:
    """The sample of a spec from its series on its window, and ties as `ties_by_city` gives them.

    Raises
    ------
    SampleError
        As `build.build_sample`.
    """
    rule, table, found = TIE_RULES[spec.tie_rule], None, moving(found)
    members = found.city_ids
    if rule.measure is not None:
        if rule.measure not in ties:
            raise SampleError(
                f"needs the column {rule.measure} of marts.fct_city_pair, which is not there"
            )
        table = ties[rule.measure].reindex(index=members, columns=members).to_numpy()
        has_tie = np.isfinite(table).any(axis=1)
        if not has_tie.any():
            raise SampleError(
                f"needs ties between cities, that is {TIE_NEEDS}: no pair of complete cities has "
                "a tie strength"
            )
        members, table = members[has_tie], table[np.ix_(has_tie, has_tie)]
    sample_cities = build_sample_cities(cities, members, spec, int(found.years[-1]))
    stays = np.isin(members, sample_cities["city_id"])
    cohort = sample_cities["cohort"].to_numpy()
    i, j = np.triu_indices(len(sample_cities), 1)
    tie = None if table is None else rule.sign * table[np.ix_(stays, stays)][i, j]
    kept = choose_pairs(tie, (i, j), cohort, spec).kept
    i, j = i[kept], j[kept]
    group_years = np.unique(cohort[cohort > NEVER])
    pair_cohort = np.maximum(cohort[i], cohort[j])
    group = np.where(pair_cohort > NEVER, np.searchsorted(group_years, pair_cohort) + 1, 0)
    start = np.concatenate([[len(found.years)], np.searchsorted(found.years, group_years)])
    rows = np.searchsorted(found.city_ids, sample_cities["city_id"])
    return SeriesSample(
        sample_cities,
        i,
        j,
        group,
        start,
        CitySeries(sample_cities["city_id"].to_numpy(), found.years, found.d[rows]),
    )
