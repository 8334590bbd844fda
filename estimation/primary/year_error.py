"""Error of a coefficient from the years: how the pilots' mean path scatters about what the loading
explains, for any draw of admissions.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .scores import cycle
from .statistics import Design, block_means

# A direction of the regressors below this share of the largest is rounding: the years do not tell
# it from the others.
SMALLEST_DIRECTION = 1e-9


def year_errors(
    z: np.ndarray,
    m: np.ndarray,
    years: np.ndarray,
    design: Design,
    places: np.ndarray,
    labels: np.ndarray,
) -> np.ndarray:
    """Standard deviation over years of the pilots' mean path, net of a level, a loading and a
    change of loading; (draws,).

    The path is the mean over pilots of z less the mean of the city's block. Whatever national
    factors pilots load on more than their peers is in it in every year, before admission and after,
    so its scatter shows what such factors can do to a coefficient, which errors across cities of
    one history cannot (docs/methods, section 18.5).

    Parameters
    ----------
    z, m : (N, T) float arrays
    years : (T,) int array
        At least 4.
    design : Design
    places : (n, draws) int array
    labels : (n,) int array

    Returns
    -------
    (draws,) float array
        With T less 3 degrees of freedom; a number that does not depend on the draw relates it to
        the coefficient.
    """
    wave = cycle(m, years)[places[:, 0]]
    regressors = np.column_stack(
        [np.ones(len(years)), wave.mean(axis=0), (design.treated[labels] * wave).mean(axis=0)]
    )
    left, sizes, _ = np.linalg.svd(regressors)
    rank = int((sizes > SMALLEST_DIRECTION * sizes[0]).sum())
    rest = np.einsum("nt,tk->nk", z - block_means(z, design)[design.block], left[:, rank:])
    n_pilots, n_draws = places.shape
    rows = np.arange(0, (n_draws + 1) * n_pilots, n_pilots)
    chosen = sparse.csr_array(
        (np.full(places.size, 1 / n_pilots), np.ascontiguousarray(places.T).ravel(), rows),
        (n_draws, len(z)),
    )
    return np.sqrt(((chosen @ rest) ** 2).sum(axis=1) / (len(years) - rank))
