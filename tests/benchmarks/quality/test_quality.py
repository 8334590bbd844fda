"""The injection benchmark itself: defects lie where and as it says, far apart, and scoring counts
what was found.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benchmarks.page import write_between
from benchmarks.quality.halves import FACTORS, GROUPS, choose_factor, judge_groups
from benchmarks.quality.kinds import KINDS
from benchmarks.quality.landings import GDP, POPULATION, SEEDS, load_roster
from benchmarks.quality.plan import Event, Target, inject, plan_events
from benchmarks.quality.score import score_run, summarise
from benchmarks.quality.table import table
from benchmarks.quality.views import FIRST_YEAR, YEARS, View


@pytest.fixture(scope="module")
def cities():
    return load_roster()


def made_up_target(cities, n_sources: int = 2) -> Target:
    """Growing series of every city in each source; line numbers count through the sources."""
    n = len(cities.city_id)
    level = np.random.default_rng(1).lognormal(6, 1, n)
    value = np.round(level[:, None] * 1.09 ** (YEARS - FIRST_YEAR), 2)
    lines = np.arange(value.size).reshape(value.shape)
    order = np.arange(n, dtype=float)
    views = [
        View(f"source_{k}", GDP, value * (1 + 0.001 * k), lines + k * value.size, order, 2)
        for k in range(n_sources)
    ]
    return Target(GDP, "level", views, {}, {})


def test_events_lie_apart_and_leave_the_other_source_alone(cities) -> None:
    target = made_up_target(cities)
    events = plan_events([target], cities, np.random.default_rng(3))
    again = plan_events([target], cities, np.random.default_rng(3))
    assert [event.new_value for event in events] == [event.new_value for event in again]
    assert {event.kind.name for event in events} >= {
        "row_shift",
        "swap_cities",
        "year_offset",
        "city_mixup",
        "scope_change",
        "spike_25_40",
    }
    size = target.views[0].value.size
    touched = [
        (line % size) // len(YEARS) * 100 + line % len(YEARS)
        for event in events
        if not event.kind.everywhere
        for line in event.new_value
    ]
    assert len(touched) == len(set(touched))
    lines = [line for event in events for line in event.new_value]
    assert len(lines) == len(set(lines))


def test_each_defect_changes_what_it_says(cities) -> None:
    target = made_up_target(cities)
    old = np.concatenate([view.value.ravel() for view in target.views])
    for event in plan_events([target], cities, np.random.default_rng(4)):
        ratio = np.array([new / old[line] for line, new in event.new_value.items()])
        if event.kind.name == "unit_factor":
            assert np.log10(ratio) == pytest.approx(np.round(np.log10(ratio)), abs=1e-9)
        if event.kind.name == "spike_40_70":
            assert 0.39 < abs(np.log(ratio[0])) < 0.71
        if event.kind.name == "year_offset":
            assert np.all(
                np.isclose(ratio, 1.09, rtol=1e-3) | np.isclose(ratio, 1 / 1.09, rtol=1e-3)
            )
        if event.kind.name == "zero":
            assert ratio.tolist() == [0.0]


def test_lines_are_changed_dropped_or_made_unreadable() -> None:
    kinds = {kind.name: kind for kind in KINDS}
    raw = pa.table(
        {
            "value": [1.0, 2.0, 3.0],
            "raw_text": ["1", "2", "3"],
            "place_code_text": ["110000"] * 3,
            "place_text": ["北京市"] * 3,
        }
    )
    events = [
        Event(kinds["sign"], GDP, "a", 2010, {0: -1.0}),
        Event(kinds["encoding"], GDP, "a", 2010, {1: 2.0}),
        Event(kinds["dropped_block"], GDP, "a", 2010, {2: 3.0}),
    ]
    changed = inject(raw, events).to_pylist()
    assert changed[0] == {
        "value": -1.0,
        "raw_text": "-1",
        "place_code_text": "110000",
        "place_text": "北京市",
    }
    assert len(changed) == 2
    assert changed[1]["place_code_text"] is None
    assert changed[1]["place_text"] != "北京市"


def test_rows_of_a_file_go_to_other_cities_with_all_their_cells(cities) -> None:
    target = made_up_target(cities, n_sources=1)
    lines, n_years = target.views[0].line, len(YEARS)
    # the indicator's file holds a second column, and the source a second file
    names = [(line, "a.csv", line // n_years) for line in lines.ravel()] + [
        (line + lines.size, "a.csv", line // n_years) for line in lines.ravel()
    ]
    names += [(line + 2 * lines.size, "b.csv", line // n_years) for line in lines.ravel()]
    places = pd.DataFrame(names, columns=["line", "file_name", "row"]).assign(source_id="source_0")
    places["place_code_text"] = [str(cities.city_id[row]) for row in places["row"]]
    places["place_text"] = "city " + places["place_code_text"]
    (event,) = plan_events(
        [replace(target, places=places)], cities, np.random.default_rng(5), alone="codes_shift"
    )
    moved = places[places["line"].isin(list(event.place))]
    assert set(moved["file_name"]) == {"a.csv"}
    assert moved["row"].nunique() >= 30 and len(moved) == 2 * n_years * moved[
        "row"
    ].nunique() == 2 * len(event.counted)
    given = {
        (row, event.place[line][0]) for line, row in zip(moved["line"], moved["row"], strict=True)
    }
    assert len(given) == len({code for _, code in given}) == moved["row"].nunique()
    assert all(code != str(cities.city_id[row]) for row, code in given)
    assert all(text == "city " + code for code, text in event.place.values())


def test_scores_count_hits_and_false_alarms_by_half() -> None:
    kinds = {kind.name: kind for kind in KINDS}
    events = [
        Event(kinds["sign"], GDP, "a", 2010, {0: -1.0}),
        Event(kinds["stale"], GDP, "a", 2011, {1: 1.0}),
    ]
    keys = np.array(["k0", "k1", "k2", "k3"])
    clean = pd.DataFrame(
        {
            "key": keys,
            "city_id": [110000, 120000, 110000, 450100],
            "year": [2010, 2011, 2012, 2015],
            "indicator_id": GDP,
        }
    )
    clean["quality_flag"] = "ok"
    found = clean.assign(
        quality_flag=["blocked", "quarantined", "blocked", "blocked"], quality_rule="spike"
    )
    scored = score_run(events, keys, clean, found, pd.DataFrame({"key": []}))
    assert scored["n_blocked"].tolist() == [1, 0]
    assert scored["n_flagged"].tolist() == [1, 1]
    assert scored["rules"].tolist() == ["blocked:spike", "quarantined:spike"]
    # the false block two years away in the same city belongs to the first event, the one far away
    # to none
    assert scored["n_false"].tolist() == [1, 0]
    table = summarise(scored.assign(landing="x", sources="two")).set_index(["kind", "half"])
    assert table.loc[("sign", "all"), "precision"] == 0.5
    assert table.loc[("stale", "odd"), "events_flagged"] == 1
    assert ("stale", "even") not in table.index


def halves_counts(
    found: dict[float, int], false: dict[float, int], restated_blocked: dict[float, int]
) -> pd.DataFrame:
    rows = {
        factor: {
            "cells": 100,
            "blocked": n,
            "flagged": n,
            "restated": 100,
            "clean": 1000,
            "quarantined": 0,
        }
        | {"false": false.get(factor, 0), "restated_blocked": restated_blocked.get(factor, 0)}
        for factor, n in found.items()
    }
    return pd.DataFrame(rows).T


@pytest.mark.parametrize(
    ("found", "false", "restated_blocked", "chosen"),
    [
        ({0.6: 90, 1.0: 80, 1.6: 60}, {}, {}, 0.6),
        ({0.6: 90, 1.0: 80, 1.6: 60}, {0.6: 6}, {}, 1.0),  # too many clean values blocked
        ({0.6: 90, 1.0: 80, 1.6: 60}, {}, {0.6: 2}, 1.0),  # a restatement blocked
        ({0.6: 80, 1.0: 80, 1.6: 80}, {}, {}, 1.0),  # all alike: as shipped
        ({0.6: 90, 1.0: 80, 1.6: 60}, {0.6: 6, 1.0: 6, 1.6: 6}, {}, 1.0),  # none within the limits
    ],
)
def test_a_factor_is_chosen_by_what_it_finds_within_the_limits(
    found, false, restated_blocked, chosen
) -> None:
    assert choose_factor(halves_counts(found, false, restated_blocked), "blocked") == chosen


def test_thresholds_are_chosen_on_even_years_and_judged_on_odd_ones() -> None:
    parts = []
    for group in GROUPS:
        for half, best in (("even", 0.8), ("odd", 1.25)):
            table = halves_counts(
                {factor: 90 if factor == best else 70 for factor in FACTORS}, {1.0: 3}, {}
            )
            parts.append(
                table.rename_axis("factor").reset_index().assign(group=group.name, half=half, run=0)
            )
    judged = judge_groups(pd.concat(parts))
    assert set(judged["chosen"]) == {0.8}
    assert judged["chosen_even_recall"].tolist() == pytest.approx([0.9] * len(GROUPS))
    assert judged["chosen_odd_recall"].tolist() == pytest.approx([0.7] * len(GROUPS))
    assert set(judged["even_by_factor"]) == {"0.700, 0.900, 0.700, 0.700, 0.700"}
    assert judged["shipped_odd_precision"].tolist() == pytest.approx([70 / 73] * len(GROUPS))


def test_thresholds_that_are_scaled_exist() -> None:
    known = set(pd.read_csv(SEEDS / "quality_thresholds.csv")["threshold"])
    assert {name for group in GROUPS for name in group.thresholds} <= known


def test_the_table_has_a_line_a_kind_and_marks_a_missed_goal() -> None:
    def row(kind: str, family: str, **figures: float) -> dict[str, object]:
        shown = {"events_blocked": 1.0, "events_flagged": 1.0, "cells_blocked": 0.0}
        shown |= {"precision": 1.0, "n_events": 70} | figures
        return {"landing": "real", "sources": "two", "kind": kind, "family": family} | shown

    rows = [
        row("unit_factor", POPULATION, events_blocked=0.96),
        row("unit_factor", GDP),
        row("zero", GDP, precision=0.94),
        row("revision", GDP, cells_blocked=0.02, precision=np.nan),
        row("dropped_block", GDP, events_blocked=0.0),
    ]
    lines = table(pd.DataFrame(rows).assign(half="all")).splitlines()
    assert lines[0] == "| kind | goal | events | delivered, two sources |"
    assert [line.split(" | ")[-1].removesuffix(" |") for line in lines[2:]] == [
        "1.000, 0.960 (1.000)",
        "**1.000 (0.940)**",
        "**0.020**",
        "1.000 (1.000)",
    ]


def test_a_measured_part_is_replaced_and_what_people_wrote_stays(tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text("words\n\n<!-- a: begin -->\nold\n<!-- a: end -->\nmore\n", encoding="utf-8")
    write_between(page, "a", "new")
    assert page.read_text(encoding="utf-8") == (
        "words\n\n<!-- a: begin -->\n\nnew\n\n<!-- a: end -->\nmore\n"
    )
    with pytest.raises(ValueError, match="b: begin"):
        write_between(page, "b", "new")
