"""The SQL prompt reads the publication, and nothing else."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from orchestration.commands.sql_prompt import run_sql
from orchestration.commands.sql_terminal import answer, is_whole
from tests.orchestration.conftest import REPO, Run
from tests.processes import hear_signals


def sql(home: Path, query: str) -> subprocess.CompletedProcess[str]:
    """`make sql Q=...` without make."""
    command = [sys.executable, "-m", "orchestration", "sql", "--query", query]
    return subprocess.run(
        command,
        cwd=REPO,
        env={**os.environ, "CITYSYNC_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.e2e
def test_the_sql_prompt_only_reads_the_publication(simulated: Run) -> None:
    """What else it does not do: tests/warehouse/publication/test_foreign.py."""
    done = sql(simulated.home, "select * from read_csv('/etc/passwd')")
    assert done.returncode == 2
    assert done.stderr


@pytest.mark.e2e
def test_the_sql_prompt_prints_a_table(simulated: Run) -> None:
    done = sql(simulated.home, "select count(*) as cities from marts.dim_city")
    assert done.returncode == 0
    assert "cities" in done.stdout


def test_a_result_becomes_a_csv_that_a_spreadsheet_cannot_execute(
    simulated: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CITYSYNC_HOME", str(simulated.home))
    target = tmp_path / "out.csv"
    assert (
        run_sql(
            "select '=cmd|x' as text, '杭州' as name, 0.1::double as x, -2 as y, null as z",
            str(target),
        )
        == 0
    )
    assert target.read_bytes().decode("utf-8-sig").splitlines() == [
        "text,name,x,y,z",
        "'=cmd|x,杭州,0.1,-2,",
    ]
    assert (
        run_sql("select 1", str(tmp_path / "absent" / "out.csv")) == 2
        and "absent" in capsys.readouterr().err
    )
    assert run_sql(None, str(target)) == 2


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".xlsx"])
def test_a_result_that_fails_half_way_leaves_the_old_file(
    simulated: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setenv("CITYSYNC_HOME", str(simulated.home))
    target = tmp_path / f"out{ending}"
    target.write_bytes(b"old")
    query = "select case when i < 900000 then i else error('no more') end from range(1000000) r(i)"
    assert run_sql(query, str(target)) == 2
    assert [(path, path.read_bytes()) for path in tmp_path.iterdir()] == [(target, b"old")]


def test_the_sql_prompt_says_what_to_do_without_a_publication(tmp_path: Path) -> None:
    done = sql(tmp_path, "select 1")
    assert done.returncode == 2
    assert "make refresh" in done.stderr


def test_a_result_is_written_as_what_its_file_is_called(
    simulated: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYSYNC_HOME", str(simulated.home))
    query = (
        "select '=1+1' as text, 0.1::double as x, date '2020-01-02' as day, null as none, [1, 2] "
        "as list"
    )
    assert run_sql(query, str(tmp_path / "out.parquet")) == 0
    assert pq.read_table(tmp_path / "out.parquet").to_pylist()[0]["x"] == 0.1
    assert run_sql(query, str(tmp_path / "out.xlsx")) == 0
    header, row = load_workbook(tmp_path / "out.xlsx").active.iter_rows()
    assert [cell.value for cell in header] == ["text", "x", "day", "none", "list"]
    assert (row[0].value, row[0].data_type) == ("=1+1", "s")
    assert [row[1].value, row[2].value.year, row[3].value, row[4].value] == [
        0.1,
        2020,
        None,
        "[1, 2]",
    ]


def test_another_ending_is_refused(
    simulated: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CITYSYNC_HOME", str(simulated.home))
    assert run_sql("select 1", str(tmp_path / "out.ods")) == 2
    assert ".csv, .parquet, .xlsx" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_words_of_the_prompt(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with duckdb.connect() as con:
        con.execute(
            "create schema marts; create table marts.city(city_id integer); comment on column "
            "marts.city.city_id is 'Its code'"
        )
        assert all(
            answer(con, text)
            for text in (
                ".tables",
                ".schema marts.city",
                "help",
                "select 41 + 1;",
                ".schema none",
                "selec 1;",
                ".x",
            )
        )
        assert answer(con, f".write {tmp_path / 'two.csv'} from range(2);")
        assert not answer(con, ".quit")
    shown = capsys.readouterr()
    for expected in ("marts.city", "city_id  INTEGER  Its code", ".write", "42", "2 rows in"):
        assert expected in shown.out
    for expected in ("none: expected a table", "Parser Error", ".x: expected"):
        assert expected in shown.err


def test_tables_are_listed_by_a_part_of_their_name(capsys: pytest.CaptureFixture[str]) -> None:
    with duckdb.connect() as con:
        con.execute(
            "create schema marts; create table marts.city(a integer); create table marts.pair(a "
            "integer); create table x(a integer)"
        )
        listed = {}
        for text in (".tables", ".tables marts", ".tables pair;", ".tables '", ".tables nothing"):
            assert answer(con, text)
            shown = capsys.readouterr()
            assert not shown.err
            listed[text] = [
                name for name in ("main.x", "marts.city", "marts.pair") if name in shown.out
            ]
    both = ["marts.city", "marts.pair"]
    assert listed == {
        ".tables": ["main.x", *both],
        ".tables marts": both,
        ".tables pair;": both[1:],
        ".tables '": [],
        ".tables nothing": [],
    }


def test_a_statement_ends_with_its_semicolon() -> None:
    assert [
        is_whole(text)
        for text in (
            "select 1",
            "select 1;",
            ".tables",
            ".write a.csv from x",
            ".write a.csv from x;",
            "help",
            "",
        )
    ] == [
        False,
        True,
        True,
        False,
        True,
        True,
        True,
    ]


def test_queries_from_a_pipe_are_answered_one_after_the_other(simulated: Run) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "orchestration", "sql"],
        cwd=REPO,
        env={**os.environ, "CITYSYNC_HOME": str(simulated.home)},
        input="select\n6 * 7;\nselect no_such;\nselect 'last' as x;\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "42" in done.stdout and "last" in done.stdout and "no_such" in done.stderr


def test_ctrl_c_ends_the_query_and_not_the_prompt(simulated: Run) -> None:
    """At a terminal of its own: a query that would run for hours, ctrl-c, and the next one is
    answered.
    """
    child, terminal = pty.fork()
    if child == 0:
        hear_signals()
        os.chdir(REPO)
        os.execve(
            sys.executable,
            [sys.executable, "-m", "orchestration", "sql"],
            {**os.environ, "CITYSYNC_HOME": str(simulated.home), "TERM": "xterm"},
        )
    try:
        read_until(terminal, "citysync>")
        os.write(
            terminal, b"select sum(a.range * b.range) from range(10000000) a, range(1000000) b;\r"
        )
        time.sleep(2)
        # again each second, as a person would: the first may come while the line editor still hands
        # the terminal over
        read_until(terminal, "the query was ended", every_second=b"\x03")
        os.write(terminal, b"select 42 * 101;\r")
        read_until(terminal, "4242")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


def read_until(terminal: int, text: str, seconds: float = 60, every_second: bytes = b"") -> str:
    """What a terminal shows until a text is there; answers the question where the cursor is, as a
    real one does.
    """
    shown, end, typed = "", time.monotonic() + seconds, 0.0
    while text not in shown:
        assert time.monotonic() < end, shown
        if every_second and time.monotonic() > typed + 1:
            os.write(terminal, every_second)
            typed = time.monotonic()
        if select.select([terminal], [], [], 0.2)[0]:
            found = os.read(terminal, 65536).decode(errors="replace")
            if "\x1b[6n" in found:
                os.write(terminal, b"\x1b[1;1R")
            shown += found
    return shown
