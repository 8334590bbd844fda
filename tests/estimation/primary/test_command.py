"""Files of cities: what is left out, and errors that name the place."""

import re

import numpy as np
import pandas as pd
import pytest

from estimation.analyses.primary import DECLARED
from estimation.api.primary import primary
from estimation.panel.city_file import read_cities
from estimation.panel.pair_columns import PairColumns
from estimation.panel.panel_error import PanelError
from estimation.primary.adjusted_fit import fit_adjusted
from estimation.primary.city_panel import build_panel
from estimation.primary.contrast import treatment_contrast
from estimation.primary.fit_primary import fit_primary
from estimation.primary.permutation import draw_statistics
from estimation.study import city_periods
from estimation.study.windows import Window
from tests.estimation.panels import with_cell

from .economies import draw_panel


def _frame(seed: int = 7, **options) -> pd.DataFrame:
    growth, years, cohort, block = draw_panel(seed, **options)
    city, year = np.indices(growth.shape)
    cohorts = [str(c) if c else "" for c in cohort[city.ravel()]]
    ids = 1000 + city.ravel()
    values = {
        "city_id": ids,
        "year": years[year.ravel()],
        "growth": growth.ravel(),
        "cohort_year": cohorts,
    }
    return pd.DataFrame(values | {"block_id": block[city.ravel()]})


def _csv(tmp_path, frame: pd.DataFrame):
    path = tmp_path / "cities.csv"
    frame.to_csv(path, index=False)
    return path


def test_a_missing_row_or_a_blank_leaves_the_city_out(tmp_path):
    frame = _frame().astype({"growth": object})
    frame.loc[35, "growth"] = ""
    columns = PairColumns("growth", ("city_id", "city_id"), block="block_id")
    panel = read_cities(_csv(tmp_path, frame.drop(index=[100])), columns)
    assert np.isnan(panel.growth).any(axis=1).sum() == 2


def _periods(frame: pd.DataFrame) -> pd.DataFrame:
    """Means of the outcome over the years between first treated years, 2014 and 2017."""
    start = frame["year"].map(lambda year: max(y for y in (2010, 2014, 2017) if y <= year))
    keys = ["city_id", "cohort_year", "block_id", start]
    means = frame.groupby(keys)["growth"].agg(["mean", "size"]).reset_index()
    return means.rename(columns={"mean": "growth", "size": "n_years"})


def test_means_over_the_years_between_first_treated_years_give_the_same_test():
    growth, years, cohort, block = draw_panel(7)
    whole = fit_primary(growth, years, cohort, block, permutations=199)
    measured = build_panel(growth, years, cohort, block)
    y = measured.measured(measured.growth)[2]
    frame = _frame(7).assign(growth=y.ravel())
    found = primary(_periods(frame), length="n_years", permutations=199).result
    assert (found.p_value, found.p_value_family, found.cycle) == (
        whole.p_value,
        whole.p_value,
        None,
    )
    for name in ("estimate", "ci_low", "ci_high", "before", "after", "without_admission"):
        assert getattr(found, name) == pytest.approx(getattr(whole, name), abs=1e-12)


def test_stand_ins_give_the_same_test(monkeypatch):
    """Periods are longer where a block has fewer first treated years."""
    monkeypatch.setattr(city_periods, "DIGITS", 15)
    growth, years, cohort, block = draw_panel(7)
    cohort = np.where((cohort == 2014) & (block % 2 == 0), 0, cohort)
    # of one block every city is treated at once
    cohort[block == 1] = 2016
    whole = fit_primary(growth, years, cohort, block, permutations=199)
    window = Window(growth, years, cohort, block, np.arange(len(cohort)))
    rows = pd.DataFrame(city_periods.city_period_rows(DECLARED[0], window, whole))
    names = {"province_id": "block_id", "first_year": "year"}
    panel = rows.rename(columns=names).astype({"cohort_year": "Int64"})
    by_unit = panel.groupby("stand_in")
    assert (by_unit.size()[by_unit.block_id.first() == 1] == 1).all()
    assert set(by_unit.size()) > {1, 2}
    found = primary(panel, "synchronization", unit="stand_in", length="n_years", permutations=199)
    result = found.result
    assert (result.n_cities, result.n_pilots) == (whole.n_cities, whole.n_pilots)
    assert result.estimate == pytest.approx(whole.estimate, abs=1e-12)
    assert [result.p_value, result.ci_low, result.ci_high] == pytest.approx(
        [whole.p_value, whole.ci_low, whole.ci_high], abs=0.05
    )


