"""Queries read the publication, and nothing else; every query of docs/querying.md answers
something.
"""

import re
import subprocess

import duckdb
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from orchestration.commands import sql
from orchestration.commands.sql import connect_read_only, run_sql, write
from orchestration.home import Home
from tests.conftest import REPO
from warehouse.errors import Refused

COMMAND = [str(REPO / ".venv" / "bin" / "citysync"), "sql"]


@pytest.fixture
def home(simulated, monkeypatch):
    monkeypatch.setenv("CITYSYNC_HOME", str(simulated.home))
    return simulated.home


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".xlsx"])
def test_a_result_that_fails_half_way_leaves_the_old_file(tmp_path, ending):
    target = tmp_path / f"out{ending}"
    target.write_bytes(b"old")
    query = "select case when i < 900000 then i else error('no more') end from range(1000000) r(i)"
    with duckdb.connect() as con:
        with pytest.raises((duckdb.Error, OSError), match="no more"):
            write(con, query, target)
        if ending == ".xlsx":
            with pytest.raises(Refused, match=r"a sheet of \.xlsx holds"):
                write(con, "from range(1500000)", target)
    assert [(path, path.read_bytes()) for path in tmp_path.iterdir()] == [(target, b"old")]


def test_a_result_is_printed_and_written_as_what_its_file_is_called(home, tmp_path, capsys):
    """A spreadsheet executes none of it."""
    query = (
        "select '=1+1' as text, '杭州' as name, 0.1::double as x, -2 as y, null as none, "
        "date '2020-01-02' as day, [1, 2] as list"
    )
    assert run_sql(query, None) == 0 and "杭州" in capsys.readouterr().out
    for ending in ("csv", "parquet", "xlsx"):
        assert run_sql(query, str(tmp_path / f"out.{ending}")) == 0
    lines = (tmp_path / "out.csv").read_bytes().decode("utf-8-sig").splitlines()
    assert lines[0] == "text,name,x,y,none,day,list"
    assert lines[1].startswith("'=1+1,杭州,0.1,-2,,2020-01-02")
    assert pq.read_table(tmp_path / "out.parquet").to_pylist()[0]["x"] == 0.1
    header, row = load_workbook(tmp_path / "out.xlsx").active.iter_rows()
    assert [cell.value for cell in header] == lines[0].split(",")
    assert (row[0].value, row[0].data_type, row[2].value, row[5].value.year) == (
        *("=1+1", "s"),
        *(0.1, 2020),
    )


@pytest.mark.parametrize(
    ("query", "name", "said"),
    [
        ("select 1", "out.ods", ".csv, .parquet, .xlsx"),
        (None, "out.csv", ""),
        ("select * from read_csv('/etc/passwd')", "out.csv", "disabled"),
    ],
)
def test_what_cannot_be_answered_or_written_is_said(home, tmp_path, capsys, query, name, said):
    assert run_sql(query, str(tmp_path / name)) == 2
    told = capsys.readouterr()
    assert said in told.err and "root:" not in told.out and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), RuntimeError("Query interrupted")], ids=repr
)
def test_ctrl_c_ends_a_query_as_any_command(home, capsys, monkeypatch, error):
    def interrupted(con, query):
        raise error

    monkeypatch.setattr(sql, "show", interrupted)
    assert run_sql("select 1") == 130
    assert capsys.readouterr().err == "citysync: exit 130: interrupted\n"


def test_without_a_query_three_are_printed_each_of_which_answers(home):
    printed = subprocess.run(COMMAND, cwd=REPO, capture_output=True, text=True, check=True).stdout
    queries = re.findall(r'^  citysync sql -q "(.*)"$', printed, flags=re.MULTILINE)
    assert len(queries) == 3 and f"duckdb -readonly {home}/published/citysync.duckdb" in printed
    with connect_read_only(Home(home)) as con:
        assert all(con.execute(query).fetchall() for query in queries)


PAGE = (REPO / "docs" / "querying.md").read_text(encoding="utf-8")
QUERIES = [block.strip() for block in re.findall(r"```sql\n(.*?)```", PAGE, flags=re.DOTALL)]
MAY_BE_EMPTY = "-- may be empty: "


def test_queries_of_the_page_answer(simulated):
    assert len(QUERIES) == PAGE.count("```sql") > 0
    with connect_read_only(Home(simulated.home)) as con:
        empty = [query for query in QUERIES if not con.execute(query).fetchall()]
    assert [query for query in empty if MAY_BE_EMPTY not in query] == []
