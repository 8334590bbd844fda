# grain: one row is a city and year with the cyclical components of its log real GDP, per cent
# key: city_id, year
import os
import sys


def _import_cycles():
    """Import the filters; dbt compiles this file elsewhere and, started by itself, does not have
    the project's folder on its path.
    """
    try:
        from estimation.measures import cycles
    except ModuleNotFoundError:
        sys.path.append(
            os.environ.get("DBT_PROJECT_DIR") or os.environ.get("DBT_PROFILES_DIR") or os.getcwd()
        )
        from estimation.measures import cycles
    return cycles


def model(dbt, session):
    """Filter every unbroken run of years of every city."""
    dbt.config(materialized="table")
    levels = dbt.ref("int_city_levels").order("city_id, run_key, year").df()
    components = _import_cycles().filter_runs(
        levels[["city_id", "run_key"]].to_numpy(),
        levels["log_level"].to_numpy(),
        levels["year"].to_numpy(),
    )
    result = levels[["city_id", "year"]].copy()
    for name, values in components.items():
        result[f"cycle_{name}_pct"] = 100 * values
    return result
