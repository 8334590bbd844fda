"""Never-pilot partners of each city in other provinces: those that a permutation within the city's
province leaves as they are.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..analyses.rules import TieRule
from ..analyses.spec import TIE_NEEDS, SampleError


def partners_elsewhere(members: pd.DataFrame, pairs: pd.DataFrame, rule: TieRule) -> np.ndarray:
    """Whether the city of a column is a partner of the city of a row.

    Parameters
    ----------
    members : DataFrame
        city_id (ascending), province_id, cohort (0 = never).
    pairs : DataFrame
        ``marts.fct_city_pair``: city_i_id, city_j_id and the measure of the rule.
    rule : TieRule
        Every never-pilot of another province; with a quantile those whose tie lies above that of
        all pairs of members; with partners each city's so many strongest.

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
    """A measure of every two cities (N,), (N, N), NaN where there is none.

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
