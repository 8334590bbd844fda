"""The countries of `cs.data.euro` out of the Penn World Table.

`python -m benchmarks.euro_data pwt91.csv estimation/data/euro_countries.csv`.

The table comes from R's package pwt9 (Debian: r-cran-pwt9): `Rscript -e 'write.csv(pwt9::pwt9.1,
"pwt91.csv", row.names = FALSE)'`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

FIRST_YEAR = 1970
# members of the European Union or the OECD in 2017; the euro's first year of each, from the
# European Central Bank
EURO = {
    **dict.fromkeys(
        ("AUT", "BEL", "DEU", "ESP", "FIN", "FRA", "IRL", "ITA", "LUX", "NLD", "PRT"), 1999
    ),
    "GRC": 2001,
    "SVN": 2007,
    "CYP": 2008,
    "MLT": 2008,
    "SVK": 2009,
    "EST": 2011,
    "LVA": 2014,
    "LTU": 2015,
}
# sub-regions of the United Nations' geographical scheme (M49)
REGIONS = {
    "Western Europe": ("AUT", "BEL", "CHE", "DEU", "FRA", "LUX", "NLD"),
    "Southern Europe": ("ESP", "GRC", "HRV", "ITA", "MLT", "PRT", "SVN"),
    "Northern Europe": ("DNK", "EST", "FIN", "GBR", "IRL", "ISL", "LTU", "LVA", "NOR", "SWE"),
    "Eastern Europe": ("BGR", "CZE", "HUN", "POL", "ROU", "SVK"),
    "Western Asia": ("CYP", "ISR", "TUR"),
    "Eastern Asia": ("JPN", "KOR"),
    "Northern America": ("CAN", "USA"),
    "Central America": ("MEX",),
    "South America": ("CHL",),
    "Australia and New Zealand": ("AUS", "NZL"),
}


def build(table: pd.DataFrame) -> pd.DataFrame:
    """Country-years: iso, country, region, euro_year, year, real GDP at constant national prices,
    population.
    """
    region = {iso: name for name, countries in REGIONS.items() for iso in countries}
    kept = table[table["isocode"].isin(region) & (table["year"] >= FIRST_YEAR)].dropna(
        subset=["rgdpna"]
    )
    columns = {
        "iso": kept["isocode"],
        "country": kept["country"],
        "region": kept["isocode"].map(region),
        "euro_year": kept["isocode"].map(EURO).astype("Int64"),
        "year": kept["year"].astype(int),
        "gdp_real_usd_million": kept["rgdpna"].round(1),
        "population_million": kept["pop"].round(4),
    }
    return pd.DataFrame(columns).sort_values(["iso", "year"])


def main() -> None:
    """Read, choose, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    build(pd.read_csv(options.table)).to_csv(options.out, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
