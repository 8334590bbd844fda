"""A publication that lost much stops; one that grew, the first one and one of another kind
do not.
"""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
import pytest

from tests.warehouse.publication.small import CREATE_SCHEMAS, put_out, run_of
from warehouse.publication import losses
from warehouse.publication.errors import PublicationLoses
from warehouse.publication.losses import CONFIRMED, refuse_losses
from warehouse.publication.publish import switch
from warehouse.whole_files import remove_any

#: Forty cities from 110000 on, ten of them pilots, twenty years and two indicators.
WHOLE = {"cities": (0, 40), "years": (2000, 2020), "n_indicators": 2, "n_values": 10_000}
MANIFEST_OF = {"is_simulated": False, "settings": {}}
# source, edition, file, values or clauses
File = tuple[str, int | None, str, int]
TEXTS: list[File] = [("policy_texts", None, f"{n:02d}.txt", 30) for n in range(40)]
BOOKS: list[File] = [("yearbook", year, f"{year}/a.xlsx", 100) for year in range(2001, 2031)]
FILES = [*TEXTS, *BOOKS, ("tidy", None, "values.csv", 2000)]


def built(
    panel: tuple[int, int] = (0, 40),
    n_pilots: int = 10,
    files: list[File] = FILES,
    **parts: object,
) -> str:
    """Statements that make what is looked at; `parts` are other values of `WHOLE`."""
    rows = ", ".join(
        f"('{source}', {edition or 'null'}, '{source}/{name}', {n})"
        for source, edition, name, n in files
    )
    held = WHOLE | parts
    (first, last), (from_year, to_year) = held["cities"], held["years"]
    cohort = "if(c + {} < 110000 + " + str(n_pilots) + ", 2015, null)"
    return f"""{CREATE_SCHEMAS}
        create table marts.fct_indicator_observation as
            select 110000 + c as city_id, "year", ['gdp', 'population'][i + 1] as indicator_id,
                'city' as place_level, {held.get("is_current", True)} as is_current,
                'yearbook' as source_id, 'ok' as quality_flag, null as quality_rule
            from range({first}, {last}) t(c), range({from_year}, {to_year}) y("year"),
                range({held["n_indicators"]}) n(i)
            order by all limit {held["n_values"]};
        create table marts.fct_city_year as
            select distinct city_id, "year", 2.5::double as growth_pct
            from marts.fct_indicator_observation where is_current;
        create table marts.dim_pilot_zone as
            select 110000 + c as city_id from range({n_pilots}) t(c);
        create table marts.panel_pair_year as
            select c as city_i_id, c + 1 as city_j_id, 2010 as "year",
                {cohort.format(0)} as city_i_cohort_year, {cohort.format(1)} as city_j_cohort_year
            from (select 110000 + c as c from range({panel[0]}, {panel[1]}) t(c));
        create table meta.input_file as
            select *, if(n_observations > 0, 'taken', 'skipped') as status
            from (values {rows}) f(source_id, edition_year, path, n_observations)"""


def publish(home: Path, day: int, *, kept: int = 3, confirmed: bool = False, **parts) -> None:
    """Publish a build without asking."""
    settings = parts.pop("settings", {})
    manifest = {"settings": settings, CONFIRMED: confirmed}
    put_out(home, run_of(day), built(**parts), kept=kept, **manifest)


def build_and_ask(home: Path, sql: str = "", **parts: object) -> Callable[..., list[str]]:
    """Make a build, and return what asks whether it may be published."""
    manifest = {name: parts.pop(name, usual) for name, usual in MANIFEST_OF.items()}
    build = home / "build"
    remove_any(build)
    build.mkdir()
    with duckdb.connect(str(build / "citysync.duckdb")) as con:
        con.execute(built(**parts) + ";" + sql)
        con.execute(f"copy meta.input_file to '{build}/input_file.parquet'")
    return partial(refuse_losses, home / "published", build, manifest)


def ask(home: Path, **parts: object) -> list[str]:
    return build_and_ask(home, **parts)(confirmed=False)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("one")
    publish(home, 1)
    return home


@pytest.fixture
def home(one: Path, tmp_path: Path) -> Path:
    """A home with one publication."""
    return shutil.copytree(one, tmp_path / "home", symlinks=True)


