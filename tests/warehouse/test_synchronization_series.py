"""The list of series in warehouse/macros/synchronization.sql, the columns of the marts, and what
`estimation` knows of them agree.
"""

from __future__ import annotations

import jinja2
import yaml

from estimation.analyses.series import SERIES
from estimation.analyses.spec import SAME_ROWS
from tests.warehouse.dbt_build import REPOSITORY

WAREHOUSE = REPOSITORY / "warehouse"
# Measures of one series only, which are no part of the list.
ALONE = {"rolling_corr_growth_official", "rolling_fisher_z_growth_official"}


def series_of_the_models() -> dict[str, dict]:
    """What the macro `synchronization_series` gives to the models."""
    found: list[dict] = []
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)
    environment.globals["return"] = lambda value: found.append(value) or ""
    environment.from_string(
        (WAREHOUSE / "macros" / "synchronization.sql").read_text(encoding="utf-8")
    ).module.synchronization_series()
    return found[0]


def measured_columns() -> set[str]:
    described = yaml.safe_load(
        (WAREHOUSE / "models" / "marts" / "fct_pair_synchronization.yml").read_text(
            encoding="utf-8"
        )
    )
    return {column["name"] for column in described["models"][0]["columns"]} - {
        "city_i_id",
        "city_j_id",
        "year",
    }


def test_the_contract_of_the_mart_holds_the_measures_of_each_series() -> None:
    expected = set(ALONE)
    for name, series in series_of_the_models().items():
        if series["measures"] == "all":
            expected |= {f"{measure}_{name}" for measure in SAME_ROWS} | {f"is_cm_clipped_{name}"}
        elif series["measures"] == "cm":
            expected.add(f"cm_{name}")
        if "before_admission" in series:
            expected.add(series["before_admission"]["cm"])
    assert measured_columns() == expected


def test_estimation_takes_each_series_from_the_column_that_the_models_measure() -> None:
    in_window = {
        name: series["column"].split(".")[1]
        for name, series in series_of_the_models().items()
        if series["measures"] != "none"
    }
    assert in_window.items() <= {name: series.column for name, series in SERIES.items()}.items()
