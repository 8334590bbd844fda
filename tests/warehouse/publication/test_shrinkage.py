"""A publication that lost much stops; one that grew, the first one and one of another kind
do not.
"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from warehouse.publication.errors import PublicationShrinks
from warehouse.publication.publish import publish, switch
from warehouse.publication.shrinkage import CONFIRMED, refuse_to_shrink
from warehouse.whole_files import remove_any

CITIES, YEARS, INDICATORS = range(110000, 110040), range(2000, 2020), ("gdp", "population")
Row = tuple[int, int, str, str, bool]


def rows(cities=CITIES, years=YEARS, indicators=INDICATORS, current: bool = True) -> list[Row]:
    return [
        (city, year, indicator, "city", current)
        for city in cities
        for year in years
        for indicator in indicators
    ]


PILOTS = CITIES[:10]
# source, edition, file, values or clauses
File = tuple[str, int | None, str, int]
TEXTS: list[File] = [("policy_texts", None, f"{n:02d}.txt", 30) for n in range(40)]
BOOKS: list[File] = [("yearbook", year, f"{year}/a.xlsx", 100) for year in range(2001, 2031)]
FILES = [*TEXTS, *BOOKS, ("tidy", None, "values.csv", 2000)]


def write_build(
    folder: Path, values: list[Row], panel=CITIES, pilots=PILOTS, files: list[File] = FILES
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "citysync.duckdb"
    database.unlink(missing_ok=True)
    with duckdb.connect(str(database)) as con:
        con.execute(
            "create schema marts; create schema estimates; create schema quality; create schema "
            "meta"
        )
        con.execute(
            "create table marts.fct_indicator_observation (city_id int, year int, indicator_id "
            "text, place_level text, is_current bool)"
        )
        frame = pd.DataFrame(
            values, columns=["city_id", "year", "indicator_id", "place_level", "is_current"]
        )
        con.register("frame", frame)
        con.execute("insert into marts.fct_indicator_observation select * from frame")
        con.execute(
            "create table marts.dim_pilot_zone as select c as city_id from (select unnest(?) as c)",
            [list(pilots)],
        )
        cohorts = ", ".join(
            f"if({city} in (select city_id from marts.dim_pilot_zone), 2015, null)"
            for city in ("c", "c + 1")
        )
        con.execute(
            "create table marts.panel_pair_year (city_i_id int, city_j_id int, year int, "
            "city_i_cohort_year int, city_j_cohort_year int)"
        )
        con.execute(
            (
                f"insert into marts.panel_pair_year select c, c + 1, 2010, {cohorts} from (select "
                "unnest(?) as c)"
            ),
            [list(panel)],
        )
        con.execute(
            "create table meta.input_file (source_id text, edition_year int, path text, "
            "n_observations bigint, status text)"
        )
        con.executemany(
            "insert into meta.input_file values ($1, $2, $1 || '/' || $3, $4, "
            "if($4 > 0, 'taken', 'skipped'))",
            files,
        )
        con.execute(f"copy meta.input_file to '{folder}/input_file.parquet'")
    return folder


def put_out(
    home: Path,
    run_id: str,
    values: list[Row],
    *,
    simulated: bool = False,
    kept: int = 3,
    panel=CITIES,
    confirmed=False,
    files: list[File] = FILES,
    **settings: str,
) -> dict:
    """Publish a build without asking, and give its manifest."""
    build = write_build(home / "earlier", values, panel, files=files)
    for name in ("report", "data_docs"):
        (home / name).mkdir(exist_ok=True)
        (home / name / "index.html").write_text("page", encoding="utf-8")
    manifest = {
        "run_id": run_id,
        "is_simulated": simulated,
        "settings": settings,
        CONFIRMED: confirmed,
    }
    folders = {"report": home / "report", "data_docs": home / "data_docs"}
    publish(
        build / "citysync.duckdb", home / "published", manifest=manifest, kept=kept, folders=folders
    )
    return manifest


def ask(
    home: Path,
    values: list[Row],
    *,
    simulated: bool = False,
    confirmed: bool = False,
    panel=CITIES,
    pilots=PILOTS,
    files: list[File] = FILES,
    **settings: str,
) -> None:
    build = write_build(home / "build", values, panel, pilots, files)
    refuse_to_shrink(
        home / "published",
        build,
        {"is_simulated": simulated, "settings": settings},
        confirmed=confirmed,
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with one publication of 40 cities, 20 years and 2 indicators."""
    put_out(tmp_path, "20260101T000000.000000Z", rows())
    return tmp_path


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (
            rows(cities=CITIES[:37]),
            ["120 of 1,600 values (8%)", "3 of 40 cities (8%), first 110037, 110038, 110039"],
        ),
        (rows(cities=range(120000, 120040)), ["1,600 of 1,600 values (100%)", "40 of 40 cities"]),
        (rows(years=YEARS[2:]), ["2 of 20 years (10%), first 2000, 2001"]),
        (rows(indicators=("gdp",)), ["1 of 2 indicators (50%), first population"]),
        (rows(current=False), ["1,600 of 1,600 values"]),
        (
            rows()[:1],
            ["1,599 of 1,600 values", "39 of 40 cities", "19 of 20 years", "1 of 2 indicators"],
        ),
        ([], ["1,600 of 1,600 values", "first gdp city 110000 2000, gdp city 110000 2001"]),
    ],
)
def test_what_lost_more_than_the_share_stops_and_says_what_is_gone(
    home: Path, values: list[Row], named: list[str]
) -> None:
    with pytest.raises(PublicationShrinks) as found:
        ask(home, values)
    for part in [*named, "20260101T000000.000000Z", "expected at most 5%", "CONFIRM_SHRINK=1"]:
        assert part in str(found.value)
    ask(home, values, confirmed=True)


