"""Country-years to pairs of countries in a year."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..measures.synchronization import pair_outcome
from ..panel.panel_error import PanelError, require_count

FIRST_GROWTH, LAST_GROWTH = 1971, 2017


def read_countries(file: Any) -> pd.DataFrame:
    """Return the file of countries with growth beside it; rows ascend by country and year."""
    rows = pd.read_csv(file, dtype={"euro_year": "Int64"})
    follows = rows["iso"].eq(rows["iso"].shift()) & rows["year"].diff().eq(1)
    growth = 100 * np.log(rows["gdp_real_usd_million"]).diff()
    return rows.assign(growth=growth.where(follows))


def build_pairs(countries: pd.DataFrame, first_year: int, last_year: int) -> pd.DataFrame:
    """Return every pair of countries with growth in all years of the window; see `euro`."""
    require_count(first_year, "first_year")
    require_count(last_year, "last_year")
    if not FIRST_GROWTH <= first_year <= last_year - 2 <= LAST_GROWTH - 2:
        what, found = "first_year, last_year", f"{first_year} to {last_year}"
        expected = f"three years or more within {FIRST_GROWTH} to {LAST_GROWTH}"
        raise PanelError(what, None, None, expected, found, "choose others")
    inside = countries[countries["year"].between(first_year, last_year)]
    growth = inside.pivot(index="iso", columns="year", values="growth").dropna()
    own = countries.drop_duplicates("iso").set_index("iso", drop=False).loc[growth.index]
    one, two = np.triu_indices(len(own), 1)
    years = np.tile(growth.columns, len(one))
    sides = {side: own.iloc[np.repeat(k, growth.shape[1])] for side, k in (("a", one), ("b", two))}
    columns = {f"iso_{side}": rows["iso"].array for side, rows in sides.items()} | {"year": years}
    columns |= {f"euro_{side}": rows["euro_year"].array for side, rows in sides.items()}
    columns |= {f"region_{side}": rows["region"].array for side, rows in sides.items()}
    for measure in ("cm", "neg_abs_gap"):
        columns[measure] = pair_outcome(measure, growth.to_numpy(), one, two).ravel()
    return pd.DataFrame(columns)
