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
from estimation.primary.fit import PrimaryResult, fit_primary
from estimation.study.planted import TREATED, planted_truths
from warehouse.ingest.simulation.cities import first_treated_years
from warehouse.ingest.simulation.economy import PlantedEffect
from warehouse.ingest.simulation.published import (
    Published,
    SimulatedStatistics,
    simulate_statistics,
)

SEEDS = Path(__file__).resolve().parents[2] / "warehouse" / "seeds"
STUDY_WINDOW = (2010, 2019)
# the newest ends with the last year of the simulated files
WINDOWS = {"newest": (2010, 2023), "study_window": STUDY_WINDOW}
PLANTED = ("own_variance_ratio", "loading_rise")
NUMBERS = ("estimate", "ci_low", "ci_high", "p_value")
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


def _fit(own: Window, permutations: int) -> PrimaryResult:
    return fit_primary(
        own["growth"],
        own["years"],
        own["cohort"],
        own["block"],
        permutations=permutations,
        seed=1,
    )


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
    result = _fit(own, permutations)
    if result.p_value is None:
        return
    truth = planted_truths(own["growth"], bare, own["years"], own["cohort"], own["block"])[0]
    yield {
        "name": f"primary.{name}",
        "line": "primary",
        **{number: getattr(result, number) for number in NUMBERS},
        "truth": truth[TREATED],
        "verdict": result.verdict,
    }
    treated = (own["cohort"][:, None] > 0) & (own["years"][None, :] >= own["cohort"][:, None])
    planted = {
        "own_variance": float(np.exp(np.log(own["own_variance_ratio"][treated]).mean()) - 1),
        "loading": float(own["loading_rise"][treated].mean()),
    }
    for channel in result.channels:
        yield {
            "name": f"{channel.channel}.{name}",
            "line": "channel",
            **{number: getattr(channel, number) for number in NUMBERS},
            "truth": truth[channel.channel],
            "planted": planted[channel.channel],
        }


def _bare_rows(name: str, own: Window, permutations: int) -> Iterator[dict]:
    """p of the primary test and of each channel."""
    result = _fit(own, permutations)
    if result.p_value is None:
        return
    yield {
        "name": f"primary.{name}",
        "line": "primary",
        "p_value": result.p_value,
        "verdict": result.verdict,
    }
    for channel in result.channels:
        yield {
            "name": f"{channel.channel}.{name}",
            "line": "channel",
            "p_value": channel.p_value,
        }


def _pair_rows(arms: dict[str, Window], seed: int) -> Iterator[dict]:
    """The two-way coefficient of `cm` over all pairs, every line of inference."""
    own = arms["with_effect"]
    economy = Economy(own["growth"], arms["without_effect"]["growth"], own["block"], own["cohort"])
    truth = own_effect(economy, "twfe")
    for row in closed_form_rows(economy, seed, PAIR_PERMUTATIONS):
        for line in [row["vcov"], *(["default"] if row["is_default"] else [])]:
            figures = {number: row[number] for number in NUMBERS}
            yield {"name": "all_pairs.study_window", "line": line, **figures, "truth": truth}
