"""`check-source`: one source judged against a small published warehouse; exit codes, and the likely
fault first.
"""

import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from orchestration.commands.check_source import check_source
from orchestration.terminal import Exit
from tests.estimation.report.sites import database
from tests.orchestration.conftest import end_of
from tests.warehouse.ingest import delivered
from tests.warehouse.ingest.delivered import csv_bytes
from warehouse.hashing import hash_file
from warehouse.ingest import layouts
from warehouse.ingest.errors import LayoutError
from warehouse.ingest.place_names import read_seed
from warehouse.publication import manifest

GDP = "gdp_nominal_cny_100m"
YEARS = range(2010, 2020)
REJECTED = ("source_id", "file_name", "cell_ref", "raw_text", "reason")
HEADER = ("city_id", "year", "indicator_id", "value", "unit")


# thirty cities of today
CITIES = [int(row["city_id"]) for row in read_seed("city_roster") if not row["valid_to_year"]][:30]


def value(city: int, year: int) -> float:
    """A made-up product: cities differ much, years a little."""
    since = year - 2009
    return round(100 + (city % 9973) * 1.37 + (city % 97) * 0.31 * since + since**2, 2)


@pytest.fixture
def home(home):
    """A home whose publication holds the values of one indicator."""
    folder = home / "published"
    folder.mkdir(parents=True)
    columns = {
        "city_id": [city for city in CITIES for _ in YEARS],
        "place_level": "city",
        "year": [*YEARS] * len(CITIES),
        "indicator_id": GDP,
        "value": [value(city, year) for city in CITIES for year in YEARS],
        "source_id": "older",
        "is_current": True,
        "unit": "cny_100m",
        "quality_flag": "ok",
        "quality_rule": "",
        "priority": 1,
        "edition_year": 2020,
        "file_name": "older.csv",
        "cell_ref": "A1",
    }
    tables = {
        "marts.fct_indicator_observation": pd.DataFrame(columns),
        "meta.input_file": pd.DataFrame({"path": [], "sha256": []}, dtype=str),
        "quality.rejected_value": pd.DataFrame(columns=REJECTED, dtype=str),
    }
    database(tables, folder / "citysync.duckdb").close()
    write_manifest(folder, is_simulated=False)
    return home


def write_manifest(folder: Path, *, is_simulated: bool) -> None:
    """A manifest as a refresh writes it, of a publication without files."""
    of_run = {"run_id": "20260101T000000.000000Z", "git_commit": "unknown"}
    entries = {"inputs": [], "packages": {}, "files": {}, "tables": {}}
    manifest.write_manifest(folder, {**of_run, "is_simulated": is_simulated, **entries})


def deliver(folder: Path, rows: list[tuple]) -> str:
    """A tidy file of rows; the folder's name is the source's."""
    files = {"tidy/values.csv": csv_bytes([HEADER, *rows], "utf-8")}
    return str(delivered.deliver(folder, files) / "tidy")


def rows(change=value, unit: str = "亿元") -> list[tuple]:
    """A row for each city and year, by year."""
    return [(city, year, GDP, change(city, year), unit) for year in YEARS for city in CITIES]


def test_what_agrees_looks_right_and_rejected_lines_are_counted(home, tmp_path, capsys):
    assert end_of(check_source, deliver(tmp_path, rows())) == Exit.DONE
    said = capsys.readouterr().out
    assert "likely faults: none found" in said
    assert "300 beside other values, 100.0% equal" in said
    assert "older: 300 common, 300 equal within 0.5 % or 0.05 points" in said
    assert "a copy of older: 300 of 300 values are the same to the last digit" in said
    wrong = [(999999, 2015, GDP, 1, "亿元"), (110000, 2015, "nonsense", 1, "")]
    end_of(check_source, deliver(tmp_path / "with_wrong_lines", [*rows(), *wrong]))
    said = capsys.readouterr().out
    assert "  unknown_city: 1, such as values.csv D302: '1'" in said
    assert "  unknown_indicator: 1, such as values.csv D303: '1'" in said


