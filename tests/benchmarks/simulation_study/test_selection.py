"""Selection designs in the simulation study: p of every quantity as the product gives them, and
tables against hand-made rows.
"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.simulation_study import selection
from benchmarks.simulation_study.economies import pair_panel
from estimation.fit import fit_panel
from estimation.primary.fit import fit_primary


@pytest.fixture(scope="module")
def designs() -> dict[str, selection.Design]:
    return {design.name: design for design in selection.selected(None)}


def test_every_p_is_that_of_the_fit_that_ships(designs):
    panel = designs["few_pilots_254"].draw(2)
    rows = np.arange(254) % 4 == 0
    rows |= panel.cohort > 0
    small = selection.Panel(
        panel.growth[rows], panel.years, panel.cohort[rows], panel.block[rows], panel.size[rows]
    )
    found = selection.judge(small, 2, 99)
    pairs = pair_panel([small.growth], np.unique(small.block, return_inverse=True)[1], small.cohort)
    result = fit_panel(pairs, permutations=99, seed=2)
    default = next(e for e in result.estimates if e.is_default)
    drawn = next(e for e in result.estimates if e.vcov == "permutation")
    assert found["cm default"] == pytest.approx(default.p_value)
    assert found["cm permutation"] == pytest.approx(drawn.p_value)
    texts = " ".join(result.warnings)
    assert found["warns pilot_level"] == ("another kind" in texts)
    assert found["warns shared"] == ("times the city one" in texts)
    assert found["warns degrees"] == ("degrees of freedom, not" in texts)
    assert found["warns city"] == ("without city" in texts) and found["warns province"] == (
        "without province" in texts
    )


def test_the_tests_of_cities_are_those_that_ship(designs):
    panel = designs["calmer"].draw(5)
    found, result = (
        selection.judge(panel, 5, 499),
        fit_primary(panel.growth, panel.years, panel.cohort, panel.block, permutations=1999),
    )
    own, loading = result.channels
    expected = {"primary": result.p_value, "own_variance": own.p_value, "loading": loading.p_value}
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=0.08)


def test_whole_provinces_have_no_primary_test(designs):
    found = selection.judge(designs["whole_provinces"].draw(1), 1, 39)
    assert found["primary"] is None and found["loading"] is None and found["warns calming"] is False
    assert found["cm default"] is not None
