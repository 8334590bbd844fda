"""How often the test of own outcomes rejects, without and with an effect that is planted, on
pseudo-admissions (docs/methods, section 18.14).

One draw deals one list of admissions to all cities; every outcome is tested with it, by its own p
and by the step-down p of its family. Draws of a design are appended to a file as they are made, so
that a run that is stopped goes on where it was. `--summary` prints the tables of what there is,
`--docs PAGE` writes them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd

from benchmarks.page import markdown, write_between
from estimation.analyses.own_outcomes import ALL, INDICATORS, NOT_YET, OTHERS, OUTCOMES
from estimation.defaults import LEVEL
from estimation.primary.city_panel import CityPanel, build_panel, lacking
from estimation.primary.contrast import treatment_contrast
from estimation.primary.fitted_order import deal_by_keys, deal_in_order, fit_order
from estimation.primary.interval import family_p, rank_p
from estimation.primary.redeal import Draws, draw_statistics
from estimation.study.own_outcomes import YEARS_BEFORE, values_of

from .adjusted import CHUNK, PULL, covariates_of
from .designs import LONG_COHORTS, LONG_SIZES, LONG_YEARS, admit, choose, simulated_cities
from .designs import persistent as autoregressive
from .race import PERMUTATIONS

SEED = 20261201
SIZE_DRAWS, POWER_DRAWS = 4000, 2000
IN_WINDOW, BEFORE, SIMULATED = "own windows", "before any zone", "simulated"
ORDERS = LAID_OUT, BY_SIZE, FITTED = "as laid out", "by size", "in the fitted order"
LAST_WITHOUT_ZONE = 2014
# Years of product that size is taken from: before every window of an outcome.
SIZE_YEARS = {IN_WINDOW: (2007, 2009), BEFORE: (1998, 2000)}
# What is planted, in units of the outcome.
EFFECTS = {
    "trade": (0.10, 0.13, 0.16, 0.20),
    "exports": (0.10, 0.15, 0.20),
    "imports": (0.15, 0.20, 0.25),
    "foreign_investment": (0.15, 0.25, 0.35),
    "new_firms": (0.04, 0.07, 0.10),
    "employment": (0.04, 0.06, 0.08),
    "wages": (0.02, 0.03, 0.04),
    "growth": (0.3, 0.5, 0.7),
    "night_lights": (1.5, 2.5, 3.5),
    SIMULATED: (0.5,),
}
ANY = "any of the family"
FAMILY = {outcome.name: outcome.family for outcome in OUTCOMES}
VALUES = (
    "select city_id, year, indicator_id, source_id, value from marts.fct_indicator_observation "
    "where is_current and value is not null"
)
CITIES = """
select city_id, any_value(treated_year) as treated_year, any_value(is_coastal) as is_coastal,
    avg(gdp_nominal_cny_100m) as gdp
