"""The graph Dagster shows: every stage is there, and each gate stands between the right stages."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from orchestration.assets.warehouse import SAMPLE_ROWS, _failing_rows, _lacking
from orchestration.dagster_ui.metadata import show_aside
from orchestration.dagster_ui.run_tags import LANDING
from orchestration.dbt_runner import NodeResult
from orchestration.home import Home
from orchestration.resources import Settings, open_build


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CITYSYNC_HOME", str(tmp_path_factory.mktemp("home")))
        from orchestration.definitions import load_definitions

        yield load_definitions()


EXPECTED = [
    "raw/simulated_landing",
    "raw/csmar_region",
    "raw/finance_loans",
    "raw/deflator",
    "raw/tidy",
    "raw/observations",
    "intermediate/int_raw_observations",
    "marts/fct_city_year",
    "marts/fct_pair_synchronization",
    "marts/panel_pair_year",
    "estimates/estimate",
    "estimates/truth",
    "publication/report",
    "publication/published",
]


def test_expected_assets(definitions: dg.Definitions) -> None:
    keys = {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    assert set(EXPECTED) <= keys


def test_four_blocking_gates(definitions: dg.Definitions) -> None:
    specs = [spec for checks in definitions.asset_checks for spec in checks.check_specs]
    assert sorted(spec.name for spec in specs) == ["gate_estimates", "gate_marts", "gate_raw", "gate_staging"]
    assert all(spec.blocking for spec in specs)


def test_publication_is_downstream_of_every_source(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    upstream = dg.AssetSelection.assets("publication/published").upstream().resolve(graph)
    assert {dg.AssetKey(["raw", source]) for source in ("csmar_region", "finance_loans", "tidy")} <= upstream


def test_schedule_and_sensor_ship_stopped(definitions: dg.Definitions) -> None:
    assert all(s.default_status == dg.DefaultScheduleStatus.STOPPED for s in definitions.schedules)
    assert all(s.default_status == dg.DefaultSensorStatus.STOPPED for s in definitions.sensors)


def test_every_asset_says_who_what_and_by_which_code(definitions: dg.Definitions) -> None:
    specs = [spec for asset in definitions.assets for spec in asset.specs]
    assert not [spec.key for spec in specs if not (spec.owners and spec.group_name and spec.kinds)]
    undescribed = [spec.key for spec in specs if not spec.description]
    assert not undescribed
    assert not [spec.key for spec in specs if not spec.code_version]
    published = next(spec for spec in specs if spec.key == dg.AssetKey(["publication", "published"]))
    assert published.freshness_policy is not None


def test_every_check_says_what_it_asks(definitions: dg.Definitions) -> None:
    specs = [spec for asset in definitions.assets for spec in getattr(asset, "check_specs", ())]
    described = {spec.name: spec.description for spec in specs}
    assert len(described) > 200 and all(described.values())
    assert described["assert_cm_splits_exactly"] == "cm = comove + dispersion, and no cm is above 1"


def test_the_study_can_be_asked_for_some_analyses(definitions: dg.Definitions) -> None:
    study = next(asset for asset in definitions.assets if dg.AssetKey(["estimates", "estimate"]) in asset.keys)
    assert "analyses" in study.op.config_schema.config_type.fields


def test_a_rerun_builds_what_the_build_lacks(tmp_path: Path) -> None:
    seed, severity, aliases, cells = step = [
        dg.AssetKey(path) for path in (["seeds", "a"], ["seeds", "b"], ["staging", "c"], ["staging", "d"])
    ]
    home = Home(tmp_path)
    assert _lacking(home, [cells], step) == [seed, severity, aliases]
    assert _lacking(home, [seed], step) == []
    home.build.mkdir()
    with open_build(home.build) as con:
        con.execute("create schema seeds; create table seeds.a as select 1 as city_id")
        con.execute("create schema staging; create view staging.c as select * from seeds.a")
    assert _lacking(home, [cells], step) == [severity]
    assert _lacking(home, step, step) == []


def test_a_failed_data_test_shows_the_rows_it_found(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.build.mkdir()
    with open_build(home.build) as con:
        con.execute("create table pairs as select range as city_i_id, range - 1 as city_j_id from range(100)")
    failed = NodeResult("test.x", "x", "test", "fail", 0.1, 100, "", "select * from pairs where city_i_id > city_j_id order by city_i_id")
    shown = _failing_rows(home, failed)["sample_of_failing_rows"]
    assert len(shown.records) == SAMPLE_ROWS
    assert shown.records[3].data == {"city_i_id": 3, "city_j_id": 2}
    assert _failing_rows(home, dataclasses.replace(failed, status="pass")) == {}


def test_a_run_that_resumes_another_landing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path))

    @dg.asset
    def anything(settings: Settings) -> None:
        """Stands for any asset of the graph."""

    with dg.instance_for_test() as instance:

        def run(landing: str, **tags: str) -> dg.ExecuteInProcessResult:
            settings = {"settings": Settings(landing=landing)}
            return dg.materialize([anything], instance=instance, resources=settings, tags=tags, raise_on_error=False)

        first = run("/srv/2026")
        tags = instance.get_run_by_id(first.run_id).tags
        assert tags[LANDING] == "/srv/2026" and tags["citysync/window"] == "2010-2019" and tags["citysync/commit"]
        assert run("/srv/2026", **{LANDING: "/srv/2026"}).success
        refused = run("", **{LANDING: "/srv/2026"})
        assert not refused.success
        assert any("make ui LANDING=/srv/2026" in str(event.event_specific_data) for event in refused.all_events)


def test_long_cells_cannot_break_out_of_their_table() -> None:
    shown = show_aside(pd.DataFrame({"sample": ["a|b\n<script>", None], "n": [1.5, 2.0]})).md_str
    assert shown.splitlines() == ["| sample | n |", "| --- | --- |", "| a/b &lt;script&gt; | 1.5 |", "|  | 2.0 |"]
