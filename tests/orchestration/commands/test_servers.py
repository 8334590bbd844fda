"""Servers listen on this machine only."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from orchestration.commands import servers


@pytest.fixture
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """Commands by which the process would have replaced itself; the environment and signals are put
    back afterwards.
    """
    commands: list[list[str]] = []
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path))
    monkeypatch.setattr(servers, "ensure_manifest", lambda home: None)
    monkeypatch.setattr(
        servers.os, "execv", lambda program, arguments: commands.append([program, *arguments])
    )
    monkeypatch.setattr(servers.os, "chdir", lambda folder: None)
    before, interrupt = dict(os.environ), signal.getsignal(signal.SIGINT)
    yield commands
    signal.signal(signal.SIGINT, interrupt)
    os.environ.clear()
    os.environ.update(before)


def test_the_ui_is_bound_to_this_machine(called: list[list[str]], tmp_path: Path) -> None:
    servers.serve_ui()
    (command,) = called
    assert command[command.index("-h") + 1] == "127.0.0.1"
    assert "0.0.0.0" not in command
    assert command[1:4] == [sys.executable, "-m", "orchestration.dagster_ui.services"]
    assert os.environ["CITYSYNC_UI_LANDING"] == ""
    assert "enabled: false" in (tmp_path / "dagster" / "dagster.yaml").read_text(encoding="utf-8")


def test_the_ui_offers_the_editions_of_its_landing(called: list[list[str]], tmp_path: Path) -> None:
    folder = tmp_path / "landing" / "yearbook_cnki" / "2017"
    folder.mkdir(parents=True)
    (folder / "a.xlsx").write_bytes(b"")
    servers.serve_ui(str(tmp_path / "landing"))
    assert (
        os.environ["CITYSYNC_LANDING"]
        == os.environ["CITYSYNC_UI_LANDING"]
        == str(tmp_path / "landing")
    )
    with dg.DagsterInstance.get() as instance:
        assert instance.get_dynamic_partitions("edition_year") == ["0000", "2017"]


def test_a_ui_that_a_shell_put_into_the_background_can_be_interrupted(
    called: list[list[str]],
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    servers.serve_ui()
    assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL


@pytest.mark.parametrize("port", ["0", "65536", "-1", "3000 -h 0.0.0.0", "http", "9" * 99])
def test_a_port_that_is_none_starts_no_ui(
    called: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    port: str,
) -> None:
    monkeypatch.setenv("CITYSYNC_UI_PORT", port)
    assert servers.serve_ui() == 2
    assert not called and "CITYSYNC_UI_PORT is " in capsys.readouterr().out


def test_a_landing_that_is_no_folder_starts_no_ui(
    called: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert servers.serve_ui(str(tmp_path / "absent")) == 2
    assert not called and "LANDING=" in capsys.readouterr().out
