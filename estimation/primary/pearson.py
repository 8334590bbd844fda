"""Pearson's correlation before and after admission, which mean synchronization is not: a mean of y
over part of the years is standardised over all of them.
"""

from __future__ import annotations

import numpy as np

from .city_panel import CityPanel

# With fewer years on either side a correlation is mostly chance.
LEAST_YEARS = 5


def pearson_before_after(
    panel: CityPanel, series: np.ndarray, weight: np.ndarray
) -> tuple[float | None, float | None]:
    """Return the mean correlation of pilots with never-treated cities outside their block, in
    untreated years and in treated ones.

    Parameters
    ----------
    panel : CityPanel
    series : (N, T) float array
        Growth, or its cycle.
    weight : (N, T) float array
        The test's weights: each pilot counts with its weight over treated years, as in `before`.

    Returns
    -------
    (float or None, float or None)
        Over pilots with at least `LEAST_YEARS` years on both sides; None twice without any.
    """
    treated = panel.treated[panel.label]
    share = (weight * treated).sum(axis=1)
    n_after = treated.sum(axis=1)
    n_before = len(panel.years) - n_after
    counted = (panel.label > 0) & (np.minimum(n_before, n_after) >= LEAST_YEARS)
    total = share[counted].sum()
    if not counted.any() or abs(total) < 1e-12:
        return None, None
    means = []
    for is_after in (0.0, 1.0):
        found = 0.0
        for label in np.unique(panel.label[counted]):
            years = panel.treated[label] == is_after
            cities = np.flatnonzero(counted & (panel.label == label))
            correlation = _with_never_pilots(panel, series[:, years], cities)
            found += float((share[cities] * correlation).sum())
        means.append(found / float(total))
    return means[0], means[1]


def _with_never_pilots(panel: CityPanel, values: np.ndarray, cities: np.ndarray) -> np.ndarray:
    """Return the mean correlation of each city with the never-treated cities outside its block,
    (n,); a city that does not move in these years is no partner, and has a correlation of 0.
    """
    centred = values - values.mean(axis=1, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    unit = centred / np.where(length > 0, length, 1.0)
    correlation = np.einsum("nt,mt->nm", unit[cities], unit)
    never = (panel.label == 0) & (length[:, 0] > 0)
    partner = never[None, :] & (panel.block[cities][:, None] != panel.block[None, :])
    return (correlation * partner).sum(axis=1) / np.maximum(partner.sum(axis=1), 1)
