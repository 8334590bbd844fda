"""The list of series in warehouse/macros/synchronization.sql, the columns of the marts, and what
`estimation` knows of them agree.
"""

import jinja2

from estimation.analyses.series import SERIES
from tests.warehouse.dbt_build import REPOSITORY

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