from marts.dim_city left join marts.fct_city_year using (city_id)
where year between ? and ? or year is null group by city_id order by city_id
"""


@dataclass(frozen=True)
class Economy:
    """Cities with their outcomes, and the list of admissions that is dealt to them.

    Attributes
    ----------
    values : dict of DataFrame
        Of each outcome, a row a city in the order of `cohort` and a column a year.
    cohort, block : (N,) int arrays
        First treated years, 0 = never; provinces.
    covariates : (N, 3) float array
    """

    values: dict[str, pd.DataFrame]
    cohort: np.ndarray
    block: np.ndarray
    covariates: np.ndarray


@dataclass(frozen=True)
class Design:
    """An economy, drawn anew or the same in each draw; what pulls the order of its admissions (N,),
    None where the economy deals them itself; and whether effects are planted, too.
    """

    window: str
    order: str
    draw: Callable[[np.random.Generator], Economy]
    score: np.ndarray | None
    has_power: bool

    @property
    def name(self) -> str:
        """Of its file."""
        return f"{self.window}, {self.order}"


def designs(database: Path) -> list[Design]:
    """Delivered outcomes in their windows and before any zone, and a simulated economy."""
    found = []
    for window in (IN_WINDOW, BEFORE):
        economy = read_economy(database, window)
        scores = {
            LAID_OUT: np.zeros(len(economy.cohort)),
            BY_SIZE: PULL * economy.covariates[:, 0],
            FITTED: fit_order(list_panel(economy), economy.covariates),
        }
        for order, score in scores.items():
            has_power = window == IN_WINDOW and order == LAID_OUT
            found.append(Design(window, order, _same(economy), score, has_power))
    found.append(Design(SIMULATED, BY_SIZE, draw_economy, None, True))
    return found


def _same(economy: Economy) -> Callable[[np.random.Generator], Economy]:
    return lambda rng: economy


def list_panel(economy: Economy) -> CityPanel:
    """The list as a panel without values, for what deals admissions."""
    years = np.unique(economy.cohort)
    nothing = np.zeros((len(economy.cohort), len(years)))
    return build_panel(nothing, years, economy.cohort, economy.block, is_standardised=False)


def read_economy(database: Path, window: str) -> Economy:
    """The delivered outcomes in the windows of the test, or in as many years up to the last without
    a zone, where these were delivered for half as many cities; values of one source, as in the
    test.
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        cities = connection.execute(CITIES, SIZE_YEARS[window]).df().set_index("city_id")
        indicators = connection.execute(VALUES).df()
        city_years = connection.execute("select * from marts.fct_city_year").df()
    indicators = indicators[indicators["indicator_id"].isin(INDICATORS)]
    values = {}
    for outcome in OUTCOMES:
        own = values_of(SimpleNamespace(indicators=indicators, city_years=city_years), outcome)
        if window == BEFORE:
            end, n_complete = int(own.columns[-1]), len(own.dropna())
            moved = SimpleNamespace(
                indicators=_moved(indicators, end - LAST_WITHOUT_ZONE, end),
                city_years=_moved(city_years, end - LAST_WITHOUT_ZONE, end),
            )
            own = values_of(moved, outcome)
            if len(own.dropna()) < n_complete / 2 or len(own.columns) <= YEARS_BEFORE + 1:
                continue
        values[outcome.name] = own.reindex(cities.index)
    size = np.log(cities["gdp"].fillna(cities["gdp"].median()).to_numpy(dtype=float))
    coastal = cities["is_coastal"].to_numpy(dtype=float)
    return Economy(
        values,
        cities["treated_year"].fillna(0).to_numpy(dtype=np.int64),
        np.unique(cities.index.to_numpy() // 10000, return_inverse=True)[1],
        covariates_of((size - size.mean()) / size.std(), coastal),
    )


def _moved(rows: pd.DataFrame, years: int, end: int) -> pd.DataFrame:
    """Rows whose year is so much later, up to `end`: the past in the place of the window."""
    later = rows.assign(year=rows["year"] + years)
    return later[later["year"] <= end]


def draw_economy(rng: np.random.Generator) -> Economy:
    """Levels whose shocks persist, three tenths of them the province's, whose spread falls with
    size; the list to 2023, larger cities first.
    """
    block = simulated_cities()["block"].to_numpy()
    size = rng.normal(size=len(block))
    shape = (len(block), len(LONG_YEARS))
    own = autoregressive(rng.normal(size=shape), 0.8) * np.exp(-0.35 * size)[:, None]
    common = autoregressive(rng.normal(size=(block.max() + 1, shape[1])), 0.8)
    pilots = choose(PULL * size, rng, sum(LONG_SIZES))
    cohort = admit(pilots, len(block), rng, cohorts=LONG_COHORTS, sizes=LONG_SIZES)
    y = np.sqrt(0.7) * own + np.sqrt(0.3) * common[block]
    values = {SIMULATED: pd.DataFrame(y, columns=LONG_YEARS)}
    return Economy(values, cohort, block, covariates_of(size, np.zeros(len(block))))


def draw_row(design: Design, number: int, draw: int) -> dict[str, float]:
    """1 where a test rejects in a draw, else 0, by ``comparison|outcome|p|planted``; p is "own" or
    "family", and what is planted is 0 or one of `EFFECTS` in this outcome alone.
    """
    rng = np.random.default_rng([SEED, number, draw])
    economy = design.draw(rng)
    cohort = economy.cohort
    if design.score is not None:
        seed = int(rng.integers(2**62))
        cohort = cohort[deal_in_order(list_panel(economy), design.score, 1, seed)[1]]
    keys = rng.uniform(size=(PERMUTATIONS, len(cohort)))
    is_planted = design.has_power and draw < POWER_DRAWS
    row: dict[str, float] = {}
    for comparison in (ALL, NOT_YET):
        chosen = {"is_not_yet": comparison == NOT_YET, "has_effects": is_planted}
        of_outcome = {}
        for name, values in economy.values.items():
            draws = _draws(values, cohort, economy.block, keys, **chosen)
            if draws is not None:
                of_outcome[name] = draws
        row |= _rejections(comparison, of_outcome, is_planted=is_planted)
    return row


def _draws(
    values: pd.DataFrame,
    cohort: np.ndarray,
    block: np.ndarray,
    keys: np.ndarray,
    *,
    is_not_yet: bool,
    has_effects: bool,
) -> Draws | None:
    """The test of one outcome with its cities, chosen as `estimation.study.own_outcomes` does; None
    where it gives no verdict.
    """
    years = values.columns.to_numpy(dtype=np.int64)
    kept = values.notna().all(axis=1).to_numpy() & ((cohort == 0) | (cohort > years[0]))
    if is_not_yet:
        kept &= cohort > 0
    panel = build_panel(values.to_numpy()[kept], years, cohort[kept], block[kept])
    if lacking(panel, YEARS_BEFORE):
        return None
    dealt = deal_by_keys(panel, keys[:, kept][:, panel.kept])
    contrast = treatment_contrast(panel)
    found = (panel.growth, contrast, panel.label, panel.block, dealt)
    return draw_statistics(*found, has_effects=has_effects)


def _rejections(
    comparison: str, of_outcome: dict[str, Draws], *, is_planted: bool
) -> dict[str, float]:
    """What the tests of one comparison say, without an effect and with each that is planted."""
    statistic = {name: one.statistic() for name, one in of_outcome.items()}
    row: dict[str, float] = {}
    others = [name for name in of_outcome if FAMILY.get(name, OTHERS) == OTHERS]
    found = dict(zip(others, _family(statistic, others), strict=True))
    if found:
        row[f"{comparison}|{ANY}|family|0"] = float(any(found.values()))
    for name, one in of_outcome.items():
        row[f"{comparison}|{name}|own|0"] = _is_small(rank_p(statistic[name]))
        if name in found:
            row[f"{comparison}|{name}|family|0"] = found[name]
        for effect in EFFECTS[name] if is_planted else ():
            # the treated cells with so much more are the cells with so much less taken out
            planted = {**statistic, name: one.statistic(-effect)}
            row[f"{comparison}|{name}|own|{effect}"] = _is_small(rank_p(planted[name]))
            if name in found:
                of_family = _family(planted, others)[others.index(name)]
                row[f"{comparison}|{name}|family|{effect}"] = of_family
    return row


def _family(statistic: dict[str, np.ndarray], members: list[str]) -> list[float]:
    if not members:
        return []
    return [_is_small(p) for p in family_p(np.array([statistic[name] for name in members]))]


def _is_small(p: float) -> float:
    """With 199 draws a p of at most 0.05 is a level of exactly 5 %."""
    return float(p <= LEVEL)


def run(database: Path, folder: Path, n_draws: int) -> None:
    """Draw in rounds of `CHUNK`, every design in turn, and append to its file."""
    folder.mkdir(parents=True, exist_ok=True)
    all_designs = designs(database)
    for start in range(0, n_draws, CHUNK):
        for number, design in enumerate(all_designs):
            path = folder / f"{design.name}.csv"
            done = len(pd.read_csv(path)) if path.exists() else 0
            if done > start:
                continue
            rows = [
                {"draw": draw, **draw_row(design, number, draw)}
                for draw in range(start, start + CHUNK)
            ]
            _append(path, pd.DataFrame(rows))


def _append(path: Path, drawn: pd.DataFrame) -> None:
    """Columns are those of the first draws; what later ones do not have stays empty."""
    if path.exists():
        drawn = drawn.reindex(columns=pd.read_csv(path, nrows=0).columns)
    drawn.to_csv(path, mode="a", header=not path.exists(), index=False)


def rejection_shares(folder: Path) -> pd.DataFrame:
    """One row for each test of each design: per cent of draws that reject, and their number."""
    rows = []
    for path in sorted(folder.glob("*.csv")):
        window, order = path.stem.split(", ")
        drawn = pd.read_csv(path).drop(columns="draw")
        for column in drawn:
            comparison, outcome, p, planted = column.split("|")
            rows.append(
                {
                    "window": window,
                    "order": order,
                    "comparison": comparison,
                    "outcome": outcome,
                    "p": p,
                    "planted": float(planted),
                    "share": 100 * drawn[column].mean(),
                    "n": int(drawn[column].count()),
                }
            )
    return pd.DataFrame(rows)


def summary(found: pd.DataFrame) -> tuple[str, str, list[list[str]]]:
    """Return the tables of sizes and of power for the page, and all rows of power.

    A cell holds per cent by the outcome's own p and by that of the family. The page's table of
    power has one row an outcome: the planted change that is found nearest to 80 %.
    """
    cells = found.pivot_table(
        index=["window", "outcome", "planted", "comparison", "order"], columns="p", values="share"
    )
    tests = [(comparison, order) for comparison in (ALL, NOT_YET) for order in ORDERS]
    sizes = [["outcome", *(f"{c}, {o}".replace("_", " ") for c, o in tests)]]
    header = ["outcome", "planted", "draws", *(c.replace("_", " ") for c in (ALL, NOT_YET))]
    power, nearest = [header], [header]
    for window in (IN_WINDOW, BEFORE, SIMULATED):
        for outcome in (*EFFECTS, ANY):
            own = found[(found["window"] == window) & (found["outcome"] == outcome)]
            of_outcome = []
            for planted, of_effect in own.groupby("planted"):
                keys = [(window, outcome, planted, *test) for test in tests]
                shown = [_cell(cells, key) for key in keys]
                name = f"{window}: {outcome}"
                if planted == 0:
                    sizes.append([name, *shown])
                else:
                    n = f"{of_effect['n'].min():,}"
                    of_comparison = [shown[0] or shown[1], shown[3] or shown[4]]
                    of_outcome.append([name, f"{planted:.2f}", n, *of_comparison])
            power += of_outcome
            if of_outcome:
                nearest.append(min(of_outcome, key=_from_goal))
    return markdown(sizes), markdown(nearest), power


def _from_goal(row: list[str]) -> float:
    """How far the share that a row of power finds against all cities by the own p is from 80 %."""
    return abs(float(row[3].split("/")[0]) - 80)


def _cell(cells: pd.DataFrame, key: tuple) -> str:
    """Per cent by the own p, then by the family's; empty where a design has no such test."""
    if key not in cells.index:
        return ""
    shares = cells.loc[key]
    return "/".join(f"{shares[p]:.1f}" for p in ("own", "family") if pd.notna(shares.get(p)))


def main() -> None:
    """Make draws from a publication, or print the tables of what was drawn."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--panel", type=Path, help="citysync.duckdb of a publication")
    parser.add_argument("--output", type=Path, required=True, help="folder of the draws")
    parser.add_argument("--draws", type=int, default=SIZE_DRAWS, help="of each design")
    parser.add_argument("--summary", action="store_true", help="print the tables")
    parser.add_argument("--docs", type=Path, help="page whose tables are written instead")
    chosen = parser.parse_args()
    if chosen.docs is not None:
        sizes, power, all_power = summary(rejection_shares(chosen.output))
        write_between(chosen.docs, "own outcomes, sizes", sizes)
        write_between(chosen.docs, "own outcomes, power", power)
        pd.DataFrame(all_power[1:], columns=all_power[0]).to_csv(
            chosen.docs.with_name("own-outcomes-power.csv"), index=False
        )
    elif chosen.summary:
        print("\n\n".join(summary(rejection_shares(chosen.output))[:2]))
    elif chosen.panel is None:
        parser.error("give --panel, the citysync.duckdb that outcomes are read from")
    else:
        run(chosen.panel, chosen.output, chosen.draws)


if __name__ == "__main__":
    main()
