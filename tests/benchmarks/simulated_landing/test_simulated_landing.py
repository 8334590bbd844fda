"""The measured figures of the default landing at small scale: the same growth as its files, and
sizes as stated.
"""

import numpy as np
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from benchmarks.simulated_landing import summary
from benchmarks.simulated_landing.__main__ import measure
from benchmarks.simulated_landing.run import (
    STUDY_WINDOW,
    WINDOWS,
    _fit,
    cut,
    draw,
    official_growth,
    read_seeds,
)
from estimation.primary.fit import fit_primary
from warehouse.ingest.simulation.economy import NO_EFFECT, PlantedEffect
from warehouse.ingest.simulation.landing import write_simulated_landing
from warehouse.ingest.simulation.published import DEFAULT_SEED

N_CITIES = 150


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("economies")
    found = measure(3, folder, 1, N_CITIES)
    pd.testing.assert_frame_equal(found, measure(3, folder, 1, N_CITIES))
    assert sorted(path.name for path in folder.iterdir()) == ["landing.csv", "landing.json"]
    return found


def test_growth_is_that_of_the_files(tmp_path) -> None:
    roster, zones = read_seeds()
    write_simulated_landing(tmp_path, roster=roster, pilot_zones=zones, n_cities=20)
    made = draw(DEFAULT_SEED, n_cities=20)
    path = tmp_path / "with_effect" / "sim_wide_panel" / "2024" / "城市统计面板_模拟.xlsx"
    sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("面板数据").to_python()
    rows = pd.DataFrame(sheet[2:], columns=sheet[1]).replace({"…": np.nan, "": np.nan})
    rows = rows[rows["年份"].notna() & ~rows["城市"].astype(str).str.endswith("合计")]
    wide = rows.pivot(index="城市", columns="年份", values="GDP增长率（%）").astype(float)
    written = 100 * np.log1p(wide.loc[made.with_effect.roster["city_name_zh"]].to_numpy() / 100)
    np.testing.assert_allclose(official_growth(made.with_effect), written, atol=1e-9)


def test_the_effect_is_found_as_often_as_stated_and_not_where_there_is_none() -> None:
    """Coarse on purpose: 85 % and 5 % over 400 economies are measured by the command; 30 economies
    tell only a broken calibration.
    """

    def share(effect: PlantedEffect) -> float:
        windows = (cut(draw(seed, effect), WINDOWS["newest"]) for seed in range(20_001, 20_031))
        fits = (_fit(arms["with_effect"], 199) for arms in windows)
        return float(np.mean([fit.verdict == "found" for fit in fits]))

    assert share(PlantedEffect()) >= 0.6
    assert share(NO_EFFECT) <= 0.2


def test_intervals_that_hold_the_truth_are_counted() -> None:
    rows = pd.DataFrame(
        {
            "arm": "with_effect",
            "name": "primary.newest",
            "line": "primary",
            "verdict": ["found", "found", "not_found_could_have_been", None],
            "ci_low": [0.1, 0.3, -0.2, None],
            "ci_high": [0.4, 0.5, 0.1, None],
            "truth": 0.2,
            "planted": [None] * 4,
        }
    )
    counted = summary.figures(rows).set_index("quantity")[["n", "n_yes"]]
    assert counted.loc["found_with_effect"].tolist() == [3, 2]
    assert counted.loc["truth_in_interval"].tolist() == [3, 1]


@pytest.mark.parametrize("arm", ["with_effect", "without_effect"])
def test_rows_are_what_the_page_would_say(rows, arm) -> None:
    own = cut(draw(2, n_cities=N_CITIES), STUDY_WINDOW)[arm]
    result = fit_primary(
        own["growth"], own["years"], own["cohort"], own["block"], permutations=999, seed=1
    )
    found = rows[(rows["seed"] == 2) & (rows["arm"] == arm)].set_index("name")
    assert (found.loc["primary.study_window", "verdict"] == "found") == (result.verdict == "found")
    assert found.loc["primary.study_window", "p_value"] == pytest.approx(result.p_value)
    for channel in result.channels:
        assert found.loc[f"{channel.channel}.study_window", "p_value"] == pytest.approx(
            channel.p_value
        )
