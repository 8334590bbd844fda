"""What the compiled loops get, as named tuples: numba compiles `pairs.values` like an array of its
own.

Letters of the shapes: B draws, N cities, P candidate pairs, R provinces, G cohorts (group 0 is
never treated), T years, D statistics of a pair, M outcomes, L coefficients. Whole numbers are
int64, other numbers float64. This file does not import numba, so that callers may build these
tuples without waiting for it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Pairs(NamedTuple):
    """Candidate pairs in ascending order of their tie; the position of a pair in this order is its
    rank.

    Attributes
    ----------
    first, second : (P,) int64 arrays
        The two cities of a pair.
    values : (P, D) float64 array
        Statistics of a pair as in `linear.pair_statistics`; the first of them is 1, so that its sum
        counts pairs. The loops of `heterogeneity` take (P, M, T) instead: the outcomes less their
        mean over the pair's years.
    rank_of : (N, N) int64 array
        Rank of the pair of two cities, -1 where they are no candidate pair.
    province : (N,) int64 array
        Province of a city, 0..R-1; all 0 where provinces are not known.
    """

    first: np.ndarray
    second: np.ndarray
    values: np.ndarray
    rank_of: np.ndarray
    province: np.ndarray


class TieRule(NamedTuple):
    """Rule of the sample: pairs with a tie strictly above a quantile of the ties of pairs with at
    most one pilot.

    Attributes
    ----------
    is_used : bool
        False keeps every candidate pair.
    quantile : float
    next_larger : (P,) int64 array
        First rank with a strictly larger tie than that of the rank; P for the largest.
    base_first : int
        First rank that the real assignment keeps: `BaseSums` and the base of `SlotSums` are over
        the pairs from there on.
    """

    is_used: bool
    quantile: float
    next_larger: np.ndarray
    base_first: int


class Partners(NamedTuple):
    """Rule of the sample: pairs in which one city is among the other's strongest never-pilot
    partners.

    Attributes
    ----------
    order : (N, N - 1) int64 array
        Partners of a city from the strongest tie to the weakest, -1 behind the last.
    n_partners : int
        Number of partners that a city chooses.
    """

    order: np.ndarray
    n_partners: int


class BaseSums(NamedTuple):
    """Sums over all candidate pairs from rank `TieRule.base_first` on; a draw starts from them and
    changes what it must.

    Attributes
    ----------
    by_city : (N, D) float64 array
        Over the pairs of a city.
    inside : (R, D) float64 array
        Over the pairs with both cities in a province; R = 0 where provinces are not known.
    """

    by_city: np.ndarray
    inside: np.ndarray


class GroupSums(NamedTuple):
    """Sums of the pairs that one draw keeps, by their group (the cohort of the pilot, 0 for a pair
    of two never-pilots); written anew in each draw. Position 0 of the last axis counts pairs.

    Attributes
    ----------
    by_city : (N, G + 1, D) float64 array
        Over the pairs of a city; a pair is in the sums of both its cities.
    inside : (R, G + 1, D) float64 array
        Over the pairs with both cities in a province.
    totals : (G + 1, D) float64 array
        Over all pairs, each once.
    by_province : (R, G + 1, D) float64 array
        `by_city` added up over the cities of a province: its pairs, those inside it twice.
    """

    by_city: np.ndarray
    inside: np.ndarray
    totals: np.ndarray
    by_province: np.ndarray


class Designs(NamedTuple):
    """Treatment regressors of K two-way designs, padded with zeros to the largest.

    Attributes
    ----------
    x : (K, G + 1, T, L) float64 array
        Regressors of a group.
    unit_normal : (K, G + 1, n_basis, q, q) float64 array
        What a pair of the group adds to the normal matrix for one unit of each basis matrix; q = T
        - 1 + n_controls + L, the places of controls left zero.
    n_treatment : (K,) int64 array
        Coefficients of each design.
    leads : (K, L) int64 array
        Positions of the coefficients of the joint test, in the first `n_leads` places.
    n_leads : (K,) int64 array
    """

    x: np.ndarray
    unit_normal: np.ndarray
    n_treatment: np.ndarray
    leads: np.ndarray
    n_leads: np.ndarray


class Design(NamedTuple):
    """One design of `Designs`.

    Attributes
    ----------
    x : (G + 1, T, L) float64 array
    unit_normal : (G + 1, n_basis, q, q) float64 array
    n_treatment : int
        The first so many of L are this design's.
    leads : (n_leads,) int64 array
    """

    x: np.ndarray
    unit_normal: np.ndarray
    n_treatment: int
    leads: np.ndarray


class StatisticsLayout(NamedTuple):
    """Where the pieces lie in a pair's D statistics; `linear.pair_statistics.Layout` for compiled
    loops.

    Attributes
    ----------
    basis : (n_basis, T, T) float64 array
        The pairs' projections are sums of these matrices.
    n_controls : int
    shared : int
        Number of statistics before those of the first outcome.
    offsets : (M,) int64 array
        Position of the first statistic of an outcome; each has T + n_controls of them.
    """

    basis: np.ndarray
    n_controls: int
    shared: int
    offsets: np.ndarray


class DrawResults(NamedTuple):
    """Where draws put what they find; the caller fills it with NaN, a draw leaves NaN what it does
    not identify.

    Shapes are those of many draws; a draw, a design or an outcome gets the part of its own. K
    counts designs or estimators.

    Attributes
    ----------
    coefficient : (B, K, M, L) float64 array
    statistic : (B, K, M, L) float64 array
        abs(coefficient) over the square root of the summed squared scores of the cities.
    joint : (B, K, M) float64 array
        F of the leads with the jackknife covariance of the draw; (B, K, M, Q) where there are Q
        joint tests.
    """

    coefficient: np.ndarray
    statistic: np.ndarray
    joint: np.ndarray


class CellTerms(NamedTuple):
    """Differences of cohort means (Callaway-Sant'Anna or Sun-Abraham): K cells of cohort and year,
    and C terms that are means of cells.

    Attributes
    ----------
    group, year, base : (K,) int64 arrays
        Cohort of each cell, positions of its year and of the year it is compared with.
    against : (K, G + 1) bool array
        Groups whose pairs a cell is compared with; the never-treated group 0 always.
    places : (K, 3) int64 array
        Positions of the overall, the event and the single term to which a cell belongs; -1 for
        none.
    leads : (n_leads,) int64 array
        Terms of the joint test.
    n_terms : int
        C.
    """

    group: np.ndarray
    year: np.ndarray
    base: np.ndarray
    against: np.ndarray
    places: np.ndarray
    leads: np.ndarray
    n_terms: int


class ImputationTerms(NamedTuple):
    """Imputation (Borusyak-Jaravel-Spiess, Gardner): C terms that are means over treated cells.

    Attributes
    ----------
    start : (G + 1,) int64 array
        Position of a group's first treated year; T for the never-treated.
    event : (G + 1, T) int64 array
        Position of the event-time term of a group in a year; term 0 is the overall one.
    n_terms : int
        C.
    """

    start: np.ndarray
    event: np.ndarray
    n_terms: int


class GroupTimeModels(NamedTuple):
    """The families of estimators of group-time effects that a draw may fit.

    Attributes
    ----------
    varying : CellTerms
        Callaway-Sant'Anna.
    fixed : CellTerms
        Sun-Abraham.
    imputed : ImputationTerms
    wanted : (3,) bool array
        Which of the three are asked for.
    """

    varying: CellTerms
    fixed: CellTerms
    imputed: ImputationTerms
    wanted: np.ndarray


class AllPairsDesign(NamedTuple):
    """Least squares over all pairs with at most one pilot: nothing in it moves with the labels.

    Attributes
    ----------
    weights : (G + 1, T, K) float64 array
        Weight of a pair of the group and year in each of K coefficients: residual regressors times
        the inverse of their products.
    regressors : (G + 1, T, K) float64 array
        Treatment regressors less pair and year effects.
    counts : (G + 1,) float64 array
        Cities of each group.
    n_pairs : float
    """

    weights: np.ndarray
    regressors: np.ndarray
    counts: np.ndarray
    n_pairs: float


class QuadraticForm(NamedTuple):
    """An outcome -square / 2 (z_i^2 + z_j^2) + product z_i z_j of two cities, up to a constant.

    Attributes
    ----------
    square, product : float
    """

    square: float
    product: float


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
    first, second : (L, P) int32 arrays
        The two cities of the pair of a rank.
    rank_of : (L, P) int64 array
        Rank of a pair, -1 where it has no measure.
    next_larger : (L, P) int64 array
        First rank with a strictly larger measure than that of the rank.
    n_tied : (L,) int64 array
        Pairs that have a measure.
    measure : (R,) int64 array
        Which of the L measures a rule cuts.
    quantile : (R,) float64 array
        Pairs strictly above it are kept.
    """

    first: np.ndarray
    second: np.ndarray
    rank_of: np.ndarray
    next_larger: np.ndarray
    n_tied: np.ndarray
    measure: np.ndarray
    quantile: np.ndarray
