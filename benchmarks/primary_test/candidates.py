"""Candidates for the primary test: how each turns a panel and dealt admissions into studentised
coefficients. Those that lost are kept here alone.
"""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np

from estimation.primary.channels import channel_draws
from estimation.primary.city_panel import CityPanel
from estimation.primary.contrast import Contrast, treatment_contrast
from estimation.primary.detectable import impose
from estimation.primary.measure import (
    gap_cap,
    own_shock,
    reference,
    standardise,
    synchronization,
)
from estimation.primary.redeal import Draws, block_means

SERIES = ("growth", "cycle")
CHANNELS = ("own variance", "loading")
CANDIDATES = ("two-way", "two-way capped", "imputation", "imputation capped", "weighted scores")
# of the weighted scores: share of the identity in the correlation of scores, and the fall of own
# variance that the weights look for
RIDGE, ALTERNATIVE = 0.1, "S-45"


def statistics(
    panel: CityPanel, dealt: np.ndarray, names: tuple[str, ...] = CANDIDATES
) -> dict[tuple[str, str], np.ndarray]:
    """Studentised coefficients of each candidate, or channel, on both series of a panel, by series
    and name: arrays (J,), the real admissions first.
    """
    drawn, found = Drawn(panel, dealt), {}
    two_way = treatment_contrast(panel)
    for series, values in zip(SERIES, panel.series, strict=True):
        z = standardise(values)
        m, v = reference(z, panel.label == 0, panel.block)
        channels = set(names).intersection(CHANNELS)
        for one in channel_draws(panel, z, m, two_way, dealt) if channels else ():
            found[series, one.channel.replace("_", " ")] = one.draws.statistic()
        for name in (name for name in names if name in CANDIDATES):
            y = synchronization(z, m, v, gap_cap(z, m) if name.endswith("capped") else np.inf)
            if name == "weighted scores":
                found[series, name] = drawn.by_contrast(*weighted_scores(panel, z, m))
            elif name.startswith("imputation"):
                found[series, name] = drawn.by_imputation(y)
            else:
                found[series, name] = drawn.by_contrast(y, two_way)
    return found


class Drawn:
    """Dealt admissions of a panel, and the statistics of candidates under them without an effect
    taken out: as `redeal.draw_statistics`, less what the interval needs.
    """

    def __init__(self, panel: CityPanel, dealt: np.ndarray) -> None:
        """Cities sorted by block, and the place of each draw's label in a table by city and label.

        Parameters
        ----------
        panel : CityPanel
        dealt : (J, N) int array
        """
        self.panel, self.order = panel, np.argsort(panel.block, kind="stable")
        self.block = panel.block[self.order]
        self.starts = np.flatnonzero(np.diff(self.block, prepend=-1))
        self.n_labels, self.n_years = panel.treated.shape
        self.label = panel.label[dealt][:, self.order]
        self.cells = self.label + self.n_labels * np.arange(len(self.order))

    def _take(self, table: np.ndarray) -> np.ndarray:
        """Each draw's entries (J, N) of a table by city and label."""
        return table[self.order].ravel()[self.cells]

    def _studentised(self, estimate: np.ndarray, score: np.ndarray) -> np.ndarray:
        of_block = np.add.reduceat(score, self.starts, axis=1)
        squares = sum(np.einsum("jn,jn->j", x, x) for x in (score, of_block))
        return estimate / np.sqrt(squares / 2)

    def by_contrast(self, values: np.ndarray, contrast: Contrast) -> np.ndarray:
        """Statistics (J,) of values (N, K) under a contrast."""
        block = self.panel.block
        net = values - block_means(values, block)[block]
        own = np.einsum("nk,nck->nc", net, contrast.weight[block])
        mean = np.einsum("bc,bck->bk", self.panel.share, contrast.response)
        net = contrast.response - mean[:, None, :]
        unit = np.einsum("bck,bck->bc", contrast.weight, net)[block]
        score = self._take(own)
        estimate = score.sum(axis=1)
        return self._studentised(estimate, score - estimate[:, None] * self._take(unit))

    def by_imputation(self, y: np.ndarray) -> np.ndarray:
        """Statistics (J,) of imputation from untreated cells with city and block x year effects:
        treated residuals less the estimate, untreated ones as they are.
        """
        estimate, score = self._imputed(y)
        return self._studentised(estimate, score - estimate[:, None] * self._of_unit())

    def imputation(self, y: np.ndarray) -> Draws:
        """The same with an effect taken out of the really treated cells, for interval and power."""
        response = self.panel.treated[self.panel.label]
        (estimate, ours), (carried, real) = (self._imputed(values) for values in (y, response))
        unit = self._of_unit()
        ours, real = ours - estimate[:, None] * unit, real - carried[:, None] * unit
        error = np.zeros((3, len(estimate)))
        for a, b in ((ours, real), [np.add.reduceat(x, self.starts, axis=1) for x in (ours, real)]):
            pairs = ((1, a, a), (-2, a, b), (1, b, b))
            error += [share / 2 * np.einsum("jn,jn->j", x, y) for share, x, y in pairs]
        return Draws(estimate, carried, error.T, True)

    @cached_property
    def imputing(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights by block and label, and what a city adds to the year effects that weigh."""
        parts = [
            _imputation(tuple(count), self.panel.treated.tobytes(), self.n_years)
            for count in self.panel.counts.tolist()
        ]
        weight, carried, identified = (np.array(x) for x in zip(*parts, strict=True))
        return weight / identified.sum(), carried / identified.sum()

    def _of_unit(self) -> np.ndarray:
        unit = np.einsum("bct,ct->bc", self.imputing[0], self.panel.treated)
        return self._take(unit[self.panel.block])

    def _imputed(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Estimates (J,), and each city's values less the year effects, weighed (J, N)."""
        weight, carried = self.imputing
        block = self.panel.block
        score = self._take(np.einsum("nt,nct->nc", values, weight[block]))
        years = np.empty((len(self.cells), self.n_labels, len(self.starts)))
        for c in range(self.n_labels):
            part = self._take(np.einsum("nt,nkt->nk", values, carried[:, c][block]))
            years[:, c] = np.add.reduceat(part, self.starts, axis=1)
        place = self.label * len(self.starts) + self.block
        place += years[0].size * np.arange(len(years))[:, None]
        return score.sum(axis=1), score - years.ravel()[place]


def weighted_scores(panel: CityPanel, z: np.ndarray, m: np.ndarray) -> tuple[np.ndarray, Contrast]:
    """The test of the second round: three scores a city and year, and weights by cohort that find
    calmer own shocks best among those that sum to zero over the years of each score.
    """
    cap, n_years = gap_cap(z, m), len(panel.years)

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
