"""Deliveries that change from run to run end to end: what each changed is counted, the warehouse is
built as it stood, and the archive says how the headline moved, and why.
"""

from __future__ import annotations

from pathlib import Path

from orchestration.commands.sql_prompt import connect_read_only
from orchestration.home import Home
from tests.orchestration.conftest import Run, refresh, six_cities

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
