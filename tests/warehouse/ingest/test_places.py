"""Places: code and name of a row, the look-up that is the models' own, and a landing's own roster,
which takes the place of the seed's.
"""

import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import jinja2
import pandas as pd
import pytest

from tests.warehouse.dbt_build import run_dbt
from tests.warehouse.ingest.delivered import LAYOUT_YAML, deliver, read, roster, xlsx_bytes
from warehouse.ingest.errors import LandingError
from warehouse.ingest.landing import _write_roster, find_files
from warehouse.ingest.layouts import parse_layout
from warehouse.ingest.place_names import (
    SEEDS,
    place_key,
    read_place_names,
    six_digit_code,
)
from warehouse.ingest.roster import PLACE_COLUMNS, ZONE_COLUMNS, read_roster
from warehouse.ingest.simulation.counties import county_roster, county_zones
from warehouse.ingest.simulation.landing import _write_places
from warehouse.source_check.comparison import build_staging

HEADER = ["年份", "城市", "城市代码", "地区生产总值（万元）"]


def table(codes: list[int], n: int = 120) -> dict[str, bytes]:
    rows = [
        [2015, name, code, 100 + i]
        for i, ((name, _), code) in enumerate(zip(roster(n), codes, strict=True))
    ]
    return {"panel/a.xlsx": xlsx_bytes(面板=[HEADER, *rows])}


def staged(build: Path) -> list[tuple]:
    with duckdb.connect() as con:
        build_staging(con, build)
        return con.execute(
            'select row_no, place_id, reason from int_raw_resolved where "value" is not null '
            "order by row_no"
        ).fetchall()


def shifted(rows: int, first: int) -> list[int]:
    """Codes of 120 cities that stand so many rows down from a row on."""
    own = [code for _, code in roster(123)]
    return [own[i - rows] if i >= first else own[i] for i in range(120)]


def turned() -> list[int]:
    codes = [code for _, code in roster(120)]
    return codes[:40] + codes[40:60][::-1] + codes[60:]


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        (shifted(1, 56), "codes are shifted by 1 row down from row 58"),
        (shifted(-1, 56), "codes are shifted by 1 row up from row 58"),
        (shifted(2, 30), "codes are shifted by 2 rows down from row 32"),
        (turned(), r"other codes than names from row 42 on .* 20 of 120 rows disagree"),
    ],
)
def test_a_column_of_codes_out_of_place_stops_its_file(tmp_path, codes, said):
    landing = deliver(tmp_path / "landing", table(codes))
    place = r"panel/a.xlsx: sheet '面板': expected code and name of one place in every row; found "
    # the second time from the cache
    for _ in range(2):
        with pytest.raises(LandingError, match=place + said):
            read(landing, tmp_path)


def test_two_rows_are_rejected_alone(tmp_path):
    codes = [code for _, code in roster(120)]
    codes[3], codes[4] = codes[4], codes[3]
    read(deliver(tmp_path / "landing", table(codes)), tmp_path)
    reasons = {row_no: reason for row_no, _, reason in staged(tmp_path / "build")}
    assert [row_no for row_no, reason in reasons.items() if reason == "place_mismatch"] == [5, 6]
    assert sum(reason is None for reason in reasons.values()) == 118


@pytest.mark.parametrize(
    ("name", "code", "place_id", "reason"),
    [
        ("北京市", "110000", 110000, None),
        ("北京市①", "", 110000, None),
        ("瀋陽市", "", 210100, None),
        ("臺州市 [1]", "331000", 331000, None),
        ("石家庄市", "130100000000", 130100, None),
        ("石家庄市", "130102", None, "unknown_city"),
        ("石家庄市", "130102000000", None, "unknown_city"),
        ("石家庄市", "130100001001", None, "unknown_city"),
        ("正定县", "130100", 130100, "place_mismatch"),
        ("正定县", "", None, "unknown_city"),
        ("唐山市", "130100", 130100, "place_mismatch"),
        ("Suzhou", "", None, "unknown_city"),
    ],
)
def test_a_place_is_found_or_refused(tmp_path, name, code, place_id, reason):
    data = xlsx_bytes(面板=[HEADER, [2015, name, code, 1.0], [2015, "天津市", "120000", 1.0]])
    read(deliver(tmp_path / "landing", {"panel/a.xlsx": data}), tmp_path)
    assert staged(tmp_path / "build")[0] == (2, place_id, reason)


