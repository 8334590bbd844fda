"""What stands is damaged, or a process of a refresh is killed alone: the next refresh, or the same
one, mends it or says what to do.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.long.refreshes import change, require_whole, start
from tests.orchestration.conftest import refresh, six_cities, write_tidy
from tests.processes import HANG_SECONDS, children_of
from warehouse.publication.archive import verify_archive


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A home with one publication, and its landing."""
    folder = tmp_path_factory.mktemp("damage")
    landing = write_tidy(folder / "landing", six_cities())
    run = refresh(folder / "home", landing)
    assert run.code == 0, run.output
    return run.home, landing


@pytest.fixture
def home(published: tuple[Path, Path], tmp_path: Path) -> Path:
    return shutil.copytree(published[0], tmp_path / "home", symlinks=True)


def halve(home: Path) -> None:
    """Every second file of the publication is gone."""
    folder = (home / "published").resolve()
    for path in sorted(path for path in folder.rglob("*") if path.is_file())[::2]:
        path.unlink()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "the link is gone": lambda home: (home / "published").unlink(),
    "the publication is gone": lambda home: shutil.rmtree((home / "published").resolve()),
    "half of its files are gone": halve,
    "its manifest is empty": lambda home: os.truncate(home / "published" / "manifest.json", 0),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_publication_is_published_again(
    home: Path, published: tuple[Path, Path], name: str
) -> None:
    """Nothing of the landing changed: what is in build/ is used, so this costs a report."""
    DAMAGE[name](home)
    run = refresh(home, published[1])
    assert run.code == 0, run.output
    require_whole(home)
    assert verify_archive(home / "archive") == []


def kill_one(process, wanted: str) -> bool:
    """Kill the first process below a refresh with a word in its command line; whether there was
    one.
    """
    while process.poll() is None:
        for child, line in children_of(process.pid).items():
            if wanted in line:
                os.kill(child, signal.SIGKILL)
                return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("wanted", ["multiprocessing.forkserver", "orchestration refresh"])
def test_a_single_child_that_is_killed(
    home: Path, published: tuple[Path, Path], wanted: str
) -> None:
    """A reader, what starts readers, or the one that works: the last line is said all the same, and
    nothing is published but by a run that ends well.
    """
    before = require_whole(home)
    landing = shutil.copytree(published[1], home.parent / "landing")
    process = start(home, change(landing, 1))
    assert kill_one(process, wanted), f"{wanted} was not found"
    output, _ = process.communicate(timeout=HANG_SECONDS)
    assert "Traceback" not in output, output
    assert output.strip().splitlines()[-1].startswith(f"citysync: exit {process.returncode}: ")
    assert (require_whole(home) > before) == (process.returncode == 0)
