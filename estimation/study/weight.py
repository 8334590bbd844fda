"""Compute the weights of treated cells in the primary test, and test whether the effect is the same
in its parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..analyses.primary import FIRST_AGES, PANDEMIC
from ..analyses.spec import Spec
from ..primary.city_panel import CityPanel
from ..primary.contrast import treatment_contrast
from ..primary.effect_by_part import Parts, fit_parts
from ..primary.p_values import family_p
from ..primary.permutation import permute_in_blocks
from ..sample.marts import Marts
from .tables import Rows
from .windows import Window

FAMILY = "ages_and_periods"
NO_PARTS = "Not run: the treated city-years of these parts cannot be told apart."


def weight_rows(marts: Marts, spec: Spec, window: Window, settings: dict[str, int]) -> Rows:
    """Return rows of ``estimates.weight`` of growth in a window on which the test gives a verdict.

    Parameters
    ----------
    marts : Marts
    spec : Spec
    window : Window
    settings : dict
        permutations and seed of the tests of equality.
    """
    panel = window.panel
    weight = treatment_contrast(panel).weight[panel.block, panel.label]
    treated = panel.treated[panel.label] > 0
    rows = [
        _row(spec, grain, name, weight, treated & cells)
        for grain, name, cells in _groups(marts, window, panel)
    ]
    return rows + _part_rows(spec, panel, weight, settings)


def _groups(
    marts: Marts, window: Window, panel: CityPanel
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Grain, name and cells (N, T) of each group of city-years."""
    ages = panel.ages[panel.label]
    for age in range(int(ages.max()) + 1):
        yield "years_since_admission", str(age), ages == age
    for place, year in enumerate(panel.years.tolist()):
        yield "calendar_year", str(year), np.arange(len(panel.years))[None, :] == place
    cities = marts.cities.drop_duplicates("city_id").set_index("city_id")
    cities = cities.loc[window.city_ids[panel.kept]]
    for grain, column in (("batch", "batch"), ("province", "province_id")):
        values = cities[column].to_numpy(dtype=float, na_value=np.nan)
        of_pilots = values[(panel.label > 0) & np.isfinite(values)]
        for value in np.unique(of_pilots).tolist():
            yield grain, f"{value:.0f}", (values == value)[:, None]


def _row(
    spec: Spec, grain: str, name: str, weight: np.ndarray, cells: np.ndarray
) -> dict[str, Any]:
    of_cells = weight[cells]
    return {
        "spec_id": spec.spec_id,
        "grain": grain,
        "name": name,
        "weight": float(of_cells.sum()),
        "weight_negative": float(of_cells[of_cells < 0].sum()),
        "n_cells": int(cells.sum()),
        "n_pilots": int(cells.any(axis=1).sum()),
        "estimate": None,
        "std_error": None,
        "family": "",
        "family_size": None,
        "p_value": None,
        "p_value_family": None,
        "reason": "",
    }


def _part_rows(spec: Spec, panel: CityPanel, weight: np.ndarray, settings: dict[str, int]) -> Rows:
    """Return rows of the ages and of the periods: their estimates, and one p of equality for
    each.
    """
    y = panel.measured(panel.growth)[2]
    effect = float((weight * y).sum())
    permuted = permute_in_blocks(panel.block, settings["permutations"], [settings["seed"], 3])
    rows, tests = [], {}
    for grain, parts in _parts(panel).items():
        paths = np.stack(list(parts.values()))
        filled = paths[:, panel.label].any(axis=(1, 2))
        names = [name for name, has_cells in zip(parts, filled, strict=True) if has_cells]
        found = None
        if len(names) > 1:
            found = fit_parts(panel, y, effect, paths[filled], permuted)
        if found is not None:
            tests[grain] = found
        for place, name in enumerate(names):
            row = _row(spec, grain, name, weight, parts[name][panel.label] > 0)
            if found is None:
                row["reason"] = NO_PARTS
            else:
                row["estimate"] = float(found.estimate[place])
                row["std_error"] = float(found.std_error[place])
            rows.append(row)
    corrected = _family(tests)
    for row in rows:
        if row["grain"] in tests:
            row["p_value"] = tests[row["grain"]].p_value
            row["p_value_family"] = corrected[row["grain"]]
            row["family"], row["family_size"] = FAMILY, len(tests)
    return rows


def _parts(panel: CityPanel) -> dict[str, dict[str, np.ndarray]]:
    """Return treatment by label (C + 1, T) in each part, by grain and name."""
    ages, years = panel.ages, panel.years[None, :]
    is_first = ages < FIRST_AGES
    periods = {
        "before_the_pandemic": years < PANDEMIC[0],
        "in_the_pandemic": (years >= PANDEMIC[0]) & (years <= PANDEMIC[-1]),
        "after_the_pandemic": years > PANDEMIC[-1],
    }
    return {
        "ages": {
            f"0_to_{FIRST_AGES - 1}": panel.treated * is_first,
            f"{FIRST_AGES}_and_more": panel.treated * ~is_first,
        },
        "periods": {name: panel.treated * cells for name, cells in periods.items()},
    }


def _family(tests: dict[str, Parts]) -> dict[str, float]:
    """p of equality by grain, corrected by step-down of the smallest p over the same draws."""
    if not tests:
        return {}
    by_draw = []
    for one in tests.values():
        ordered = np.sort(one.statistic)
        at_least = len(ordered) - np.searchsorted(ordered, one.statistic * (1 - 1e-9))
        by_draw.append(-np.log(at_least / len(ordered)))
    return dict(zip(tests, family_p(np.array(by_draw)), strict=True))
