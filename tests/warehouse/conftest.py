"""What the warehouse's tests share: the parsed project, and the delivered landings read once."""

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import made_once, of_all_workers
from tests.orchestration.conftest import six
from warehouse.ingest.landing import LandingReport, read_landing
from warehouse.ingest.layouts import load_layouts

__all__ = ["six"]


@pytest.fixture(scope="session")
def dbt_target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which dbt keeps what it compiles; `shared` in it is that of all workers."""
    target = tmp_path_factory.mktemp("dbt_target")
    shared = of_all_workers(tmp_path_factory) / "dbt_shared"
    shared.mkdir(exist_ok=True)
    (target / "shared").symlink_to(shared)
    return target


@pytest.fixture(scope="session")
def read_delivered(
    shared_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], tuple[LandingReport, Path]]:
    """Report and a build folder of a delivered landing, by its name; each is read once, and the
    tests of one file alone build in it.
    """

    def read(folder: Path) -> None:
        landing = shared_dir / folder.name
        report = read_landing(landing, folder / "cache", folder / "build", layouts=load_layouts())
        (folder / "report.pickle").write_bytes(pickle.dumps(report))

    def give(name: str) -> tuple[LandingReport, Path]:
        folder = made_once(of_all_workers(tmp_path_factory) / "delivered" / name, read)
        return pickle.loads((folder / "report.pickle").read_bytes()), folder / "build"

    return give
