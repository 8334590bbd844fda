"""The SQL prompt reads the publication, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.commands.sql_prompt import run_sql
from tests.orchestration.conftest import REPO, Run


def sql(home: Path, query: str) -> subprocess.CompletedProcess[str]:
    """`make sql Q=...` without make."""
    command = [sys.executable, "-m", "orchestration", "sql", "--query", query]
    return subprocess.run(command, cwd=REPO, env={**os.environ, "CITYSYNC_HOME": str(home)}, capture_output=True, text=True, check=False)


@pytest.mark.e2e
@pytest.mark.parametrize(
    "query",
    [
        "create table x as select 1",
        "attach '{home}/other.duckdb' as other",
        "copy marts.dim_city to '{home}/out.csv'",
        "select * from read_csv('/etc/passwd')",
        "set enable_external_access = true",
        "install httpfs",
    ],
)
def test_the_sql_prompt_only_reads_the_publication(simulated: Run, tmp_path: Path, query: str) -> None:
    done = sql(simulated.home, query.format(home=tmp_path))
    assert done.returncode == 2
    assert done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.e2e
def test_the_sql_prompt_prints_a_table(simulated: Run) -> None:
    done = sql(simulated.home, "select count(*) as cities from marts.dim_city")
    assert done.returncode == 0
    assert "cities" in done.stdout


def test_a_result_becomes_a_csv_that_a_spreadsheet_cannot_execute(
    simulated: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CITYSYNC_HOME", str(simulated.home))
    target = tmp_path / "out.csv"
    assert run_sql("select '=cmd|x' as text, '杭州' as name, 0.1::double as x, -2 as y, null as z", str(target)) == 0
    assert target.read_bytes().decode("utf-8-sig").splitlines() == ["text,name,x,y,z", "'=cmd|x,杭州,0.1,-2,"]
    assert run_sql("select 1", str(tmp_path / "absent" / "out.csv")) == 2 and "absent" in capsys.readouterr().err
    assert run_sql(None, str(target)) == 2


def test_the_sql_prompt_says_what_to_do_without_a_publication(tmp_path: Path) -> None:
    done = sql(tmp_path, "select 1")
    assert done.returncode == 2
    assert "make refresh" in done.stderr
