"""Relabellings, p values and critical values by their definitions, and draws in chunks."""

import dataclasses
import math

import numpy as np
import pytest

from estimation.fit import fit_outcomes
from estimation.inference.permutation.assignments import (
    count_relabellings,
    draw_or_enumerate,
    draw_relabellings,
    enumerate_relabellings,
    fixed_labels,
)
from estimation.inference.permutation.draws import (
    CHUNK,
    Draws,
    critical_value,
    permutation_p_value,
    run_in_chunks,
)
from tests.estimation.panels import estimates_of, random_panel


@pytest.mark.parametrize("is_enumeration", [False, True])
def test_p_value_and_critical_value_follow_their_definitions(is_enumeration):
    drawn = np.array([0.5, 2.0, 1.0, 3.0, 2.0 - 1e-12, np.nan] + [0.1] * 93)
    total = len(drawn) if is_enumeration else len(drawn) + 1
    # at least 2.0: 2.0, 3.0, the one within 1e-9 and the undefined one
    assert (
        permutation_p_value(2.0, drawn, is_enumeration)
        == ((0 if is_enumeration else 1) + 4) / total
    )
    ordered = sorted([0.5, 2.0, 1.0, 3.0, 2.0 - 1e-12, math.inf] + [0.1] * 93)
    assert critical_value(drawn, is_enumeration) == ordered[math.ceil(0.95 * total) - 1]
    assert critical_value(drawn[:10], False) == math.inf


def test_the_interval_excludes_zero_exactly_where_p_is_at_most_five_per_cent():
    hits = 0
    for seed in range(12):
        panel = random_panel(seed)
        panel.y[:, panel.cohort > 0] += 1.2 * (
            panel.years >= panel.cohort[panel.cohort > 0][:, None]
        )
        line = estimates_of(
            fit_outcomes(panel, estimators=("twfe",), permutations=399)["twfe", 0], "permutation"
        )["treated", None]
        excludes = line.ci_low > 0 or line.ci_high < 0
        assert excludes == (line.p_value <= 0.05)
        hits += excludes
    assert 0 < hits < 12


@pytest.mark.parametrize("threads", ["1", "3"])
def test_chunks_cover_every_draw_once(monkeypatch: pytest.MonkeyPatch, threads: str) -> None:
    monkeypatch.setenv("CITYSYNC_THREADS", threads)
    runs = np.zeros(2 * CHUNK + 1, dtype=int)

    def run(part: slice) -> None:
        runs[part] += 1

    run_in_chunks(len(runs), run)
    assert (runs == 1).all()


def test_draws_end_where_they_decide_and_the_p_stays_valid() -> None:
    """The p of a coefficient whose draws end early is that of its first draws alone; under the null
    it rejects no more often than its level.
    """
    panel = random_panel(4, n_cities=24, n_pilots=8)
    event = panel.years - np.where(panel.cohort > 0, panel.cohort, 9999)[:, None]
    panel = dataclasses.replace(panel, y=panel.y + 3.0 * (event == 1))
    given = {"vcov": ("permutation",), "permutations": 3000, "shuffle": "all"}
    every = fit_outcomes(panel, **given)["event_study", 0]
    some = fit_outcomes(panel, enough=30, **given)
    ends = [one.draws for one in some["event_study", 0].estimates]
    assert min(ends) < 499 and max(ends) == 3000
    for ours, theirs in zip(some["event_study", 0].estimates, every.estimates, strict=True):
        assert ours.estimate == theirs.estimate and theirs.draws == 3000
        if ours.draws < 3000:
            assert ours.p_value == pytest.approx(31 / (1 + ours.draws))
            assert ours.p_value == pytest.approx(theirs.p_value, abs=6 * theirs.p_value / 30**0.5)
        else:
            assert ours.p_value == theirs.p_value
    rng = np.random.default_rng(1)
    p_values = []
    for _ in range(4000):
        drawn = np.abs(rng.normal(size=400))
        draws = Draws.empty(400, 1, (), False, 10)
        observed = abs(rng.normal())
        p_values.append(permutation_p_value(observed, draws.counted(observed, drawn), False))
    assert np.mean(np.array(p_values) <= 0.05) < 0.05 + 3 * (0.05 * 0.95 / 4000) ** 0.5
    assert np.mean(np.array(p_values) <= 0.05) > 0.03


@pytest.mark.parametrize(
    ("made", "extreme", "after"), [(300, 50, 600), (300, 101, 300), (300, 0, math.inf)]
)
def test_draws_end_with_the_hundredth_as_extreme(made: int, extreme: int, after: float) -> None:
    draws = Draws.empty(made, 1, (), False, 100)
    drawn = np.concatenate([np.full(extreme, 2.0), np.zeros(made - extreme)])
    assert draws.enough_after(1.0, drawn) == after


def test_relabellings_stay_within_strata_and_are_equally_likely():
    labels, strata = np.array([1, 0, 0, 2, 1, 0, 0]), np.array([0, 0, 0, 1, 1, 1, 2])
    assert count_relabellings(labels, strata) == 3 * 6
    every = enumerate_relabellings(labels, strata)
    assert len({tuple(row) for row in every.tolist()}) == len(every) == 18
    assert labels.tolist() in every.tolist()
    drawn = draw_relabellings(labels, strata, 4000, seed=5)
    for stratum in (0, 1, 2):
        members = strata == stratum
        assert (np.sort(drawn[:, members], axis=1) == np.sort(labels[members])).all()
    # uniform: each of the 18 about 222 times
    counts = np.unique(drawn, axis=0, return_counts=True)[1]
    assert len(counts) == 18
    assert counts.min() > 160
    np.testing.assert_array_equal(np.flatnonzero(fixed_labels(labels, strata)), [6])
    # all are taken where there are no more of them than draws
    for n_draws, is_all in ((19, True), (18, False)):
        found, is_enumeration = draw_or_enumerate(labels, strata, n_draws, 5)
        assert is_enumeration is is_all
        expected = every if is_all else draw_relabellings(labels, strata, n_draws, 5)
        np.testing.assert_array_equal(found, expected)
