"""`python -m benchmarks.zones_attack PUBLICATION`: what means of y by period give away of growth.

Means of y (docs/methods, section 18.1) over the years between first treated years are enough for
the primary test. Here they are written to a folder, rounded, and attacked as a public copy is. One
JSON object a number of digits. `published` is what `estimates.city_period` holds: of a city how y
changed at the first treated years of its own province alone. The attacker of it is told the mean of
the province by year, too, which the table does not hold.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from estimation.primary.measure import reference, standardise, synchronization
from estimation.study.city_periods import DIGITS as DIGITS_PUBLISHED
from warehouse.publication.foreign import DATABASE, open_foreign
from warehouse.publication.reconstruction import best_recovery

DIGITS = (1, 2, 3, 4)
PANEL = """
select f.city_id, f.year, f.growth_official_pct as growth, c.province_id, c.treated_year
from marts.fct_city_year as f inner join marts.dim_city as c on f.city_id = c.city_id
where f.year between $1 and $2 and f.growth_official_pct is not null
order by f.city_id, f.year
"""
NEWEST = """
select first_year, last_year from estimates.primary
where spec_id = 'primary.cm_growth_official.newest'
"""


def measured(panel: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Return y by city and year, complete cities alone, their first treated years and provinces."""
    growth = panel.pivot(index="city_id", columns="year", values="growth").dropna()
    city = panel.drop_duplicates("city_id").set_index("city_id").loc[growth.index]
    treated = city.treated_year.astype(float)
    z = standardise(growth.to_numpy(dtype=float))
    never = ~(treated <= growth.columns.max()).to_numpy()
    m, v = reference(z, never, pd.factorize(city.province_id)[0])
    y = pd.DataFrame(synchronization(z, m, v), index=growth.index, columns=growth.columns)
    return y, treated.where(~pd.Series(never, index=y.index)), city.province_id


def period_means(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of y by city and period; one row a city."""
    y, treated, _ = measured(panel)
    starts = np.sort(treated.dropna().unique())
    return y.T.groupby(np.searchsorted(starts, y.columns, side="right")).mean().T


def changes_in_province(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of y from each first treated year of the city's province on, less its mean
    over all years; nan where the province has no such year, or treats all its cities at once.
    """
    y, treated, province = measured(panel)
    columns = {}
    for first in np.sort(treated.dropna().unique()):
        change = y.loc[:, y.columns >= first].mean(axis=1) - y.mean(axis=1)
        is_first = treated.eq(first).groupby(province).transform("any")
        differs = treated.fillna(0).groupby(province).transform("nunique") > 1
        columns[f"from_{first:.0f}"] = change.where(is_first & differs)
    return pd.DataFrame(columns)


def main() -> None:
    """Print what the means give away, by number of digits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("publication", type=Path)
    publication = parser.parse_args().publication
    with open_foreign(publication / DATABASE) as con:
        window = con.execute(NEWEST).fetchone()
        panel = con.execute(PANEL, window).df()
    means = period_means(panel).add_prefix("period_")
    files = [("means of all periods", means, digits) for digits in DIGITS]
    files.append(("published", changes_in_province(panel), DIGITS_PUBLISHED))
    withheld = panel.loc[panel.city_id.isin(means.index), ["city_id", "year", "growth"]]
    for name, numbers, digits in files:
        with tempfile.TemporaryDirectory(prefix="zones-") as folder:
            numbers.round(digits).to_csv(Path(folder) / "zones.csv")
            found = best_recovery(Path(folder), withheld)
        row = found.routes.iloc[0]
        print(
            json.dumps(
                {
                    "file": name,
                    "digits": digits,
                    "cities": len(numbers),
                    "numbers": int(numbers.notna().to_numpy().sum()),
                    "median_miss": round(row.median_miss, 3),
                    "median_miss_without": round(row.median_miss_without, 3),
                    "share_near": round(row.share_near, 3),
                    "share_near_without": round(row.share_near_without, 3),
                    "passes": found.passes(),
                }
            )
        )


if __name__ == "__main__":
    main()