@pytest.fixture(scope="module")
def three_less(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("slowly")
    for day, n_cities in enumerate((40, 39, 39, 39), start=1):
        ask(home, cities=(0, n_cities))
        publish(home, day, cities=(0, n_cities), kept=1)
    return home


@pytest.fixture
def slowly(three_less: Path, tmp_path: Path) -> Path:
    """A home whose publications lost one city of forty; the last alone is kept."""
    return shutil.copytree(three_less, tmp_path / "home", symlinks=True)


def without(*names: str) -> list[File]:
    return [file for file in FILES if not any(name in "/".join(map(str, file)) for name in names)]


WINDOW = {"WINDOW_FIRST_YEAR": "2012"}
# growth of one year is gone, and what is delivered is gone, or stands and is not current any more
OF_2015 = """delete from marts.fct_city_year where "year" = 2015;
    {} marts.fct_indicator_observation {} where "year" = 2015"""
DELIVERY = OF_2015.format("delete from", "")
NOT_CURRENT = OF_2015.format("update", "set is_current = false")


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        (
            {"cities": (0, 37)},
            ["120 of 1,600 values (8%)", "3 of 40 cities (8%), first 110037, 110038, 110039"],
        ),
        ({"cities": (60, 100)}, ["1,600 of 1,600 values (100%)", "40 of 40 cities"]),
        ({"years": (2002, 2020)}, ["2 of 20 years (10%), first 2000, 2001"]),
        ({"n_indicators": 1}, ["1 of 2 indicators (50%), first population"]),
        ({"is_current": False}, ["1,600 of 1,600 values"]),
        ({"n_values": 1}, ["1,599 of 1,600 values", "39 of 40 cities", "1 of 2 indicators"]),
        ({"n_values": 0}, ["1,600 of 1,600 values", "first gdp city 110000 2000, gdp city"]),
        ({"n_values": 100, "settings": WINDOW}, ["1,500 of 1,600 values"]),
        ({"panel": (0, 20)}, ["20 of 41 cities of the baseline sample"]),
        # a landing that brings its own places and forgets its zones: nobody is treated any more
        (
            {"n_pilots": 0},
            ["10 of 10 pilot cities (100%)", "10 of 10 pilot cities of the baseline"],
        ),
        ({"n_pilots": 9, "settings": WINDOW}, ["1 of 10 pilot cities (10%), first 110009"]),
        ({"n_pilots": 9}, ["1 of 10 pilot cities (10%), first 110009"]),
        # of one series and year, no longer delivered, and no longer current
        (
            {"sql": DELIVERY},
            [
                "40 of 40 growth_pct of 2015 (100%), 40 no longer delivered and 0 no longer "
                "current, compared"
            ],
        ),
        (
            {"sql": NOT_CURRENT},
            [
                "40 of 40 growth_pct of 2015 (100%), 0 no longer delivered and 40 no longer "
                "current, compared"
            ],
        ),
        # delivered files that are gone, though every current value is there
        (
            {"files": without("policy_texts")},
            ["40 of 40 policy texts", "1,200 of 1,200 clauses (100%)"],
        ),
        (
            {"files": without("texts/None/0")},
            ["10 of 40 policy texts (25%), first policy_texts/00.txt"],
        ),
        (
            {"files": [(*f[:3], 20) if f[0] == "policy_texts" else f for f in FILES]},
            ["400 of 1,200 clauses (33%)"],
        ),
        (
            {
                "files": [
                    *without("policy_texts"),
                    *[(*t[:2], f"new {t[2]}", t[3]) for t in TEXTS],
                ]
            },
            ["40 of 40 policy texts"],
        ),
        (
            {"files": without("yearbook/2007")},
            ["1 of 32 editions (3%), first yearbook 2007, compared"],
        ),
        (
            {"files": [*without("tidy"), ("tidy", None, "values.csv", 100)]},
            ["values as delivered (38%)"],
        ),
        (
            {
                "files": [
                    *without("30.txt", "31.txt", "32.txt", "33.txt"),
                    *[("tidy", None, f"{n}", 1) for n in range(4)],
                ]
            },
            ["4 of 71 files (6%); ", "4 of 40 policy texts (10%)"],
        ),
    ],
)
def test_what_lost_more_than_the_share_stops_and_says_what_is_gone(
    home: Path, parts: dict, named: list[str]
) -> None:
    asked = build_and_ask(home, **parts)
    with pytest.raises(PublicationLoses) as found:
        asked(confirmed=False)
    for part in [*named, run_of(1), "expected at most 5%", "CONFIRM_SHRINK=1"]:
        assert part in str(found.value)
    asked(confirmed=True)


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"cities": (0, 60), "n_pilots": 20},
        {"cities": (0, 39)},
        {"n_values": 1_560},
        {"panel": (0, 20), "settings": WINDOW},
        # the first of its kind has nothing to lose
        {"n_values": 1, "is_simulated": True},
        {"n_values": 1, "settings": {"AS_OF_EDITION": "2010"}},
        # of many cities they are files, which a view reads
        {
            "sql": "alter table marts.panel_pair_year rename to files; "
            "create view marts.panel_pair_year as from marts.files"
        },
    ],
)
def test_what_grew_lost_little_or_is_of_another_kind_passes(home: Path, parts: dict) -> None:
    ask(home, **parts)


