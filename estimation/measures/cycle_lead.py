"""How far a city's cycle runs ahead of its partners' (docs/methods, section 9.8)."""

from __future__ import annotations

import numpy as np


def lead_scores(z: np.ndarray, partners: np.ndarray) -> np.ndarray:
    """z_i(t-1) M_i(t) - z_i(t) M_i(t-1), M_i the mean z of a city's partners.

    Its mean over years is the cross-correlation at which the city leads less the one at which it
    lags, each at one year. What both share in the same year cancels: for z_i = l M_i + u_i it is
    u_i(t-1) M_i(t) - u_i(t) M_i(t-1), whatever the loading l.

    Parameters
    ----------
    z : (N, T) float array
        Standard scores of growth.
    partners : (N, N) bool array
        Whether the city of the column is a partner of the city of the row.

    Returns
    -------
    (N, T - 1) float array
        By the later year, from the second on; NaN for a city without partners.
    """
    count = partners.sum(axis=1)
    # einsum without BLAS: the same bytes for any number of threads
    mean = (
        np.einsum("ij,jt->it", partners.astype(np.float64), z)
        / np.where(count > 0, count, np.nan)[:, None]
    )
    return z[:, :-1] * mean[:, 1:] - z[:, 1:] * mean[:, :-1]
