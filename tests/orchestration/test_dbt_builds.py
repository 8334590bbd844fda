"""A parsed project is there whole or not at all, whatever was killed while dbt wrote; the warehouse
without the effect is built beside a refresh, and its failure reaches it.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration import counterfactual, dbt_runner
from orchestration.dbt_runner import DbtFailed, ensure_manifest
from orchestration.home import Home


class Killed(BaseException):
    """Stands for kill -9: nothing that follows runs."""


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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYSYNC_CACHE", str(tmp_path / "cache"))
    home = Home(tmp_path)
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


def say_which_process(_: Home) -> None:
    """Stands for a build that fails."""
    raise DbtFailed(str(os.getpid()))


def test_a_refresh_builds_it_in_another_process_unless_there_is_one_core(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(counterfactual, "build", say_which_process)

    def is_built_here(threads: str) -> bool:
        monkeypatch.setenv("CITYSYNC_THREADS", threads)
        counterfactual.begin(Home(tmp_path))
        with pytest.raises(DbtFailed) as failed:
            counterfactual.finish(Home(tmp_path))
        return str(failed.value) == str(os.getpid())

    assert is_built_here("2")  # a run of the UI
    with counterfactual.in_own_process():
        assert is_built_here("1")
        assert not is_built_here("2")
    assert is_built_here("2")
