"""Candidates for the primary test: how each turns a panel and dealt admissions into studentised
coefficients. Those that lost are kept here alone.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from estimation.primary.city_panel import CityPanel
from estimation.primary.contrast import Contrast, treatment_contrast
from estimation.primary.effects import impose
from estimation.primary.measure import (
    gap_cap,
    own_shock,
    reference,
    standardise,
    synchronization,
)
from estimation.primary.redeal import draw_statistics

CANDIDATES = ("two-way", "two-way capped", "imputation", "imputation capped", "weighted scores")
# of the weighted scores: share of the identity in the correlation of scores, and the fall of own
# variance that the weights look for
RIDGE, ALTERNATIVE = 0.1, "S-45"


def statistics(
    panel: CityPanel, series: np.ndarray, dealt: np.ndarray, names: tuple[str, ...] = CANDIDATES
) -> dict[str, np.ndarray]:
    """Studentised coefficients of each candidate on a series (N, T): arrays (J,), the real
    admissions first.
    """
    z = standardise(series)
    m, v = reference(z, panel.label == 0, panel.block)
    design, found = (panel.label, panel.block, dealt), {}
    for name in names:
        if name == "weighted scores":
            values, contrast = weighted_scores(panel, z, m)
            found[name] = draw_statistics(values, contrast, *design).statistic()
            continue
        y = synchronization(z, m, v, gap_cap(z, m) if name.endswith("capped") else np.inf)
        if name.startswith("imputation"):
            found[name] = impute(panel, y, dealt)
        else:
            found[name] = draw_statistics(y, treatment_contrast(panel), *design).statistic()
    return found


def weighted_scores(panel: CityPanel, z: np.ndarray, m: np.ndarray) -> tuple[np.ndarray, Contrast]:
    """The test of the second round: three scores a city and year, and weights by cohort that find
    calmer own shocks best among those that sum to zero over the years of each score.
    """
    cap, n_years = gap_cap(z, m), len(panel.years)

    def scores(z: np.ndarray) -> np.ndarray:
        gap = np.abs(z - m)
        return np.concatenate([-gap, -(np.minimum(gap, cap) ** 2) / 2, -np.abs(own_shock(z, m))], 1)

    values = scores(z)
    means = np.zeros((len(panel.counts), values.shape[1]))
    np.add.at(means, panel.block, values)
    net = values - (means / panel.counts.sum(axis=1)[:, None])[panel.block]
    covariance = net.T @ net / len(net)
    spread = np.sqrt(np.diag(covariance))
    ridged = (1 - RIDGE) * covariance + RIDGE * np.diag(spread**2)
    blind = np.kron(np.eye(3), np.ones((n_years, 1)))
    shifts, weights = np.zeros((2, len(panel.treated), values.shape[1]))
    for c, treated in enumerate(panel.treated[1:], start=1):
        fits = (treated == 0, np.ones(n_years, dtype=bool))
        changed = [scores(impose(z, m, panel.years, treated, ALTERNATIVE, on)) for on in fits]
        shifts[c] = (np.mean(changed, axis=0) - values).mean(axis=0)
        right = np.linalg.solve(ridged, np.column_stack([shifts[c], blind]))
        own, rest = right[:, 0], right[:, 1:]
        weights[c] = own - rest @ np.linalg.solve(blind.T @ rest, blind.T @ own)
    weight = weights[None] - np.einsum("bc,ck->bk", panel.share, weights)[:, None, :]
    response = np.broadcast_to(shifts, weight.shape)
    total = float((panel.counts[:, :, None] * weight * response).sum())
    return values, Contrast(weight / total, response)


@lru_cache(maxsize=4)
def _imputation(counts: bytes, treated: bytes, shape: tuple[int, int, int]):
    """Weights of imputation from untreated cells (B, C + 1, T), and what the values of a city of
    label k add to the year effects weighed by label c, (B, C + 1, C + 1, T).
    """
    n_blocks, n_labels, n_years = shape
    counts_, treated_ = (
        np.frombuffer(counts, dtype=np.int64).reshape(n_blocks, n_labels),
        np.frombuffer(treated).reshape(n_labels, n_years),
    )
    weight = np.zeros(shape)
    carried = np.zeros((n_blocks, n_labels, n_labels, n_years))
    year_part, identified = [], 0
    for b, count in enumerate(counts_):
        label = np.repeat(np.arange(n_labels), count)
        n = len(label)
        design = np.concatenate(
            [np.kron(np.eye(n), np.ones((n_years, 1))), np.kron(np.ones((n, 1)), np.eye(n_years))],
            axis=1,
        )
        is_treated = treated_[label].ravel() > 0
        inverse = np.linalg.pinv(design * ~is_treated[:, None])
        space = inverse @ (design * ~is_treated[:, None])
        known = is_treated & (np.abs(design @ space - design).max(axis=1) < 1e-8)
        identified += int(known.sum())
        w = known - (known.astype(float) @ design) @ inverse * ~is_treated
        weight[b, label] = w.reshape(n, n_years)
        year_part.append((label, inverse[n:] * ~is_treated))
    weight /= max(identified, 1)
    for b, (label, part) in enumerate(year_part):
        by_city = part.reshape(n_years, len(label), n_years)
        for k in range(len(label)):
            carried[b, :, label[k]] = weight[b] @ by_city[:, k]
    return weight, carried


def impute(panel: CityPanel, y: np.ndarray, dealt: np.ndarray) -> np.ndarray:
    """Imputation from untreated cells with city and block x year effects, over the mean of its
    variances clustered by city and by block: treated residuals less the estimate, untreated ones
    as they are; (J,).
    """
    shape = (len(panel.counts), *panel.treated.shape)
    weight, carried = _imputation(panel.counts.tobytes(), panel.treated.tobytes(), shape)
    order = np.argsort(panel.block, kind="stable")
    block, starts = panel.block[order], np.flatnonzero(np.diff(panel.block[order], prepend=-1))
    drawn = panel.label[dealt][:, order]
    cells = drawn + shape[1] * np.arange(len(order))
    own = np.einsum("nt,nct->nc", y, weight[panel.block])[order].ravel()[cells]
    unit = np.einsum("bct,ct->bc", weight, panel.treated)[block].ravel()[cells]
    estimate = own.sum(axis=1)
    years = np.zeros((len(dealt), len(starts), shape[1]))
    for c in range(shape[1]):
        part = np.einsum("nt,nkt->nk", y, carried[:, c][panel.block])[order]
        years[:, :, c] = np.add.reduceat(part.ravel()[cells], starts, axis=1)
    of_years = years[np.arange(len(dealt))[:, None], block[None, :], drawn]
    score = own - of_years - estimate[:, None] * unit
    of_block = np.add.reduceat(score, starts, axis=1)
    return estimate / np.sqrt(((score**2).sum(axis=1) + (of_block**2).sum(axis=1)) / 2)
