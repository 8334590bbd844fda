"""`clean` removes what can be made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.commands.clean import REMOVED, clean
from tests.orchestration.conftest import end_of

STAYS = ("publications", "archive", "dagster", "reproduced")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path / "home"))
    for name in (*REMOVED[1:], *STAYS):
        (tmp_path / "home" / name / "inside").mkdir(parents=True)
    # a link is removed and not what it leads to
    (tmp_path / "elsewhere" / "kept").mkdir(parents=True)
    (tmp_path / "home" / REMOVED[0]).symlink_to(tmp_path / "elsewhere")
    return tmp_path / "home"


def test_it_removes_what_can_be_made_again(home: Path, tmp_path: Path) -> None:
    assert (end_of(clean), end_of(clean)) == (0, 0)
    assert {path.name for path in home.iterdir()} == {*STAYS, "refresh.lock"}
    assert (tmp_path / "elsewhere" / "kept").is_dir()
