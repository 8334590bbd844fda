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
        A pair of a pilot of type k and a never-pilot is of group 1 + (k - 1) n_classes + class.
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
    """Pairs from a rank on, added up: a draw starts from the sums and changes what it must.

    A kind is a block and a class of pairs; K of them. A band is cities whose pairs with any third
    city are all of one kind.

    Attributes
    ----------
    first_rank : int
        First rank that the real assignment keeps; pairs below it count zero here.
    kind_block, kind_class : (K,) int64 arrays
    province : (N,) int64 array
        0..R-1; all 0 where no sums by province are asked for.
    all_pairs : (R, C, D) float64 array
        Sums over the pairs of the cities of a province.
    part_start : (N + 1,) int64 array
        Where the parts of each city begin.
    part_province, part_kind : (L,) int64 arrays
        Partners' province and kind of the pairs of a part.
    parts : (L, D) float64 array
    of_city : (N, K, D) float64 array
        Sums over the pairs of a city by kind.
    kind_of : (N, N) int64 array
        Kind of the pair of two cities, -1 without one.
    inside : int64 array
        Ranks of the pairs with both cities in a province.
    city : (N,) int64 array
        Cities by band.
    place : (N,) int64 array
        Where each city stands among them.
    start : (bands + 1,) int64 array
        Where each band begins among them.
    kind : (bands, N) int64 array
        Kind of a band's pairs with a partner.
    has_kind : (bands, K) bool array
        Whether a band has pairs of a kind.
    first, first_whole : (bands,) int64 arrays
        Where each band begins in `values` and in `whole`.
    values : (N * N * D,) float64 array
        Statistics of pairs by band, partner, statistic and city of the band.
    whole : (N * K * D,) float64 array
        Sums over the pairs of a city by band, kind, statistic and city of the band.
    """

    first_rank: int
    kind_block: np.ndarray
    kind_class: np.ndarray
    province: np.ndarray
    all_pairs: np.ndarray
    part_start: np.ndarray
    part_province: np.ndarray
    part_kind: np.ndarray
    parts: np.ndarray
    of_city: np.ndarray
    kind_of: np.ndarray
    inside: np.ndarray
    city: np.ndarray
    place: np.ndarray
    start: np.ndarray
    kind: np.ndarray
    has_kind: np.ndarray
    first: np.ndarray
    first_whole: np.ndarray
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
