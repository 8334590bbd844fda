"""Servers listen on this machine only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestration import servers


def test_the_ui_is_bound_to_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path))
    monkeypatch.setattr(servers, "ensure_manifest", lambda home: None)
    monkeypatch.setattr(servers.os, "execv", lambda program, arguments: called.append([program, *arguments]))
    monkeypatch.setattr(servers.os, "chdir", lambda folder: None)
    before = dict(os.environ)
    try:
        servers.serve_ui()
    finally:
        os.environ.clear()
        os.environ.update(before)
    (command,) = called
    assert command[command.index("-h") + 1] == "127.0.0.1"
    assert "0.0.0.0" not in command
    assert "enabled: false" in (tmp_path / "dagster" / "dagster.yaml").read_text(encoding="utf-8")
