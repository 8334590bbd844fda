"""Fixtures of every layer's tests, what `make test` leaves to `make test-full`, and the rules that
no test looks up another host or sees another home.
"""

import os
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

import tests.no_network.sitecustomize  # noqa: F401 (from here on a look-up of another host fails and is written down)
from orchestration.reuse.fingerprint import git_commit

REPO = Path(__file__).resolve().parents[1]
LOOKUPS = "CITYSYNC_TEST_LOOKUPS"
#: `make test-full` runs what `make test` leaves out, and nothing else: these folders, and tests
#: with the marker `full`.
IS_FULL = os.environ.get("CITYSYNC_FULL") == "1"
FULL_FOLDERS = ("long", "spark", "browser")
#: A bounded part of it, as CI runs: without the folders, each commit begins with other files, and
#: what is left after so many minutes is skipped and said.
MINUTES = float(os.environ.get("FULL_MINUTES") or "inf")
STARTED = time.monotonic()
# the same examples in every run of a test; `--hypothesis-profile=others` tries others
settings.register_profile("others", database=None, deadline=None)
settings.register_profile("same", settings.get_profile("others"), derandomize=True)
settings.load_profile("same")
collect_ignore = [] if IS_FULL and float("inf") == MINUTES else list(FULL_FOLDERS)
#: What a person may have set for runs of their own, by the beginning of its name; `FOR_TESTS` is
#: for the tests themselves.
SETTINGS = (
    *("CITYSYNC_", "WINDOW_", "SPARK_", "DBT_", "LANDING", "AS_OF_", "ANALYSES", "PLACES"),
    *("ENGINE", "STRICT", "KEEP", "CONFIRM_SHRINK", "FORCE"),
)
FOR_TESTS = (
    "CITYSYNC_FULL",
    "CITYSYNC_CACHE",
    "CITYSYNC_TEST_",
    "CITYSYNC_BROWSER",
)


def pytest_configure(config: pytest.Config) -> None:
    """Every process of the test run, refreshes included, writes foreign look-ups into one file."""
    if LOOKUPS not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="citysync-lookups-")
        config.add_cleanup(folder.cleanup)
        os.environ[LOOKUPS] = str(Path(folder.name) / "lookups.txt")
    hook = str(REPO / "tests" / "no_network")
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if hook not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([hook, *filter(None, paths)])


#: Files that take longest are begun first, so that no worker waits long for the other's last one;
#: the rest stays in its order. The first makes `simulated` and `six`, which takes two minutes: the
#: other worker begins with files that need neither.
LONGEST = (
    "orchestration/commands/test_refresh.py",
    "warehouse/test_real_landing.py",
    "estimation/study/test_run.py",
    "orchestration/test_unit_workers.py",
    "warehouse/publication/test_verification.py",
    "orchestration/commands/test_check_source.py",
    "orchestration/commands/test_opened.py",
    "warehouse/ingest/test_real_files.py",
    "warehouse/publication/test_losses.py",
    "estimation/report/test_site.py",
    "warehouse/test_other_sources.py",
    "orchestration/test_definitions.py",
    "warehouse/publication/test_archive.py",
    "warehouse/test_dbt_by_hand.py",
    "estimation/api/test_wheel.py",
    "docs/test_examples.py",
    "orchestration/commands/test_why.py",
    "orchestration/commands/test_public.py",
    "orchestration/commands/test_publications.py",
    "warehouse/test_models.py",
    "orchestration/commands/test_policy.py",
    "orchestration/gates/test_frames.py",
)


def is_full(item: pytest.Item) -> bool:
    """Whether a test is left to `make test-full`."""
    folder = item.path.relative_to(REPO / "tests").parts[0]
    return folder in FULL_FOLDERS or item.get_closest_marker("full") is not None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The tests of this run, files in the order of `LONGEST`, each with its tests in their own."""
    config.hook.pytest_deselected(items=[item for item in items if is_full(item) != IS_FULL])
    items[:] = [item for item in items if is_full(item) == IS_FULL]
    place = {REPO / "tests" / name: k for k, name in enumerate(LONGEST)}
    if IS_FULL and float("inf") != MINUTES:
        files = sorted({item.path for item in items})
        random.Random(git_commit()).shuffle(files)
        place = {path: k for k, path in enumerate(files)}
    items.sort(key=lambda item: place.get(item.path, len(LONGEST)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if time.monotonic() - STARTED > 60 * MINUTES:
        pytest.skip(f"FULL_MINUTES={MINUTES:g} are over: left to the whole of `make test-full`")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if any process of it looked up another host, even where the code swallowed the
    error.
    """
    found = Path(os.environ[LOOKUPS])
    if not os.environ.get("PYTEST_XDIST_WORKER") and found.exists():
        print("\nhosts were looked up:\n" + found.read_text(encoding="utf-8"))
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def of_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the parallel workers of one test run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


def made_once(folder: Path, make: Callable[[Path], object]) -> Path:
    """A folder of all workers, filled by the worker that asks first; nobody changes it."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "made").exists():
            make(folder)
            (folder / "made").touch()
    return folder


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory):
    """An empty home for all that asks for one, and no setting of another run; what tools compile is
    shared by all workers, compiled loops with the home outside, where `make test` puts them, and
    what a refresh of this code parsed there is taken.
    """
    cache = of_all_workers(tmp_path_factory) / "cache"
    outside = Path(os.environ.get("CITYSYNC_HOME") or REPO / "data").absolute() / "cache"
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(SETTINGS) and not name.startswith(FOR_TESTS):
                patch.delenv(name)
        if "CITYSYNC_CACHE" not in os.environ:
            (outside / "numba").mkdir(parents=True, exist_ok=True)
            (cache / "dbt_parsed").mkdir(parents=True, exist_ok=True)
            for made in (outside / "numba", *outside.glob("dbt_parsed/*")):
                with suppress(FileExistsError):
                    (cache / made.relative_to(outside)).symlink_to(made)
            patch.setenv("CITYSYNC_CACHE", str(cache))
        home = tmp_path_factory.mktemp("own_home")
        patch.setenv("CITYSYNC_HOME", str(home))
        yield home


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home that commands of this test find; nothing is there yet."""
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def shared_dir():
    """Reference folder beside the checkout; a test that needs it skips, and says so, where it is
    absent.
    """
    folder = REPO.parent / "shared"
    if not (folder / "landing").is_dir():
        pytest.skip("the reference folder ../shared is not beside this checkout")
    return folder
