"""A second edition of a source end to end: what it changed is counted, and the warehouse is built
as it stood (`make test-long` only).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.orchestration.commands.test_refresh import query
from tests.orchestration.conftest import refresh, six_cities

pytestmark = pytest.mark.e2e
HEADER = "city_id,year,indicator_id,value"


def write_edition(landing: Path, edition: int, rows: list[str]) -> None:
    """One tidy file in the folder of its edition."""
    folder = landing / "tidy" / str(edition)
    folder.mkdir(parents=True)
    (folder / "values.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")


def revised(row: str) -> str:
    """Beijing from 2015 on, restated two per cent higher."""
    city, year, indicator, value = row.split(",")
    return (
        f"{city},{year},{indicator},{float(value) * 1.02:.4f}"
        if city == "110000" and int(year) >= 2015
        else row
    )


def test_the_past_can_be_built_again_and_a_new_edition_is_counted(tmp_path: Path) -> None:
    home, landing = tmp_path / "home", tmp_path / "landing"
    write_edition(landing, 2018, [row for row in six_cities() if int(row.split(",")[1]) <= 2017])
    write_edition(
        landing, 2019, [revised(row) for row in six_cities() if int(row.split(",")[1]) <= 2018]
    )
    as_of = refresh(home, landing, AS_OF_EDITION="2018")
    assert as_of.code == 0, as_of.output
    stood = as_of.manifest["run_id"]
    spans = (
        "select count(*), max(year), max(edition_year), count(*) filter (where is_current) from "
        "marts.fct_indicator_observation"
    )
    assert query(as_of, spans) == [(78, 2017, 2018, 78)]
    assert query(as_of, "select count(*) from marts.fct_indicator_revision") == [(0,)]
    assert query(as_of, "select count(*) from meta.publication_change") == [(0,)]

    now = refresh(home, landing)
    assert now.code == 0, now.output
    assert query(now, spans) == [(162, 2018, 2019, 84)]
    # 2018 is new for six cities; three years of Beijing are revised by two per cent
    counts = (
        "n_before, n_now, n_new, n_vanished, n_revised, n_current_changed, "
        "round(median_relative_revision, 4)"
    )
    assert query(now, f"select previous_run_id, {counts} from meta.publication_change") == [
        (stood, 78, 84, 6, 0, 3, 9, 0.02)
    ]
    revisions = (
        "select year, old_edition_year, new_edition_year, round(new_value / old_value, 6) from "
        "marts.fct_indicator_revision order by 1"
    )
    assert query(now, revisions) == [(year, 2018, 2019, 1.02) for year in (2015, 2016, 2017)]
    assert "tidy: 6 new, 3 revised, 0 gone; 9 current values changed" in now.output
