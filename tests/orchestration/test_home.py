"""A home lies anywhere but where a tool would take its path for a pattern; what stands in the way
of its files is mended.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from orchestration.home import (
    BadHome,
    Home,
    set_tool_environment,
    write_dagster_settings,
)
from orchestration.supervision import hold_lock
from tests.orchestration.conftest import REPO


@pytest.mark.parametrize("name", ["a[1]", "all*", "what?", "x]", "50%20"])
@pytest.mark.parametrize("command", ["refresh", "verify", "ui", "clean", "sql"])
def test_a_path_that_is_a_pattern_is_refused_at_the_start(
    tmp_path: Path, name: str, command: str
) -> None:
    if command != "refresh" and name != "a[1]":
        return
    home = tmp_path / name
    done = subprocess.run(
        [sys.executable, "-m", "orchestration", command],
        cwd=REPO,
        env={**os.environ, "CITYSYNC_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and not home.exists()
    said = done.stdout + done.stderr
    assert said.startswith("citysync: exit 2: CITYSYNC_HOME is ") and said.count("\n") == 1


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadHome, match="found a file"):
        Home(tmp_path / "file").require_usable()


@pytest.mark.parametrize(
    "left",
    [
        b"",
        b'{"pid": 4194304, "since": "2020", "work": "refresh"}',
        b"\xff\x00" * 500,
        b"[]",
        b"9" * 5000,
    ],
)
def test_a_lock_that_a_dead_process_left_is_none(tmp_path: Path, left: bytes) -> None:
    home = Home(tmp_path)
    home.lock.write_bytes(left)
    home.require_usable()
    with hold_lock(home):
        assert f'"pid": {os.getpid()}' in home.lock.read_text(encoding="utf-8")


OTHER = (
    "import pathlib, sys; from orchestration.home import Home\n"
    "from orchestration.supervision import RefreshRunning, hold_lock\n"
    "try:\n    with hold_lock(Home(pathlib.Path(sys.argv[1]))): print('held')\nexcept "
    "RefreshRunning as error: print(error)"
)


def try_to_hold(path: str) -> str:
    """What another process says that asks for the lock of a home."""
    return subprocess.run(
        [sys.executable, "-c", OTHER, path], cwd=REPO, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("left", ["", '{"pid": 4194304, "since": "2020", "work": "refresh"}'])
def test_a_lock_held_by_a_stranger_names_no_process_that_has_ended(
    tmp_path: Path, left: str
) -> None:
    lock = tmp_path / "refresh.lock"
    lock.write_text(left, encoding="utf-8")
    with open(lock, encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        said = try_to_hold(str(tmp_path))
    assert "a program that does not say its name" in said and "4194304" not in said


def test_a_home_is_its_owner_s_alone(tmp_path: Path) -> None:
    Home(tmp_path / "above" / "home").make()
    assert (tmp_path / "above" / "home").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("path", ["link", "home/../home", "link/../home", "home/."])
def test_one_home_has_one_lock_whatever_its_path(tmp_path: Path, path: str) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "home")
    with hold_lock(Home(tmp_path / "home")):
        # inside one command the home may be named by another path
        with hold_lock(Home(Path(f"{tmp_path}/{path}"))):
            pass
        said = try_to_hold(f"{tmp_path}/{path}")
        assert f'"pid": {os.getpid()}' in said and "is at work" in said


@pytest.mark.parametrize(
    "name", ["五 月 a'b\"c {x},y a#b semi;colon a:b ~x $HOME &amp;", "-rf\none\ttwo back\\slash"]
)
def test_dagster_keeps_its_history_in_any_other_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = dict(os.environ)
    try:
        monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path / name))
        home = Home.from_environment()
        home.require_usable()
        set_tool_environment(home)
        with dg.DagsterInstance.get() as instance:
            assert instance.get_runs() == [] and instance.all_asset_keys() == []
        assert (home.dagster / "history").is_dir()
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.mark.parametrize("damage", ["folder", "bytes", "other text"])
def test_settings_of_dagster_are_written_again(tmp_path: Path, damage: str) -> None:
    home = Home(tmp_path)
    home.dagster.mkdir()
    path = home.dagster / "dagster.yaml"
    if damage == "folder":
        (path / "inside").mkdir(parents=True)
    else:
        path.write_bytes(b"\xff\xfe" if damage == "bytes" else b"telemetry: {enabled: true}\n")
    write_dagster_settings(home)
    assert "enabled: false" in path.read_text(encoding="utf-8")
