"""Ties between cities and the rules that keep pairs by them (docs/methods, section 4)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..analyses.rules import TieRule
from ..analyses.spec import TIE_NEEDS, SampleError
from ..panel.pair_panel import strong_ties
from ..panel.partners import keep_partners

# city ids have six digits, so a pair is one integer
PAIR_BASE = 10_000_000


def tie_of(keys: np.ndarray, pairs: pd.DataFrame, rule: TieRule) -> np.ndarray | None:
    """Signed measure of the tie rule (P,) by pair key, NaN where the marts have none."""
    if rule.measure is None:
        return None
    if rule.measure not in pairs:
        raise SampleError(f"needs the column {rule.measure} of marts.fct_city_pair, which is not there")
    pair_key = pairs["city_i_id"].to_numpy(dtype=np.int64) * PAIR_BASE + pairs["city_j_id"].to_numpy(dtype=np.int64)
    measure = pd.Series(pairs[rule.measure].to_numpy(dtype=float, na_value=np.nan), index=pair_key)
    return rule.sign * measure.reindex(keys).to_numpy()


def cities_with_tie(left: np.ndarray, right: np.ndarray, tie: np.ndarray, complete: np.ndarray) -> np.ndarray:
    """Ids of the complete cities that have a tie to another of them, ascending; pairs by their cities' ids (P,) and tie (P,)."""
    has_tie = np.isfinite(tie) & np.isin(left, complete) & np.isin(right, complete)
    if not has_tie.any():
        raise SampleError(f"needs ties between cities, that is {TIE_NEEDS}: no pair of complete cities has a tie strength")
    return np.union1d(left[has_tie], right[has_tie])


def apply_tie_rule(tie: np.ndarray | None, is_eligible: np.ndarray, rule: TieRule, places: tuple) -> tuple[np.ndarray, float]:
    """Apply a tie rule to the pairs with at most one pilot.

    Parameters
    ----------
    tie : (P,) float array or None
        Measure of the rule times its sign.
    is_eligible : (P,) bool array
    rule : TieRule
    places : (P,) int array, (P,) int array, (N,) bool array
        City positions of the pairs, and which cities are pilots.

    Returns
    -------
    (P,) bool array, float
        Pairs that are kept, and the threshold in units of the measure, NaN where the rule has none.
    """
    if tie is None:
        return is_eligible, np.nan
    has_tie = is_eligible & np.isfinite(tie)
    if not has_tie.any():
        return has_tie, np.nan
    if rule.partners is not None:
        return keep_partners(tie, *places, has_tie, rule.partners), np.nan
    return has_tie & strong_ties(tie, has_tie, rule.quantile), rule.sign * float(np.quantile(tie[has_tie], rule.quantile))
