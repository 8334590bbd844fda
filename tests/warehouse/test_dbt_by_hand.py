"""What a person who knows dbt finds when they start it by hand: something to read."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.warehouse.dbt_build import REPOSITORY, copy_seeds, run_dbt
from tests.warehouse.fabricate import raw_row, write_raw
from warehouse.dbt_by_hand import prepare


def run_by_hand(home: Path, *arguments: str) -> str:
    """Start dbt as its own program does, from another folder, with nothing set but the home."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CITYSYNC_", "DBT_"))}
    target = {"DBT_TARGET_PATH": str(home / "target"), "DBT_LOG_PATH": str(home / "logs")}
    project = ["--project-dir", str(REPOSITORY), "--profiles-dir", str(REPOSITORY)]
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", *arguments, *project]
    env = {**kept, "CITYSYNC_HOME": str(home), **target, "DO_NOT_TRACK": "1"}
    done = subprocess.run(command, cwd=home, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout + done.stderr


@pytest.mark.full
@pytest.mark.parametrize(
    "chosen",
    [
        ("--exclude-resource-type", "unit_test"),
        # unit tests too, of a model that reads a seed in full
        ("--select", "+int_indicator_limits", "--indirect-selection", "buildable"),
    ],
)
def test_models_build_on_no_rows_and_hold_their_tests(tmp_path: Path, chosen: tuple) -> None:
    assert " ERROR=0 SKIP=0 " in run_by_hand(tmp_path, "build", "--empty", *chosen)


@pytest.mark.full
def test_a_first_build_by_hand_reads_a_small_simulated_landing(tmp_path: Path) -> None:
    assert "48 simulated cities are written" in run_by_hand(
        tmp_path, "run", "--select", "stg_raw__cells"
    )
    assert (tmp_path / "dbt" / "citysync.duckdb").exists() and not (tmp_path / "build").exists()
    landing = sorted(path.stat().st_mtime_ns for path in (tmp_path / "dbt").rglob("*.parquet"))
    prepare(tmp_path)
    again = sorted(path.stat().st_mtime_ns for path in (tmp_path / "dbt").rglob("*.parquet"))
    assert landing and again == landing


def test_after_a_refresh_its_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "build" / "raw").mkdir(parents=True)
    for content in (b"first", b"second"):
        (tmp_path / "build" / "raw" / "a.parquet").write_bytes(content)
        (tmp_path / "build" / "input_file.parquet").write_bytes(b"list of " + content)
        prepare(tmp_path)
        assert (tmp_path / "dbt" / "raw" / "a.parquet").read_bytes() == content


def test_one_manifest_serves_two_folders_and_each_reads_its_own_files(
    tmp_path: Path, dbt_target: Path
) -> None:
    def show(build: Path) -> list[tuple]:
        query = "select raw_text from {{ source('raw', 'observations') }}"
        (answer,) = run_dbt(["show", "--inline", query], build, dbt_target)
        return [tuple(row) for row in answer.agate_table.rows]

    def run(build: Path) -> list[tuple]:
        run_dbt(["run", "--select", "stg_raw__cells"], build, dbt_target)
        with duckdb.connect(str(build / "citysync.duckdb"), read_only=True) as con:
            return con.execute("select raw_text from staging.stg_raw__cells").fetchall()

    # each command in a folder after one in the other, the second time on other files
    steps = ((run, "here"), (run, "there"), (show, "here"), (show, "there"))
    for text, (command, name) in zip(("1.0", "2.0", "3.0", "4.0"), steps, strict=True):
        build = tmp_path / name
        write_raw(build, [raw_row("a", "110000", 2010, "gdp_nominal_cny_100m", float(text))])
        assert command(build) == [(text,)]


def test_a_folder_without_files_keeps_no_view_of_those_that_it_held(
    tmp_path: Path, dbt_target: Path
) -> None:
    def views() -> list[tuple[str]]:
        run_dbt(["run", "--select", "stg_seeds__place_codes"], tmp_path, dbt_target)
        with duckdb.connect(str(tmp_path / "citysync.duckdb"), read_only=True) as con:
            return con.execute(
                "select view_name from duckdb_views() where schema_name = 'raw' order by all"
            ).fetchall()

    copy_seeds(tmp_path, dbt_target)
    write_raw(tmp_path, [raw_row("a", "110000", 2010, "gdp_nominal_cny_100m", 1.0)])
    assert views() == [("input_files",), ("observations",)]
    shutil.rmtree(tmp_path / "raw")
    assert views() == [("input_files",)]
