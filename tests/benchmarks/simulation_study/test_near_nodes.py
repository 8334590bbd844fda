"""Variances made for dyads of near nodes, on cases whose answer is known."""

import numpy as np
import pytest

from benchmarks.primary_test.layout import simulated_cities
from benchmarks.simulation_study.near_nodes import (
    STEP,
    block_jackknife,
    discs,
    distances,
    moving_blocks,
    near_variance,
)


def test_blocks_of_one_give_the_jackknife_of_a_mean():
    x = np.random.default_rng(1).normal(size=12)
    refits = [(1, float(np.delete(x, i).mean())) for i in range(12)]
    assert block_jackknife(refits, float(x.mean()), 12) == pytest.approx(x.var() / 12, rel=1e-12)


def test_longer_blocks_see_what_neighbours_share():
    """Shocks that four neighbours share: the variance of the mean is that of three independent
    groups of blocks.
    """
    shared = np.repeat(np.random.default_rng(2).normal(size=300), 4)
    n = len(shared)
    found = {}
    for length in (1, 40):
        starts = range(0, n - length + 1, 4)
        refits = [
            (length, float(np.delete(shared, np.arange(s, s + length)).mean())) for s in starts
        ]
        found[length] = block_jackknife(refits, float(shared.mean()), n)
    truth = shared.var() * 4 / n
    assert found[1] == pytest.approx(truth / 4, rel=0.05)
    assert found[40] == pytest.approx(truth, rel=0.35)


def test_blocks_are_neighbours():
    cities = simulated_cities()
    between = distances(cities)
    assert np.allclose(between, between.T) and between.max() < 5500
    for block in moving_blocks(cities, 10):
        inside = cities.lat[block]
        assert block.sum() == 10
        assert ((cities.lat[~block] >= inside.max()) | (cities.lat[~block] <= inside.min())).all()
    for centre, block in enumerate(discs(cities, 300.0)):
        assert between[STEP * centre][block].max() <= 300.0 and block[STEP * centre]
    sums = np.random.default_rng(3).normal(size=len(cities.lat))
    apart = np.where(np.eye(len(sums)) > 0, 0.0, 5000.0)
    assert near_variance(sums, apart) == pytest.approx((sums**2).sum())
