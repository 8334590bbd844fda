"""The primary test against a plain version written from its definition alone: loops over cities and
pairs, one regression on dummies a draw, admissions dealt by another generator.
"""

from __future__ import annotations

import numpy as np
import pytest

from estimation.primary.fit import fit_primary

from .economies import draw_panel

DRAWS = 600


def _measure(series: np.ndarray, cohort: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Mean over never-pilots outside the block of 1 - (z_i - z_j)^2 / 2, pair by pair."""
    z = np.array([(row - row.mean()) / np.sqrt(((row - row.mean()) ** 2).mean()) for row in series])
    y = np.zeros_like(z)
    for i in range(len(z)):
        others = [j for j in range(len(z)) if cohort[j] == 0 and block[j] != block[i]]
        y[i] = sum(1 - (z[i] - z[j]) ** 2 / 2 for j in others) / len(others)
    return y


class _Plain:
    """Two-way least squares of y on pilot x post by dummies, for one dealing of admissions."""

    def __init__(self, years: np.ndarray, cohort: np.ndarray, block: np.ndarray) -> None:
        n, t = len(cohort), len(years)
        city, year = np.repeat(np.arange(n), t), np.tile(np.arange(t), n)
        cell = block[city] * t + year
        dummies = np.column_stack(
            [city[:, None] == np.arange(n), cell[:, None] == np.arange((block.max() + 1) * t)]
        ).astype(float)
        self.left = np.linalg.svd(dummies, full_matrices=False)
        rank = (self.left[1] > 1e-9).sum()
        self.basis = self.left[0][:, :rank]
        self.years, self.block, self.shape = years, block, (n, t)

    def net(self, values: np.ndarray) -> np.ndarray:
        flat = values.ravel()
        return (flat - self.basis @ (self.basis.T @ flat)).reshape(self.shape)

    def fit(self, y: np.ndarray, cohort: np.ndarray) -> tuple[float, float]:
        """Coefficient and its error."""
        treated = (cohort[:, None] > 0) & (self.years[None, :] >= cohort[:, None])
        d = self.net(treated.astype(float))
        b = (d * y).sum() / (d**2).sum()
        scores = (d * (self.net(y) - b * d)).sum(axis=1) / (d**2).sum()
        by_block = [scores[self.block == k].sum() for k in np.unique(self.block)]
        return b, np.sqrt(((scores**2).sum() + np.sum(np.square(by_block))) / 2)


@pytest.mark.parametrize("which", ["growth", "cycle"])
def test_a_plain_version_gives_the_same_estimate_p_and_interval(which):
    growth, years, cohort, block = draw_panel(3, calmer=0.6)
    # a block of pilots alone, and one whose pilots differ in their year alone
    cohort[block == 7], cohort[block == 6] = 2014, np.where(np.arange(6) % 2, 2014, 2017)
    result = fit_primary(growth, years, cohort, block, permutations=9999, seed=4)
    series = growth
    if which == "cycle":
        result = result.cycle
        series = np.array(
            [row - np.polyval(np.polyfit(years - 2014, row, 1), years - 2014) for row in growth]
        )
    y, plain = _measure(series, cohort, block), _Plain(years, cohort, block)
    b, error = plain.fit(y, cohort)
    assert result.estimate == pytest.approx(b, abs=1e-9)

    treated = (cohort[:, None] > 0) & (years[None, :] >= cohort[:, None])
    weight = plain.net(treated.astype(float))
    weight = weight / (weight * treated).sum()
    after = (weight * y)[treated].sum()
    before = sum(
        weight[i][treated[i]].sum() * y[i][~treated[i]].mean() for i in np.flatnonzero(cohort)
    )
    assert (result.after, result.before) == pytest.approx((after, before), abs=1e-9)
    assert result.after - result.without_admission == pytest.approx(result.estimate, abs=1e-12)
    assert result.n_treated_years == treated.sum()
    assert result.n_unidentified == (np.abs(weight[treated]) < 1e-12).sum() > 0
    assert result.n_negative == (weight[treated] < -1e-12).sum()

    rng = np.random.default_rng(11)
    dealt = []
    for _ in range(DRAWS):
        moved = cohort.copy()
        for k in np.unique(block):
            moved[block == k] = rng.permutation(moved[block == k])
        dealt.append(moved)

    def p_without(effect: float) -> float:
        freed = y - effect * treated
        statistics = [abs(np.divide(*plain.fit(freed, moved))) for moved in [cohort, *dealt]]
        return np.mean(np.array(statistics) >= statistics[0] - 1e-9)

    # four Monte Carlo errors of a p near 0.05, or of the p itself
    assert p_without(0.0) == pytest.approx(
        result.p_value, abs=4 * np.sqrt(result.p_value / DRAWS) + 2 / DRAWS
    )
    for bound in (result.ci_low, result.ci_high):
        assert p_without(bound) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / DRAWS))
    assert error > 0
