"""Fixtures of every layer's tests."""

from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Reference folder beside the checkout; a test that needs it skips, and says so, where it is absent."""
    folder = REPO.parent / "shared"
    if not (folder / "landing").is_dir():
        pytest.skip("the reference folder ../shared is not beside this checkout")
    return folder
