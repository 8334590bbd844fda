"""Growth from a published database, with the real admissions dealt again before anything is
computed.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from estimation.primary.redeal import deal

from .designs import Panel

QUERY = (
    "select city_id, year, {column} as value from marts.fct_city_year "
    "where {column} is not null and year between ? and ?"
)
DATES = "select distinct city_id, treated_year from marts.dim_city"
BEFORE = 5
SHUFFLED = 20261127


@cache
def read_delivered(
    database: Path, first: int, last: int, column: str = "growth_official_pct"
) -> Panel:
    """Growth of the cities that are complete in a window, from a published warehouse, with the
    first treated years of each province dealt to its cities anew; size is the standardised log of
    mean nominal GDP in the five years before the window.

    Parameters
    ----------
    database : Path
    first, last : int
    column : str
        Of `marts.fct_city_year`.
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        growth = _wide(connection, column, first, last).dropna()
        gdp = _wide(connection, "gdp_nominal_cny_100m", first - BEFORE, first - 1)
        dates = dict(connection.execute(DATES).fetchall())
    ids = growth.index.to_numpy()
    known = np.nanmean(gdp.reindex(ids).to_numpy(), axis=1)
    size = np.log(np.where(np.isfinite(known), known, np.nanmin(known)))
    block = np.unique(ids // 10000, return_inverse=True)[1]
    cohort = np.array([dates.get(city) or 0 for city in ids])[deal(block, 20, SHUFFLED)[1]]
    return Panel(
        growth.to_numpy(),
        np.arange(first, last + 1),
        np.where(cohort <= last, cohort, 0),
        block,
        (size - size.mean()) / size.std(),
    )


def _wide(
    connection: duckdb.DuckDBPyConnection, column: str, first: int, last: int
) -> pd.DataFrame:
    rows = connection.execute(QUERY.format(column=column), [first, last]).df()
    wide = rows.pivot(index="city_id", columns="year", values="value")
    return wide.reindex(columns=range(first, last + 1))
