"""Control of the false discovery rate over a family of tests."""

from __future__ import annotations

import numpy as np


def benjamini_hochberg(p_values: np.ndarray) -> np.ndarray:
    """Adjusted p values: the smallest rate at which the step-up procedure rejects each test (Benjamini and Hochberg 1995).

    Parameters
    ----------
    p_values : (K,) float array
        NaN where a test has none; it stays NaN and does not count.

    Returns
    -------
    (K,) float array
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(np.isfinite(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    steps = p_values[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return adjusted
