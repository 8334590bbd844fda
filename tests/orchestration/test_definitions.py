"""The graph Dagster shows: it is found from the root, and its gates block."""

from __future__ import annotations

import tomllib
from importlib import import_module

import dagster as dg
import pytest
from dagster.components.definitions import LazyDefinitions

from expectations.suites import RULES
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
    # what both look for in a module: one object of this kind
    found = [
        value
        for value in vars(import_module(names.pop())).values()
        if isinstance(value, (dg.Definitions, LazyDefinitions))
    ]
    assert len(found) == 1


def test_four_gates_block_and_every_expectation_is_a_check_of_its_own(
    definitions: dg.Definitions,
) -> None:
    specs = [spec for checks in definitions.asset_checks for spec in checks.check_specs]
    gates = sorted(spec.name for spec in specs if spec.blocking)
    assert gates == ["gate_estimates", "gate_marts", "gate_raw", "gate_staging"]
    rules = [rule.check_id for of_stage in RULES.values() for rule in of_stage]
    assert sorted(spec.name for spec in specs if not spec.blocking) == sorted(rules)
    of_assets = [s for asset in definitions.assets for s in getattr(asset, "check_specs", ())]
    assert len(of_assets) > 200 and all(spec.description for spec in specs)


def test_schedule_and_sensor_ship_stopped(definitions: dg.Definitions) -> None:
    assert {s.default_status.value for s in definitions.schedules} == {"STOPPED"}
    assert {s.default_status.value for s in definitions.sensors} == {"STOPPED"}
