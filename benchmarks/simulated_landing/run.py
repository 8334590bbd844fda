"""One economy of the default landing, drawn by the landing's own code, at city level: what the page
would say of it, and what is true.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.simulation_study.economies import Economy
from benchmarks.simulation_study.run import closed_form_rows
from benchmarks.simulation_study.truth import own_effect
from estimation.analyses.primary import SECOND_WINDOW
from estimation.primary.city_panel import build_panel, lacking
from estimation.primary.contrast import LOADING, OWN_VARIANCE, PRIMARY
from estimation.primary.fit import fit_primary, primary_p
from estimation.primary.interval import make_ready, statistics
from estimation.primary.permutation import rank_p
from estimation.primary.planted import Planted, planted_channels, planted_effect
from estimation.study.primary import LEVEL, verdict_of
from warehouse.ingest.simulation.cities import first_treated_years
from warehouse.ingest.simulation.economy import PlantedEffect
from warehouse.ingest.simulation.published import (
    Published,
    SimulatedStatistics,
    simulate_statistics,
)

SEEDS = Path(__file__).resolve().parents[2] / "warehouse" / "seeds"
STUDY_WINDOW = (2010, 2019)
WINDOWS = {"study_window": STUDY_WINDOW, "to_2021": SECOND_WINDOW}
PLANTED = ("own_variance_ratio", "loading_rise", "loading_part_pct")
ARMS = ("with_effect", "without_effect")
# of the two-way fit over all pairs
PAIR_PERMUTATIONS = 199
Window = dict[str, np.ndarray]


def read_seeds() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The seeds city_roster and pilot_zones, as the default landing reads them."""
    return pd.read_csv(SEEDS / "city_roster.csv"), pd.read_csv(SEEDS / "pilot_zones.csv")


def draw(
    seed: int, effect: PlantedEffect | None = None, n_cities: int | None = None
) -> SimulatedStatistics:
    """The economy of a seed and what is published of it: what `make refresh` writes for the default
    seed.
    """
    roster, zones = read_seeds()
    return simulate_statistics(
        roster=roster, pilot_zones=zones, seed=seed, effect=effect, n_cities=n_cities
    )


def official_growth(published: Published) -> np.ndarray:
    """Official growth as the warehouse takes it from the files, log points times 100: rounded to
    one decimal, NaN where not delivered.
    """
    return 100.0 * np.log1p(np.round(published.tables["gdp_growth_official_pct"], 1) / 100.0)


def cut(made: SimulatedStatistics, window: tuple[int, int]) -> dict[str, Window]:
    """Cities complete in a window, for each arm; the years, cohorts, provinces and what was planted
    are those of the same cities.
    """
    roster, zones = made.with_effect.roster, read_seeds()[1]
    years = made.economy.years
    inside = (years >= window[0]) & (years <= window[1])
    growth = {arm: official_growth(getattr(made, arm))[:, inside] for arm in ARMS}
    complete = np.isfinite(growth["with_effect"]).all(axis=1)
    treated = first_treated_years(roster["city_id"].to_numpy(), zones)
    common = {
        "years": years[inside],
        "cohort": np.where(treated <= window[1], treated, 0)[complete],
        "block": roster["province_id"].to_numpy()[complete],
        **{name: getattr(made.economy, name)[np.ix_(complete, inside)] for name in PLANTED},
    }
    return {arm: {**common, "growth": values[complete]} for arm, values in growth.items()}


def found_share(seeds: range, effect: PlantedEffect, permutations: int) -> float:
    """Share of economies in which the primary test finds the effect at 5 %, study window: the quick
    figure that sizes are chosen by.
    """
    found = []
    for seed in seeds:
        one = cut(draw(seed, effect), STUDY_WINDOW)["with_effect"]
        found.append(
            primary_p(
                one["growth"], one["years"], one["cohort"], one["block"], permutations=permutations
            )
            < LEVEL
        )
    return float(np.mean(found))


def economy_rows(seed: int, permutations: int, n_cities: int | None = None) -> list[dict]:
    """Every interval of an economy with its truth, and the verdicts.

    Returns
    -------
    list of dict
        seed, arm, name (what is estimated), line, estimate, ci_low, ci_high, p_value, truth,
        planted (of a channel), verdict (of the primary test). Without the effect, where every truth
        is 0, p and verdict alone: nothing is inverted.
    """
    made = draw(seed, n_cities=n_cities)
    rows: list[dict] = []
    for name, window in WINDOWS.items():
        arms = cut(made, window)
        rows += [
            {"seed": seed, "arm": "with_effect", **row}
            for row in _effect_rows(name, arms, permutations)
        ]
        rows += [
            {"seed": seed, "arm": "without_effect", **row}
            for row in _bare_rows(name, arms["without_effect"], permutations)
        ]
    rows += [
        {"seed": seed, "arm": "with_effect", **row}
        for row in _pair_rows(cut(made, STUDY_WINDOW), seed)
    ]
    return rows


def _effect_rows(name: str, arms: dict[str, Window], permutations: int) -> Iterator[dict]:
    own, bare = arms["with_effect"], arms["without_effect"]["growth"]
    design = (own["years"], own["cohort"], own["block"])
    result = fit_primary(own["growth"], *design, permutations=permutations, seed=1)
    if result.p_value is None:
        return
    numbers = ("estimate", "ci_low", "ci_high", "p_value")
    yield {
        "name": f"primary.{name}",
        "line": "primary",
        **{number: getattr(result, number) for number in numbers},
        "truth": planted_effect(own["growth"], bare, *design),
        "verdict": verdict_of(result)[0],
    }
    planted = planted_channels(
        own["growth"], bare, Planted(*(own[name] for name in PLANTED)), *design
    )
    for channel, truth in zip(result.channels, planted, strict=True):
        figures = {number: getattr(channel, number) for number in numbers}
        yield {
            "name": f"{channel.channel}.{name}",
            "line": "channel",
            **figures,
            "truth": truth.truth,
            "planted": truth.planted,
        }


def _bare_rows(name: str, own: Window, permutations: int) -> Iterator[dict]:
    """p of the primary test and of each channel, with the draws and the figures of
    `fit_primary`.
    """
    panel = build_panel(own["growth"], own["years"], own["cohort"], own["block"])
    if lacking(panel):
        return
    ready = make_ready(panel, permutations, np.random.Generator(np.random.PCG64([1, 0])))
    for kind, line in ((PRIMARY, "primary"), (OWN_VARIANCE, "channel"), (LOADING, "channel")):
        p = rank_p(statistics(ready, kind, ready.z, ready.places))
        # `verdict_of` says 'found' exactly where p is below its level
        verdict = {"verdict": "found" if p < LEVEL else "not_found"} if kind is PRIMARY else {}
        yield {"name": f"{kind.name}.{name}", "line": line, "p_value": p, **verdict}


def _pair_rows(arms: dict[str, Window], seed: int) -> Iterator[dict]:
    """The two-way coefficient of `cm` over all pairs, every line of inference."""
    own = arms["with_effect"]
    economy = Economy(own["growth"], arms["without_effect"]["growth"], own["block"], own["cohort"])
    truth = own_effect(economy, "twfe")
    for row in closed_form_rows(economy, seed, PAIR_PERMUTATIONS):
        lines = [row["vcov"], *(["default"] if row["is_default"] else [])]
        for line in lines:
            figures = {
                number: row[number] for number in ("estimate", "ci_low", "ci_high", "p_value")
            }
            yield {"name": "all_pairs.study_window", "line": line, **figures, "truth": truth}
