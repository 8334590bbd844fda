"""The steps of a run: a simulated landing is made again where its code changed, meta.source says
what layouts say of origins, a rerun of dbt builds missing tables, and what fails shows its rows.
"""

import dataclasses

import dagster as dg
import pytest

from orchestration.assets import landing
from orchestration.assets.publication import describe_sources
from orchestration.assets.warehouse import (
    SAMPLE_ROWS,
    _failing_rows,
    _missing_tables,
    require_values,
)
from orchestration.dbt_runner import NodeResult
from orchestration.home import Home
from orchestration.resources import Settings
from warehouse.build_database import open_build
from warehouse.ingest.errors import LandingError
from warehouse.ingest.layouts import load_layouts


def test_a_simulated_landing_is_left_alone_and_made_again_by_other_code(home, monkeypatch):
    written: list[int] = []

    def write(home: Home, settings: Settings) -> None:
        assert not list(home.simulated.iterdir()), "nothing of before may stay"
        written.append(settings.simulated_cities)
        (home.simulated / "values.csv").touch()

    monkeypatch.setattr(landing, "_write_simulated", write)
    for n_cities, is_other_code in ((48, False), (48, False), (49, False), (49, True)):
        if is_other_code:
            (home / "simulated" / ".sha256").write_text("of other code", encoding="utf-8")
        settings = {"settings": Settings(simulated_cities=n_cities)}
        assert dg.materialize([landing.simulated_landing], resources=settings).success
    assert written == [48, 49, 49]


def test_each_source_has_a_row_and_a_silent_layout_is_named(monkeypatch, capsys):
    layouts = load_layouts()
    assert [name for name, layout in layouts.items() if layout.origin is None] == []
    silent = layouts["fdi"].model_copy(update={"origin": None})
    # where a source comes from does not change how it is read
    assert silent.content == layouts["fdi"].content
    given = {**layouts, "fdi": silent}
    monkeypatch.setattr("orchestration.assets.publication.load_layouts", lambda **_: given)
    table = describe_sources(["fdi", "sim_wide_panel", "tidy"]).set_index("source_id")
    assert table.loc["sim_wide_panel", "producer"] == "citysync"
    assert table.loc[["fdi", "tidy"], "producer"].isna().all()
    assert table["description"].isna().to_dict() == {
        "fdi": False,
        "sim_wide_panel": False,
        "tidy": True,
    }
    assert "the layouts of fdi do not say" in capsys.readouterr().out


@pytest.fixture
def built(tmp_path):
    """A home with an empty folder for a build."""
    (tmp_path / "build").mkdir()
    return Home(tmp_path)


def test_a_rerun_builds_what_the_build_lacks(built):
    seed, severity, aliases, cells = step = [
        dg.AssetKey(path)
        for path in (["seeds", "a"], ["seeds", "b"], ["staging", "c"], ["staging", "d"])
    ]
    assert _missing_tables(built, [cells], step) == [seed, severity, aliases]
    assert _missing_tables(built, [seed], step) == []
    with open_build(built.build) as con:
        con.execute("create schema seeds; create table seeds.a as select 1 as city_id")
        con.execute("create schema staging; create view staging.c as select * from seeds.a")
    assert _missing_tables(built, [cells], step) == [severity]
    assert _missing_tables(built, step, step) == []


def test_a_failed_data_test_shows_the_rows_it_found(built):
    with open_build(built.build) as con:
        con.execute(
            "create table pairs as select range as city_i_id, range - 1 as city_j_id from "
            "range(100)"
        )
    failed = NodeResult(
        "test.x",
        "x",
        "test",
        "fail",
        0.1,
        100,
        "",
        "select * from pairs where city_i_id > city_j_id order by city_i_id",
    )
    shown = _failing_rows(built, failed)["sample_of_failing_rows"]
    assert len(shown.records) == SAMPLE_ROWS
    assert shown.records[3].data == {"city_i_id": 3, "city_j_id": 2}
    assert _failing_rows(built, dataclasses.replace(failed, status="pass")) == {}


def test_a_landing_of_which_nothing_is_taken_is_refused_with_the_most_frequent_reason(
    built,
):
    with open_build(built.build) as con:
        con.execute("create schema intermediate")
        con.execute("create table intermediate.int_raw_observations as select 1 as k")
        con.execute(
            "create table intermediate.int_raw_rejections as from (values ('unknown_unit', 'x'), "
            "('unknown_city', '999999'), ('unknown_city', '999999')) as t(reason, detail)"
        )
    require_values(built)
    with open_build(built.build) as con:
        con.execute("delete from intermediate.int_raw_observations")
    with pytest.raises(LandingError, match="2 lines for one reason, the first: 999999"):
        require_values(built)
