"""Code and name of a place: a shifted column stops its file, single rows do not, and the look-up
here is the models' own.
"""

from pathlib import Path

import duckdb
import jinja2
import pytest

from tests.warehouse.ingest.delivered import LAYOUT_YAML, deliver, read, xlsx_bytes
from warehouse.ingest.errors import LandingError
from warehouse.ingest.layouts import parse_layout
from warehouse.ingest.place_names import (
    SEEDS,
    place_key,
    read_place_names,
    read_seed,
    six_digit_code,
)
from warehouse.source_check.staging import build_staging

HEADER = ["年份", "城市", "城市代码", "地区生产总值（万元）"]


def roster(n: int) -> list[tuple[str, int]]:
    """Name and code of cities of today."""
    rows = [row for row in read_seed("city_roster") if not row["valid_to_year"]]
    return [(row["city_name_zh"], int(row["city_id"])) for row in rows[:n]]


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
        assert (
            dict(
                con.execute(
                    "select alias, place_id from stg_seeds__place_aliases where place_level = "
                    "'city'"
                ).fetchall()
            )
            == names.aliases
        )
        known = con.execute(
            "select place_code, place_id from stg_seeds__place_codes where place_level = 'city'"
        ).fetchall()
        assert dict(known) == names.codes
        con.execute(
            "create table odd (row_no integer, place_text varchar, place_code_text varchar)"
        )
        con.executemany(
            "insert into odd values (?, ?, ?)",
            [(i, text, text) for i, text in enumerate([*odd, *codes])],
        )
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