def without(*names: str) -> list[File]:
    return [file for file in FILES if not any(name in "/".join(map(str, file)) for name in names)]


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (without("policy_texts"), ["40 of 40 policy texts", "1,200 of 1,200 clauses (100%)"]),
        (
            without("policy_texts/None/0"),
            ["10 of 40 policy texts (25%), first policy_texts/00.txt"],
        ),
        (
            [(*file[:3], 0) if file[0] == "policy_texts" else file for file in FILES],
            ["40 of 40 policy texts"],
        ),
        (
            [(*file[:3], 20) if file[0] == "policy_texts" else file for file in FILES],
            ["400 of 1,200 clauses (33%)"],
        ),
        (
            [*without("policy_texts"), *[(*t[:2], f"new {t[2]}", t[3]) for t in TEXTS]],
            ["40 of 40 policy texts"],
        ),
        (without("yearbook/2007"), ["1 of 32 editions (3%), first yearbook 2007, compared"]),
        (without("tidy"), ["1 of 32 editions (3%), first tidy;"]),
        ([*without("tidy"), ("tidy", None, "values.csv", 100)], ["values as delivered (38%)"]),
        (
            [
                *without("30.txt", "31.txt", "32.txt", "33.txt"),
                *[("tidy", None, f"{n}", 1) for n in range(4)],
            ],
            ["4 of 71 files (6%); ", "4 of 40 policy texts (10%)"],
        ),
    ],
)
def test_delivered_files_that_are_gone_stop_it_though_every_current_value_is_there(
    home: Path, files: list[File], named: list[str]
) -> None:
    with pytest.raises(PublicationShrinks) as found:
        ask(home, rows(), files=files)
    assert [part for part in [*named, "CONFIRM_SHRINK=1"] if part not in str(found.value)] == []
    ask(home, rows(), files=files, confirmed=True)


def test_texts_that_go_one_by_one_stop_it_and_renamed_or_new_files_do_not(tmp_path: Path) -> None:
    for number in range(3):
        files = [*without(*[f"{n:02d}.txt" for n in range(number)]), ("yearbook", 2031, "b", 1)]
        ask(tmp_path, rows(), files=files)
        put_out(tmp_path, day(number + 1), rows(), kept=1, files=files)
    files = [
        *without("00.txt", "01.txt", "values.csv"),
        ("yearbook", 2031, "c", 1),
        ("tidy", None, "b", 2000),
    ]
    ask(tmp_path, rows(), files=files)
    with pytest.raises(PublicationShrinks, match=r"3 of 40 policy texts .*what 3 runs since"):
        ask(tmp_path, rows(), files=[file for file in files if file[2] != "02.txt"])


