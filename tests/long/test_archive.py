"""After five refreshes with changed data and a `make clean` the archive says how the headline moved
from run to run, and why.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from orchestration.commands.clean import clean
from orchestration.commands.sql_prompt import connect_read_only
from orchestration.home import Home
from tests.orchestration.commands.test_querying import QUERIES
from tests.orchestration.conftest import REPO, refresh
from warehouse.publication.archive import verify_archive

pytestmark = pytest.mark.e2e
YEARS = range(2009, 2020)
HEADER = "city_id,year,indicator_id,value"


def cities() -> list[int]:
    """Ten pilots of the first batches and fourteen cities that never were one."""
    with (REPO / "warehouse" / "seeds" / "pilot_zones.csv").open(
        encoding="utf-8", newline=""
    ) as stream:
        zones = list(csv.DictReader(stream))
    with (REPO / "warehouse" / "seeds" / "city_roster.csv").open(
        encoding="utf-8", newline=""
    ) as stream:
        roster = [
            int(row["city_id"]) for row in csv.DictReader(stream) if row["valid_to_year"] == ""
        ]
    pilots = [
        int(zone["city_id"]) for zone in zones if int(zone["batch"]) <= 2 and zone["city_id"]
    ][:10]
    never = sorted(set(roster) - {int(zone["city_id"]) for zone in zones if zone["city_id"]})
    return [*pilots, *never[:: max(1, len(never) // 14)][:14]]


def panel() -> dict[tuple[int, int, str], float]:
    """Real and nominal GDP and population: a common cycle and one of its own for each city."""
    values = {}
    for k, city in enumerate(cities()):
        level = 800.0 + 150 * (k * 7 % 11)
        for year in YEARS:
            level *= (
                1.07 + 0.012 * ((year * (k % 5 + 2)) % 11 - 5) / 5 + 0.01 * ((year % 7) - 3) / 3
            )
            values[city, year, "gdp_real_cny_100m"] = level
            values[city, year, "gdp_nominal_cny_100m"] = level * 1.02 ** (year - 2009)
            values[city, year, "population_resident_10k"] = 300.0 + 20 * (k % 9)
    return values


def write(
    landing: Path, values: dict[tuple[int, int, str], float], name: str = "values.csv"
) -> None:
    folder = landing / "tidy"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        f"{city},{year},{indicator},{value:.4f}"
        for (city, year, indicator), value in values.items()
    ]
    (folder / name).write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")


def revise(landing: Path) -> None:
    """A pilot's real GDP restated from 2015 on, three per cent higher and rising."""
    values, city = panel(), cities()[0]
    for year in range(2015, 2020):
        values[city, year, "gdp_real_cny_100m"] *= 1.03 + 0.01 * (year - 2015)
    write(landing, values)


def deliver_more(landing: Path) -> None:
    """Another file, of a city that was not delivered before."""
    values = {
        (130400, year, name): value
        for (city, year, name), value in panel().items()
        if city == cities()[-1]
    }
    write(
        landing,
        {key: value * (1 + 0.01 * (key[1] % 3)) for key, value in values.items()},
        "more.csv",
    )


def mistype(landing: Path) -> None:
    """One value of the first file a quarter too high."""
    path = landing / "tidy" / "values.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith(f"{cities()[-2]},2014,gdp_real"))
    head, _, value = lines[at].rpartition(",")
    lines[at] = f"{head},{float(value) * 1.02:.4f}"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def take_away(landing: Path) -> None:
    """The added file is not delivered any more: one of two, which has to be confirmed."""
    (landing / "tidy" / "more.csv").unlink()


# What each refresh but the first changes, and what the archive must say of it: values, files,
# cities.
CHANGES: list[tuple[Callable[[Path], None], str, int, int]] = [
    (revise, "tidy gdp_real_cny_100m: 0 new, 0 gone, 5 revised by 5.0 %", 1, 0),
    (
        deliver_more,
        "tidy gdp_nominal_cny_100m: 11 new, 0 gone, 0 revised; tidy gdp_real_cny_100m: 11 new, 0 "
        "gone, 0 revised; "
        "tidy population_resident_10k: 11 new, 0 gone, 0 revised",
        1,
        1,
    ),
    (mistype, "tidy gdp_real_cny_100m: 0 new, 0 gone, 1 revised by 2.0 %", 1, 0),
    (
        take_away,
        "tidy gdp_nominal_cny_100m: 0 new, 11 gone, 0 revised; tidy gdp_real_cny_100m: 0 new, 11 "
        "gone, 0 revised; "
        "tidy population_resident_10k: 0 new, 11 gone, 0 revised",
        1,
        -1,
    ),
]


def documented_query() -> str:
    """The query of docs/querying.md."""
    (query,) = [query for query in QUERIES if re.search("headline move .* and why: ", query)]
    return query


def test_the_archive_says_how_the_headline_moved_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, landing = tmp_path / "home", tmp_path / "landing"
    write(landing, panel())
    said, commits = [], []
    for change in [None, *(change for change, *_ in CHANGES)]:
        if change is not None:
            change(landing)
        run = refresh(home, landing, KEEP="1", CONFIRM_SHRINK="1")
        assert run.code == 0, run.output
        commits.append(run.manifest["git_commit"])
        with connect_read_only(Home(home)) as con:
            said += con.execute(
                "select estimate from estimates.estimate where spec_id = "
                "'baseline.cm_growth_official.headline' and term = 'treated' "
                "and is_default"
            ).fetchall()
    assert len(list((home / "publications").iterdir())) == 1
    monkeypatch.setenv("CITYSYNC_HOME", str(home))
    assert clean() == 0
    assert not (home / "build").exists()
    with connect_read_only(Home(home)) as con:
        rows = con.execute(documented_query()).fetchall()
    assert [row[1:2] for row in rows] == said and all(estimate is not None for (estimate,) in said)
    assert rows[0][2] is None and rows[0][6] == "no value"
    for before, row, (_, values, n_files, more_cities) in zip(
        rows, rows[1:], CHANGES, strict=False
    ):
        assert row[2] == pytest.approx(row[1] - before[1]) and row[2] != 0
        assert (row[6], row[7], row[4], row[5]) == (values, n_files, more_cities, 0)
    assert [row[8] for row in rows[1:]] == [one != other for one, other in pairwise(commits)]
    assert verify_archive(home / "archive") == []