def test_a_name_and_its_province_are_looked_up_together(tmp_path):
    layout = parse_layout(
        LAYOUT_YAML.replace("code: 城市代码, name: 城市", "name: 城市, within: {column: 省份}"),
        "panel.yml",
    )
    cells = [
        ("Suzhou", "江苏省"),
        ("Suzhou", "安徽"),
        ("海南", "青海省"),
        ("朝阳", "北京市"),
        ("朝阳", "遼寧省"),
        ("苏州市", "江苏"),
    ]
    rows = [
        ["年份", "省份", "城市", "城市代码", "地区生产总值（万元）"],
        *([2015 + i, p, n, "", 1.0] for i, (n, p) in enumerate(cells)),
    ]
    read(
        deliver(tmp_path / "landing", {"panel/a.xlsx": xlsx_bytes(面板=rows)}),
        tmp_path,
        layouts={"panel": layout},
    )
    assert [(place, reason) for _, place, reason in staged(tmp_path / "build")] == [
        (320500, None),
        (341300, None),
        (632500, None),
        (None, "place_mismatch"),
        (211300, None),
        (320500, None),
    ]


def test_the_look_up_is_the_models_own(tmp_path):
    read(deliver(tmp_path / "landing", table([code for _, code in roster(120)])), tmp_path)
    odd = [
        "北京市①",
        "北 京 市",
        "臺北",
        "蘭州*",
        "廣州市(1)",
        "長沙市［2］",
        "Xi'an",
        "①",
        "",
        "滄州市〔注3〕",
        "烏魯木齊⁽¹⁾",
    ]
    codes = [
        "110000",
        "1100",
        "110000.0",
        "110000000000",
        "130102",
        "130102001001",
        "13010",
        "x",
        "",
        "440100000",
    ]
    with duckdb.connect() as con:
        build_staging(con, tmp_path / "build")
        names = read_place_names()
        for column, seed, known in (
            ("alias", "aliases", names.aliases),
            ("place_code", "codes", names.codes),
        ):
            query = f"select {column}, place_id from stg_seeds__place_{seed}"
            of_city = f"{query} where place_level = 'city'"
            assert dict(con.execute(of_city).fetchall()) == known
        texts = pd.DataFrame({"place_text": [*odd, *codes], "place_code_text": [*odd, *codes]})
        con.register("odd", texts.reset_index(names="row_no"))
        macros = (SEEDS.parent / "macros" / "text.sql").read_text(encoding="utf-8")
        sql = (
            "select {{ place_key('place_text') }}, {{ six_digit_code('place_code_text') }} from "
            "odd order by row_no"
        )
        found = con.execute(
            jinja2.Environment(autoescape=False).from_string(macros + sql).render()
        ).fetchall()
    expected = [(place_key(text) or None, six_digit_code(text)) for text in [*odd, *codes]]
    assert [(key, None if code == 1 else code) for key, code in found] == expected


PLACES = [
    "110101,东城区,Dongcheng,110000,116.4,39.9,1990,",
    "130102,长安区,Chang'an,130100,114.5,38.0,1990,",
    "130199,某街道,Some Street,130102,114.6,38.1,2001,2001",
]
ZONES = ["长安区,Chang'an zone,130102,2,2016-01-12,no. 1,true,seen"]


def deliver_places(folder: Path, places: list[str], zones: list[str] | None = None) -> Path:
    files = {"places/roster.csv": [",".join(PLACE_COLUMNS), *places]}
    if zones is not None:
        files["places/zones.csv"] = [",".join(ZONE_COLUMNS), *zones]
    return deliver(folder, {path: "\n".join([*rows, ""]).encode() for path, rows in files.items()})


def test_places_of_any_level_find_their_province(tmp_path):
    places, zones = read_roster(deliver_places(tmp_path, PLACES, ZONES))
    assert places["city_id"].to_pylist() == [110101, 130102, 130199]
    assert places["province_id"].to_pylist() == [110000, 130000, 130000] and set(
        places["region"].to_pylist()
    ) == {"east"}
    assert places["valid_to_year"].to_pylist() == [None, None, 2001] and zones[
        "city_id"
    ].to_pylist() == [130102]
    assert {file.note for file in find_files(tmp_path, {})} == {
        "the places of this landing, which take the place of the seed's"
    }
    assert read_roster(tmp_path / "places") is None


GOOD = "\n".join([",".join(PLACE_COLUMNS), *PLACES]).encode()
GOOD_ZONES = "\n".join([",".join(ZONE_COLUMNS), *ZONES, ""]).encode()