@pytest.mark.parametrize(
    "values",
    [
        rows(),
        rows(cities=range(110000, 110060)),
        rows(cities=CITIES[:38]),
        rows(years=YEARS[1:]),
        rows()[:-80],
    ],
    ids=["the same", "more", "2 of 40 cities", "1 of 20 years", "80 of 1,600 values"],
)
def test_what_grew_or_lost_little_passes(home: Path, values: list[Row]) -> None:
    ask(home, values)


def test_the_cities_of_the_headline_sample_count_in_the_same_window_alone(home: Path) -> None:
    with pytest.raises(PublicationShrinks, match=r"20 of 41 cities of the headline sample"):
        ask(home, rows(), panel=CITIES[:20])
    ask(home, rows(), panel=CITIES[:20], WINDOW_FIRST_YEAR="2012")


def test_pilots_that_are_gone_stop_it_though_every_value_is_there(home: Path) -> None:
    """A landing that brings its own places and forgets its zones: nobody is treated any more."""
    with pytest.raises(
        PublicationShrinks,
        match=(
            r"10 of 10 pilot cities \(100%\), first 110000, .*10 of 10 pilot cities of the "
            r"headline"
        ),
    ):
        ask(home, rows(), pilots=())
    with pytest.raises(PublicationShrinks, match=r"1 of 10 pilot cities \(10%\), first 110009"):
        ask(home, rows(), pilots=PILOTS[:9], WINDOW_FIRST_YEAR="2012")
    ask(home, rows(), pilots=CITIES[:20])
    ask(home, rows(), pilots=(), confirmed=True)


def test_a_publication_from_before_a_column_was_there_is_compared_by_the_others(home: Path) -> None:
    database = (home / "published").resolve() / "citysync.duckdb"
    database.chmod(0o644)
    with duckdb.connect(str(database)) as con:
        con.execute(
            "alter table marts.panel_pair_year drop column city_i_cohort_year; drop table "
            "marts.dim_pilot_zone"
        )
    ask(home, rows(), pilots=())
    with pytest.raises(PublicationShrinks, match=r"20 of 41 cities of the headline sample"):
        ask(home, rows(), panel=CITIES[:20])


def test_another_window_hides_no_lost_values(home: Path) -> None:
    with pytest.raises(PublicationShrinks, match="values"):
        ask(home, rows()[:100], WINDOW_FIRST_YEAR="2012")


def test_the_first_of_its_kind_has_nothing_to_lose(home: Path, tmp_path: Path) -> None:
    ask(tmp_path / "new", rows()[:1])
    ask(home, rows()[:1], simulated=True)
    ask(home, rows()[:1], AS_OF_EDITION="2010")


def test_it_is_compared_with_the_last_of_its_kind_behind_others(home: Path) -> None:
    put_out(home, "20260102T000000.000000Z", rows()[:1], AS_OF_EDITION="2010")
    with pytest.raises(PublicationShrinks, match=r"20260101T000000\.000000Z"):
        ask(home, rows()[:1])


@pytest.mark.parametrize("damage", ["manifest", "database", "deep manifest"])
def test_a_damaged_publication_does_not_stop_the_next(home: Path, damage: str) -> None:
    folder = (home / "published").resolve()
    path = folder / ("citysync.duckdb" if damage == "database" else "manifest.json")
    path.chmod(0o644)
    path.write_text("[" * 100_000 if damage == "deep manifest" else "{", encoding="utf-8")
    ask(home, rows())
    with pytest.raises(PublicationShrinks, match="what 1 runs since"):
        ask(home, rows()[:1])
    remove_any(home / "archive")
    ask(home, rows()[:1])


def test_pair_years_in_files_are_left_out_of_the_count(home: Path) -> None:
    build = write_build(home / "build", rows())
    with duckdb.connect(str(build / "citysync.duckdb")) as con:
        con.execute("drop table marts.panel_pair_year")
    refuse_to_shrink(
        home / "published", build, {"is_simulated": False, "settings": {}}, confirmed=False
    )


