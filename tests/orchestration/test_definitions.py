"""The graph Dagster shows: every stage is there, and each gate stands between the right stages."""

from __future__ import annotations

import tomllib
from importlib import import_module

import dagster as dg
import pytest
from dagster.components.definitions import LazyDefinitions

from expectations.suites import RULES
from orchestration.dagster_ui.server import LOCATION
from tests.conftest import REPO


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CITYSYNC_HOME", str(tmp_path_factory.mktemp("home")))
        from orchestration.definitions import load_definitions

        yield load_definitions()


def test_dagster_and_dg_find_these_definitions_from_the_root(definitions: dg.Definitions) -> None:
    tool = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    names = {tool["dagster"]["module_name"], tool["dg"]["project"]["code_location_target_module"]}
    assert names == {"orchestration.definitions"}
    locations = {
        tool["dagster"]["code_location_name"],
        tool["dg"]["project"]["code_location_name"],
        LOCATION.location_name,
    }
    assert locations == {"citysync"}
    # what both look for in a module: one object of this kind
    found = [
        value
        for value in vars(import_module(names.pop())).values()
        if isinstance(value, (dg.Definitions, LazyDefinitions))
    ]
    assert len(found) == 1


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
    "estimates/claim",
    "publication/report",
    "publication/published",
]


def test_every_stage_has_its_assets(definitions: dg.Definitions) -> None:
    keys = {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    assert set(EXPECTED) <= keys


def test_a_gate_blocks_after_each_of_four_stages(definitions: dg.Definitions) -> None:
    specs = [spec for checks in definitions.asset_checks for spec in checks.check_specs]
    assert sorted(spec.name for spec in specs if spec.blocking) == [
        "gate_estimates",
        "gate_marts",
        "gate_raw",
        "gate_staging",
    ]


def test_every_expectation_is_a_check_of_its_own(definitions: dg.Definitions) -> None:
    specs = [
        spec
        for checks in definitions.asset_checks
        for spec in checks.check_specs
        if not spec.blocking
    ]
    assert sorted(spec.name for spec in specs) == sorted(
        rule.check_id for rules in RULES.values() for rule in rules
    )
    assert all(spec.description for spec in specs)


def test_publication_is_downstream_of_every_source(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    upstream = dg.AssetSelection.assets("publication/published").upstream().resolve(graph)
    assert {
        dg.AssetKey(["raw", source]) for source in ("csmar_region", "finance_loans", "tidy")
    } <= upstream


def test_schedule_and_sensor_ship_stopped(definitions: dg.Definitions) -> None:
    assert all(s.default_status == dg.DefaultScheduleStatus.STOPPED for s in definitions.schedules)
    assert all(s.default_status == dg.DefaultSensorStatus.STOPPED for s in definitions.sensors)


def test_every_asset_says_who_and_what_and_can_be_materialized_alone(
    definitions: dg.Definitions,
) -> None:
    specs = [spec for asset in definitions.assets for spec in asset.specs]
    assert not [spec.key for spec in specs if not (spec.owners and spec.group_name and spec.kinds)]
    undescribed = [spec.key for spec in specs if not spec.description]
    assert not undescribed
    assert not [spec.key for spec in specs if spec.partitions_def]
    published = next(
        spec for spec in specs if spec.key == dg.AssetKey(["publication", "published"])
    )
    assert published.freshness_policy is not None


def test_every_check_says_what_it_asks(definitions: dg.Definitions) -> None:
    specs = [spec for asset in definitions.assets for spec in getattr(asset, "check_specs", ())]
    described = {spec.name: spec.description for spec in specs}
    assert len(described) > 200 and all(described.values())
    assert described["assert_cm_splits_exactly"] == "cm = comove + dispersion, and no cm is above 1"
