"""The server of the UI listens on this machine only, and reads the landing that it was given."""

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from orchestration.commands import servers
from tests.orchestration.conftest import end_of


@pytest.fixture
def served(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Ports that would have been served; the environment is put back afterwards."""
    ports: list[int] = []
    monkeypatch.setattr(servers, "ensure_manifest", lambda home: None)
    monkeypatch.setattr("orchestration.dagster_ui.server.serve", ports.append)
    monkeypatch.setattr(servers.os, "chdir", lambda folder: None)
    with mock.patch.dict(os.environ):
        yield ports


def test_the_ui_is_served_for_its_landing(served: list[int], tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    assert servers.serve_ui(str(tmp_path / "landing")) == 0
    assert served == [3000] and os.environ["CITYSYNC_LANDING"] == str(tmp_path / "landing")
    settings = tmp_path / "home" / "dagster" / "dagster.yaml"
    assert "enabled: false" in settings.read_text(encoding="utf-8")


@pytest.mark.parametrize("port", ["0", "65536", "3000 -h 0.0.0.0", "http", None])
def test_a_port_or_a_landing_that_is_none_starts_no_ui(
    served: list[int], tmp_path: Path, monkeypatch, capsys, port: str | None
) -> None:
    monkeypatch.setenv("CITYSYNC_UI_PORT", port or "3000")
    assert end_of(servers.serve_ui, str(tmp_path / "absent") if port is None else None) == 2
    said = capsys.readouterr().out
    assert not served and (str(tmp_path / "absent") if port is None else "CITYSYNC_UI_PORT") in said
