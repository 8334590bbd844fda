"""Golden values of the primary test, by version of the statistic.

Next year's rule names `STATISTIC_VERSION`. Whoever changes a number of the test gives it a new
version and adds `golden/<version>.json`; the file of an earlier version never changes.
"""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from estimation.primary import city_panel, detectable, measure, permutation
from estimation.primary.fit_primary import (
    STATISTIC_VERSION,
    WORTH_FINDING,
    PrimaryResult,
    fit_primary,
)

from .economies import draw_panel

GOLDEN = Path(__file__).parent / "golden"
CONSTANTS = {
    "level": permutation.LEVEL,
    "power": detectable.POWER,
    "worth_finding": WORTH_FINDING,
    "cap_quantile": measure.CAP_QUANTILE,
    "least_years_before": city_panel.MINIMUM_YEARS_BEFORE,
    "least_blocks": city_panel.MINIMUM_BLOCKS,
    "least_movable": city_panel.MINIMUM_MOVABLE_PILOTS,
}


def panels() -> dict[str, tuple]:
    """Panels that differ in what the test does with them.

    In the first, growth alone rejects by its own p, but not by that of the family.
    """
    growth, years, cohort, block = draw_panel(27, calmer=0.6)
    odd = growth.copy()
    odd[3, 4] = np.nan
    dated = cohort.copy()
    dated[[4, 10]] = years[-1], years[-1] + 3
    in_2014 = np.flatnonzero(cohort == 2014)
    few = np.zeros_like(cohort)
    enough = np.zeros_like(cohort)
    few[in_2014[:3]] = 2014
    enough[in_2014[:4]] = 2014
    return {
        "plain": (growth, years, cohort, block),
        "a gap, a date in the last year and one after it": (odd, years, dated, block),
        "three pilots": (growth, years, few, block),
        "four pilots": (growth, years, enough, block),
    }


def numbers_of(result: PrimaryResult) -> dict[str, object]:
    """Every number and the verdict of a result, of its channels and of its cycle."""
    found = dataclasses.asdict(result)
    for name in ("warnings", "reason", "estimator", "measure"):
        del found[name]
    for channel in found["channels"]:
        del channel["reason"]
    found["channels"] = {one.pop("channel"): one for one in found["channels"]}
    found["cycle"] = None if result.cycle is None else numbers_of(result.cycle)
    return found


def all_numbers() -> dict[str, object]:
    """The constants, and what the test says of each panel, also by the capped measure."""
    found: dict[str, object] = {"constants": CONSTANTS}
    for name, panel in panels().items():
        found[name] = numbers_of(fit_primary(*panel, permutations=199, seed=1))
    growth, years, cohort, block = panels()["plain"]
    capped = fit_primary(growth, years, cohort, block, permutations=199, seed=1, capped=True)
    found["capped"] = numbers_of(capped)
    return found


def flat(value: object, path: str = "") -> dict[str, object]:
    """The leaves of nested mappings by their path."""
    if not isinstance(value, dict):
        return {path: value}
    return {
        key: leaf for name in value for key, leaf in flat(value[name], f"{path}/{name}").items()
    }


def test_the_numbers_of_the_primary_test_are_those_of_its_version():
    text = (GOLDEN / f"{STATISTIC_VERSION}.json").read_text(encoding="utf-8")
    golden, found = flat(json.loads(text)), flat(all_numbers())
    assert found.keys() == golden.keys()
    for path, value in golden.items():
        assert found[path] == (pytest.approx(value, abs=1e-9) if value is not None else None), path
