"""A checkout that changes beside a run: nothing is published by two versions of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.reuse import fingerprint, same_code
from orchestration.reuse.same_code import CodeChanged, note_code, require_same_code


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "warehouse" / "models").mkdir(parents=True)
    (tmp_path / "warehouse" / "models" / "a.sql").write_text("select 1", encoding="utf-8")
    for name in ("expectations", "estimation", "orchestration"):
        (tmp_path / name).mkdir()
    (tmp_path / "dbt_project.yml").write_text("name: a", encoding="utf-8")
    monkeypatch.setattr(fingerprint, "REPO", tmp_path)
    monkeypatch.setattr(same_code, "_at_start", [])
    return tmp_path


CHANGES = {
    "a model": lambda checkout: (checkout / "warehouse" / "models" / "a.sql").write_text(
        "select 2", encoding="utf-8"
    ),
    "a new seed": lambda checkout: (checkout / "warehouse" / "b.csv").write_text(
        "a\n1\n", encoding="utf-8"
    ),
    "a file that is gone": lambda checkout: (checkout / "warehouse" / "models" / "a.sql").unlink(),
    "the project's settings": lambda checkout: (checkout / "dbt_project.yml").write_text(
        "name: b", encoding="utf-8"
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_run_whose_code_changed_publishes_nothing(checkout: Path, change: str) -> None:
    note_code()
    require_same_code()
    CHANGES[change](checkout)
    with pytest.raises(CodeChanged, match="files of this checkout changed while the run worked"):
        require_same_code()


def test_dates_and_notes_beside_the_code_do_not_count(checkout: Path) -> None:
    note_code()
    (checkout / "warehouse" / "models" / "a.sql").touch()
    (checkout / "notes.txt").write_text("x", encoding="utf-8")
    require_same_code()


def test_a_run_that_noted_nothing_is_let_through(checkout: Path) -> None:
    require_same_code()
