"""The warehouse without the effect is built beside a refresh, and its failure reaches it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestration import counterfactual
from orchestration.dbt_runner import DbtFailed
from orchestration.home import Home


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
