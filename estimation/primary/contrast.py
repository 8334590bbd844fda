"""Weights of a linear estimator of what admission did: one row for each block and label, which no
permutation of admissions within blocks changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .city_panel import CityPanel


@dataclass(frozen=True)
class Contrast:
    """Weights on K values of a city, and what a unit effect adds to these values.

    Attributes
    ----------
    weight : (B, C + 1, K) float array
        By block and label. The estimate is the sum over cities of weight times values. Over the
        cities of a block the weights sum to zero for each value.
    response : (B, C + 1, K) float array
        What an effect of 1 adds to the values of a city; weight times response sums to one over
        all cities.
    """

    weight: np.ndarray
    response: np.ndarray


def two_way(panel: CityPanel, response: np.ndarray, blind: np.ndarray) -> Contrast:
    """Return least squares of values on `response` with block x year effects, and with effects of
    each city on the columns of `blind`.

    Parameters
    ----------
    panel : CityPanel
    response : (B, C + 1, K) float array
    blind : (B, K, k) float array
        Ones alone: city effects.

    Returns
    -------
    Contrast
        Without weights where nothing varies within blocks.
    """
    basis = np.linalg.qr(blind)[0]
    inside = np.einsum("bck,bkq->bcq", response, basis)
    weight = response - np.einsum("bcq,bkq->bck", inside, basis)
    share = panel.counts / panel.counts.sum(axis=1, keepdims=True)
    weight = weight - np.einsum("bc,bck->bk", share, weight)[:, None, :]
    weight = np.where(np.abs(weight) > 1e-12 * np.abs(response).max(initial=0.0), weight, 0.0)
    total = float((panel.counts[:, :, None] * weight * response).sum())
    return Contrast(weight / (total or 1.0), response)


def treatment_contrast(panel: CityPanel) -> Contrast:
    """Return two-way least squares on pilot x post, city and block x year effects."""
    shape = (len(panel.counts), *panel.treated.shape)
    return two_way(panel, np.broadcast_to(panel.treated, shape), np.ones((*shape[::2], 1)))
