"""The benchmark of the primary test asks what the published test asks, and marks sizes that miss
their goal; draws that lie there are kept, unless they were made with something else.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from benchmarks.draws import in_processes, keep
from benchmarks.primary_test import own_outcomes, race
from benchmarks.primary_test.summary import rejection_table
from estimation.primary.fit import fit_primary
from estimation.primary.interval import rank_p
from estimation.primary.redeal import deal

CELLS = race.cells_of(None)
NAMES = (race.TEST, *race.CHANNELS)


def test_p_are_those_of_the_published_test_and_its_channels():
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


def test_rejections_are_counted_in_the_draws_with_a_verdict(tmp_path):
    falls, size = "own deviation falls 5 % a year", "calmer"
    for file, name, names in (
        (f"primary_{falls}", falls, NAMES),
        (f"primary_{size}", size, NAMES),
        (f"size_{size}", size, (race.TEST,)),
        ("primary_whole_provinces", "whole_provinces", NAMES),
    ):
        seed = 2 if file.startswith("size") else 1
        drawn = in_processes(partial(race.draw_chunk, None, name, names, seed), range(20))
        drawn.to_csv(tmp_path / f"{file}.csv", index=False)
    head, calmer, fell = rejection_table(tmp_path, CELLS)
    assert head == ["design", "test", "own variance", "loading"]
    panels = [race.drawn_panel(CELLS[falls], draw, 1) for draw in range(20)]
    dealt = [
        deal(panel.block, 199, [1, CELLS[falls].number, draw, 1])
        for draw, panel in enumerate(panels)
    ]
    found = [race.statistics(*of, NAMES) for of in zip(panels, dealt, strict=True)]
    rejects = [np.mean([rank_p(one[key]) <= 0.05 for one in found]) for key in found[0]]
    expected = dict(zip(found[0], (f"{100 * share:.1f}" for share in rejects), strict=True))
    shown = [f"{expected[f'growth, {name}']}/{expected[f'cycle, {name}']}" for name in NAMES]
    assert fell == [falls, *shown]
    again = pd.read_csv(tmp_path / f"size_{size}.csv")
    shares = [f"{100 * (again[f'{series}, test'] <= 0.05).mean():.1f}" for series in race.SERIES]
    assert calmer[:2] == [size, "/".join(shares)]


def test_a_size_is_bold_where_its_interval_misses_4_to_6_per_cent(tmp_path):
    for name, n_growth in (("calmer", 40), ("three_factors", 15), ("calming_strongly", 40)):
        p = pd.DataFrame({"draw": range(1000), "growth, test": 0.5, "cycle, test": 0.5})
        p.loc[: n_growth - 1, "growth, test"] = 0.05
        p.loc[:99, "cycle, test"] = 0.05
        p.reindex(range(2000)).to_csv(tmp_path / f"primary_{name}.csv", index=False)
    assert [row[:2] for row in rejection_table(tmp_path, CELLS)[1:]] == [
        ["calmer", "4.0/**10.0**"],
        ["three_factors", "**1.5**/**10.0**"],
        ["calming_strongly", "4.0/10.0"],
    ]


def test_an_imposed_effect_is_in_the_draws(monkeypatch):
    cell = CELLS["calmer"]
    imposed = {name: replace(cell, imposed=name) for name in ("", "S-60")}
    monkeypatch.setattr(race, "cells_of", lambda _: imposed)
    bare, calmed = (
        [row["growth, test"] for row in race.draw_chunk(None, name, (race.TEST,), 1, range(6))]
        for name in imposed
    )
    assert sum(calmed) < sum(bare) / 2


def test_rows_are_drawn_again_only_where_they_were_made_with_something_else(tmp_path):
    path, said, kept = tmp_path / "rows.csv", [], []
    for made_with, value in (("a", 1), ("a", 2), ("b", 3)):
        drawn = pd.DataFrame({"x": [value]})
        keep(path, made_with, lambda drawn=drawn: drawn, lambda name=made_with: said.append(name))
        kept += pd.read_csv(path)["x"].tolist()
    assert kept == [1, 1, 3] and said == ["a", "b"]


def test_own_outcomes_find_what_is_planted_and_only_then():
    simulated = own_outcomes.Design(
        own_outcomes.SIMULATED, own_outcomes.BY_SIZE, own_outcomes.draw_economy, None, True
    )
    drawn = pd.DataFrame([own_outcomes.draw_row(simulated, 0, draw) for draw in range(20)])
    share = drawn.mean()
    assert share["all_cities|simulated|own|0.5"] > 0.9
    assert share["all_cities|simulated|own|0"] < 0.3
