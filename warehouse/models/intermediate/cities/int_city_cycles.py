# grain: one row is a city and year with the cyclical components of its log real GDP, per cent
# key: city_id, year
def _import_cycles():
    """Import the filters, which need more than dbt-duckdb brings."""
    try:
        import pandas  # noqa: F401 -- DuckDB's `df`

        from estimation.measures import cycles
    except ModuleNotFoundError as error:
        raise RuntimeError(
            f"int_city_cycles: expected the packages numpy, pandas and scipy beside dbt-duckdb; "
            f"found no {error.name}; pip install numpy pandas scipy, or use the environment of "
            "`make setup`"
        ) from error
    return cycles


def model(dbt, session):
    """Filter every unbroken run of years of every city."""
    dbt.config(materialized="table")
    cycles = _import_cycles()
    levels = dbt.ref("int_city_levels").order("city_id, run_key, year").df()
    components = cycles.filter_runs(
        levels[["city_id", "run_key"]].to_numpy(),
        levels["log_level"].to_numpy(),
        levels["year"].to_numpy(),
    )
    result = levels[["city_id", "year"]].copy()
    for name, values in components.items():
        result[f"cycle_{name}_pct"] = 100 * values
    return result
