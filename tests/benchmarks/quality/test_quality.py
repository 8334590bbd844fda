"""The injection benchmark itself: defects lie where and as it says, far apart, and scoring counts
what was found.
"""

import json

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benchmarks.quality import harm
from benchmarks.quality.kinds import KINDS
from benchmarks.quality.landings import GDP, load_roster
from benchmarks.quality.plan import Event, Target, inject, plan_events
from benchmarks.quality.score import false_blocks, score_run, summarise
from benchmarks.quality.sources import BAD, Planting, years_late
from benchmarks.quality.views import FIRST_YEAR, YEARS, View
from orchestration.dbt_runner import ensure_manifest
from orchestration.home import Home


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
        View(f"source_{k}", value * (1 + 0.001 * k), lines + k * value.size, order, 2)
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


def test_scores_count_hits_and_false_alarms() -> None:
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
    table = summarise(scored.assign(landing="x", sources="two")).set_index("kind")
    assert table.loc["sign", "precision"] == 0.5
    assert table.loc["stale", "events_flagged"] == 1


def test_sources_and_errors_are_written_behind_accepted_values_as_the_models_build_them():
    """Accepted values stand here as the project builds them, as a view or a table."""
    manifest = json.loads(ensure_manifest(Home.from_environment()).read_text(encoding="utf-8"))
    kind = manifest["nodes"]["model.citysync.int_raw_observations"]["config"]["materialized"]
    lines = pd.DataFrame({"indicator_id": GDP, "city_id": 110000, "year": [2010, 2011]})
    with duckdb.connect() as con:
        con.execute(
            f"""create schema seeds; create schema intermediate;
            create table seeds.indicator_catalog as
                select '{GDP}' as indicator_id, 'cny_100m' as canonical_unit;
            create table resolved as select 7 as observation_id, 110000 as city_id, 2010 as "year",
                '{GDP}' as indicator_id, 'city' as place_level, 5.0::double as "value",
                'cny_100m' as unit, 5.0::double as value_delivered, '5' as raw_text,
                'old' as source_id, 'a.csv' as file_name, 'B2' as cell_ref, 2 as row_no,
                3 as col_no, null::integer as edition_year;
            create {kind} intermediate.int_raw_observations as from resolved"""
        )
        con.execute(harm.WRITABLE)
        harm.add_source(con, lines.assign(value=[6.0, 8.0]), Planting("late", years_late))
        edition = Planting("late", years_late, known="old")
        harm.add_source(con, lines[:1].assign(value=7.0), edition)
        harm.plant_errors(con, lines.assign(wrong=50.0), lines[:1].assign(observation_id=7))
        found = con.execute(
            """select source_id, edition_year, "year", "value", unit, row_no
            from intermediate.int_raw_observations order by observation_id"""
        ).fetchall()
    assert found == [
        ("old", None, 2010, 50.0, "cny_100m", 2),
        ("planted", None, 2010, 6.0, "cny_100m", 2),
        ("planted", None, 2011, 8.0, "cny_100m", 3),
        ("old", harm.NEWEST_EDITION, 2010, 7.0, "cny_100m", 2),
    ]


def test_half_of_the_bad_sources_are_editions_of_known_ones_and_each_says_what_it_changes():
    """Rates change in points, and a figure that was moved to an empty cell is filled wrongly."""
    assert sum(planting.known is not None for planting in BAD) == len(BAD) / 2 == 10
    cells = pd.MultiIndex.from_product(
        [[GDP, "gdp_growth_official_pct"], range(110000, 110600, 100), range(2000, 2021)],
        names=harm.CELL,
    )
    rng = np.random.default_rng(1)
    right = pd.Series(rng.uniform(5, 9, len(cells)).round(1), cells, name="value").reset_index()
    right.loc[right["indicator_id"] == GDP, "value"] *= 100
    late = years_late(right, rng)
    values = right.assign(quality_flag="ok", is_current=True, is_planted=False)
    values["observation_id"] = values.index
    after = late[late["year"] == 2021].assign(quality_flag="ok", is_current=True, is_planted=True)
    found = harm.harm_done(
        values, pd.concat([values, after.assign(observation_id=0)]), right, right
    )
    assert found["filled_wrongly"] == found["filled_wrongly_ok"] == 12
    assert found["wrong"] == found["lost"] == found["filled_rightly"] == 0
