"""What builds the models: a parsed project is there whole or not at all, whatever was killed while
dbt wrote; the warehouse without the effect is built beside a refresh; ENGINE=spark around a Spark
that is played: what it is handed, that its tables are the build's, and that a fault leaves nothing.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pytest

from orchestration import dbt_runner
from orchestration.dbt_runner import Dbt, DbtFailed, ensure_manifest
from orchestration.home import Home, set_tool_environment
from orchestration.resources import RunSettings
from orchestration.run import open_run
from orchestration.stages import counterfactual
from warehouse.publication.tables import hash_table
from warehouse.spark import engine
from warehouse.spark.engine import ALSO, INPUTS
from warehouse.spark.faults import SparkFault


def parse(text: str, ended: BaseException | None = None) -> Callable[[list[str], object], list]:
    """In the place of dbt's parsing, which may be killed while it writes."""

    def play(arguments: list[str], manifest: object) -> list:
        target = Path(arguments[arguments.index("--target-path") + 1])
        target.mkdir()
        (target / "manifest.json").write_text(text, encoding="utf-8")
        if ended:
            raise ended
        return []

    return play


def test_a_parse_that_is_killed_is_made_again_and_a_changed_project_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYSYNC_CACHE", str(tmp_path / "cache"))
    home = Home(tmp_path)
    monkeypatch.setattr(dbt_runner, "invoke", parse('{"nodes": {', KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        ensure_manifest(home)
    monkeypatch.setattr(dbt_runner, "invoke", parse('{"nodes": {}}'))
    before = ensure_manifest(home)
    assert json.loads(before.read_text(encoding="utf-8")) == {"nodes": {}}
    # what is half written in the folder that runs write to is never read
    (home.cache / "dbt").mkdir(parents=True)
    (home.cache / "dbt" / "manifest.json").write_text("{", encoding="utf-8")
    assert ensure_manifest(home) == before
    monkeypatch.setattr(dbt_runner, "hash_named_files", lambda *_: "other")
    after = ensure_manifest(home)
    assert after != before and after.exists() and not before.exists()
    # a checkout that was moved has the same files at other paths
    (tmp_path / "moved").symlink_to(dbt_runner.REPO)
    monkeypatch.setattr(dbt_runner, "REPO", tmp_path / "moved")
    assert ensure_manifest(home) != after


def fail_in(_: Home) -> None:
    """Stands for a build that fails, and names its process."""
    raise DbtFailed(str(os.getpid()))


def test_the_warehouse_without_the_effect_is_built_in_the_background_unless_there_is_one_core(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(counterfactual, "build", fail_in)
    for threads, is_here in (("1", True), ("2", False)):
        monkeypatch.setenv("CITYSYNC_THREADS", threads)
        with open_run(Home(tmp_path), RunSettings(), code={}) as run:
            counterfactual.start(run)
            with pytest.raises(DbtFailed) as failed:
                counterfactual.wait(run)
        assert (str(failed.value) == str(os.getpid())) == is_here


PAIRS = (
    "intermediate.int_city_pairs",
    "marts.fct_city_pair",
    "marts.fct_pair_synchronization",
    "marts.panel_pair_year",
)
GATES = (
    "gates.gate_marts__fct_city_pair",
    "gates.gate_marts__window",
)
OPTIONS = ("--exclude-resource-type", "unit_test", "--indirect-selection", "eager")


@pytest.fixture
def home(simulated, tmp_path, monkeypatch):
    """A copy of a finished build, in a home of its own."""
    own = ("CITYSYNC_HOME", "CITYSYNC_BUILD", "DBT_", "DAGSTER_", "SPARK_")
    for name in filter(lambda name: name.startswith(own), list(os.environ)):
        monkeypatch.delenv(name)
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ENGINE", "spark")
    found = Home.from_environment()
    found.build.mkdir(parents=True)
    shutil.copy(simulated.home / "build" / "citysync.duckdb", found.database)
    shutil.copytree(simulated.home / "build" / "raw", found.build / "raw")
    set_tool_environment(found)
    return found


def hashes(home: Home) -> dict[str, Any]:
    with duckdb.connect(str(home.database), read_only=True) as con:
        return {name: hash_table(con, name) for name in (*PAIRS, *GATES)}


def play(home: Home):
    """In the place of Spark: the tables that are in the build, as the files that Spark leaves."""

    def run(inputs: Path, work: Path, *_: Any) -> str:
        assert {path.stem for path in inputs.glob("*.parquet")} == {
            f"{schema}.{table}" for schema, tables in (INPUTS | ALSO).items() for table in tables
        }
        with duckdb.connect(str(home.database), read_only=True) as con:
            for name in (*PAIRS, *GATES):
                schema, table = name.split(".")
                folder = work / "tables" / f"{schema}.db" / table
                folder.mkdir(parents=True)
                con.execute(f"copy (from {name}) to '{folder}/part.parquet'")
        return str(work / "tables")

    return run


def names(*tables: str) -> list[str]:
    return [table.split(".")[1] for table in tables]


@pytest.mark.full
def test_what_spark_built_becomes_the_tables_of_the_build(home, monkeypatch):
    before = hashes(home)
    monkeypatch.setattr(engine, "_run", play(home))
    results = Dbt(home).build_models(
        names(*PAIRS, *GATES), build=home.build, options=OPTIONS, pairs=True, tests=True
    )
    assert not [result for result in results if dbt_runner.failed(result)]
    assert {result.node.name for result in results if result.node.resource_type == "model"} == set(
        names(*PAIRS, *GATES)
    )
    assert any(result.node.name == "assert_all_pairs_present" for result in results)
    assert hashes(home) == before
    assert not (home.build / "spark").exists() and engine.TABLES not in os.environ
    with duckdb.connect(str(home.database), read_only=True) as con:
        comment = "select comment from duckdb_tables() where table_name = 'fct_city_pair'"
        assert con.execute(comment).fetchone()[0]


@pytest.mark.full
@pytest.mark.parametrize(
    ("raised", "expected"),
    [(SparkFault("no master"), SparkFault), (engine.SparkFailed("a test"), DbtFailed)],
)
def test_a_fault_of_spark_ends_the_step_and_leaves_nothing(home, monkeypatch, raised, expected):
    before = hashes(home)
    monkeypatch.setattr(engine, "_run", mock.Mock(side_effect=raised))
    with pytest.raises(expected, match=str(raised)):
        Dbt(home).build_models(
            names(*PAIRS), build=home.build, options=OPTIONS, pairs=True, tests=True
        )
    assert hashes(home) == before
    assert not (home.build / "spark").exists() and engine.TABLES not in os.environ
