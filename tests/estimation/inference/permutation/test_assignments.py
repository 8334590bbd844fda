"""Relabellings by their definition: every one of them once, or each as likely as the other."""

import numpy as np

from estimation.inference.permutation.assignments import (
    count_relabellings,
    draw_or_enumerate,
    draw_relabellings,
    enumerate_relabellings,
    fixed_labels,
)


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
