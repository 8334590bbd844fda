"""Candidates for the primary test: how each turns a panel and dealt admissions into studentised
coefficients. Those that lost are kept here alone.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from estimation.primary.channels import channel_draws
from estimation.primary.city_panel import CityPanel
from estimation.primary.contrast import Contrast, treatment_contrast
from estimation.primary.measure import CAP_QUANTILE, own_shock, standardise
from estimation.primary.redeal import Draws, block_means, draw_statistics, squared_error

SERIES = ("growth", "cycle")
CHANNELS = ("own variance", "loading")
CANDIDATES = ("two-way", "two-way capped", "imputation", "imputation capped", "weighted scores")
# of the weighted scores: share of the identity in the correlation of scores, and the share of own
# variance that is left where the weights look for a fall
RIDGE, LEFT = 0.1, 0.55


def statistics(
    panel: CityPanel, dealt: np.ndarray, names: tuple[str, ...] = CANDIDATES
) -> dict[tuple[str, str], np.ndarray]:
    """Studentised coefficients of each candidate, or channel, on both series of a panel, by series
    and name: arrays (J,), the real admissions first.
    """
    found, two_way = {}, treatment_contrast(panel)
    for series, values in zip(SERIES, panel.series, strict=True):
        z, m, y = panel.measured(values)
        if set(names) & set(CHANNELS):
            for name, (draws, _) in channel_draws(panel, z, m, two_way, dealt).items():
                found[series, name.replace("_", " ")] = draws.statistic()
        for name in (name for name in names if name in CANDIDATES):
            measure = panel.measured(values, capped=True)[2] if name.endswith("capped") else y
            if name.startswith("imputation"):
                draws = imputation(panel, measure, dealt)
            else:
                weighted = name == "weighted scores"
                given = weighted_scores(panel, z, m) if weighted else (measure, two_way)
                draws = draw_statistics(*given, panel.label, panel.block, dealt)
            found[series, name] = draws.statistic()
    return found


def imputation(panel: CityPanel, y: np.ndarray, dealt: np.ndarray) -> Draws:
    """Imputation from untreated cells with city and block x year effects, under each draw: treated
    residuals less the estimate, untreated ones as they are.
    """
    order = np.argsort(panel.block, kind="stable")
    block, label = panel.block[order], panel.label[dealt][:, order]
    starts, n_labels = np.flatnonzero(np.diff(block, prepend=-1)), len(panel.treated)
    parts = [
        _imputation(tuple(count), panel.treated.tobytes(), len(panel.years))
        for count in panel.counts.tolist()
    ]
    weight, carried, identified = (np.array(x) for x in zip(*parts, strict=True))
    weight, carried = weight / identified.sum(), carried / identified.sum()
    cells = label + n_labels * np.arange(len(order))
    place = label * len(starts) + block
    place += n_labels * len(starts) * np.arange(len(dealt))[:, None]

    def imputed(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Estimates (J,), and each city's values less the year effects, weighed (J, N)."""
        values = values[order]
        score = np.einsum("nt,nct->nc", values, weight[block]).ravel()[cells]
        years = [
            np.einsum("nt,nkt->nk", values, carried[:, c][block]).ravel()[cells]
            for c in range(n_labels)
        ]
        of_block = np.stack([np.add.reduceat(part, starts, axis=1) for part in years], axis=1)
        return score.sum(axis=1), score - of_block.ravel()[place]

    (estimate, ours), (shift, real) = imputed(y), imputed(panel.treated[panel.label])
    unit = np.einsum("bct,ct->bc", weight, panel.treated)[block].ravel()[cells]
    ours, real = ours - estimate[:, None] * unit, real - shift[:, None] * unit
    return Draws(estimate, shift, squared_error(ours, real, starts), True)


def weighted_scores(panel: CityPanel, z: np.ndarray, m: np.ndarray) -> tuple[np.ndarray, Contrast]:
    """The test of the second round: three scores a city and year, and weights by cohort that find
    calmer own shocks best among those that sum to zero over the years of each score.
    """
    cap, n_years = np.quantile(np.abs(z - m), CAP_QUANTILE), len(panel.years)

    def scores(z: np.ndarray) -> np.ndarray:
        gap = np.abs(z - m)
        return np.concatenate([-gap, -(np.minimum(gap, cap) ** 2) / 2, -np.abs(own_shock(z, m))], 1)

    values = scores(z)
    net = values - block_means(values, panel.block)[panel.block]
    covariance = net.T @ net / len(net)
    spread = np.sqrt(np.diag(covariance))
    ridged = (1 - RIDGE) * covariance + RIDGE * np.diag(spread**2)
    blind = np.kron(np.eye(3), np.ones((n_years, 1)))
    shifts, weights = np.zeros((2, len(panel.treated), values.shape[1]))
    for c, treated in enumerate(panel.treated[1:], start=1):
        shocks = [own_shock(z, m, years * np.ones(z.shape)) for years in (1 - treated, 1.0)]
        calmer = [z + (np.sqrt(LEFT) - 1) * shock * treated for shock in shocks]
        changed = [scores(standardise(one)) for one in calmer]
        shifts[c] = (np.mean(changed, axis=0) - values).mean(axis=0)
        right = np.linalg.solve(ridged, np.column_stack([shifts[c], blind]))
        own, rest = right[:, 0], right[:, 1:]
        weights[c] = own - rest @ np.linalg.solve(blind.T @ rest, blind.T @ own)
    share = panel.counts / panel.counts.sum(axis=1, keepdims=True)
    weight = weights[None] - np.einsum("bc,ck->bk", share, weights)[:, None, :]
    response = np.broadcast_to(shifts, weight.shape)
    total = float((panel.counts[:, :, None] * weight * response).sum())
    return values, Contrast(weight / total, response)


@lru_cache(maxsize=10_000)
def _imputation(
    count: tuple[int, ...], treated: bytes, n_years: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Of a block with so many cities of each label: weights of imputation from untreated cells
    times the number of identified cells (C + 1, T), what the values of a city of label k add to the
    year effects weighed by label c (C + 1, C + 1, T), and the number of identified cells.
    """
    n_labels, n = len(count), sum(count)
    label = np.repeat(np.arange(n_labels), count)
    is_treated = np.frombuffer(treated).reshape(n_labels, n_years)[label].ravel() > 0
    design = np.concatenate(
        [np.kron(np.eye(n), np.ones((n_years, 1))), np.kron(np.ones((n, 1)), np.eye(n_years))],
        axis=1,
    )
    inverse = np.linalg.pinv(design * ~is_treated[:, None])
    space = inverse @ (design * ~is_treated[:, None])
    known = is_treated & (np.abs(design @ space - design).max(axis=1) < 1e-8)
    weight, carried = np.zeros((n_labels, n_years)), np.zeros((n_labels, n_labels, n_years))
    own = known - (known.astype(float) @ design) @ inverse * ~is_treated
    weight[label] = own.reshape(n, n_years)
    by_city = (inverse[n:] * ~is_treated).reshape(n_years, n, n_years)
    for k in range(n):
        carried[:, label[k]] = weight @ by_city[:, k]
    return weight, carried, int(known.sum())
