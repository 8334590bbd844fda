"""The order of runs is that in which they were made, whatever the clock says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from warehouse.publication.run_ids import name_run

NOW = datetime(2026, 11, 26, 5, 0, 0, 123456, tzinfo=UTC)
NAME = "20261126T050000.123456Z"


def homes(home: Path, *, publications: tuple[str, ...] = (), archive: tuple[str, ...] = ()) -> Path:
    for run in publications:
        (home / "publications" / run).mkdir(parents=True)
    for run in archive:
        (home / "archive" / f"run_id={run}").mkdir(parents=True)
    return home


def test_a_run_is_called_by_the_time(tmp_path: Path) -> None:
    assert name_run(NOW, tmp_path) == NAME
    assert name_run(NOW, homes(tmp_path, publications=("20261126T050000.123455Z",))) == NAME


@pytest.mark.parametrize("last", [NAME, "20261126T050000.999999Z", "20271231T235959.999999Z"])
@pytest.mark.parametrize("place", ["publications", "archive"])
def test_a_clock_that_was_set_back_changes_no_order(tmp_path: Path, place: str, last: str) -> None:
    """Between two runs by any time, also where the publication was pruned and the archive alone
    remembers it.
    """
    home = homes(tmp_path, **{place: ("20261126T040000.000000Z", last)})
    names = [last]
    for _ in range(3):
        names.append(name_run(NOW, home))
        homes(home, **{place: (names[-1],)})
    assert names == sorted(set(names)) and all(len(name) == len(NAME) for name in names)


def test_what_is_called_otherwise_is_no_run(tmp_path: Path) -> None:
    homes(tmp_path, publications=(".99991231T000000.000000Z", "zzz", "99991231"), archive=("zzz",))
    assert name_run(NOW, tmp_path) == NAME
