"""Effects of admission imposed on z, or taken out of it: own shocks grow or shrink, loadings rise
or fall.
"""

from __future__ import annotations

import numpy as np

from .scores import cycle, own_shock, standardise


def scale_own(
    z: np.ndarray,
    m: np.ndarray,
    factor: float,
    treated: np.ndarray,
    fitted_on: np.ndarray | None = None,
) -> np.ndarray:
    """z, taken again, of cities whose own shock is multiplied by `factor` in treated years.

    Parameters
    ----------
    z, m : (n, T) float arrays
        z is an affine function of growth city by city, so rebuilding growth and rebuilding z are
        the same.
    factor : float
        sqrt(1 - k) for the effect S-k.
    treated : (T,) float array
        1 in treated years; a number between 0 and 1 scales by as much of the way from 1 to
        `factor`.
    fitted_on : (T,) bool array, optional
        Years from which the city's loading comes; the untreated ones by default. Those do not
        change with the effect, so that `1 / factor` takes it out again exactly.

    Returns
    -------
    (n, T) float array
    """
    fitted_on = treated == 0 if fitted_on is None else fitted_on
    return standardise(z + (factor - 1) * own_shock(z, m, fitted_on) * treated[None, :])


def add_loading(
    z: np.ndarray, m: np.ndarray, change: float, treated: np.ndarray, years: np.ndarray
) -> np.ndarray:
    """z, taken again, of cities whose loading on the cycle of m rises by `change` in treated years.

    The mean loading of never-pilots is 1 by construction, so 0.5 is the effect L-50 on a city that
    loads like them.
    """
    return standardise(z + change * cycle(m, years) * treated[None, :])
