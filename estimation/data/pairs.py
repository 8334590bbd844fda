"""Country-years to pairs of countries in a year."""

from __future__ import annotations

import io
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from ..measures.synchronization import pair_outcome
from ..panel.panel_error import need

FIRST_GROWTH, LAST_GROWTH = 1971, 2017
BACKENDS = ("pandas", "polars", "pyarrow")


def read_countries(text: bytes) -> pa.Table:
    """The file of countries with growth beside it; rows ascend by country and year."""
    table = arrow_csv.read_csv(io.BytesIO(text))
    iso, year = table["iso"].to_numpy(), table["year"].to_numpy()
    logs = np.log(table["gdp_real_usd_million"].to_numpy())
    follows = np.r_[False, (iso[1:] == iso[:-1]) & (np.diff(year) == 1)]
    growth = np.where(follows, 100 * np.r_[0.0, np.diff(logs)], np.nan)
    return table.append_column("growth", pa.array(growth, from_pandas=True))


def build_pairs(countries: pa.Table, first_year: int, last_year: int) -> pa.Table:
    """Every pair of countries with growth in all years of the window; see `euro`."""
    if not FIRST_GROWTH <= first_year <= last_year - 2 <= LAST_GROWTH - 2:
        raise ValueError(
            f"{first_year} to {last_year}: expected three years or more within {FIRST_GROWTH} to "
            f"{LAST_GROWTH}"
        )
    iso, at = np.unique(countries["iso"].to_numpy(), return_inverse=True)
    years = np.arange(first_year, last_year + 1)
    year = countries["year"].to_numpy()
    inside = (year >= first_year) & (year <= last_year)
    growth = np.full((len(iso), len(years)), np.nan)
    growth[at[inside], year[inside] - first_year] = countries["growth"].to_numpy()[inside]
    first_row = np.unique(at, return_index=True)[1]
    complete = np.flatnonzero(np.isfinite(growth).all(axis=1))
    one, two = np.triu_indices(len(complete), 1)
    a, b = complete[one], complete[two]
    rows = np.repeat(np.arange(len(a)), len(years))
    columns: dict[str, Any] = {
        "iso_a": iso[a][rows],
        "iso_b": iso[b][rows],
        "year": np.tile(years, len(a)),
    }
    for name, source in (("euro", "euro_year"), ("region", "region")):
        values = countries[source].take(first_row)
        for side, chosen in (("a", a), ("b", b)):
            columns[f"{name}_{side}"] = values.take(chosen[rows])
    for measure in ("cm", "neg_abs_gap"):
        columns[measure] = pair_outcome(measure, growth[complete], one, two).reshape(-1)
    return pa.table(columns)


def as_frame(table: pa.Table, backend: str = "") -> Any:
    """The table in another kind of frame; see `euro_countries`.

    Raises
    ------
    ValueError
        If there is no such kind.
    ImportError
        If it is not installed.
    """
    name = backend or next(b for b in BACKENDS if find_spec(b))
    if name not in BACKENDS:
        raise ValueError(f"backend {backend!r}: expected one of {', '.join(BACKENDS)}")
    if not find_spec(name):
        raise need(name, "", f"a frame of {name}")
    if name == "pandas":
        # years with blanks stay whole numbers
        pandas = import_module("pandas")
        return table.to_pandas(types_mapper={pa.int64(): pandas.Int64Dtype()}.get)
    return table if name == "pyarrow" else import_module("polars").from_arrow(table)
