"""A site of fabricated tables, opened from files in a headless browser. CITYSYNC_BROWSER_REPORT adds a published report to look at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from estimation.report.site import write_report
from tests.browser.devtools import Page, browser, find_browser
from tests.estimation.report.fabricated import HOSTILE, estimate_rows, tables


def site_tables() -> dict[str, pd.DataFrame]:
    """The small publication of the report's tests, with a curve of eight specifications and an analysis."""
    frames = tables()
    ids = [f"specification_curve.cm_growth_official.s{k}" for k in range(8)]
    rows = [row for k, spec_id in enumerate(ids) for row in estimate_rows(spec_id, 0.01 * (k - 3), 0.01 if k > 5 else 0.2, 0.3)]
    rows += [row for k in range(3) for row in estimate_rows(f"heterogeneity.cm_growth_official.v{k}", 0.02 * k, 0.2, 0.3)]
    extra = pd.DataFrame(rows).astype({"event_time": "Int64", "cohort_year": "Int64"})
    frames["estimates.estimate"] = pd.concat([frames["estimates.estimate"], extra])
    choices = {"spec_id": ids, "outcome": "cm_growth_official", "series": "growth_official", "window": "2010-2019"}
    choices |= {"treatment_rule": ["calendar_year", "second_half_next_year"] * 4, "tie_rule": ["all"] * 6 + ["strong", HOSTILE]}
    choices |= {"effects": "pair + year", "estimator": "twfe", "control_group": "never"}
    frames["estimates.specification"] = pd.DataFrame(choices)
    return frames


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the fabricated site."""
    folder = tmp_path_factory.mktemp("site")
    write_report(site_tables(), folder)
    return folder


@pytest.fixture(scope="session")
def reports(site: Path) -> list[Path]:
    """The fabricated site, and the published report that CITYSYNC_BROWSER_REPORT names."""
    named = os.environ.get("CITYSYNC_BROWSER_REPORT")
    return [site, *([Path(named).resolve()] if named else [])]


@pytest.fixture(scope="session")
def tab() -> Iterator[Page]:
    """One tab of one browser for all tests."""
    if find_browser() is None:
        pytest.fail("no Chromium found: on Debian install the package chromium, or set CITYSYNC_BROWSER to its path")
    with browser() as page:
        yield page
