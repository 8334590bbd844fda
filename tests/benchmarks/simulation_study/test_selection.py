"""Selection designs in the simulation study: p of every quantity as the product gives them, and
tables against hand-made rows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.primary_test.designs import SELECTION
from benchmarks.primary_test.race import DRIFTS
from benchmarks.simulation_study import selection, summary
from benchmarks.simulation_study.economies import pair_panel
from estimation.fit import fit_panel
from estimation.primary.fit import fit_primary


@pytest.fixture(scope="module")
def designs() -> dict[str, selection.Design]:
    return {design.name: design for design in selection.selected(None)}


def test_the_designs_are_those_of_the_primary_test(designs):
    labels = {design.label for design in designs.values()}
    assert {name for name in SELECTION if not name.startswith(DRIFTS[2])} <= labels
    panel, again = (designs["calmer"].draw(3) for _ in range(2))
    np.testing.assert_array_equal(panel.growth, again.growth)
    assert not np.array_equal(panel.growth, designs["calmer"].draw(4).growth)


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
    assert found["primary"] is None and found["loading"] is None
    assert found["cm default"] is not None


def test_a_design_is_run_once_and_counted_by_hand(tmp_path: Path, monkeypatch):
    only = {
        name: design for name, design in selection._by_name(None).items() if name == "late_entry"
    }
    monkeypatch.setattr(selection, "_by_name", lambda database: only)
    said: list[str] = []
    for _ in range(2):
        selection.run_selection(None, tmp_path, n_draws=3, permutations=39, say=said.append)
    assert len(said) == 1
    rows = pd.read_csv(selection.path_of(tmp_path, "late_entry"))
    assert len(rows) == 3 and set(rows["design"]) == {"late_entry"}


def test_tables_count_shares_and_leave_out_what_is_no_p(tmp_path: Path):
    names = [name for name in summary.SELECTION_COLUMNS if name != "cm both"]
    rows = pd.DataFrame({name: [0.2, 0.2, 0.2, 0.2] for name in names})
    rows = rows.assign(
        **{"cm default": [0.01, 0.04, 0.3, None], "cm permutation": [0.01, 0.30, 0.01, 0.01]}
    )
    rows = rows.assign(
        primary=None,
        **{f"warns {name}": [True, False, False, False] for name in selection.WARNINGS},
    )
    for position, design in ((1, "second"), (0, "first")):
        rows.assign(seed=range(4), design=design, position=position).to_csv(
            tmp_path / f"selection_{design}.csv", index=False
        )
    table = summary.selection_table(tmp_path)
    assert [row[0] for row in table] == ["design", "first", "second"]
    cells = dict(zip(table[0], table[1], strict=True))
    assert cells["`cm`, default"].startswith("66.7") and cells["`cm`, permutation"].startswith(
        "75.0"
    )
    assert (
        cells["`cm`, both"].startswith("33.3")
        and cells["primary test"] == "-"
        and cells["channel loading"].startswith("0.0")
    )
    assert summary.warning_table(tmp_path)[1][1:3] == ["4", "25.0"]
