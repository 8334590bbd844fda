"""A site of fabricated tables, opened from files in a headless browser.

CITYSYNC_BROWSER_REPORT adds a published report to look at.
"""

import os
from pathlib import Path

import pytest

from estimation.report.site import write_report
from tests.browser.devtools import browser, find_browser
from tests.estimation.report.fabricated import full
from tests.estimation.report.sites import database


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Folder of the fabricated site."""
    folder = tmp_path_factory.mktemp("site")
    write_report(database(full()), folder)
    return folder


@pytest.fixture(scope="session")
def reports(site):
    """The fabricated site, and the published report that CITYSYNC_BROWSER_REPORT names."""
    named = os.environ.get("CITYSYNC_BROWSER_REPORT")
    return [site, *([Path(named).resolve()] if named else [])]


@pytest.fixture(scope="session")
def tab():
    """One tab of one browser for all tests."""
    if find_browser() is None:
        pytest.skip(
            "no Chromium found: on Debian install the package chromium, or set CITYSYNC_BROWSER "
            "to its path"
        )
    with browser() as page:
        yield page
