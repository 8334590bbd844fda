"""The site of fabricated tables, drawn once for the tests that only look."""

import pytest

from tests.estimation.report.fabricated import full
from tests.estimation.report.sites import site_of


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="session")
def site(folder):
    """The site of delivered files."""
    return site_of(full(), folder, "delivered")


@pytest.fixture(scope="session")
def simulated(folder):
    """The same numbers, said to be simulated."""
    return site_of(full(is_simulated=True), folder, "simulated")
