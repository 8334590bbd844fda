"""The server of the UI listens on this machine only, and reads the landing that it was given."""

from __future__ import annotations

import os
import signal
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
    monkeypatch.setattr(servers.os, "execv", lambda program, words: commands.append(words))
    monkeypatch.setattr(servers.os, "chdir", lambda folder: None)
    before, interrupt = dict(os.environ), signal.getsignal(signal.SIGINT)
    yield commands
    signal.signal(signal.SIGINT, interrupt)
    os.environ.clear()
    os.environ.update(before)


def test_the_ui_is_bound_to_this_machine_and_offers_editions_of_its_landing(
    called: list[list[str]], tmp_path: Path
) -> None:
    folder = tmp_path / "landing" / "yearbook_cnki" / "2017"
    folder.mkdir(parents=True)
    (folder / "a.xlsx").write_bytes(b"")
    servers.serve_ui(str(tmp_path / "landing"))
    (command,) = called
    assert "127.0.0.1" in command and "0.0.0.0" not in command
    assert os.environ["CITYSYNC_LANDING"] == str(tmp_path / "landing")
    with dg.DagsterInstance.get() as instance:
        assert instance.get_dynamic_partitions("edition_year") == ["0000", "2017"]
    assert "enabled: false" in (tmp_path / "dagster" / "dagster.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("port", ["0", "65536", "3000 -h 0.0.0.0", "http", None])
def test_a_port_or_a_landing_that_is_none_starts_no_ui(
    called: list[list[str]], tmp_path: Path, monkeypatch, capsys, port: str | None
) -> None:
    monkeypatch.setenv("CITYSYNC_UI_PORT", port or "3000")
    assert servers.serve_ui(str(tmp_path / "absent") if port is None else None) == 2
    said = capsys.readouterr().out
    assert not called and (str(tmp_path / "absent") if port is None else "CITYSYNC_UI_PORT") in said
