"""How often the analysis 'does the pilot's cycle lead' rejects for pseudo-admissions of a published
warehouse, and finds an imposed lead.

`python -m benchmarks.primary_test.cycle_lead --panel <published warehouse>` prints one JSON object
a row of the analysis; figures stand in docs/evidence/threats.md.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator

import duckdb
import numpy as np
import pandas as pd

from benchmarks.draws import options_on_panel
from estimation.analyses.radiation import LEAD_SPECS
from estimation.analyses.spec import Spec
from estimation.primary.measure import cycle, standardise
from estimation.primary.redeal import deal
from estimation.sample.marts import Marts, read_marts
from estimation.study.radiation import run_radiation

PERMUTATIONS, LEVEL, FEWEST_DRAWS = 199, 0.05, 20
COLUMN = "growth_official_pct"
# How many of its own standard deviations a pilot's growth takes up, from admission on, of the mean
# cycle of all cities in the next year.
LEADS = (0.0, 0.5, 1.0)


def pseudo_marts(marts: Marts, window: tuple[int, int], lead: float, seed: int) -> Marts:
    """The marts with admissions dealt anew within provinces, and a lead imposed on the
    pseudo-pilots' growth.
    """
    block = np.unique(marts.cities["province_id"], return_inverse=True)[1]
    real = marts.cities["treated_year"].where(marts.cities["treated_year"] <= window[1])
    dates = real.iloc[deal(block, FEWEST_DRAWS, [seed, 97])[1]].set_axis(marts.cities.index)
    cities = marts.cities.assign(treated_year=dates, treated_year_calendar_year=dates)
    first = dates.fillna(window[1] + 1).set_axis(cities["city_id"])
    return dataclasses.replace(
        marts, cities=cities, city_years=_with_lead(marts.city_years, first, window, lead)
    )


def _with_lead(
    city_years: pd.DataFrame, first: pd.Series, window: tuple[int, int], lead: float
) -> pd.DataFrame:
    if lead == 0:
        return city_years
    wide = (
        city_years[city_years["year"].between(*window)]
        .pivot(index="city_id", columns="year", values=COLUMN)
        .dropna()
    )
    spread = wide.std(axis=1, ddof=0)
    mean = standardise(cycle(wide.to_numpy(dtype=float), wide.columns.to_numpy())).mean(axis=0)
    ahead = pd.Series(np.append(mean[1:], 0.0), index=wide.columns)
    added = lead * city_years["city_id"].map(spread) * city_years["year"].map(ahead)
    is_treated = city_years["year"] >= city_years["city_id"].map(first)
    return city_years.assign(
        **{COLUMN: city_years[COLUMN] + added.where(is_treated, 0.0).fillna(0.0)}
    )


def study(marts: Marts, specs: tuple[Spec, ...], seeds: range) -> Iterator[dict]:
    """One line per spec and imposed lead: per cent of draws in which it rejects, and the mean
    estimate.
    """
    years = marts.synchronization["year"]
    study_window = (int(years.min()), int(years.max()))
    for lead in LEADS:
        rows = []
        for seed in seeds:
            for spec in specs:
                drawn = pseudo_marts(marts, spec.window or study_window, lead, seed)
                few = dataclasses.replace(spec, permutations=PERMUTATIONS, seed=seed)
                rows += run_radiation(drawn, [few])["estimate"]
        table = pd.DataFrame(rows)
        for spec_id, found in table.groupby("spec_id", sort=False):
            yield {
                "spec_id": spec_id,
                "lead": lead,
                "draws": len(found),
                "pilots": round(float(found["n_pilots"].mean()), 1),
                "rejects": round(100 * float((found["p_value"] < LEVEL).mean()), 1),
                "mean_estimate": round(float(found["estimate"].mean()), 3),
            }


def main() -> None:
    """Command line."""
    chosen = options_on_panel(__doc__, draws=500, seed=0)
    specs = tuple(spec for spec in LEAD_SPECS if spec.series == "growth_official")
    with duckdb.connect(str(chosen.panel), read_only=True) as con:
        marts = read_marts(con, specs)
    for line in study(marts, specs, range(chosen.seed, chosen.seed + chosen.draws)):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
