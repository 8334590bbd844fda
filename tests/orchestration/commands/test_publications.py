"""Verify, roll back and clean, as an operator does; verify against the delivered files, so that a
lie and a changed file are found afterwards.
"""

import shutil
from pathlib import Path

import duckdb
import pytest

from orchestration.commands.clean import REMOVED, clean
from orchestration.commands.publications import rollback, verify
from tests.orchestration.conftest import SMALL, end_of
from tests.warehouse.publication.test_publish import put_out
from tests.warehouse.publication.test_verification import flip_byte, forge
from warehouse.publication.tables import hash_table

RUNS = [f"2026010{day}T000000.000000Z" for day in (1, 2, 3)]


@pytest.fixture
def home(home):
    """A home with three publications."""
    for run_id in RUNS:
        put_out(home, run_id)
    return home


def current(home: Path) -> str:
    return (home / "published").resolve().name


def test_rollback_goes_back_one_by_one_and_forward_by_name(home, capsys):
    steps = ((None, 0, RUNS[1]), (None, 0, RUNS[0]), (None, 2, RUNS[0]), (RUNS[2], 0, RUNS[2]))
    for asked, code, now in steps:
        assert (end_of(rollback, asked), current(home)) == (code, now)
    assert RUNS[2] in capsys.readouterr().out
    assert (end_of(rollback, "../../etc"), current(home)) == (2, RUNS[2])


def test_the_clock_orders_no_publications(home, capsys):
    """One that is dated ahead is not in the way of a rollback; test_publish.py has what is kept."""
    future, later = "20990101T000000.000000Z", "20260104T000000.000000Z"
    put_out(home, future)
    put_out(home, later)
    assert (end_of(rollback, None), current(home)) == (0, future)
    assert (end_of(rollback, None), current(home)) == (0, RUNS[2])


def test_a_damaged_publication_is_found_and_not_put_back(home, capsys):
    flip_byte(home / "publications" / RUNS[1] / "citysync.duckdb")
    assert (end_of(rollback, None), current(home)) == (2, RUNS[2])
    assert "citysync.duckdb" in capsys.readouterr().out
    assert (end_of(verify, RUNS[1]), end_of(verify, None)) == (1, 0)


def test_a_whole_publication_verifies(simulated, monkeypatch, capsys):
    monkeypatch.setenv("CITYSYNC_HOME", str(simulated.home))
    assert end_of(verify, None) == 0
    assert f"run {simulated.manifest['run_id']}" in capsys.readouterr().out
    assert "report/index.html" in simulated.manifest["files"]
    assert SMALL.items() <= simulated.manifest["settings"].items()


STAYS = ("publications", "archive", "dagster", "reproduced")


def test_clean_removes_what_can_be_made_again(home, tmp_path):
    for name in (*REMOVED[1:], *STAYS):
        (home / name / "inside").mkdir(parents=True)
    # a link is removed and not what it leads to
    (tmp_path / "elsewhere" / "kept").mkdir(parents=True)
    (home / REMOVED[0]).symlink_to(tmp_path / "elsewhere")
    assert (end_of(clean), end_of(clean)) == (0, 0)
    left = {path.name for path in home.iterdir()}
    assert {*STAYS, "published"} <= left and not left & {*REMOVED}
    assert (tmp_path / "elsewhere" / "kept").is_dir()


DIFFERS = "1 published values that the delivered files do not hold, first tidy values.csv D2"


def test_what_changed_in_the_landing_is_named(six, tmp_path, here):
    """Another value, and a file that came later and cannot be read."""
    landing = shutil.copytree(six.landing, tmp_path / "landing", symlinks=True)
    values = landing / "tidy" / "values.csv"
    text = values.read_text(encoding="utf-8").replace("1070.0", "1071.0", 1)
    values.write_text(f"{text}110000,2010,gdp_nominal_cny_100m,5\n", encoding="utf-8")
    (landing / "tidy" / "new.csv").write_bytes(b"city_id,year\n\x00")
    checked = here(six.run.home, "verify", f"--landing={landing}")
    assert checked.code == 1 and "exit 1: " in checked.last_line
    for words in (
        *("sha256 ", "it is not the file that was published"),
        *("the values were not compared", "1 files came after", "new.csv"),
    ):
        assert words in checked.output


def test_a_table_that_was_changed_with_its_hashes_is_found_and_nothing_else(six, home_of_six, here):
    """File, table and manifest agree; the delivered files do not."""
    inputs = six.run.manifest["inputs"]
    found = [(entry["path"], entry["sha256"] is None) for entry in inputs]
    assert found == [("tidy/link.csv", True), ("tidy/values.csv", False)]
    table = "marts.fct_indicator_observation"
    twice = f"""update {table} set "value" = "value" * 2 where cell_ref = 'D2'"""
    folder = forge(home_of_six / "published", twice)
    with duckdb.connect(str(folder / "citysync.duckdb"), read_only=True) as con:
        entry = hash_table(con, table)
    forge(folder, tables=six.run.manifest["tables"] | {table: entry})
    checked = here(home_of_six, "verify", f"--landing={six.landing}")
    assert checked.code == 1 and DIFFERS in checked.output
    # the value as published, and as delivered
    assert "not what" in checked.last_line and ", 2 faults: " in checked.last_line
    # 102 values, and three lines turned away: a city, an indicator, the link
    assert "2 files have their hashes, 105 published rows were compared" in checked.output
    assert not (home_of_six / "verified").exists()
