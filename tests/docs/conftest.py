"""The publication that other tests share, and the files that the README's commands read."""

import shutil

import pytest

from tests.orchestration.conftest import public_copy, simulated

__all__ = ["public_copy", "simulated"]


@pytest.fixture(scope="module")
def page_home(simulated, tmp_path_factory):
    """A home that shows the shared publication, and keeps what a page writes to itself."""
    home = tmp_path_factory.mktemp("home")
    for name in ("published", "archive", "publications"):
        (home / name).symlink_to(simulated.home / name)
    (home / "build").mkdir()
    (home / "build" / "citysync.duckdb").symlink_to(simulated.home / "build" / "citysync.duckdb")
    shutil.copytree(simulated.home / "build" / "gx", home / "build" / "gx")
    return home