def test_runs_of_other_windows_and_simulated_ones_remove_no_last_publication(
    tmp_path: Path,
) -> None:
    """The newest three stay, and the newest of every series whatever its age."""
    put_out(tmp_path, "20260101T000000.000000Z", rows())
    put_out(tmp_path, "20260102T000000.000000Z", rows())
    for day in range(3, 8):
        put_out(tmp_path, f"2026010{day}T000000.000000Z", rows(), WINDOW_FIRST_YEAR="2012")
    names = sorted(path.name[:8] for path in (tmp_path / "publications").iterdir())
    assert names == ["20260102", "20260105", "20260106", "20260107"]
    put_out(tmp_path, "20260108T000000.000000Z", rows(), kept=1)
    assert sorted(path.name[:8] for path in (tmp_path / "publications").iterdir()) == [
        "20260107",
        "20260108",
    ]
    assert (
        json.loads((tmp_path / "published" / "manifest.json").read_text(encoding="utf-8"))["run_id"]
        == "20260108T000000.000000Z"
    )


def day(number: int) -> str:
    return f"202601{number:02d}T000000.000000Z"


@pytest.fixture
def slowly(tmp_path: Path) -> Path:
    """Three publications after the first, each of which lost one city of forty; one alone
    is kept.
    """
    for number in range(4):
        ask(tmp_path, rows(cities=CITIES[: 40 - (number > 0) * min(number, 2)]))
        put_out(tmp_path, day(number + 1), rows(cities=CITIES[: 40 - min(number, 2)]), kept=1)
    return tmp_path


def test_what_is_lost_a_little_each_time_stops_when_it_is_much(slowly: Path) -> None:
    """Each of the earlier publications is gone; the archive knows what they held."""
    ask(slowly, rows(cities=CITIES[:38]))
    with pytest.raises(PublicationShrinks) as found:
        ask(slowly, rows(cities=CITIES[:37]))
    for part in (
        "3 of 40 cities (8%), first 110037, 110038, 110039",
        "120 of 1,600 values",
        f"what 4 runs since {day(1)} held",
    ):
        assert part in str(found.value)
    ask(slowly, rows(cities=CITIES[:37]), confirmed=True)


def test_a_confirmed_loss_is_forgotten(slowly: Path) -> None:
    put_out(slowly, day(5), rows(cities=CITIES[:37]), confirmed=True)
    ask(slowly, rows(cities=CITIES[:36]))
    with pytest.raises(
        PublicationShrinks, match=f"what 1 runs since {day(5)} held|publication {day(5)}"
    ):
        ask(slowly, rows(cities=CITIES[:35]))


def test_values_that_come_and_go_are_remembered(tmp_path: Path) -> None:
    """A city for another city each time: none of the publications is smaller than the one
    before.
    """
    for number in range(3):
        ask(tmp_path, rows(cities=range(110000 + number, 110040 + number)))
        put_out(
            tmp_path, day(number + 1), rows(cities=range(110000 + number, 110040 + number)), kept=1
        )
    with pytest.raises(PublicationShrinks, match="3 of 42 cities"):
        ask(tmp_path, rows(cities=range(110003, 110043)))


def test_other_kinds_of_runs_are_no_part_of_it(slowly: Path) -> None:
    ask(slowly, rows(cities=CITIES[:30]), AS_OF_EDITION="2010")
    ask(slowly, rows(cities=CITIES[:30]), simulated=True)
    with pytest.raises(PublicationShrinks, match="what 4 runs"):
        ask(slowly, rows(cities=CITIES[:37]), WINDOW_FIRST_YEAR="2012")


def test_a_run_that_was_taken_back_is_not_remembered(slowly: Path) -> None:
    put_out(slowly, day(6), rows(cities=range(110000, 110100)), kept=3)
    switch(slowly / "published", slowly / "publications" / day(4))
    ask(slowly, rows(cities=CITIES[:38]))


def test_a_publication_whose_manifest_is_damaged_hides_no_loss(slowly: Path) -> None:
    path = (slowly / "published").resolve() / "manifest.json"
    path.chmod(0o644)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(PublicationShrinks, match="what 4 runs since"):
        ask(slowly, rows()[:1])


@pytest.mark.parametrize("name", ["manifest.json", "quality.value_span.parquet"])
def test_a_damaged_archive_stops_no_run(slowly: Path, name: str) -> None:
    for path in (slowly / "archive").glob(f"*/{name}"):
        path.chmod(0o644)
        path.write_text("[" * 100_000, encoding="utf-8")
    ask(slowly, rows(cities=CITIES[:37]))
