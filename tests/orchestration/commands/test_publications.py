"""Verify, roll back and clean, as an operator does."""

from pathlib import Path

import pytest

from orchestration.commands.clean import REMOVED, clean
from orchestration.commands.publications import rollback, verify
from tests.orchestration.conftest import SMALL, end_of
from tests.warehouse.publication.test_publish import put_out
from tests.warehouse.publication.test_verification import flip_byte

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
