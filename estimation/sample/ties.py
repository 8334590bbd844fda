"""Ties between cities and the rules that keep pairs by them (docs/methods, section 4), and
never-treated partners in other provinces: those that a permutation within the city's province
leaves as they are.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..analyses.rules import TIE_RULES, TieRule
from ..analyses.spec import TIE_NEEDS, SampleError, Spec
from ..panel.pair_panel import NEVER
from ..panel.partners import keep_pairs

# city ids have six digits, so a pair is one integer
PAIR_BASE = 10_000_000


def tie_of(keys: np.ndarray, pairs: pd.DataFrame, rule: TieRule) -> np.ndarray | None:
    """Signed measure of the tie rule (P,) by pair key, NaN where the marts have none."""
    if rule.measure is None:
        return None
    pair_key = pairs["city_i_id"].to_numpy(dtype=np.int64) * PAIR_BASE + pairs[
        "city_j_id"
    ].to_numpy(dtype=np.int64)
    measure = pd.Series(pairs[rule.measure].to_numpy(dtype=float, na_value=np.nan), index=pair_key)
    return rule.sign * measure.reindex(keys).to_numpy()


def cities_with_tie(
    left: np.ndarray, right: np.ndarray, tie: np.ndarray, complete: np.ndarray
) -> np.ndarray:
    """Return ids of the complete cities that have a tie to another of them, ascending; pairs by
    their cities' ids (P,) and tie (P,).
    """
    is_complete = np.isin([left, right], complete, kind="table").all(axis=0)
    has_tie = np.isfinite(tie) & is_complete
    if not has_tie.any():
        raise SampleError(
            f"needs ties between cities, that is {TIE_NEEDS}: no pair of complete cities has a "
            "tie strength"
        )
    return np.flatnonzero(np.bincount(np.concatenate([left[has_tie], right[has_tie]])))


def choose_pairs(
    tie: np.ndarray | None,
    cities: tuple[np.ndarray, np.ndarray],
    city_cohort: np.ndarray,
    spec: Spec,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return pairs of at most one pilot that the tie rule of the spec keeps.

    Parameters
    ----------
    tie : (P,) float array or None
        Measure of the rule times its sign; None where the rule keeps every pair.
    cities : two (P,) int arrays
        Positions of the cities of a pair.
    city_cohort : (N,) int array
        First treated year, 0 for never.
    spec : Spec

    Returns
    -------
    n_treated : (P,) int array
        Cities of the pair that are pilots: 0, 1 or 2.
    kept : (P,) bool array
    threshold : float
        Of the tie rule, in units of its measure; NaN where it has none.

    Raises
    ------
    SampleError
        If no pilot, no pair of a pilot and a never-treated city or no pair of two never-treated
        cities is left.
    """
    rule, is_pilot = TIE_RULES[spec.tie_rule], city_cohort > NEVER
    n_treated = is_pilot[cities[0]].astype(int) + is_pilot[cities[1]]
    eligible, threshold = n_treated < 2, np.nan
    if tie is not None:
        eligible = eligible & np.isfinite(tie)
        if rule.quantile is not None and eligible.any():
            threshold = rule.sign * float(np.quantile(tie[eligible], rule.quantile))
    kept = keep_pairs(tie, cities, is_pilot, eligible, rule.quantile, rule.partners)
    if not is_pilot.any():
        raise SampleError(
            "needs a city of the sample that was admitted as a pilot inside the window under "
            f"rule {spec.treatment_rule}: there is none"
        )
    kinds = (1, "of a pilot and a never-treated city"), (0, "of two never-treated cities")
    for count, meaning in kinds:
        if not (kept & (n_treated == count)).any():
            raise SampleError(
                f"needs pairs {meaning} under tie rule {spec.tie_rule}: there is none among "
                f"{kept.size} pairs of complete cities"
            )
    return n_treated, kept, threshold


def partners_elsewhere(members: pd.DataFrame, pairs: pd.DataFrame, rule: TieRule) -> np.ndarray:
    """Return whether the city of a column is a partner of the city of a row.

    Parameters
    ----------
    members : DataFrame
        city_id (ascending), province_id, cohort (0 = never).
    pairs : DataFrame
        ``marts.fct_city_pair``: city_i_id, city_j_id and the measure of the rule.
    rule : TieRule
        Every never-treated city of another province; with a quantile those whose tie lies above
        that of all pairs of members; with partners each city's so many strongest.

    Returns
    -------
    (N, N) bool array

    Raises
    ------
    SampleError
        If the pairs lack the measure.
    """
    province = members["province_id"].to_numpy()
    allowed = (members["cohort"].to_numpy() == 0)[None, :] & (
        province[:, None] != province[None, :]
    )
    if rule.measure is None:
        return allowed
    tie = rule.sign * pair_matrix(members["city_id"].to_numpy(), pairs, rule.measure)
    if rule.quantile is not None:
        known = tie[np.triu_indices(len(tie), 1)]
        return allowed & (tie > np.nanquantile(known, rule.quantile))
    strength = np.where(allowed & np.isfinite(tie), tie, -np.inf)
    order = np.argsort(-strength, axis=1, kind="stable")[:, : rule.partners]
    chosen = np.zeros_like(allowed)
    np.put_along_axis(chosen, order, True, axis=1)
    return chosen & np.isfinite(strength)


def pair_matrix(ids: np.ndarray, pairs: pd.DataFrame, measure: str) -> np.ndarray:
    """Return a measure of every two cities (N,), (N, N), NaN where there is none.

    Raises
    ------
    SampleError
        If the pairs lack it.
    """
    if measure not in pairs or pairs[measure].notna().sum() == 0:
        raise SampleError(f"needs {TIE_NEEDS}")
    inside = pairs[pairs["city_i_id"].isin(ids) & pairs["city_j_id"].isin(ids)]
    i, j = (
        np.searchsorted(ids, inside[side].to_numpy(dtype=np.int64))
        for side in ("city_i_id", "city_j_id")
    )
    tie = np.full((len(ids), len(ids)), np.nan)
    tie[i, j] = tie[j, i] = inside[measure].to_numpy(dtype=float, na_value=np.nan)
    return tie