def test_it_is_compared_with_the_last_of_its_kind_behind_others(home: Path) -> None:
    publish(home, 2, n_values=1, settings={"AS_OF_EDITION": "2010"})
    with pytest.raises(PublicationLoses, match=run_of(1)):
        ask(home, n_values=1)


def test_a_run_that_leaves_out_fewer_years_loses_what_it_does_not_hold(home: Path) -> None:
    publish(home, 2, settings={"AS_OF_YEAR": "2012"})
    ask(home, n_values=1, settings={"AS_OF_YEAR": "2011"})
    for settings in ({"AS_OF_YEAR": "2013"}, {}):
        with pytest.raises(PublicationLoses, match=run_of(2)):
            ask(home, n_values=1, settings=settings)


@pytest.mark.parametrize("name", ["manifest.json", "citysync.duckdb"])
@pytest.mark.parametrize("is_gone", [False, True])
def test_a_damaged_publication_does_not_stop_the_next_and_hides_no_loss(
    home: Path, name: str, is_gone: bool
) -> None:
    path = (home / "published").resolve() / name
    path.chmod(0o644)
    if is_gone:
        path.unlink()
    else:
        path.write_text("{", encoding="utf-8")
    (sentence,) = ask(home)
    assert name in sentence and "not compared" in sentence
    with pytest.raises(PublicationLoses, match="what 1 runs since"):
        ask(home, n_values=1)
    remove_any(home / "archive")
    assert ask(home, n_values=1) == [sentence]


def test_what_an_earlier_version_did_not_publish_is_reported_and_the_rest_compared(
    home: Path,
) -> None:
    database = (home / "published").resolve() / "citysync.duckdb"
    database.chmod(0o644)
    with duckdb.connect(str(database)) as con:
        con.execute("alter table marts.dim_pilot_zone rename column city_id to place")
    (sentence,) = ask(home)
    assert sentence.startswith("pilot cities are not compared: ") and "city_id" in sentence
    with pytest.raises(PublicationLoses, match="of 40 cities"):
        ask(home, cities=(0, 20))


def test_a_count_that_cannot_be_made_of_the_build_ends_the_run(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query that is wrong everywhere would else switch the guard off in silence."""
    monkeypatch.setitem(losses.COUNTED, "cities", "select no_such as k from {values}")
    with pytest.raises(duckdb.BinderException, match="no_such"):
        ask(home)


def test_what_is_lost_a_little_each_time_stops_when_it_is_much(slowly: Path) -> None:
    """Each of the earlier publications is gone; the archive knows what they held."""
    ask(slowly, cities=(0, 39))
    with pytest.raises(PublicationLoses) as found:
        ask(slowly, cities=(0, 38), settings=WINDOW)
    for part in (
        "2 of 40 cities (5%), first 110038, 110039",
        f"what 4 runs since {run_of(1)} held",
    ):
        assert part in str(found.value)
    for kind in ({"is_simulated": True}, {"settings": {"AS_OF_EDITION": "2010"}}):
        ask(slowly, cities=(0, 30), **kind)
    publish(slowly, 5, cities=(0, 38), confirmed=True)
    ask(slowly, cities=(0, 37))
    with pytest.raises(PublicationLoses, match=run_of(5)):
        ask(slowly, cities=(0, 36))


def test_values_that_come_and_go_are_remembered(tmp_path: Path) -> None:
    """A city for another city each time: none of the publications is smaller than the one
    before.
    """
    for k in range(2):
        ask(tmp_path, cities=(k, 40 + k))
        publish(tmp_path, k + 1, cities=(k, 40 + k), kept=1)
    with pytest.raises(PublicationLoses, match="2 of 41 cities"):
        ask(tmp_path, cities=(2, 42))


def test_a_run_that_was_taken_back_is_not_remembered(slowly: Path) -> None:
    publish(slowly, 6, cities=(0, 100))
    switch(slowly / "published", slowly / "publications" / run_of(4))
    ask(slowly, cities=(0, 39))


@pytest.mark.parametrize("name", ["manifest.json", "quality.value_span.parquet"])
def test_a_damaged_archive_stops_no_run(slowly: Path, name: str) -> None:
    for path in (slowly / "archive").glob(f"*/{name}"):
        path.chmod(0o644)
        path.write_text("[" * 100_000, encoding="utf-8")
    ask(slowly, cities=(0, 38))
