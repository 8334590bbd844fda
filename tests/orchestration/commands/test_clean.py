"""`make clean` removes what can be made again, and nothing beside a refresh."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.commands.clean import REMOVED, clean
from tests.orchestration.conftest import REPO, end_of

STAYS = ("publications", "archive", "dagster", "reproduced")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path / "home"))
    for name in (*REMOVED, *STAYS):
        (tmp_path / "home" / name / "inside").mkdir(parents=True)
    return tmp_path / "home"


def test_it_removes_what_can_be_made_again(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        end_of(clean) == 0
        and "exit 0: removed build, cache, raw, simulated, estimates" in capsys.readouterr().out
    )
    assert {path.name for path in home.iterdir()} == {*STAYS, "refresh.lock"}
    assert end_of(clean) == 0 and "removed nothing" in capsys.readouterr().out


def test_it_does_nothing_beside_a_refresh(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open(home / "refresh.lock", "a+", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert end_of(clean) == 3
    assert (
        "exit 3: another refresh" in capsys.readouterr().out
        and (home / "build" / "inside").is_dir()
    )


def test_a_link_is_removed_and_not_what_it_leads_to(home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (home / "raw" / "inside").rmdir()
    (home / "raw").rmdir()
    (elsewhere / "kept").mkdir(parents=True)
    (home / "raw").symlink_to(elsewhere)
    assert end_of(clean) == 0 and (elsewhere / "kept").is_dir() and not (home / "raw").is_symlink()


def test_a_home_that_is_not_there_stays_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path / "absent"))
    assert (
        end_of(clean) == 0
        and "nothing to remove" in capsys.readouterr().out
        and not (tmp_path / "absent").exists()
    )


def test_it_needs_nothing_that_is_installed(home: Path) -> None:
    """`make clean` runs before a set-up too, so on the system's Python, which has no packages:

    `-I -S` leaves them all out.
    """
    code = (
        f"import sys; sys.path.insert(0, {str(REPO)!r}); from orchestration.__main__ import main; "
        "sys.exit(main(['clean']))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and not (home / "build").exists(), done.stderr