def test_a_file_that_would_stop_the_refresh_is_a_fault(home, tmp_path, capsys):
    deliver(tmp_path, rows())
    files = {
        "tidy/fault.csv": csv_bytes([HEADER, (CITIES[0], 2015, GDP, "unknown", "亿元")], "utf-8")
    }
    folder = delivered.deliver(tmp_path, files) / "tidy"
    assert end_of(check_source, str(folder)) == Exit.FAILED
    assert "the first: fault.csv: no value" in capsys.readouterr().out


def test_none_looks_wrong_is_said_only_where_all_was_compared(home, tmp_path, capsys):
    """Years that no other source has, and the source's own values, say nothing."""
    later = [(city, 2020, GDP, value(city, 2020), "亿元") for city in CITIES]
    assert end_of(check_source, deliver(tmp_path / "later", [*rows(), *later])) == Exit.DONE
    said = capsys.readouterr().out
    assert f"values.csv: {GDP}: 2020" in said and "1 of 1 columns have years that could not" in said
    folder = deliver(tmp_path / "again", rows())
    with duckdb.connect(str(home / "published" / "citysync.duckdb")) as con:
        con.execute(
            "update marts.fct_indicator_observation "
            "set source_id = 'tidy', file_name = 'values.csv'"
        )
        known = hash_file(Path(folder) / "values.csv")
        con.execute("insert into meta.input_file values ('tidy/values.csv', ?)", [known])
    assert end_of(check_source, folder) == Exit.DONE
    assert f"values.csv: {GDP}: 2010-2019" in capsys.readouterr().out


def test_a_faulty_layout_of_another_source_stops_nothing(home, tmp_path, monkeypatch):
    (tmp_path / "broken.yml").write_text("source_id: [", encoding="utf-8")
    monkeypatch.setattr(layouts.load_layouts, "__defaults__", (tmp_path, None))
    assert end_of(check_source, deliver(tmp_path, rows())) == Exit.DONE
    with pytest.raises(LayoutError, match="broken"):
        layouts.load_layouts(needed={"broken"})


@pytest.mark.parametrize("is_gone", [False, True])
def test_without_statistics_beside_it_values_are_not_compared(home, tmp_path, capsys, is_gone):
    """Beside a simulated publication, and where nothing has been published."""
    write_manifest(home / "published", is_simulated=True)
    said = "the publication here is simulated: values are not compared"
    if is_gone:
        shutil.rmtree(home)
        said = "nothing has been published in this home"
    other = rows(lambda city, year: value(city, year) * (1.3 + city % 7 / 10))
    assert end_of(check_source, deliver(tmp_path, other)) == Exit.DONE
    assert said in capsys.readouterr().out and home.exists() == (not is_gone)