def written(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


#: A row behind those of the roster, and what is said of it.
ROWS = {
    "110101,另一个,Another,110000,116.4,39.9,1990,": (
        "row 5, column city_id: expected a value of its own (row 2 has it)"
    ),
    "110102,东城区,Another,110000,116,39,1990,": (
        "row 5, column city_name_zh: expected a value of its own"
    ),
    "110102,西城区,Xicheng,110000,,39.9,1990,": (
        "row 5, column lon_deg: expected degrees east between 60 and 150"
    ),
    "110102,西城区,Xicheng,110000,39.9,116.4,1990,": (
        "row 5, column lat_deg: expected degrees north between 0 and 60"
    ),
    "110102,西城区,Xicheng,110000,nan,39.9,1990,": "column lon_deg",
    "990102,西城区,Xicheng,990000,116,39.9,1990,": (
        "row 5, column parent_id: expected the code of a province"
    ),
    "990102,西城区,Xicheng,990102,116,39.9,1990,": "row 5, column parent_id",
    "1101,西城区,Xicheng,110000,116,39.9,1990,": (
        "row 5, column city_id: expected a code of six digits; found '1101'"
    ),
    "110102,西城区,Xicheng,110000,116,39.9,ever,": (
        "column valid_from_year: expected a year between 1900 and 2100; found 'ever'"
    ),
    "110102,西城区,Xicheng,110000,116,39.9,1990,1980": (
        "column valid_to_year: expected no year before valid_from_year"
    ),
}
MANY = b"".join(b"\nx%d,n%d,N%d,110000,116,39.9,1990," % (n, n, n) for n in range(30))
ROSTER, IS_FILE = "roster.csv", "expected a file; found a folder, pipe or broken link"
#: The file in whose place something is put, how, and what is said.
FILES = [
    *((ROSTER, written(b"\n".join([GOOD, row.encode()])), said) for row, said in ROWS.items()),
    (ROSTER, written(GOOD + MANY), "found 30"),
    (ROSTER, written(b"city_id,name\n1,x\n"), "row 1: expected the columns city_id"),
    (
        ROSTER,
        written(GOOD.replace(b"\n", b",more\n", 1)),
        "row 1: expected the columns city_id",
    ),
    (ROSTER, written(b""), "row 1: expected the columns city_id"),
    (ROSTER, written(GOOD.partition(b"\n")[0] + b"\n"), "found a header alone"),
    (ROSTER, written("城".encode("gbk")), "expected a CSV file in UTF-8"),
    (ROSTER, lambda _: None, "expected roster.csv beside it"),
    (ROSTER, os.mkfifo, IS_FILE),
    ("zones.csv", Path.mkdir, IS_FILE),
    (ROSTER, lambda path: path.symlink_to("/etc/hostname"), "a link that leaves it"),
    (
        "zones.csv",
        written(GOOD_ZONES.replace(b"130102", b"110102")),
        "row 2, column city_id: expected a place of roster.csv; found 110102",
    ),
    (
        "zones.csv",
        written(GOOD_ZONES.replace(b"2016-01-12", b"12.1.2016")),
        "row 2, column approval_date: expected a date such as 2015-03-07; found '12.1.2016'",
    ),
]


@pytest.mark.parametrize(("name", "put", "said"), FILES)
def test_a_fault_is_named_with_file_row_expected_and_found(tmp_path, name, put, said):
    path = deliver_places(tmp_path, PLACES, ZONES) / "places" / name
    path.unlink()
    put(path)
    with pytest.raises(LandingError) as found:
        read_roster(tmp_path)
    for part in (said, f"{tmp_path}/places", "expected ", "; found "):
        assert part in str(found.value)


def test_counties_without_a_roster_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("PLACES", "county")
    with pytest.raises(LandingError, match="PLACES"):
        read_roster(tmp_path)


def test_simulated_counties_come_back_as_they_were_made(tmp_path):
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


def test_the_places_of_a_landing_take_the_place_of_the_seeds_and_leave_again(tmp_path, dbt_target):
    build = tmp_path / "build"
    build.mkdir()

    def found(*seeds: str) -> dict[str, tuple]:
        """Rows of each seed, and its last city."""
        run_dbt(["seed", "--select", "province_roster", *seeds], build, dbt_target)
        with duckdb.connect(str(build / "citysync.duckdb"), read_only=True) as con:
            query = "select count(*), max(columns('^(to_)?city_id$')) from seeds."
            return {seed: con.execute(query + seed).fetchone() for seed in seeds}

    ours = {"city_roster": (3, 130199), "city_aliases": (6, 130199), "pilot_zones": (1, 130102)}
    nothing = ("city_code_changes", "other_policies", "boundary_events")
    ours |= dict.fromkeys(nothing, (0, None))
    _write_roster(build, read_roster(deliver_places(tmp_path, PLACES, ZONES)))
    assert found(*ours) == ours
    _write_roster(build, None)
    assert not list(build.glob("*.parquet"))
