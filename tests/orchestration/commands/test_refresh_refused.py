"""A refresh that may not start ends at once with the code and the reason."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from orchestration.commands import refresh as command
from orchestration.home import Home
from tests.orchestration.conftest import end_of
from warehouse.ingest.layouts import load_layouts


def test_a_fault_that_every_source_says_is_said_once(tmp_path: Path) -> None:
    def failed(message: str) -> SimpleNamespace:
        text = f"warehouse.ingest.errors.LandingError: {message}\n"
        error = SimpleNamespace(cls_name="LandingError", message=text, cause=None)
        return SimpleNamespace(
            is_step_failure=True, event_specific_data=SimpleNamespace(error=error)
        )

    messages = ("an empty folder", "an empty folder", "no year in b.csv")
    ending = command._ending([failed(message) for message in messages], Home(tmp_path))
    assert (ending.code, ending.reason) == (2, "an empty folder | no year in b.csv")


def test_a_wrong_layout_ends_with_2_and_names_file_line_and_key(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    text = "source_id: a\ndescription: x\ntables:\n  - files: [x]\n    palce: {level: city}\n"
    (tmp_path / "a.yml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(command, "check_landing", lambda *_: load_layouts(tmp_path))
    assert end_of(command.refresh, None) == 2
    said = capsys.readouterr().out
    for line in (
        "a.yml, line 5: tables.0.palce: this key is not known",
        "did you mean place?",
        "a.yml, line 4: tables.0.year: expected this key; found nothing",
    ):
        assert line in said
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("citysync: exit 2: ")
