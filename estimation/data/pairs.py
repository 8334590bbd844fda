"""Country-years to pairs of countries in a year."""

from __future__ import annotations

import csv
import io

import numpy as np

from ..measures.synchronization import pair_outcome

FIRST_GROWTH, LAST_GROWTH = 1971, 2017
WHOLE, FLOATS = ("year", "euro_year"), ("gdp_real_usd_million", "population_million")
Columns = dict[str, list]


def read_countries(text: bytes) -> Columns:
    """The file of countries with growth beside it; rows ascend by country and year."""
    rows = list(csv.DictReader(io.StringIO(text.decode("utf-8"))))
    columns: Columns = {name: [row[name] for row in rows] for name in rows[0]}
    for name, kind in (*((w, int) for w in WHOLE), *((f, float) for f in FLOATS)):
        columns[name] = [kind(cell) if cell else None for cell in columns[name]]
    iso, year = np.array(columns["iso"]), np.array(columns["year"])
    logs = np.log(columns["gdp_real_usd_million"])
    follows = np.r_[False, (iso[1:] == iso[:-1]) & (np.diff(year) == 1)]
    growth = (100 * np.r_[0.0, np.diff(logs)]).tolist()
    columns["growth"] = [
        value if known else None for value, known in zip(growth, follows, strict=True)
    ]
    return columns


def build_pairs(countries: Columns, first_year: int, last_year: int) -> Columns:
    """Every pair of countries with growth in all years of the window; see `euro`."""
    if not FIRST_GROWTH <= first_year <= last_year - 2 <= LAST_GROWTH - 2:
        raise ValueError(
            f"{first_year} to {last_year}: expected three years or more within {FIRST_GROWTH} to "
            f"{LAST_GROWTH}"
        )
    iso, first_row, at = np.unique(countries["iso"], return_index=True, return_inverse=True)
    years, year = np.arange(first_year, last_year + 1), np.array(countries["year"])
    inside = (year >= first_year) & (year <= last_year)
    growth = np.full((len(iso), len(years)), np.nan)
    of_rows = np.array(countries["growth"], dtype=float)
    growth[at[inside], year[inside] - first_year] = of_rows[inside]
    complete = np.flatnonzero(np.isfinite(growth).all(axis=1))
    one, two = np.triu_indices(len(complete), 1)
    sides = {"a": complete[one], "b": complete[two]}

    def of_each(source: str, side: str) -> list:
        return [countries[source][first_row[k]] for k in np.repeat(sides[side], len(years))]

    columns = {f"iso_{side}": of_each("iso", side) for side in sides}
    columns["year"] = np.tile(years, len(one)).tolist()
    columns |= {f"euro_{side}": of_each("euro_year", side) for side in sides}
    columns |= {f"region_{side}": of_each("region", side) for side in sides}
    for measure in ("cm", "neg_abs_gap"):
        columns[measure] = pair_outcome(measure, growth[complete], one, two).reshape(-1).tolist()
    return columns
