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
        os.environ[LOOKUPS] = str(Path(tempfile.mkdtemp(prefix="citysync-lookups-")) / "lookups.txt")
    hook = str(REPO / "tests" / "no_network")
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if hook not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([hook, *filter(None, paths)])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if any process of it looked up another host, even where the code swallowed the error."""
    found = Path(os.environ[LOOKUPS])
    if not os.environ.get("PYTEST_XDIST_WORKER") and found.exists():
        print("\nhosts were looked up:\n" + found.read_text(encoding="utf-8"))
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Reference folder beside the checkout; a test that needs it skips, and says so, where it is absent."""
    folder = REPO.parent / "shared"
    if not (folder / "landing").is_dir():
        pytest.skip("the reference folder ../shared is not beside this checkout")
    return folder
