"""Files of cities: what is left out, and errors that name the place."""

import numpy as np
import pandas as pd
import pytest

from estimation.api.primary import primary
from estimation.panel.city_file import read_cities
from estimation.panel.pair_columns import PairColumns
from estimation.panel.panel_error import PanelError

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


@pytest.mark.parametrize(
    ("column", "row", "value", "said"),
    [
        (
            "growth",
            3,
            "about 8",
            "line 5, column growth: expected a number or a blank, found 'about 8'; correct the "
            "cell",
        ),
        ("growth", 3, "inf", "line 5, column growth"),
        ("year", 3, "20l5", "line 5, column year: expected a year from 1000 to 3000, found '20l5'"),
        ("year", 3, "", "line 5, column year"),
        ("year", 3, "2010.5", "line 5, column year: expected a year from 1000 to 3000"),
        ("cohort_year", 3, "2015.9", "line 5, column cohort_year: expected a year from 1000 to"),
        (
            "year",
            3,
            "2011",
            (
                "line 5, column city_id, year: expected one row for a city in a year, found city "
                "1000 "
                "in 2011 again (first"
            ),
        ),
        (
            "cohort_year",
            3,
            "1",
            (
                "line 5, column cohort_year: expected a year from 1000 to 3000 or a blank (never), "
                "found '1'"
            ),
        ),
        (
            "cohort_year",
            3,
            "2016",
            (
                "line 5, column cohort_year: expected one value for all rows of a city, found 2016 "
                "beside 2014"
            ),
        ),
        (
            "block_id",
            3,
            "9",
            "line 5, column block_id: expected one value for all rows of a city, found 9 beside 0",
        ),
        (
            "block_id",
            3,
            "",
            (
                "line 5, column block_id: expected an id, found a blank cell; fill it in or remove "
                "the row"
            ),
        ),
        ("city_id", 3, "", "line 5, column city_id: expected an id, found a blank cell"),
    ],
)
def test_a_wrong_cell_is_named_with_what_to_do(tmp_path, column, row, value, said):
    frame = _frame().astype(object)
    frame.loc[row, column] = value
    with pytest.raises(PanelError) as error:
        primary(_csv(tmp_path, frame))
    assert f"cities.csv, {said}" in str(error.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda frame: frame.drop(columns="block_id"),
            r"cities\.csv, column block_id: expected it in the header",
        ),
        (lambda frame: frame.head(0), "found no rows"),
        (None, "found no file of this name"),
    ],
)
def test_a_missing_column_no_rows_and_no_file_are_named(tmp_path, change, said):
    path = _csv(tmp_path, change(_frame())) if change else tmp_path / "absent.csv"
    with pytest.raises(PanelError, match=said):
        primary(path)
