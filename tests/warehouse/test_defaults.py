"""Years, counts and columns of series that SQL and Python both use are the same."""

import re

import jinja2

from estimation import defaults
from estimation.analyses import primary
from estimation.analyses.series import SERIES
from tests.conftest import REPO
from tests.warehouse.dbt_build import REPOSITORY
from warehouse.publication import losses


def test_the_macros_of_sql_have_the_years_of_python():
    macros = (REPO / "warehouse/macros/settings.sql").read_text()
    written = dict(re.findall(r"macro (\w+)\(\) -%}\s*(?:{{[^}]*')?([\d.]+)", macros))
    expected = {
        "window_first_year": defaults.STUDY_FIRST_YEAR,
        "window_last_year": defaults.STUDY_LAST_YEAR,
        "tie_first_year": defaults.TIE_FIRST_YEAR,
        "tie_last_year": defaults.TIE_LAST_YEAR,
        "tie_minimum_years": defaults.TIE_MINIMUM_YEARS,
        "first_admission_year": defaults.FIRST_ADMISSION_YEAR,
        "newest_first_year": primary.FIRST_YEAR,
        "newest_base_year": primary.BASE_YEAR,
        "newest_least_share": defaults.LEAST_SHARE,
    }
    assert {name: float(written[name]) for name in expected} == expected


def test_a_manifest_without_years_means_the_years_of_the_study():
    assert list(losses.WINDOW.values()) == [
        str(defaults.STUDY_FIRST_YEAR),
        str(defaults.STUDY_LAST_YEAR),
    ]


WAREHOUSE = REPOSITORY / "warehouse"


def series_of_the_models() -> dict[str, dict]:
    """What the macro `synchronization_series` gives to the models."""
    found: list[dict] = []
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)
    environment.globals["return"] = lambda value: found.append(value) or ""
    environment.from_string(
        (WAREHOUSE / "macros" / "synchronization.sql").read_text(encoding="utf-8")
    ).module.synchronization_series()
    return found[0]


def test_estimation_takes_each_series_from_the_column_that_the_models_measure() -> None:
    in_window = {
        name: series["column"].split(".")[1]
        for name, series in series_of_the_models().items()
        if series["measures"] != "none"
    }
    assert in_window.items() <= {name: series.column for name, series in SERIES.items()}.items()
