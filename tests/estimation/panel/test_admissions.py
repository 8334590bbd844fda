"""Which city is the pilot, read off the pairs."""

import numpy as np
import pytest

from estimation.panel.admissions import infer_city_cohorts

NEVER = 0


@pytest.mark.parametrize(
    ("pairs", "cohorts", "doubtful"),
    [
        # a city is never treated whether it is named first or second
        ([(0, 1, NEVER), (0, 2, 2015)], [0, 0, 2015], []),
        ([(0, 1, NEVER), (1, 2, 2015)], [0, 0, 2015], []),
        # 0 and 1 are in a never-treated pair, so 2 is the pilot of both
        ([(0, 1, NEVER), (0, 2, 2015), (1, 2, 2015)], [0, 0, 2015], []),
        # along the pairs: 0 never, 2 pilot, so 3 never, so 4 pilot
        ([(0, 1, NEVER), (0, 2, 2015), (2, 3, 2015), (3, 4, 2018)], [0, 0, 2015, 0, 2018], []),
        # a pilot has one year, so 2 is none
        ([(0, 1, NEVER), (2, 3, 2015), (2, 4, 2016)], [0, 0, 0, 2015, 2016], []),
        # nothing says which of 2 and 3 is the pilot
        ([(0, 1, NEVER), (2, 3, 2015)], None, [2, 3]),
        # a star without a never-treated pair: the hub counts as the only pilot
        (
            [(0, 1, NEVER), (2, 3, 2015), (2, 4, 2015), (2, 5, 2015)],
            [0, 0, 2015, 0, 0, 0],
            [2, 3, 4, 5],
        ),
        # the same star reached from a leaf
        (
            [(0, 1, NEVER), (2, 5, 2015), (3, 5, 2015), (4, 5, 2015)],
            [0, 0, 0, 0, 0, 2015],
            [2, 3, 4, 5],
        ),
        # two never-pilots in a treated pair
        ([(0, 1, NEVER), (2, 3, NEVER), (0, 2, 2015)], None, [0, 2]),
        # one pilot, two years
        ([(0, 1, NEVER), (0, 2, 2015), (1, 2, 2016)], None, [2]),
        # an odd circle of treated pairs
        ([(0, 1, 2015), (1, 2, 2015), (0, 2, 2015)], None, [0, 1, 2]),
    ],
)
def test_roles(pairs, cohorts, doubtful):
    i, j, years = np.array(pairs).T
    found, unclear = infer_city_cohorts(i, j, years, int(j.max()) + 1)
    assert np.flatnonzero(unclear).tolist() == doubtful
    if cohorts is not None:
        assert found.tolist() == cohorts
