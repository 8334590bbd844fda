"""A parsed project is there whole or not at all, whatever was killed while dbt wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
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


def parse(*, is_killed: bool) -> Callable[[list[str], object], list]:
    """In the place of dbt's parsing."""

    def play(arguments: list[str], manifest: object) -> list:
        target = Path(arguments[arguments.index("--target-path") + 1])
        target.mkdir()
        text = '{"nodes": {' if is_killed else '{"nodes": {}}'
        (target / "manifest.json").write_text(text, encoding="utf-8")
        if is_killed:
            raise Killed
        return []

    return play


def test_a_parse_that_is_killed_is_made_again_and_a_changed_project_too(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbt_runner, "invoke", parse(is_killed=True))
    with pytest.raises(Killed):
        ensure_manifest(home)
    monkeypatch.setattr(dbt_runner, "invoke", parse(is_killed=False))
    before = ensure_manifest(home)
    assert json.loads(before.read_text(encoding="utf-8")) == {"nodes": {}}
    # what is half written in the folder that runs write to is never read
    home.dbt_target.mkdir(parents=True)
    (home.dbt_target / "manifest.json").write_text("{", encoding="utf-8")
    assert ensure_manifest(home) == before
    monkeypatch.setattr(dbt_runner, "project_hash", lambda: "other")
    after = ensure_manifest(home)
    assert after != before and after.exists() and not before.exists()
