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

from tests.long.test_faults import change, require_whole, start
from tests.orchestration.conftest import refresh, six_cities, write_tidy
from tests.processes import HANG_SECONDS, children_of
from warehouse.publication.archive import verify_archive

pytestmark = pytest.mark.e2e


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


def empty(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(b"")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "the link is gone": lambda home: (home / "published").unlink(),
    "the link leads nowhere": lambda home: (
        (home / "published").unlink(),
        (home / "published").symlink_to("publications/none"),
    ),
    "the publication is gone": lambda home: shutil.rmtree((home / "published").resolve()),
    "half of its files are gone": halve,
    "its database is gone": lambda home: (home / "published" / "citysync.duckdb").unlink(),
    "its manifest is empty": lambda home: empty(home / "published" / "manifest.json"),
    "all publications are gone": lambda home: shutil.rmtree(home / "publications"),
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


def test_a_folder_in_the_link_s_place_is_named(home: Path, published: tuple[Path, Path]) -> None:
    before = (home / "published").resolve()
    (home / "published").unlink()
    shutil.copytree(before, home / "published")
    run = refresh(home, published[1])
    assert (
        run.code == 2
        and "published is not a link made by citysync: move it away, then run again"
        in run.last_line
    )
    shutil.rmtree(home / "published")
    assert refresh(home, published[1]).code == 0
    require_whole(home)


def kill_one(process, wanted: Callable[[str], bool]) -> bool:
    """Kill the first process below a refresh whose command line is wanted; whether there
    was one.
    """
    while process.poll() is None:
        for child, line in children_of(process.pid).items():
            if wanted(line):
                os.kill(child, signal.SIGKILL)
                return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(
    ("what", "wanted", "codes"),
    [
        ("the process that starts readers", lambda line: "workers.server" in line, (0,)),
        ("the process that works", lambda line: "orchestration refresh" in line, (1,)),
    ],
    ids=["the process that starts readers", "the process that works"],
)
def test_a_single_child_that_is_killed(
    home: Path, published: tuple[Path, Path], what: str, wanted, codes: tuple[int, ...]
) -> None:
    before = require_whole(home)
    landing = shutil.copytree(published[1], home.parent / "landing")
    change(landing, len(what))
    process = start(home, landing)
    assert kill_one(process, wanted), f"{what} was not found"
    output, _ = process.communicate(timeout=HANG_SECONDS)
    assert process.returncode in codes, output
    last = output.strip().splitlines()[-1]
    assert last.startswith(f"citysync: exit {process.returncode}: ") and "Traceback" not in output
    after = require_whole(home)
    assert after > before if process.returncode == 0 else after == before
