"""What the warehouse's tests share: the parsed project, and the delivered landings read once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from warehouse.ingest.landing import LandingReport, read_landing
from warehouse.ingest.layouts import load_layouts


@pytest.fixture(scope="session")
def dbt_target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which dbt keeps what it compiles, and the loaded seeds."""
    return tmp_path_factory.mktemp("dbt_target")


@pytest.fixture(scope="session")
def read_delivered(
    shared_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], tuple[LandingReport, Path]]:
    """Report and a build folder of a delivered landing, by its name; each is read once."""
    read: dict[str, tuple[LandingReport, Path]] = {}

    def give(name: str) -> tuple[LandingReport, Path]:
        if name not in read:
            folder = tmp_path_factory.mktemp(name)
            layouts = load_layouts()
            report = read_landing(shared_dir / name, folder / "cache", folder, layouts=layouts)
            read[name] = report, folder
        return read[name]

    return give
