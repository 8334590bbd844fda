"""A checkout that changes beside a run: nothing is published by two versions of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.reuse import fingerprint, same_code
from orchestration.reuse.same_code import CodeChanged, note_code, require_same_code

CHANGES = {
    "a model": ("warehouse/models/a.sql", "select 2"),
    "a new seed": ("warehouse/b.csv", "a\n1\n"),
    "the project's settings": ("dbt_project.yml", "name: b"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_run_whose_code_changed_publishes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr(fingerprint, "REPO", tmp_path)
    monkeypatch.setattr(same_code, "_at_start", [])
    for name in ("warehouse/models", "expectations", "estimation", "orchestration"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "warehouse/models/a.sql").write_text("select 1", encoding="utf-8")
    (tmp_path / "dbt_project.yml").write_text("name: a", encoding="utf-8")
    require_same_code()
    note_code()
    # dates, and notes beside the code, do not count
    (tmp_path / "warehouse/models/a.sql").touch()
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    require_same_code()
    name, text = CHANGES[change]
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(CodeChanged, match="files of this checkout changed while the run worked"):
        require_same_code()
