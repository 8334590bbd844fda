"""Effects of admission imposed on z: own shocks grow or shrink, loadings rise or fall."""

from __future__ import annotations

import re

import numpy as np

from .measure import cycle, own_shock, slope, standardise


def impose(
    z: np.ndarray,
    m: np.ndarray,
    years: np.ndarray,
    treated: np.ndarray,
    name: str,
    fitted_on: np.ndarray | None = None,
) -> np.ndarray:
    """z, taken again, of cities with an effect in their treated years.

    ``S-60``, ``S+60``: own variance 60 % less, or more; the line on (1, m) that leaves the own
    shock is fitted on untreated years. ``L+50``, ``L-50``: the city's own loading, the slope of its
    cycle on that of m in untreated years, times 1.5 or 0.5. ``C+50``: the cycle of m times 0.5 is
    added, the same rise of loading for all. z is an affine function of growth city by city, so
    changing it and changing growth are the same.

    Parameters
    ----------
    z, m : (n, T) float arrays
    years : (T,) int array
    treated : (T,) float array
        1 in treated years.
    name : str
    fitted_on : (T,) bool array, optional
        Other years to fit the line of S on.

    Returns
    -------
    (n, T) float array

    Raises
    ------
    ValueError
        If the name is none of these.
    """
    found = re.fullmatch(r"([SLC])([+-]\d{1,3})", name)
    share = int(found[2]) / 100 if found else 0.0
    if not found or share < -1:
        raise ValueError(
            f"imposed effect {name!r}: expected S, L or C, a sign and a percentage (S-60: own "
            "variance 60 % less, L+50: loading 50 % more)"
        )
    untreated = treated == 0
    if found[1] == "S":
        part = own_shock(z, m, untreated if fitted_on is None else fitted_on)
        return standardise(z + (np.sqrt(1 + share) - 1) * part * treated)
    wave = cycle(m, years)
    own = slope(cycle(z, years), wave, untreated) if found[1] == "L" else np.ones(len(z))
    return standardise(z + share * own[:, None] * wave * treated)


def impose_on_pilots(
    z: np.ndarray, m: np.ndarray, years: np.ndarray, label: np.ndarray, treated: np.ndarray, name
) -> np.ndarray:
    """z with the effect on every pilot, by its label (N,) and the treated years of labels
    (C + 1, T).
    """
    changed = z.copy()
    for c in range(1, len(treated)):
        rows = label == c
        changed[rows] = impose(z[rows], m[rows], years, treated[c], name)
    return changed
