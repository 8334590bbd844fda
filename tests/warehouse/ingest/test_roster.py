"""A landing's own places: what is refused with file, row, expected and found, and that they take
the place of the seed's.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.warehouse.dbt_build import REPOSITORY, run_dbt
from tests.warehouse.ingest.delivered import ROWS, csv_bytes, read
from tests.warehouse.ingest.delivered import deliver as deliver_files
from warehouse.ingest import landing as landing_module
from warehouse.ingest.errors import LandingError
from warehouse.ingest.landing import _write_roster, find_files
from warehouse.ingest.roster import PLACE_COLUMNS, ZONE_COLUMNS, read_roster
from warehouse.ingest.simulation.counties import county_roster, county_zones
from warehouse.ingest.simulation.landing import _write_places

SEEDS = REPOSITORY / "warehouse" / "seeds"
PLACES = [
    "110101,东城区,Dongcheng,110000,116.4,39.9,1990,",
    "130102,长安区,Chang'an,130100,114.5,38.0,1990,",
    "130199,某街道,Some Street,130102,114.6,38.1,2001,2015",
]
ZONES = ["长安区,Chang'an zone,130102,2,2016-01-12,no. 1,true,seen"]


def deliver(
    folder: Path,
    places: list[str],
    zones: list[str] | None = None,
    header: str = ",".join(PLACE_COLUMNS),
) -> Path:
    (folder / "places").mkdir(parents=True, exist_ok=True)
    (folder / "places" / "roster.csv").write_text(
        "\n".join([header, *places]) + "\n", encoding="utf-8"
    )
    if zones is not None:
        (folder / "places" / "zones.csv").write_text(
            "\n".join([",".join(ZONE_COLUMNS), *zones]) + "\n", encoding="utf-8"
        )
    return folder


def test_places_of_any_level_find_their_province(tmp_path: Path) -> None:
    places, zones = read_roster(deliver(tmp_path, PLACES, ZONES))
    assert places["city_id"].to_pylist() == [110101, 130102, 130199]
    assert places["province_id"].to_pylist() == [110000, 130000, 130000] and set(
        places["region"].to_pylist()
    ) == {"east"}
    assert places["valid_to_year"].to_pylist() == [None, None, 2015] and zones[
        "city_id"
    ].to_pylist() == [130102]
    assert {file.note for file in find_files(tmp_path, {})} == {
        "the places of this landing, which take the place of the seed's"
    }
    assert read_roster(tmp_path / "places") is None


FAULTS = {
    "twice": (
        [*PLACES, "110101,另一个,Another,110000,116.4,39.9,1990,"],
        "row 5, column city_id: expected a value of its own (row 2 has it)",
    ),
    "name twice": (
        [*PLACES, "110102,东城区,Another,110000,116,39,1990,"],
        "row 5, column city_name_zh: expected a value of its own",
    ),
    "no coordinates": (
        [*PLACES, "110102,西城区,Xicheng,110000,,39.9,1990,"],
        "row 5, column lon_deg: expected degrees east between 60 and 150",
    ),
    "exchanged": (
        [*PLACES, "110102,西城区,Xicheng,110000,39.9,116.4,1990,"],
        "row 5, column lat_deg: expected degrees north between 0 and 60",
    ),
    "no number": ([*PLACES, "110102,西城区,Xicheng,110000,nan,39.9,1990,"], "column lon_deg"),
    "parent": (
        [*PLACES, "990102,西城区,Xicheng,990000,116,39.9,1990,"],
        "row 5, column parent_id: expected the code of a province",
    ),
    "own parent": (
        [*PLACES, "990102,西城区,Xicheng,990102,116,39.9,1990,"],
        "row 5, column parent_id",
    ),
    "code": (
        [*PLACES, "1101,西城区,Xicheng,110000,116,39.9,1990,"],
        "row 5, column city_id: expected a code of six digits; found '1101'",
    ),
    "year": (
        [*PLACES, "110102,西城区,Xicheng,110000,116,39.9,ever,"],
        "column valid_from_year: expected a year between 1900 and 2100; found 'ever'",
    ),
    "ends first": (
        [*PLACES, "110102,西城区,Xicheng,110000,116,39.9,1990,1980"],
        "column valid_to_year: expected no year before valid_from_year",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_file_row_expected_and_found(tmp_path: Path, name: str) -> None:
    places, expected = FAULTS[name]
    with pytest.raises(LandingError) as found:
        read_roster(deliver(tmp_path, places))
    assert (
        expected in str(found.value)
        and f"{tmp_path}/places/roster.csv" in str(found.value)
        and "; found " in str(found.value)
    )


def test_all_faults_are_named_and_other_files_refused(tmp_path: Path) -> None:
    with pytest.raises(LandingError, match="found 30"):
        read_roster(
            deliver(tmp_path, [f"x{n},名{n},N{n},110000,116,39.9,1990," for n in range(30)])
        )
    with pytest.raises(
        LandingError, match=r"row 2, column city_id: expected a place of roster.csv; found 110102"
    ):
        read_roster(deliver(tmp_path, PLACES, [ZONES[0].replace("130102", "110102")]))
    with pytest.raises(
        LandingError,
        match=r"row 2, column approval_date: expected a date such as 2015-03-07; found '12.1.2016'",
    ):
        read_roster(deliver(tmp_path, PLACES, [ZONES[0].replace("2016-01-12", "12.1.2016")]))
    for header in ("city_id,name", "", f"{','.join(PLACE_COLUMNS)},more"):
        with pytest.raises(LandingError, match="row 1: expected the columns city_id"):
            read_roster(deliver(tmp_path, PLACES, header=header))
    with pytest.raises(LandingError, match="found a header alone"):
        read_roster(deliver(tmp_path, []))
    (tmp_path / "places" / "roster.csv").write_bytes("城".encode("gbk"))
    with pytest.raises(LandingError, match="expected a CSV file in UTF-8"):
        read_roster(tmp_path)
    (tmp_path / "places" / "roster.csv").unlink()
    with pytest.raises(LandingError, match=r"expected roster.csv beside it"):
        read_roster(tmp_path)
    (tmp_path / "places" / "roster.csv").symlink_to("/etc/hostname")
    with pytest.raises(LandingError, match="a link that leaves it"):
        read_roster(tmp_path)


def other_content(path: Path) -> None:
    """Another place or zone, with size and time as they were."""
    status, data = path.stat(), path.read_bytes()
    path.write_bytes(data.replace(b"116.4", b"116.5").replace(b"no. 1", b"no. 2"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


MEANWHILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "other content": (other_content, "changed while it was read: another content"),
    "a row more": (
        lambda path: path.write_bytes(path.read_bytes() * 2),
        r"changed while it was read: \d+ bytes first",
    ),
    "gone": (Path.unlink, "nothing there any more"),
    "a pipe": (lambda path: (path.unlink(), os.mkfifo(path)), "a folder, pipe or device"),
}


@pytest.mark.parametrize("name", MEANWHILE)
@pytest.mark.parametrize("file", ["roster", "zones"])
def test_places_that_change_while_the_landing_is_read_stop_it(
    tmp_path, monkeypatch, name: str, file: str
) -> None:
    landing = landing_with_places(tmp_path)
    change, expected = MEANWHILE[name]
    real = landing_module._read_files

    def changed_then_read(*arguments: object) -> object:
        change(landing / "places" / f"{file}.csv")
        return real(*arguments)

    monkeypatch.setattr(landing_module, "_read_files", changed_then_read)
    with pytest.raises(
        LandingError,
        match=rf"places/{file}.csv: expected .*{expected}",
    ):
        read(landing, tmp_path)
    assert not (tmp_path / "build").exists()


def landing_with_places(folder: Path) -> Path:
    deliver_files(folder / "landing", {"panel/a.csv": csv_bytes(ROWS)})
    return deliver(folder / "landing", PLACES, ZONES)


def test_places_that_are_gone_between_the_list_and_their_reading_stop_it(
    tmp_path, monkeypatch
) -> None:
    """Without a roster the seed's places would be taken, beside the hash of the roster in the list
    of files.
    """
    landing = landing_with_places(tmp_path)
    real = landing_module.find_files

    def found(*arguments: object) -> object:
        files = real(*arguments)
        for name in ("roster.csv", "zones.csv"):
            (landing / "places" / name).rename(tmp_path / name)
        return files

    monkeypatch.setattr(landing_module, "find_files", found)
    with pytest.raises(
        LandingError, match=r"places/roster.csv: expected a file that stays as it is; found it gone"
    ):
        read(landing, tmp_path)


@pytest.mark.parametrize("name", ["roster.csv", "zones.csv"])
@pytest.mark.parametrize(
    "put",
    [
        Path.mkdir,
        os.mkfifo,
        lambda path: path.symlink_to("nowhere"),
        lambda path: path.symlink_to(path),
    ],
)
def test_what_is_no_file_in_a_roster_s_place_is_not_passed_over(tmp_path, name: str, put) -> None:
    landing = landing_with_places(tmp_path)
    (landing / "places" / name).unlink()
    put(landing / "places" / name)
    with pytest.raises(
        LandingError, match=f"places/{name}: expected a file; found a folder, pipe or broken link"
    ):
        read_roster(landing)


def test_a_roster_of_many_megabytes_is_not_read(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("warehouse.ingest.roster.MOST_BYTES", 100)
    with pytest.raises(
        LandingError,
        match=r"places/roster.csv: expected a roster of at most 100 bytes; found \d+ bytes",
    ):
        read_roster(landing_with_places(tmp_path))


def test_a_roster_in_the_folder_of_a_year_is_not_called_the_places_of_the_landing(tmp_path) -> None:
    landing = landing_with_places(tmp_path)
    (landing / "places").rename(landing / "2018")
    (landing / "places").mkdir()
    (landing / "2018").rename(landing / "places" / "2018")
    notes = {file.path: file.note for file in find_files(landing, {})}
    assert "move it to its source's folder" in notes["places/2018/roster.csv"]


def test_simulated_counties_come_back_as_they_were_made(tmp_path: Path) -> None:
    counties = county_roster(pd.read_csv(SEEDS / "city_roster.csv"))
    zones = county_zones(pd.read_csv(SEEDS / "pilot_zones.csv"), counties)
    assert (
        len(counties) == 2850
        and counties["city_id"].is_unique
        and counties["city_name_en"].is_unique
    )
    _write_places(tmp_path / "places", counties, zones)
    places, read_zones = read_roster(tmp_path)
    expected = counties.sort_values("city_id")
    assert places["city_id"].to_pylist() == expected["city_id"].tolist()
    assert places["province_id"].to_pylist() == expected["province_id"].tolist()
    assert places["lon_deg"].to_pylist() == expected["lon_deg"].tolist()
    assert read_zones["city_id"].to_pylist() == zones["city_id"].tolist() and len(zones) > 100


def test_the_places_of_a_landing_take_the_place_of_the_seeds_and_leave_again(
    tmp_path: Path,
) -> None:
    build, target = tmp_path / "build", tmp_path / "target"
    build.mkdir()
    seeds = [
        "city_roster",
        "city_aliases",
        "city_code_changes",
        "pilot_zones",
        "other_policies",
        "province_roster",
    ]
    command = ["build", "--select", *seeds, "--indirect-selection", "cautious"]

    def count(query: str) -> tuple:
        with duckdb.connect(str(build / "citysync.duckdb"), read_only=True) as con:
            return con.execute(query).fetchone()

    _write_roster(build, read_roster(deliver(tmp_path, PLACES, ZONES)))
    run_dbt(command, build, target)
    assert count("select count(*), max(city_id) from seeds.city_roster") == (3, 130199)
    assert count("select count(*), count(distinct city_id) from seeds.city_aliases") == (6, 3)
    assert count("select count(*), max(city_id) from seeds.pilot_zones") == (1, 130102)
    assert (
        count("select count(*) from seeds.city_code_changes")
        == count("select count(*) from seeds.other_policies")
        == (0,)
    )
    _write_roster(build, None)
    run_dbt(command, build, target)
    assert count("select count(*) from seeds.city_roster") == (
        len(pd.read_csv(SEEDS / "city_roster.csv")),
    )
