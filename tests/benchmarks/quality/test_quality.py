"""The injection benchmark itself: defects lie where and as it says, far apart, and scoring counts
what was found.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benchmarks.quality.kinds import KINDS
from benchmarks.quality.landings import GDP, load_roster
from benchmarks.quality.plan import Event, Target, inject, plan_events
from benchmarks.quality.score import false_blocks, score_run, summarise
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


#: What a kind of defect makes of the ratio of the new values to the old.
SAYS = {
    "unit_factor": lambda ratio: np.allclose(np.log10(ratio), np.round(np.log10(ratio)), atol=1e-9),
    "spike_40_70": lambda ratio: 0.39 < abs(np.log(ratio[0])) < 0.71,
    "year_offset": lambda ratio: np.allclose(abs(np.log(ratio)), np.log(1.09), atol=1e-3),
    "zero": lambda ratio: ratio.tolist() == [0.0],
}


def test_each_defect_changes_what_it_says(cities):
    target = made_up_target(cities)
    old = np.concatenate([view.value.ravel() for view in target.views])
    for event in plan_events([target], cities, np.random.default_rng(4)):
        ratio = np.array([new / old[line] for line, new in event.new_value.items()])
        assert SAYS.get(event.kind.name, lambda _: True)(ratio), event.kind.name


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


def test_what_stands_in_a_table_that_is_wrong_is_no_false_block() -> None:
    kind = next(kind for kind in KINDS if kind.name == "table_unit")
    event = Event(kind, GDP, "a", 2010, {0: 1.0, 1: 1.0, 2: 1.0})
    keys = np.array([f"k{n}" for n in range(10)])
    clean = pd.DataFrame({"key": keys, "source_id": ["a"] * 5 + ["b"] * 5, "indicator_id": GDP})
    clean = clean.assign(year=[2010] * 4 + [2011] + [2010] * 5, quality_flag="ok")
    found = false_blocks([event], keys, clean, clean.assign(quality_flag="blocked"))
    assert found["key"].tolist() == keys[4:].tolist()


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
            "source_id": "a",
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