@pytest.mark.parametrize(
    ("change", "unit", "sentence"),
    [
        (
            value,
            "万元",
            "100% of 300 values are 10^-4 times the right values",
        ),
        (
            lambda city, year: value(city, year - 1),
            "亿元",
            "90% of 300 values are the values of the year before",
        ),
        (
            lambda city, year: value(CITIES[CITIES.index(city) - 1], year),
            "亿元",
            "97% of 300 values are the values of the city of the row above",
        ),
        (
            lambda city, year: value(city, year) * (1.3 + city % 7 / 10),
            "亿元",
            "half of the values differ from those of other sources",
        ),
        (
            lambda city, year: (
                value(CITIES[CITIES.index(city) - 1], year) if year == 2013 else value(city, year)
            ),
            "亿元",
            f"{GDP}: 2013: 97% of 30 values are the values of the city of the row above",
        ),
        (
            lambda city, year: (
                value(city, year - 1) if city // 10000 == CITIES[-1] // 10000 else value(city, year)
            ),
            "亿元",
            "内蒙古自治区: 90% of 60 values",
        ),
        (
            lambda city, year: value(city, year) * (1.3 if year > 2014 else 1),
            "亿元",
            f"{GDP}: 2015-2019: half of the values are off by 26%, elsewhere most agree",
        ),
        (
            lambda city, year: value(city, year) * (1.3 if city // 10000 == 15 else 1),
            "亿元",
            f"{GDP}: 内蒙古自治区: half of the values are off by 26%, elsewhere most agree",
        ),
        (
            lambda city, year: (
                round((value(city, 2012) + value(city, 2014)) / 2, 3)
                if year == 2013
                else value(city, year)
            ),
            "亿元",
            f"{GDP}: 2013: 100% of 30 values are a straight line between the years beside",
        ),
        (
            lambda city, year: 0 if year == 2013 else value(city, year),
            "亿元",
            f"{GDP}: 2013: values that are not from",
        ),
        (value, "斤", "none of its 300 values is taken (unknown_unit, unit '斤')"),
    ],
)
def test_the_likely_fault_comes_first(home, tmp_path, capsys, change, unit, sentence):
    assert end_of(check_source, deliver(tmp_path, rows(change, unit))) == Exit.FAILED
    said = capsys.readouterr().out.splitlines()
    heading = next(i for i, line in enumerate(said) if line.startswith("likely faults:"))
    assert sentence in said[heading + 1] and "exit 1: " in said[-1]


def test_partly_filled_years_are_listed_where_all_is_asked_for(home, tmp_path, capsys):
    """A bulletin of some cities is usual; whoever wants to know asks for it."""
    some = rows(lambda city, year: "" if year == 2014 and city % 3 else value(city, year))
    folder = deliver(tmp_path, some)
    assert end_of(check_source, folder) == Exit.DONE
    assert "partly filled" not in capsys.readouterr().out
    assert end_of(check_source, folder, True) == Exit.FAILED
    assert f"{GDP}: 2014: partly filled" in capsys.readouterr().out


RATE = "gdp_growth_official_pct"


def rate(city: int, year: int) -> float:
    """Growth at constant prices: that of the product less prices, and no other's."""
    return round(100 * (value(city, year) / value(city, year - 1) - 1) - 1 - city % 7 / 5, 1)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (rate, "likely faults: none found"),
        (lambda city, year: rate(city, year - 1), "are the values of the year before"),
        (
            lambda city, year: rate(city, year) + (0.6 if city % 3 else -0.6),
            "half of the values differ from those of other sources by 0.6 points",
        ),
        (
            lambda city, year: round(100 * (value(city, year) / value(city, year - 1) - 1), 2),
            "values are growth at current prices",
        ),
    ],
)
def test_rates_are_compared_in_points(home, tmp_path, capsys, change, sentence):
    rates = pd.DataFrame({"city_id": CITIES}).merge(pd.DataFrame({"year": YEARS[1:]}), "cross")
    rates["rate"] = list(map(rate, rates["city_id"], rates["year"]))
    with duckdb.connect(str(home / "published" / "citysync.duckdb")) as con:
        con.register("rates", rates)
        con.execute(
            f"insert into marts.fct_indicator_observation by name select known.* replace "
            f"('{RATE}' as indicator_id, rate as value, 'pct' as unit, 'rates.csv' as file_name) "
            "from marts.fct_indicator_observation as known join rates using (city_id, year)"
        )
    given = [(c, y, RATE, change(c, y), "%") for y in YEARS[1:] for c in CITIES]
    ended = end_of(check_source, deliver(tmp_path, given))
    assert ended == (Exit.DONE if change is rate else Exit.FAILED)
    assert sentence in capsys.readouterr().out


def test_the_new_and_changed_files_come_first_on_one_screen(home, tmp_path, capsys):
    """Of twenty files three were not published so: theirs are the faults that are shown."""
    folder = Path(deliver(tmp_path, rows(lambda city, year: value(city, year - 1))))
    for n in range(20):
        shutil.copy(folder / "values.csv", folder / f"{n:03d}.csv")
    known = hash_file(folder / "values.csv")
    with duckdb.connect(str(home / "published" / "citysync.duckdb")) as con:
        files = [(f"tidy/{n:03d}.csv", known if n else "another") for n in range(19)]
        con.executemany("insert into meta.input_file values (?, ?)", files)
    assert end_of(check_source, str(folder)) == Exit.FAILED
    said = [line for line in capsys.readouterr().out.splitlines() if " s  " not in line]
    assert len(said) <= 37
    assert said[0] == "files: 1 changed, 18 as published, 2 new"
    assert [line.split(":")[0].strip() for line in said[1:4]] == [
        "changed tidy/000.csv",
        "new tidy/019.csv",
        "new tidy/values.csv",
    ]
    assert said[4] == "likely faults: 3" and "faults that the publication has already: 18" in said
    assert "look wrong besides 18 that the publication has already" in said[-1]
    assert end_of(check_source, str(folder), True) == Exit.FAILED
    said = capsys.readouterr().out
    assert all(f"  {n:03d}.csv: {GDP}" in said for n in range(20))


