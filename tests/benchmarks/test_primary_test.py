"""The benchmark of the primary test asks what the published test asks, and marks sizes that miss
their goal.
"""

from __future__ import annotations

import numpy as np

from benchmarks.primary_test import race
from benchmarks.primary_test.__main__ import table
from estimation.primary.fit import fit_primary
from estimation.primary.interval import rank_p
from estimation.primary.redeal import deal

CELLS = {cell.name: cell for cell in race.cells(None)}
NAMES = (race.TEST, *race.CHANNELS)


def test_p_are_those_of_the_published_test_and_its_channels() -> None:
    cell = CELLS["calming_strongly"]
    drawn = cell.draw(np.random.default_rng([1, cell.number, 0]))
    growth = fit_primary(
        drawn.growth, drawn.years, drawn.cohort, drawn.block, permutations=199, seed=3
    )
    expected = {}
    for series, fit in (("growth", growth), ("cycle", growth.cycle)):
        expected[f"{series}, test"] = fit.p_value
        for channel in fit.channels:
            expected[f"{series}, {channel.channel.replace('_', ' ')}"] = channel.p_value
    panel = race.drawn_panel(cell, 0, 1)
    found = race.statistics(panel, deal(panel.block, 199, [3, 0]), NAMES)
    assert {name: rank_p(drawn) for name, drawn in found.items()} == expected


def test_rejections_are_counted_in_the_draws_with_a_verdict() -> None:
    cell = CELLS["own deviation falls 5 % a year"]
    strong = race.rejections(cell, range(12), 1, NAMES)
    panels = [race.drawn_panel(cell, draw, 1) for draw in range(12)]
    seeds = [[1, cell.number, draw, 1] for draw in range(12)]
    p_values = [
        rank_p(race.statistics(panel, deal(panel.block, 199, seed), NAMES)["cycle, test"])
        for panel, seed in zip(panels, seeds, strict=True)
    ]
    assert strong["cycle, test"] == sum(p <= 0.05 for p in p_values)
    plain = race.rejections(CELLS["calmer"], range(12), 1, (race.TEST,))
    assert strong["growth, test"] >= 4 > plain["growth, test"]
    assert strong["draws, cycle, loading"] == 12 and "growth, loading" not in plain
    none = race.rejections(CELLS["whole_provinces"], range(3), 1, (race.TEST,))
    assert none["draws, growth, test"] == none["growth, test"] == 0


def test_a_size_is_bold_where_its_interval_misses_4_to_6_per_cent() -> None:
    counts = {"growth, test": 40, "draws, growth, test": 1000}
    counts |= {"cycle, test": 100, "draws, cycle, test": 1000}
    rare = counts | {"growth, test": 15}
    found = dict.fromkeys(("calmer", "calming_strongly"), counts)
    found["three_factors"] = rare
    found["whole_provinces"] = {"growth, test": 0, "draws, growth, test": 0}
    assert table(found, list(CELLS.values())).splitlines()[2:] == [
        "| calmer | 4.0/**10.0** | -/- | -/- |",
        "| three_factors | **1.5**/**10.0** | -/- | -/- |",
        "| calming_strongly | 4.0/10.0 | -/- | -/- |",
    ]
