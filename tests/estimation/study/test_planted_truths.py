"""Truths of a planted effect: what an estimator says of the panel with it less that without."""

from __future__ import annotations

import numpy as np
import pytest

from estimation.primary.fit import fit_primary
from estimation.study.planted import planted_truths
from tests.estimation.primary.economies import YEARS, draw_panel

RISE = 0.5


def _panel(seed: int):
    """Growth with and without calmer own shocks and a higher loading in treated years."""
    without, _, cohort, block = draw_panel(seed, n_blocks=12)
    calmer = draw_panel(seed, n_blocks=12, calmer=0.75)[0]
    nation = 2 * np.sin(YEARS)
    treated = (cohort[:, None] > 0) & (cohort[:, None] <= YEARS)
    return calmer + nation + RISE * nation * treated, without + nation, cohort, block


def test_truths_are_the_difference_of_two_fits_and_have_parts() -> None:
    growth, without, cohort, block = _panel(3)
    truths = planted_truths(growth, without, YEARS, cohort, block)
    fits = [
        fit_primary(values, YEARS, cohort, block, permutations=20) for values in (growth, without)
    ]
    for truth, one, bare in zip(
        truths, (fits[0], fits[0].cycle), (fits[1], fits[1].cycle), strict=True
    ):
        assert truth["treated"] == pytest.approx(one.estimate - bare.estimate, abs=1e-12)
        assert truth["treated_part"] + truth["untreated_part"] == pytest.approx(truth["treated"])
        assert truth["loading"] == pytest.approx(
            one.channels[1].estimate - bare.channels[1].estimate
        )
        assert truth["own_variance"] < -0.3 and truth["loading"] > 0.1
    assert all(
        truth["treated"] == 0 and truth["own_variance"] == 0
        for truth in planted_truths(growth, growth, YEARS, cohort, block)
    )


def test_a_panel_without_a_verdict_has_no_truth() -> None:
    growth, without, cohort, block = _panel(5)
    assert planted_truths(growth, without, YEARS, np.zeros_like(cohort), block) == ()
