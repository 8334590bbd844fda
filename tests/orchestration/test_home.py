"""A home lies anywhere but where a tool would take its path for a pattern; what stands in the way
of its files is mended.
"""

import fcntl
import os
import subprocess
import sys
from unittest import mock

import dagster as dg
import pytest

from orchestration.commands.refresh import refresh
from orchestration.home import Home, set_tool_environment
from orchestration.supervision import hold_lock
from tests.orchestration.conftest import REPO, end_of
from warehouse.errors import Refused


@pytest.mark.parametrize("name", ["a[1]", "what?", "50%20"])
def test_a_path_that_is_a_pattern_is_refused_at_the_start(tmp_path, name, monkeypatch, capsys):
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path / name))
    assert end_of(refresh, None) == 2 and not (tmp_path / name).exists()
    said = capsys.readouterr().out
    assert "exit 2: CITYSYNC_HOME is " in said and said.count("\n") == 1


def test_a_home_is_no_file_and_its_owner_s_alone(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="found a file"):
        Home(tmp_path / "file").require_usable()
    Home(tmp_path / "above" / "home").make()
    assert (tmp_path / "above" / "home").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("left", [b'{"pid": 4194304, "since": "2020"}', b"\xff\x00" * 500])
def test_a_lock_that_a_dead_process_left_is_none(tmp_path, left):
    home = Home(tmp_path)
    home.lock.write_bytes(left)
    home.require_usable()
    with open(home.lock, encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        said = try_to_hold(str(tmp_path))
        assert "a program that does not say its name" in said and "4194304" not in said
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
    command = [sys.executable, "-c", OTHER, path]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout


def test_one_home_has_one_lock_whatever_its_path(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "home")
    home = Home(tmp_path / "home")
    with hold_lock(home):
        # inside one command the home may be named by another path
        with hold_lock(Home(tmp_path / "link")):
            pass
        said = try_to_hold(f"{tmp_path}/link/../home")
        assert f'"pid": {os.getpid()}' in said and "is at work" in said
    assert try_to_hold(str(home.root)) == "held\n"


def test_dagster_keeps_its_history_in_any_other_path(tmp_path):
    name = "五 月 a'b\"c {x},y a#b semi;colon a:b ~x $HOME &amp; -rf\none\ttwo back\\slash"
    # what setting up the tools changes is put back afterwards
    with mock.patch.dict(os.environ, CITYSYNC_HOME=str(tmp_path / name)):
        home = Home.from_environment()
        home.require_usable()
        set_tool_environment(home)
        with dg.DagsterInstance.get() as instance:
            assert instance.get_runs() == [] and instance.all_asset_keys() == []
    assert (home.dagster / "history").is_dir()
    assert "enabled: false" in (home.dagster / "dagster.yaml").read_text(encoding="utf-8")
