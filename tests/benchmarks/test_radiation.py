"""What is imposed on exposed cities comes back in the estimate, draw by draw."""

import pytest

from benchmarks.radiation import LABELS, study
from tests.estimation.study.test_radiation import economy


@pytest.mark.parametrize("rule", ["near_pilot_100", "near_pilot_200", "tied_to_pilot"])
def test_an_imposed_gain_moves_the_mean_estimate_by_itself(rule: str) -> None:
    given = ((2010, 2019), [rule], 4, 1)
    ((_, _, _, nothing, count),) = study(economy(), "growth, nothing", *given)
    ((_, _, _, gained, _),) = study(economy(), "growth, exposed +0.5 points", *given)
    assert count == 4 and gained - nothing == pytest.approx(0.5)
    ((_, _, share, _, _),) = study(economy(), LABELS, *given)
    assert 0 <= share <= 1
