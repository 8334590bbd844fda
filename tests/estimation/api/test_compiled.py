"""The command that compiles beforehand says where loops are kept, or that they cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from estimation.api import compiled
from estimation.cli import main


def test_it_runs_every_loop_and_says_where_they_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    ran = []
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiled, "_run_every_loop", lambda: ran.append(1))
    assert main(["compile"]) == 0 and ran == [1]
    assert capsys.readouterr().out == f"compiled loops are kept in {tmp_path}\n"


def test_without_a_folder_that_can_be_written_nothing_is_compiled(
    monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(compiled, "use_compile_cache", lambda: None)
    monkeypatch.setattr(compiled, "_run_every_loop", lambda: pytest.fail("compiled for nothing"))
    assert main(["compile"]) == 1
    assert "cannot be kept" in capsys.readouterr().out
