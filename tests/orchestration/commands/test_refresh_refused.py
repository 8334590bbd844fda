"""A refresh that may not start ends at once with the code and the reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestration.home import Home, hold_lock
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
def test_settings_that_make_no_sense_end_with_2(tmp_path: Path, environment: dict[str, str], expected: str) -> None:
    run = refresh(tmp_path / "home", **environment)
    assert run.code == 2
    assert expected in run.last_line
