"""Counts of the fault and load tests: in full under `make test-long`, a quick form of the same
tests in `make test`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.orchestration.conftest import shared_cache, six  # noqa: F401 (fixtures)

# Many whole refreshes each, without a quick form: `make test` would take twice its time with them.
WITHOUT_QUICK_FORM = ("test_archive.py", "test_damage.py", "test_races.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out, visibly, what has no quick form."""
    if os.environ.get("CITYSYNC_LONG") == "1":
        return
    for item in items:
        if item.path.parent == Path(__file__).parent and item.path.name in WITHOUT_QUICK_FORM:
            item.add_marker(pytest.mark.skip(reason="many whole refreshes: make test-long"))


@dataclass(frozen=True)
class Counts:
    """How often each fault is made."""

    readers: int
    publications: int
    kills: int
    interrupts: int
    disks: tuple[int, ...]
    race_readers: int


@pytest.fixture(scope="session")
def counts() -> Counts:
    """8 readers through 20 publications, 30 kills, 25 of each interrupt and 16 readers beside a
    refresh in full.

    In the quick form 2, 3, 1, 1 and 2. `disks` are limits in kB on a file.
    """
    if os.environ.get("CITYSYNC_LONG") == "1":
        return Counts(8, 20, 30, 25, tuple(int(4 * 1.5**k) for k in range(20)), 16)
    return Counts(2, 3, 1, 1, (100, 3000), 2)
