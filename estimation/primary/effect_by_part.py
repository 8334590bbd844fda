"""Estimate the effect separately by part of the treated cells, such as the age of a zone, and test
whether the parts are equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .city_panel import CityPanel
from .measure import net_of_blocks
from .p_values import rank_p

# A part whose cells are a combination of the others' has no estimate of its own.
SINGULAR = 1e-10


@dataclass(frozen=True)
class Parts:
    """Estimates of parts, and the test that they are equal.

    Attributes
    ----------
    estimate, std_error : (Q,) float arrays
        Of each part, all in one regression; the error is the root of the mean of the variances
        clustered by city and by block.
    statistic : (J,) float array
        The Wald statistic of equality in each draw, the real admissions first.
    """

    estimate: np.ndarray
    std_error: np.ndarray
    statistic: np.ndarray

    @property
    def p_value(self) -> float:
        """Of equality: the rank of the real statistic."""
        return rank_p(self.statistic)


def fit_parts(
    panel: CityPanel, y: np.ndarray, effect: float, paths: np.ndarray, permuted: np.ndarray
) -> Parts | None:
    """Return least squares of y on treatment in each part, with city and block x year effects.

    Under equality the panel less the common effect has none in any part, so draws are of that
    panel.

    Parameters
    ----------
    panel : CityPanel
    y : (N, T) float array
    effect : float
        The common effect.
    paths : (Q, C + 1, T) float array
        1 in the years in which a label is treated within the part; the parts sum to `treated`.
    permuted : (J, N) int array

    Returns
    -------
    Parts or None
        None where the parts are collinear.
    """
    share = panel.counts / panel.counts.sum(axis=1, keepdims=True)
    net = np.broadcast_to(
        paths - paths.mean(axis=2, keepdims=True), (len(panel.counts), *paths.shape)
    )
    net = net - np.einsum("bl,bqlt->bqt", share, net)[:, :, None, :]
    gram = np.einsum("bl,bqlt,brlt->qr", panel.counts, net, net)
    size = float(np.trace(gram))
    if size == 0 or np.linalg.eigvalsh(gram)[0] < SINGULAR * size:
        return None
    weight = np.einsum("qr,brlt->bqlt", np.linalg.inv(gram), net)
    freed = y - effect * panel.treated[panel.label]
    freed = net_of_blocks(freed, panel.block)
    product = np.einsum("nqlt,nt->nlq", weight[panel.block], freed)
    own = np.einsum("bqlt,brlt->blqr", weight, net)[panel.block]
    order = np.argsort(panel.block, kind="stable")
    starts = np.flatnonzero(np.diff(panel.block[order], prepend=-1))
    labels, city = panel.label[permuted[:, order]], order[None, :]
    scores = product[city, labels]
    estimate = scores.sum(axis=1)
    scores = scores - np.einsum("jnqr,jr->jnq", own[city, labels], estimate)
    by_block = np.add.reduceat(scores, starts, axis=1)
    variance = np.einsum("jnq,jnr->jqr", scores, scores)
    variance = (variance + np.einsum("jbq,jbr->jqr", by_block, by_block)) / 2
    std_error = np.sqrt(np.diagonal(variance[0]))
    return Parts(estimate[0] + effect, std_error, _equality(estimate, variance))


def _equality(estimate: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Wald statistics (J,) of equal parts from estimates (J, Q) and their variances (J, Q, Q)."""
    n_parts = estimate.shape[1]
    difference = np.hstack([np.eye(n_parts - 1), -np.ones((n_parts - 1, 1))])
    gaps = estimate @ difference.T
    spread = difference @ variance @ difference.T
    return np.einsum("jq,jq->j", gaps, np.linalg.solve(spread, gaps[:, :, None])[:, :, 0])
