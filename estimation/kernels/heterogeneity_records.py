"""What the compiled draws of `heterogeneity` get and pass on, as named tuples; does not import
numba, as `records` does not.

Letters beside those of `records`: Y blocks of pairs with year effects of their own, S slots (a slot
is a city in a block: the pairs of that city in that block), K types of pilots (type 0 is never
treated), U distinct paths over the years, C rows (coefficients and differences of them), Q joint
tests. Whole numbers are int64, other numbers float64.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# columns of `TreatedPairs.who`
RANK, TYPE, PILOT, PARTNER, BLOCK, PILOT_SLOT, PARTNER_SLOT = range(7)


class YearBlocks(NamedTuple):
    """Blocks of year effects and the slots in them.

    Attributes
    ----------
    slot_of : (P, 2) int64 array
        Slots of a pair's first and second city, by rank.
    slot_city, slot_block : (S,) int64 arrays
        City and block of a slot.
    """

    slot_of: np.ndarray
    slot_city: np.ndarray
    slot_block: np.ndarray


class SlotSums(NamedTuple):
    """Sums over pairs by slot; every pair is in two of them.

    Attributes
    ----------
    outcomes : (S, M, T) float64 array
        Of outcomes less their pair means.
    counts : (S,) float64 array
        Pairs.
    inside, inside_counts : (R, Y, M, T) and (R, Y) float64 arrays
        The same over the pairs with both cities in a province; R = 0 where no joint test needs
        provinces.
    """

    outcomes: np.ndarray
    counts: np.ndarray
    inside: np.ndarray
    inside_counts: np.ndarray


class BlockSums(NamedTuple):
    """Sums over pairs by block, each pair once; with a first axis R the pairs with a city in each
    province.

    Attributes
    ----------
    outcomes : (Y, M, T) float64 array
    counts : (Y,) float64 array
    """

    outcomes: np.ndarray
    counts: np.ndarray


class RegressorSums(NamedTuple):
    """Sums over treated pairs; with a first axis R the pairs with a city in each province.

    Attributes
    ----------
    by_block : (Y, T, L) float64 array
        Of the regressors less their pair means.
    xx : (L, L) float64 array
        Of the products of regressors.
    xy : (M, L) float64 array
        Of regressors times outcome.
    n_treated : float
        Pairs.
    """

    by_block: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    n_treated: np.ndarray


class Paths(NamedTuple):
    """What the types of pilots bring over the years.

    Attributes
    ----------
    deviation : (K + 1, T, U) float64 array
        Paths less their means over the years.
    gram : (K + 1, U, U) float64 array
        Their products, summed over the years.
    """

    deviation: np.ndarray
    gram: np.ndarray


class PackedDesigns(NamedTuple):
    """J designs that share their blocks of year effects, padded to the largest.

    A regressor is a path of the pilot's type times a loading of the pair. A pair has at most two
    loadings that differ from zero.

    Attributes
    ----------
    columns : (J, n) int64 array
        Positions of a design's paths among the U, in the first `n_columns` (J,) places.
    loading_column, loading : (J, P, 2) int64 and float64 arrays
        Which loading of the design a pair has, by rank, and its value; -1 and 0 for none.
    contrasts : (J, C, L) float64 array
        Each row as a sum of coefficients; `n_rows` and `n_coefficients` (J,) of them are the
        design's.
    tests : (J, Q, n) int64 array
        Rows that a joint test sets to zero, in the first `test_sizes` (J, Q) places; `n_tests` (J,)
        of them are the design's.
    """

    columns: np.ndarray
    n_columns: np.ndarray
    loading_column: np.ndarray
    loading: np.ndarray
    contrasts: np.ndarray
    n_rows: np.ndarray
    n_coefficients: np.ndarray
    tests: np.ndarray
    n_tests: np.ndarray
    test_sizes: np.ndarray


class PackedDesign(NamedTuple):
    """One of `PackedDesigns` with its `Paths`, without padding.

    Attributes
    ----------
    deviation, gram : (K + 1, T, U) and (K + 1, U, U) float64 arrays
    columns : (n_columns,) int64 array
    loading_column, loading : (P, 2) int64 and float64 arrays
    contrasts : (C, L) float64 array
    tests : (Q, n) int64 array
    test_sizes : (Q,) int64 array
    """

    deviation: np.ndarray
    gram: np.ndarray
    columns: np.ndarray
    loading_column: np.ndarray
    loading: np.ndarray
    contrasts: np.ndarray
    tests: np.ndarray
    test_sizes: np.ndarray


class TreatedPairs(NamedTuple):
    """The n kept pairs of a pilot and a never-treated city in one draw.

    Attributes
    ----------
    who : (n, 7) int64 array
        `RANK`, `TYPE` of the pilot, `PILOT`, `PARTNER`, `BLOCK`, `PILOT_SLOT`, `PARTNER_SLOT`.
    products : (n, M, U) float64 array
        Path of the pilot's type times outcome, summed over the years.
    """

    who: np.ndarray
    products: np.ndarray


class WorkingArrays(NamedTuple):
    """Memory of one thread; every draw writes it anew.

    Attributes
    ----------
    slots : SlotSums
    blocks : BlockSums
        Over all kept pairs.
    provinces : BlockSums
        (R, Y, M, T) and (R, Y), over the kept pairs with a city in each province.
    treated : TreatedPairs
        With room for all pairs of a pilot and a never-treated city.
    ranks, signs : (P + number of pilots squared,) int64 and float64 arrays
        Pairs to add to the sums or, with sign -1, to take out of them.
    one_place : (N,) int64 array of zeros
        Stands for the province of a city in sums over all pairs.
    explained : (S, T) float64 array
        What the regressors explain of the outcomes of a slot's pairs.
    """

    slots: SlotSums
    blocks: BlockSums
    provinces: BlockSums
    treated: TreatedPairs
    ranks: np.ndarray
    signs: np.ndarray
    one_place: np.ndarray
    explained: np.ndarray
