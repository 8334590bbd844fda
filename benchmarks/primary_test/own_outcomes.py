"""How often the test of own outcomes rejects, without and with an effect that is planted, on
pseudo-admissions (docs/methods, section 18.14).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np

from benchmarks.page import markdown
from estimation.analyses.own_outcomes import INDICATORS, OUTCOMES
from estimation.primary.city_panel import CityPanel, build_panel, lacking
from estimation.primary.fitted_order import deal_in_order, fit_order
from estimation.study.own_outcomes import YEARS_BEFORE, values_of

from .adjusted import PULL, covariates_of, decided
from .designs import LONG_COHORTS, LONG_SIZES, LONG_YEARS, admit, choose, simulated_cities
from .designs import persistent as autoregressive

SEED = 20261130
SIZE_DRAWS, POWER_DRAWS = 4000, 2000
MEASURED = ("trade", "new_firms")
EFFECTS = (0.10, 0.13, 0.16, 0.20)
READ = (
    "select city_id, year, indicator_id, source_id, value from marts.fct_indicator_observation "
    "where is_current and value is not null"
)
CITIES = """
select city_id, any_value(treated_year) as treated_year, any_value(is_coastal) as is_coastal,
    avg(gdp_nominal_cny_100m) as gdp
from marts.dim_city left join marts.fct_city_year using (city_id)
where year between 2007 and 2009 or year is null group by city_id
"""


@dataclass(frozen=True)
class Cell:
    """A design: its name, how a panel is drawn, and how many draws it has."""

    name: str
    draw: Callable[[np.random.Generator], CityPanel]
    n_draws: int


def cells(database: Path) -> Iterator[Cell]:
    """Designs without an effect, then with one."""
    for name in MEASURED:
        for comparison in ("all cities", "not yet treated"):
            panel, x = read_outcome(database, name, is_not_yet=comparison != "all cities")
            scores = {
                "as laid out": np.zeros(len(x)),
                "by size": PULL * x[:, 0],
                "in the fitted order": fit_order(panel, x),
            }
            for how, score in scores.items():
                label = f"{name}, {comparison}, admissions {how}"
                yield Cell(label, _dealt(panel, score, 0.0), SIZE_DRAWS)
            for effect in EFFECTS if name == "trade" else ():
                label = f"{name}, {comparison}, {effect:.2f} planted"
                yield Cell(label, _dealt(panel, scores["as laid out"], effect), POWER_DRAWS)
    for effect in (0.0, 0.5):
        label = f"simulated, persistence 0.8, admissions by size, {effect:.2f} planted"
        yield Cell(label, _simulated(effect), POWER_DRAWS if effect else SIZE_DRAWS)


def read_outcome(database: Path, name: str, *, is_not_yet: bool) -> tuple[CityPanel, np.ndarray]:
    """The panel of a delivered outcome, and X of its cities (N, 3)."""
    with duckdb.connect(str(database), read_only=True) as connection:
        cities = connection.execute(CITIES).df().set_index("city_id")
        values = connection.execute(READ).df()
    values = values[values["indicator_id"].isin(INDICATORS)]
    (outcome,) = [one for one in OUTCOMES if one.name == name]
    wide = values_of(SimpleNamespace(indicators=values), outcome).dropna()
    years = np.array(wide.columns)
    first = cities["treated_year"].reindex(wide.index).to_numpy(dtype=float, na_value=np.nan)
    kept = ~(first <= years[0])
    if is_not_yet:
        kept &= np.isfinite(first)
    cohort = np.where(first <= years[-1], first, 0)[kept].astype(np.int64)
    ids = wide.index.to_numpy()[kept]
    panel = build_panel(wide.to_numpy()[kept], years, cohort, ids // 10000)
    own = cities.reindex(ids[panel.kept])
    size = np.log(own["gdp"].fillna(own["gdp"].median()).to_numpy(dtype=float))
    coastal = own["is_coastal"].to_numpy(dtype=float)
    return panel, covariates_of((size - size.mean()) / size.std(), coastal)


def _dealt(
    panel: CityPanel, score: np.ndarray, effect: float
) -> Callable[[np.random.Generator], CityPanel]:
    def draw(rng: np.random.Generator) -> CityPanel:
        dealt = deal_in_order(panel, score, 1, int(rng.integers(2**62)))[1]
        moved = replace(panel, label=panel.label[dealt])
        return replace(moved, growth=panel.growth + effect * moved.treated[moved.label])

    return draw


def _simulated(effect: float) -> Callable[[np.random.Generator], CityPanel]:
    """Levels whose shocks persist, three tenths of them the province's, whose spread falls with
    size; the list to 2023, larger cities first.
    """

    def draw(rng: np.random.Generator) -> CityPanel:
        block = simulated_cities()["block"].to_numpy()
        size = rng.normal(size=len(block))
        shape = (len(block), len(LONG_YEARS))
        own = autoregressive(rng.normal(size=shape), 0.8) * np.exp(-0.35 * size)[:, None]
        common = autoregressive(rng.normal(size=(block.max() + 1, shape[1])), 0.8)
        pilots = choose(PULL * size, rng, sum(LONG_SIZES))
        cohort = admit(pilots, len(block), rng, cohorts=LONG_COHORTS, sizes=LONG_SIZES)
        y = np.sqrt(0.7) * own + np.sqrt(0.3) * common[block]
        panel = build_panel(y, LONG_YEARS, cohort, block)
        return replace(panel, growth=panel.growth + effect * panel.treated[panel.label])

    return draw


def share_found(cell: Cell, number: int, n_draws: int) -> tuple[float, int]:
    """Per cent of draws in which the test rejects at 5 %, and the draws with a verdict."""
    found = []
    for draw in range(n_draws):
        rng = np.random.default_rng([SEED, number, draw])
        panel = cell.draw(rng)
        if lacking(panel, YEARS_BEFORE):
            continue
        nothing = np.zeros((len(panel.label), 0))
        # `decided` takes measures in pairs; the plain one is asked for
        both = [panel.growth, panel.growth]
        seed = int(rng.integers(2**31))
        found.append(decided(panel, both, nothing, np.zeros(len(panel.label)), seed)[0])
    return 100 * float(np.mean(found)), len(found)


def main() -> None:
    """Print the table, a row as it is done."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--panel", type=Path, required=True, help="citysync.duckdb of a publication"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the draws")
    chosen = parser.parse_args()
    rows = [["design", "draws", "found, per cent"]]
    for number, cell in enumerate(cells(chosen.panel)):
        n_draws = max(20, int(chosen.scale * cell.n_draws))
        share, n_judged = share_found(cell, number, n_draws)
        rows.append([cell.name, str(n_judged), f"{share:.1f}"])
        print(" | ".join(rows[-1]), flush=True)
    print(markdown(rows))


if __name__ == "__main__":
    main()
