"""Fixtures of every layer's tests, and the rule that no test looks up another host."""

import os
import tempfile
from pathlib import Path

import pytest

import tests.no_network.sitecustomize  # noqa: F401 (from here on a look-up of another host fails and is written down)

REPO = Path(__file__).resolve().parents[1]
LOOKUPS = "CITYSYNC_TEST_LOOKUPS"


def pytest_configure(config: pytest.Config) -> None:
    """Every process of the test run, refreshes included, writes foreign look-ups into one file."""
    if LOOKUPS not in os.environ:
        os.environ[LOOKUPS] = str(
            Path(tempfile.mkdtemp(prefix="citysync-lookups-")) / "lookups.txt"
        )
    hook = str(REPO / "tests" / "no_network")
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if hook not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([hook, *filter(None, paths)])


#: Files that take longest are begun first, so that no worker waits long for the other's last one;
#: the rest stays in its order.
LONGEST = (
    "orchestration/commands/test_refresh.py",
    "long/test_faults.py",
    "estimation/influence/test_jackknife_df.py",
    "long/test_hostile_files.py",
    "orchestration/reuse/test_plan.py",
    "orchestration/commands/test_delivered_again.py",
    "orchestration/dagster_ui/test_reexecution.py",
    "estimation/report/test_site.py",
    "warehouse/test_real_landing.py",
    "warehouse/test_models.py",
    "estimation/study/test_run.py",
    "estimation/estimators/test_heterogeneity.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files in the order of `LONGEST`, each with its tests in their own."""
    place = {REPO / "tests" / name: k for k, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(LONGEST)))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if any process of it looked up another host, even where the code swallowed the
    error.
    """
    found = Path(os.environ[LOOKUPS])
    if not os.environ.get("PYTEST_XDIST_WORKER") and found.exists():
        print("\nhosts were looked up:\n" + found.read_text(encoding="utf-8"))
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Reference folder beside the checkout; a test that needs it skips, and says so, where it is
    absent.
    """
    folder = REPO.parent / "shared"
    if not (folder / "landing").is_dir():
        pytest.skip("the reference folder ../shared is not beside this checkout")
    return folder