def test_stand_ins_follow_from_what_cities_have_in_common_alone():
    """So whoever has the code and the seed does not find the cities: others with the same means and
    sums of products within their block and cohort have the same stand-ins.
    """
    growth, years, cohort, block = draw_panel(7)
    panel = build_panel(growth, years, cohort, block)
    y = panel.measured(panel.growth)[2]
    used = city_periods.least(panel, y)
    found = city_periods.stand_ins(panel, y, seed=1)
    others = y.copy()
    rng = np.random.default_rng(2)
    for cell_block, label in np.argwhere(panel.counts > 0).tolist():
        members = np.flatnonzero((panel.block == cell_block) & (panel.label == label))
        mean = y[members].mean(axis=0)
        net = np.linalg.svd(np.eye(len(members)) - 1 / len(members))[0][:, :-1]
        turn = np.linalg.qr(rng.standard_normal((len(members) - 1,) * 2))[0]
        others[members] = mean + net @ turn @ net.T @ (y[members] - mean)
        means = [rows[members].mean(axis=0) for rows in (found, used)]
        assert means[0] == pytest.approx(means[1], abs=1e-9)
    assert np.abs(others - y).max() > 0.1
    assert city_periods.stand_ins(panel, others, seed=1) == pytest.approx(found, abs=1e-7)
    contrast = treatment_contrast(panel)
    permuted = np.arange(len(block))[None]
    errors = [
        draw_statistics(rows, contrast, panel.label, panel.block, permuted).error[0, 0]
        for rows in (y, found)
    ]
    assert errors[1] == pytest.approx(errors[0], rel=1e-9)


def test_covariates_are_columns_with_one_number_a_unit():
    frame = _frame(calmer=0.6)
    size = frame["city_id"].map(lambda city: (city * 37 % 11) / 10)
    # ids of blocks may be of any kind
    frame["block_id"] = "b" + frame["block_id"].astype(str).str.zfill(3)
    frame = frame.assign(size=size, square=size**2)
    found = primary(
        frame, covariates=["size", "square"], dealing="fitted", permutations=199, seed=2
    )
    x = frame.groupby("city_id")[["size", "square"]].first().to_numpy()
    direct = fit_adjusted(*draw_panel(7, calmer=0.6), x, dealing="fitted", permutations=199, seed=2)
    assert found.result.estimate == pytest.approx(direct.estimate)
    assert found.result.p_value_family == direct.p_value_family
    assert "they leave" in str(found) and "capped gaps" in str(found)


YEAR = "expected a year from 1000 to 3000"
#: A cell of the fourth row, which is line 5 of a file, and what is said of it.
CELLS = [
    ("growth", "about 8", ": expected a number or a blank, found 'about 8'; correct the cell"),
    ("growth", "inf", ""),
    ("year", "20l5", f": {YEAR}, found '20l5'"),
    ("year", "", ""),
    ("year", "2010.5", f": {YEAR}"),
    ("cohort_year", "2015.9", f": {YEAR}"),
    ("cohort_year", "1", f": {YEAR} or a blank (never), found '1'"),
    ("cohort_year", "2016", ": expected one value for all rows of a unit, found 2016 beside 2014"),
    ("block_id", "9", ": expected one value for all rows of a unit, found 9 beside 0"),
    ("block_id", "", ": expected an id, found a blank cell; fill it in or remove the row"),
    ("city_id", "", ": expected an id, found a blank cell"),
]
REPEATED = "expected one row for a unit in a period, found unit 1000 in 2011 again (first"
PERIODS, SIZE = {"length": "n_years"}, {"covariates": ["size"]}
#: What is done to the rows, whether they are a file, options, and what is said.
REFUSED = [
    *(
        (with_cell(name, value), True, {}, f"cities.csv, line 5, column {name}{said}")
        for name, value, said in CELLS
    ),
    (with_cell("year", "2011"), True, {}, f"cities.csv, line 5, column city_id, year: {REPEATED}"),
    (
        lambda rows: rows.drop(columns="block_id"),
        True,
        {},
        "cities.csv, column block_id: expected it in the header",
    ),
    (lambda rows: rows.head(0), True, {}, "found no rows"),
    (
        lambda rows: _periods(rows).assign(n_years=0),
        False,
        PERIODS,
        "expected a whole number of years from 1, found '0'",
    ),
    (
        lambda rows: _periods(rows).assign(n_years=5),
        False,
        PERIODS,
        "found two periods of a unit with the year 2014",
    ),
    (
        lambda rows: (
            _periods(rows)
            .query("year != 2017")
            .assign(n_years=lambda left: np.where(left["year"] == 2014, 6, 4))
        ),
        False,
        PERIODS,
        "found 2014 to 2019, where a unit of the block begins in 2017",
    ),
    (lambda rows: rows, False, {"dealing": "fitted"}, "without covariates"),
    (lambda rows: rows, False, SIZE | {"dealing": "cox"}, "expected one of uniform, fitted"),
    (lambda rows: rows, False, SIZE | PERIODS, "leave length out"),
    (
        lambda rows: rows.assign(size=rows["growth"]),
        False,
        SIZE,
        "column size: expected one value for all rows of a unit",
    ),
]


@pytest.mark.parametrize(("change", "is_file", "options", "said"), REFUSED)
def test_what_does_not_do_is_named_with_its_place_and_what_to_do(
    tmp_path, change, is_file, options, said
):
    rows = change(_frame().assign(size=1.0))
    with pytest.raises(ValueError, match=re.escape(said)):
        primary(_csv(tmp_path, rows) if is_file else rows, permutations=20, **options)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(PanelError, match="found no file of this name"):
        primary(tmp_path / "absent.csv")
