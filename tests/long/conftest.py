"""Counts of the fault and load tests: in full under `make test-long`, a quick form of the same tests in `make test`."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

from tests.orchestration.conftest import shared_cache  # noqa: F401 (a fixture)


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
    """8 readers through 20 publications, 30 kills, 25 of each interrupt and 16 readers beside a refresh in full.

    In the quick form 2, 3, 1, 1 and 2. `disks` are limits in kB on a file.
    """
    if os.environ.get("CITYSYNC_LONG") == "1":
        return Counts(8, 20, 30, 25, tuple(int(4 * 1.5**k) for k in range(20)), 16)
    return Counts(2, 3, 1, 1, (100, 3000), 2)
