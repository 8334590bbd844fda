"""The rule of ties: pairs above a quantile, or of the k strongest partners of each city."""

from __future__ import annotations

from typing import Any

import numpy as np


def partner_order(
    tie: np.ndarray, city_i: np.ndarray, city_j: np.ndarray, n_cities: int
) -> np.ndarray:
    """Partners of each city from the strongest tie to the weakest, equal ties by position; shape
    (N, N - 1), -1 behind the last.

    Parameters
    ----------
    tie : (P,) float array
        Pairs without a finite tie are nobody's partners.
    city_i, city_j : (P,) int arrays
    n_cities : int
    """
    known = np.flatnonzero(np.isfinite(tie))
    city = np.concatenate([city_i[known], city_j[known]])
    partner = np.concatenate([city_j[known], city_i[known]])
    ordered = np.lexsort((partner, -np.concatenate([tie[known], tie[known]]), city))
    city, partner = city[ordered], partner[ordered]
    result = np.full((n_cities, max(n_cities - 1, 1)), -1, dtype=np.int64)
    result[city, np.arange(len(city)) - np.searchsorted(city, city)] = partner
    return result


def keep_partners(
    tie: np.ndarray,
    city_i: np.ndarray,
    city_j: np.ndarray,
    is_pilot: np.ndarray,
    eligible: np.ndarray,
    n_partners: int,
) -> np.ndarray:
    """Eligible pairs in which one city is among the other's strongest never-treated partners.

    A pilot's partners are never-treated cities, and a never-treated city's list holds none but
    never-treated cities: one rule for pairs of one pilot and of none.

    Parameters
    ----------
    tie : (P,) float array
    city_i, city_j : (P,) int arrays
    is_pilot : (N,) bool array
    eligible : (P,) bool array
        Pairs with at most one pilot.
    n_partners : int

    Returns
    -------
    (P,) bool array
    """
    n_cities = len(is_pilot)
    order = partner_order(np.where(eligible, tie, np.nan), city_i, city_j, n_cities)
    is_never = (order >= 0) & ~is_pilot[order]
    chosen = is_never & (is_never.cumsum(axis=1) <= n_partners)
    city, place = np.nonzero(chosen)
    kept = np.zeros((n_cities, n_cities), dtype=bool)
    kept[city, order[city, place]] = True
    return eligible & (kept[city_i, city_j] | kept[city_j, city_i])


def keep_pairs(
    tie: Any,
    cities: tuple[np.ndarray, np.ndarray],
    is_pilot: np.ndarray,
    eligible: np.ndarray,
    tie_quantile: float | None,
    n_partners: int | None,
) -> np.ndarray:
    """Return the rule of ties: which eligible pairs a sample keeps (docs/methods, section 4).

    Parameters
    ----------
    tie : (P,) float array or None
        Not read without a rule.
    cities : two (P,) int arrays
        Positions of the cities of a pair.
    is_pilot : (N,) bool array
    eligible : (P,) bool array
        Pairs with at most one pilot and, under a rule, a finite tie.
    tie_quantile : float or None
        Keep pairs strictly above this quantile of the eligible pairs' ties.
    n_partners : int or None
        Keep pairs in which one city is among the other's so many strongest never-treated partners.

    Returns
    -------
    (P,) bool array
    """
    if tie_quantile is not None:
        return eligible & strong_ties(tie, eligible, tie_quantile)
    if n_partners is not None:
        return keep_partners(tie, *cities, is_pilot, eligible, n_partners)
    return eligible


def strong_ties(tie: np.ndarray, eligible: np.ndarray, quantile: float) -> np.ndarray:
    """Return pairs strictly above the quantile (linear between order statistics) of the eligible
    pairs' ties; shape (P,).

    A linear quantile between two order statistics separates them, so 'strictly above it' is 'above
    the lower one' and needs no arithmetic.
    """
    ties = np.sort(tie[eligible])
    if len(ties) == 0:
        return np.zeros_like(eligible)
    # the 1e-9 keeps 0.3 * 10 from being 2
    return tie > ties[int((len(ties) - 1) * quantile + 1e-9)]
