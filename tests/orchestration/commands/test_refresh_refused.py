"""A refresh that may not start ends at once with the code and the reason."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestration.commands import refresh as command
from orchestration.home import Home
from orchestration.supervision import hold_lock
from tests.orchestration.conftest import refresh


def test_a_second_refresh_ends_with_3_and_names_the_holder(tmp_path: Path) -> None:
    with hold_lock(Home(tmp_path)):
        run = refresh(tmp_path)
    assert run.code == 3
    assert run.last_line.startswith("citysync: exit 3:")
    assert str(os.getpid()) in run.last_line


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"WINDOW_FIRST_YEAR": "twenty"}, "WINDOW_FIRST_YEAR is 'twenty'"),
        ({"WINDOW_FIRST_YEAR": "2019", "WINDOW_LAST_YEAR": "2010"}, "is not before"),
        ({"AS_OF_EDITION": "18"}, "AS_OF_EDITION is '18'"),
    ],
)
def test_settings_that_make_no_sense_end_with_2(
    tmp_path: Path, environment: dict[str, str], expected: str
) -> None:
    run = refresh(tmp_path / "home", **environment)
    assert run.code == 2
    assert expected in run.last_line


def test_a_fault_that_every_source_says_is_said_once(tmp_path: Path) -> None:
    def failed(message: str) -> SimpleNamespace:
        error = SimpleNamespace(
            cls_name="LandingError",
            message=f"warehouse.ingest.errors.LandingError: {message}\n",
            cause=None,
        )
        return SimpleNamespace(
            is_step_failure=True, event_specific_data=SimpleNamespace(error=error)
        )

    ending = command._ending(
        [failed("an empty folder"), failed("an empty folder"), failed("no year in b.csv")],
        Home(tmp_path),
    )
    assert (ending.code, ending.reason) == (2, "an empty folder | no year in b.csv")


def test_a_wrong_layout_ends_with_2_and_names_file_line_and_key(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    from warehouse.ingest.layouts import load_layouts

    (tmp_path / "layouts").mkdir()
    (tmp_path / "layouts" / "a.yml").write_text(
        "source_id: a\ndescription: x\ntables:\n  - files: [x]\n    palce: {level: city}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(command, "_refresh", lambda *_: load_layouts(tmp_path / "layouts"))
    assert command.refresh(None) == 2
    said = capsys.readouterr().out.splitlines()
    assert any(
        "a.yml, line 5: tables.0.palce: this key is not known" in line
        and "did you mean place?" in line
        for line in said
    )
    assert any(
        (
            "a.yml, line 4: tables.0.year: expected this key; found nothing; every key is "
            "described "
            "in docs/layouts.md"
        )
        in line
        for line in said
    )
    assert said[-1].startswith(
        "citysync: exit 2: layout files that can be read were expected; 3 places named above"
    )
    assert not any("Traceback" in line for line in said)
