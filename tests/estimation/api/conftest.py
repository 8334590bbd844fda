"""The panel of countries that most tests of the library fit, made once; nobody changes it."""

import pytest

from .panels import COLUMNS, country_panel


@pytest.fixture(scope="session")
def frame():
    return country_panel()[0]


@pytest.fixture(scope="session")
def given():
    """What is given beside the frame: its columns, cohorts, blocks, and no draws."""
    _, _, cohorts, blocks = country_panel()
    return {**COLUMNS, "cohort": cohorts, "block": blocks, "permutations": 0}


@pytest.fixture(scope="session")
def drawn(given):
    """The same with draws."""
    return given | {"permutations": 99}
