"""Deliveries that change from run to run end to end: what each changed is counted, the warehouse is
built as it stood, and the archive says how the headline moved, and why.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from orchestration.commands.clean import clean
from orchestration.commands.sql_prompt import connect_read_only
from orchestration.home import Home
from tests.orchestration.commands.test_querying import QUERIES
from tests.orchestration.conftest import Run, refresh, six_cities
from tests.warehouse.fabricate import read_seed
from warehouse.publication.archive import verify_archive

HEADER = "city_id,year,indicator_id,value"


def write(landing: Path, rows: list[str], path: str = "values.csv") -> None:
    file = landing / "tidy" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")


def query(run: Run, sql: str) -> list[tuple]:
    with connect_read_only(Home(run.home)) as con:
        return con.execute(sql).fetchall()


def scaled(row: str, factor: float) -> str:
    head, _, value = row.rpartition(",")
    return f"{head},{float(value) * factor:.4f}"


def test_the_past_can_be_built_again_and_a_new_edition_is_counted(tmp_path: Path) -> None:
    home, landing = tmp_path / "home", tmp_path / "landing"
    rows = six_cities()
    write(landing, [row for row in rows if int(row.split(",")[1]) <= 2017], "2018/values.csv")
    # Beijing from 2015 on, restated two per cent higher
    restated = [scaled(r, 1.02 if r[:6] == "110000" and r[7:11] >= "2015" else 1) for r in rows]
    write(landing, [row for row in restated if int(row.split(",")[1]) <= 2018], "2019/values.csv")
    spans = (
        "select count(*), max(year), max(edition_year), count(*) filter (where is_current) from "
        "marts.fct_indicator_observation"
    )
    as_of = refresh(home, landing, AS_OF_EDITION="2018")
    assert as_of.code == 0, as_of.output
    assert query(as_of, spans) == [(78, 2017, 2018, 78)]
    assert query(as_of, "select count(*) from marts.fct_indicator_revision") == [(0,)]

    now = refresh(home, landing)
    assert now.code == 0, now.output
    assert query(now, spans) == [(162, 2018, 2019, 84)]
    # 2018 is new for six cities; three years of Beijing are revised by two per cent
    counts = (
        "n_before, n_now, n_new, n_vanished, n_revised, n_current_changed, "
        "round(median_relative_revision, 4)"
    )
    assert query(now, f"select {counts} from meta.publication_change") == [
        (78, 84, 6, 0, 3, 9, 0.02)
    ]
    assert "tidy: 6 new, 3 revised, 0 gone; 9 current values changed" in now.output


def panel() -> list[str]:
    """Real and nominal GDP and population of ten pilots of the first batches and fourteen cities
    that never were one: a common cycle and one of its own for each city.
    """
    zones = [zone for zone in read_seed("pilot_zones") if zone["city_id"]]
    pilots = [zone["city_id"] for zone in zones if int(zone["batch"]) <= 2][:10]
    roster = {row["city_id"] for row in read_seed("city_roster") if not row["valid_to_year"]}
    never = sorted(roster - {zone["city_id"] for zone in zones})
    rows = []
    for k, city in enumerate([*pilots, *never[:: len(never) // 14][:14]]):
        level = 800.0 + 150 * (k * 7 % 11)
        for year in range(2009, 2020):
            level *= (
                1.07 + 0.012 * ((year * (k % 5 + 2)) % 11 - 5) / 5 + 0.01 * ((year % 7) - 3) / 3
            )
            rows.append(f"{city},{year},gdp_real_cny_100m,{level:.4f}")
            rows.append(f"{city},{year},gdp_nominal_cny_100m,{level * 1.02 ** (year - 2009):.4f}")
            rows.append(f"{city},{year},population_resident_10k,{300.0 + 20 * (k % 9):.4f}")
    return rows


def test_the_archive_says_how_the_headline_moved_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three refreshes, of which one publication stays, then `make clean`: a pilot's real GDP is
    restated from 2015 on, then a city is delivered that was not there before.
    """
    home, landing, rows = tmp_path / "home", tmp_path / "landing", panel()
    pilot = rows[0].split(",")[0]
    restated = [
        scaled(r, 1.05) if r.startswith(pilot) and "gdp_real" in r and r[7:11] >= "2015" else r
        for r in rows
    ]
    last = rows[-1].split(",")[0]
    new_city = ["130400" + scaled(row, 1.01)[6:] for row in rows if row.startswith(last)]
    said = []
    for path, delivered in (("a.csv", rows), ("a.csv", restated), ("more.csv", new_city)):
        write(landing, delivered, path)
        run = refresh(home, landing, KEEP="1")
        assert run.code == 0, run.output
        said += query(
            run,
            "select estimate from estimates.estimate where spec_id = "
            "'baseline.cm_growth_official.headline' and term = 'treated' and is_default",
        )
    assert len(list((home / "publications").iterdir())) == 1
    monkeypatch.setenv("CITYSYNC_HOME", str(home))
    assert clean() == 0
    (documented,) = [sql for sql in QUERIES if re.search("headline move .* and why: ", sql)]
    found = query(run, documented)
    assert [row[1:2] for row in found] == said and all(estimate is not None for (estimate,) in said)
    assert [row[2] for row in found[1:]] == pytest.approx(
        [now[0] - before[0] for before, now in pairwise(said)]
    )
    # cities more, and what changed among the values
    assert [row[4] for row in found[1:]] == [0, 1]
    assert "gdp_real_cny_100m: 0 new, 0 gone, 5 revised by 5.0 %" in found[1][6]
    assert "gdp_real_cny_100m: 11 new, 0 gone, 0 revised" in found[2][6]
    assert verify_archive(home / "archive") == []
