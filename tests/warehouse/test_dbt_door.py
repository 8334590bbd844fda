"""What a person who knows dbt finds when they start it by hand: something to read, owners, public
marts, units, exposures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.warehouse.dbt_build import REPOSITORY

BY_HAND = "from dbt.cli.main import cli; cli()"


def run_by_hand(
    arguments: list[str], home: Path, **environment: str
) -> subprocess.CompletedProcess:
    """Start dbt as its own program does, in the checkout, with nothing set but the home."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CITYSYNC_", "DBT_"))}
    target = {"DBT_TARGET_PATH": str(home / "target"), "DBT_LOG_PATH": str(home / "logs")}
    command = [sys.executable, "-c", BY_HAND, *arguments]
    env = {**kept, "CITYSYNC_HOME": str(home), **target, "DO_NOT_TRACK": "1", **environment}
    return subprocess.run(
        command, cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def first_build(home: Path) -> subprocess.CompletedProcess:
    return run_by_hand(
        [
            "build",
            "--select",
            "+dim_city +stg_raw__cells",
            "--exclude-resource-type",
            "unit_test",
            "--exclude-resource-type",
            "test",
        ],
        home,
    )


def test_a_first_build_by_hand_reads_a_small_simulated_landing(
    first_build: subprocess.CompletedProcess, home: Path
) -> None:
    assert first_build.returncode == 0, first_build.stdout
    assert "48 simulated cities are written" in first_build.stderr
    assert (home / "dbt" / "citysync.duckdb").exists()
    assert not (home / "build").exists()


def test_show_and_docs_work_on_it(first_build: subprocess.CompletedProcess, home: Path) -> None:
    assert first_build.returncode == 0
    shown = run_by_hand(
        [
            "show",
            "--inline",
            "select count(*) as n from {{ ref('stg_raw__cells') }}",
            "--output",
            "json",
        ],
        home,
    )
    assert shown.returncode == 0, shown.stdout
    assert '"n":' in shown.stdout
    assert "simulated" not in shown.stderr
    docs = run_by_hand(["docs", "generate", "--no-compile"], home)
    assert docs.returncode == 0, docs.stdout


def test_modified_models_are_listed_against_an_earlier_manifest(
    first_build: subprocess.CompletedProcess, home: Path, tmp_path: Path
) -> None:
    assert first_build.returncode == 0
    earlier = json.loads((home / "target" / "manifest.json").read_text(encoding="utf-8"))
    earlier["nodes"]["model.citysync.dim_city"]["raw_code"] = "select 1 as city_id"
    (tmp_path / "manifest.json").write_text(json.dumps(earlier), encoding="utf-8")
    listed = run_by_hand(
        ["ls", "--select", "state:modified", "--state", str(tmp_path), "--resource-type", "model"],
        home,
    )
    assert listed.returncode == 0, listed.stdout
    assert [line for line in listed.stdout.splitlines() if line.startswith("citysync.")] == [
        "citysync.marts.dim_city"
    ]


def test_after_a_refresh_its_files_are_read(tmp_path: Path) -> None:
    from warehouse.dbt_by_hand import prepare

    (tmp_path / "build" / "raw").mkdir(parents=True)
    (tmp_path / "build" / "raw" / "a.parquet").write_bytes(b"first")
    (tmp_path / "build" / "input_file.parquet").write_bytes(b"list 1")
    prepare(tmp_path)
    assert (tmp_path / "dbt" / "raw" / "a.parquet").read_bytes() == b"first"
    (tmp_path / "build" / "raw" / "a.parquet").write_bytes(b"second")
    (tmp_path / "build" / "input_file.parquet").write_bytes(b"list 2")
    prepare(tmp_path)
    assert (tmp_path / "dbt" / "raw" / "a.parquet").read_bytes() == b"second"


def test_a_build_folder_that_is_named_is_left_alone(tmp_path: Path) -> None:
    named = tmp_path / "named"
    named.mkdir()
    done = run_by_hand(
        ["run", "--select", "stg_seeds__place_codes"], tmp_path, CITYSYNC_BUILD=str(named)
    )
    assert "simulated" not in done.stderr
    assert not (tmp_path / "dbt").exists()
