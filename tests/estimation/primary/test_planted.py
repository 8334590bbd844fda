"""Truths of a planted effect: what is imposed by a channel's own means comes back, and over many
panels the channels estimate them.
"""

from __future__ import annotations

import numpy as np
import pytest

from estimation.primary.effects import scale_own
from estimation.primary.fit import fit_primary
from estimation.primary.planted import Planted, planted_channels
from estimation.primary.scores import cycle, reference, standardise
from tests.estimation.primary.economies import YEARS

FALL, RISE = 0.75, 0.5


def planted_panel(seed: int, n_blocks: int = 10, per_block: int = 6):
    """Growth with and without an effect on own shocks and on the loading on the national cycle; two
    pilots a block.
    """
    rng = np.random.default_rng(seed)
    block = np.repeat(np.arange(n_blocks), per_block)
    cohort = np.zeros(len(block), dtype=np.int64)
    cohort[::per_block], cohort[1::per_block] = 2014, 2016
    treated = (cohort[:, None] > 0) & (cohort[:, None] <= YEARS)
    nation = 2.0 * rng.normal(size=len(YEARS))
    wave = cycle(nation[None, :], YEARS)
    own = rng.normal(size=(len(block), len(YEARS)))
    without = 8 + nation + own
    planted = Planted(
        np.where(treated, 1 - FALL, 1.0),
        np.where(treated, RISE, 0.0),
        np.where(treated, RISE * wave, 0.0),
    )
    return (
        without + planted.loading_part + np.where(treated, np.sqrt(1 - FALL) - 1, 0.0) * own,
        without,
        planted,
        cohort,
        block,
    )


def test_a_fall_of_the_channels_own_kind_is_its_own_truth() -> None:
    """What the channel can take out is imposed by the channel's own means: the truth is the size
    imposed, whatever the shocks.
    """
    _, without, planted, cohort, block = planted_panel(3)
    z = standardise(without)
    label = np.where(cohort == 0, 0, np.where(cohort == 2014, 1, 2))
    m = reference(z, label, block)
    growth = z.copy()
    for first in (2014, 2016):
        rows = cohort == first
        growth[rows] = scale_own(z[rows], m[rows], np.sqrt(0.4), (first <= YEARS).astype(float))
    found = planted_channels(growth, without, planted, YEARS, cohort, block)[0]
    assert found.truth == pytest.approx(-0.6, abs=1e-6)
    assert found.planted == pytest.approx(-FALL)
    assert planted_channels(without, without, planted, YEARS, cohort, block)[
        0
    ].truth == pytest.approx(0, abs=1e-9)


def test_a_loading_planted_on_the_reference_itself_is_its_own_truth() -> None:
    growth, without, _, cohort, block = planted_panel(4)
    z = standardise(growth)
    m = reference(z, (cohort > 0).astype(int), block)
    treated = (cohort[:, None] > 0) & (cohort[:, None] <= YEARS)
    part = 0.4 * cycle(m, YEARS) * growth.std(axis=1, keepdims=True) * treated
    found = planted_channels(
        growth, without, Planted(np.ones_like(growth), 0.3 * treated, part), YEARS, cohort, block
    )[1]
    assert found.truth == pytest.approx(0.4)
    assert found.planted == pytest.approx(0.3)


def test_channels_estimate_their_truths() -> None:
    """Over 60 panels the mean estimate of the loading, and the median of own variance, lie near
    their truths, and far from none.
    """
    estimates, truths = [], []
    for seed in range(60):
        growth, without, planted, cohort, block = planted_panel(seed)
        estimates.append(
            [
                c.estimate
                for c in fit_primary(growth, YEARS, cohort, block, permutations=20).channels
            ]
        )
        truths.append(
            [c.truth for c in planted_channels(growth, without, planted, YEARS, cohort, block)]
        )
    estimates, truths = np.array(estimates), np.array(truths)
    gap = estimates[:, 1] - truths[:, 1]
    assert abs(gap.mean()) < 3 * gap.std() / np.sqrt(len(gap)) + 0.05
    assert truths[:, 1].mean() > 0.3
    assert np.median(estimates[:, 0]) == pytest.approx(np.median(truths[:, 0]), abs=0.15)
    assert np.median(truths[:, 0]) < -0.3


def test_a_panel_without_a_verdict_has_no_truth() -> None:
    growth, without, planted, cohort, block = planted_panel(5)
    assert planted_channels(growth, without, planted, YEARS, np.zeros_like(cohort), block) == ()
