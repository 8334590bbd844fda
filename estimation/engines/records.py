"""What the compiled loops get, as named tuples: numba compiles `pairs.values` like an array of its
own.

Letters as in `loops`; whole numbers are int64, other numbers float64. Does not import numba, so
that callers may build these tuples without waiting for it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class DrawnPairs(NamedTuple):
    """Candidate pairs in ascending order of their tie; the position of a pair in this order is its
    rank.

    Attributes
    ----------
    first, second : (P,) int64 arrays
        The two cities of a pair.
    values : (P, D) float64 array
        Statistics of a pair as in `arrays`; the first of them is 1, so that its sum counts pairs.
    rank_of : (N, N) int64 array
        Rank of the pair of two cities, -1 where they are no candidate pair.
    pair_class : (P,) int64 array
        A pair of a pilot of type k and a never-treated city is of group 1 + (k - 1) n_classes +
        class.
    n_classes : int
    block : (P,) int64 array
        Block of pairs with year effects of their own, 0..C-1.
    """

    first: np.ndarray
    second: np.ndarray
    values: np.ndarray
    rank_of: np.ndarray
    pair_class: np.ndarray
    n_classes: int
    block: np.ndarray


class MovedPairs(NamedTuple):
    """Pairs from a rank on, by city: a draw starts from the sums over all and changes what its
    pilots change.

    A kind is a block and a class of pairs; K of them. A band is cities whose pairs with any third
    city are all of one kind. A cell is a block and a group; U of them have pairs.

    Attributes
    ----------
    first_rank : int
        First rank that the real assignment keeps; pairs below it count zero here.
    cell : (K, types + 1) int64 array
        Cell of the pairs of a kind by the type of their pilot; 0 without one.
    kind_of : (P,) int64 array
        Kind of a pair, by rank.
    of_rank : (D, P) float64 array
        Statistics of pairs by rank.
    inside : int64 array
        Ranks of the pairs with both cities in a province.
    place : (N,) int64 array
        Where each city stands when cities are ordered by band.
    start : (bands + 1,) int64 array
        Where each band begins among them.
    kind : (bands, N) int64 array
        Kind of a band's pairs with a partner, -1 without one.
    values : (D, N, N) float64 array
        Statistics of pairs by statistic, partner and place of the city.
    whole : (D, K, N) float64 array
        Sums over the pairs of a city by statistic, kind and place of the city.
    """

    first_rank: int
    cell: np.ndarray
    kind_of: np.ndarray
    of_rank: np.ndarray
    inside: np.ndarray
    place: np.ndarray
    start: np.ndarray
    kind: np.ndarray
    values: np.ndarray
    whole: np.ndarray


class CurvePairs(NamedTuple):
    """Pairs of the cities of one series and window, for the loop over the specification curve.

    Attributes
    ----------
    first, second : (P,) int64 arrays
        The two cities of a pair.
    pair_class : (P,) int64 array
        Class whose pairs share year effects, 0..C-1.
    values : (P, D) float64 array
        What is summed.
    """

    first: np.ndarray
    second: np.ndarray
    pair_class: np.ndarray
    values: np.ndarray


class RankedTies(NamedTuple):
    """R rules of ties over the same P pairs, by the L measures they cut: pairs in ascending order
    of a measure times its sign.

    Attributes
    ----------
    rank_of : (L, N, N) int64 array
        Rank of the pair of two cities, -1 where it has no measure.
    next_larger : (L, P) int64 array
        First rank with a strictly larger measure than that of the rank.
    n_tied : (L,) int64 array
        Pairs that have a measure.
    measure : (R,) int64 array
        Which of the L measures a rule cuts.
    quantile : (R,) float64 array
        Pairs strictly above it are kept.
    """

    rank_of: np.ndarray
    next_larger: np.ndarray
    n_tied: np.ndarray
    measure: np.ndarray
    quantile: np.ndarray
