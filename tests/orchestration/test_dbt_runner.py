"""A parsed project is there whole or not at all, whatever was killed while dbt wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestration import dbt_runner
from orchestration.dbt_runner import ensure_manifest
from orchestration.home import Home


class Killed(BaseException):
    """Stands for kill -9: nothing that follows runs."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("CITYSYNC_CACHE", str(tmp_path / "cache"))
    return Home(tmp_path)


def fake_parse(arguments: list[str], manifest: object) -> list:
    target = Path(arguments[arguments.index("--target-path") + 1])
    target.mkdir()
    (target / "manifest.json").write_text('{"nodes": {}}', encoding="utf-8")
    (target / "partial_parse.msgpack").write_bytes(b"\x80")
    return []


def killed_parse(arguments: list[str], manifest: object) -> list:
    target = Path(arguments[arguments.index("--target-path") + 1])
    target.mkdir()
    (target / "manifest.json").write_text('{"nodes": {', encoding="utf-8")
    raise Killed


def parsed(home: Home) -> dict:
    return json.loads(ensure_manifest(home).read_text(encoding="utf-8"))


def test_a_parse_that_is_killed_is_made_again_and_a_changed_project_too(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbt_runner, "invoke", killed_parse)
    with pytest.raises(Killed):
        ensure_manifest(home)
    monkeypatch.setattr(dbt_runner, "invoke", fake_parse)
    assert parsed(home) == {"nodes": {}}
    before = ensure_manifest(home)
    # what is half written in the folder that runs write to is never read
    home.dbt_target.mkdir(parents=True)
    (home.dbt_target / "manifest.json").write_text("{", encoding="utf-8")
    assert ensure_manifest(home) == before
    monkeypatch.setattr(dbt_runner, "project_hash", lambda: "other")
    after = ensure_manifest(home)
    assert after != before and after.exists() and not before.exists()