def accept(home: Path, folder: str) -> None:
    """Put the values of a tidy file into the publication, as an earlier refresh would have."""
    given = pd.read_csv(Path(folder) / "values.csv")
    rows = given.assign(
        place_level="city",
        source_id="tidy",
        is_current=False,
        unit="cny_100m",
        quality_flag="ok",
        quality_rule="",
        priority=0,
        edition_year=None,
        file_name="before.csv",
        cell_ref="D2",
    )
    with duckdb.connect(str(home / "published" / "citysync.duckdb")) as con:
        con.register("given", rows)
        con.execute("insert into marts.fct_indicator_observation by name select * from given")
    run = home / "archive" / "run_id=20251215T080000.000000Z"
    run.mkdir(parents=True)
    pd.DataFrame({"is_simulated": [False]}).to_parquet(run / "meta.run.parquet")
    files = pd.DataFrame({"path": ["tidy/values.csv"], "status": ["taken"]})
    files.to_parquet(run / "meta.input_file.parquet")


def test_faults_that_the_publication_has_are_known_and_exit_1_is_for_new_ones(
    home, tmp_path, capsys
):
    def late(city, year):
        return value(city, year - 1) if year in late_years else value(city, year)

    late_years = {2013}
    folder = deliver(tmp_path, rows(late))
    assert end_of(check_source, folder) == Exit.FAILED
    accept(home, folder)
    capsys.readouterr()
    # the file came again with a year more, and the old fault in it
    more = [(city, 2020, GDP, value(city, 2020), "亿元") for city in CITIES]
    again = deliver(tmp_path / "again", [*rows(late), *more])
    assert end_of(check_source, again) == Exit.DONE
    said = capsys.readouterr().out
    assert "likely faults: none found" in said
    assert "(known since 2025-12-15)" in said
    assert "besides 2 that the publication has already" in said
    # the same fault of another year is new
    late_years.add(2016)
    assert end_of(check_source, deliver(tmp_path / "new", rows(late))) == Exit.FAILED
    assert f"{GDP}: 2013, 2016: " in capsys.readouterr().out


def test_one_value_ten_times_too_large_among_copied_ones_is_found(home, tmp_path, capsys):
    """Of 56 values 55 are those of the other source to the last digit."""
    copied = [row for row in rows() if row[1] in (2018, 2019)][:56]
    city, year, _, right, _ = copied[20]
    copied[20] = (city, year, GDP, round(10 * right, 1), "亿元")
    folder = deliver(tmp_path, copied)
    assert end_of(check_source, folder) == Exit.FAILED
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "one value is" in line][:1]
    wrong = f"{year}: one value is 10^1 times the right values (D22): {10 * right:.10g}"
    assert wrong in line and "55 of the 56 values in this column agree" in line
    accept(home, folder)
    assert end_of(check_source, folder) == Exit.DONE


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("strange_source", "new-source"),
        ("nowhere", "found nothing there"),
        ("tidy", "tidy/values.csv: expected columns city_id, year, indicator_id, value"),
        ("", "expected the folder of one source"),
    ],
)
def test_bad_input_is_named(home, tmp_path, capsys, source, what):
    texts = {"strange_source": b"a\n", "tidy": b"city_id,year,value\n110000,2015,1\n"}
    delivered.deliver(tmp_path, {f"{name}/values.csv": text for name, text in texts.items()})
    assert end_of(check_source, source and str(tmp_path / source)) == Exit.BAD_INPUT
    assert what in capsys.readouterr().out
