"""`citysync rehearse`: what an arrival changed is reported by name; three editions arrive, with a
loss and a revision planted.
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from orchestration.commands.rehearse import rehearse
from orchestration.home import REPO
from orchestration.rehearsal import COLUMNS, arrival_rows, refused_row
from orchestration.terminal import Exit
from tests.orchestration.conftest import SMALL, Run, end_of, run, write_tidy
from tests.warehouse.publication.small import put_out, run_of
from warehouse.errors import Refused

NEWEST = "primary.cm_growth_official.newest"
GDP = "gdp_nominal_cny_100m"
#: A publication of one edition, after another one.
TABLES = f"""
create schema meta; create schema estimates; create schema marts;
create table marts.dim_city as select 110000 as city_id, 'Beijing' as city_name_en;
create table meta.run as
    select 'b' as run_id, 'a' as previous_run_id, null::varchar as not_compared;
create table estimates.primary as select '{NEWEST}' as spec_id, 2010 as first_year,
    2021 as last_year, 0.05e0 as estimate, 'found' as verdict, '' as reason;
create table meta.estimate_change as select '{NEWEST}' as spec_id,
    'not_found_could_have_been' as old_verdict;
create table meta.movement as select '{NEWEST}' as spec_id, 2020 as old_last_year,
    2021 as last_year, 0.02e0 as old_estimate, 0.05e0 as estimate, 0.03e0 as change,
    0.01e0 as deviation, 3.0e0 as change_in_deviations, '' as reason;
create table meta.promise as from (values
    ('{NEWEST}', 'adjusted', 2010, 2021, 'a', 'as_written', '', 0.05e0, 0.05e0, ''),
    ('{NEWEST}', 'committed', 2010, 2021, 'a', 'changed', 'seed: 5 -> 1', 0.04e0, 0.05e0, '')
    ) t(spec_id, rule_name, first_year, last_year, written_by, status, what_changed,
    estimate_written, estimate, reason);
create table meta.place_change as select 'new' as change, 'city' as place_level, 110000 as city_id;
create table meta.current_change as select 'revised' as reason, 1 as n_values,
    0.03e0 as largest_relative_change;
create table meta.value_change as from (values
    ('{GDP}', 'city', 110000, 2020, 100::double, null, null, 'spike', 'nothing left after a block'),
    ('{GDP}', 'city', 110000, 2015, 100::double, 103::double, 0.03e0, null, 'revised')
    ) t(indicator_id, place_level, city_id, "year", old_value, new_value, relative_change,
    quality_rule, reason);
create table meta.flag_change as select 'came' as change, 'blocked' as quality_flag,
    'spike' as quality_rule, 2 as n_values;
create table meta.check_change as select 'marts_leaps' as check_id, null::varchar as known_since,
    1 as n_new_rows, 'year=2021' as first_new_row;
"""


def test_what_an_arrival_changed_is_reported_by_name():
    with duckdb.connect() as con:
        con.execute(TABLES)
        rows = pd.DataFrame(arrival_rows(con, 2022), columns=list(COLUMNS))
        con.execute("update meta.run set previous_run_id = null, not_compared = 'damaged'")
        alone = pd.DataFrame(arrival_rows(con, 2022), columns=list(COLUMNS))
    found = {(row["kind"], row["status"]): row for row in rows.to_dict("records")}
    assert set(rows["edition"]) == {2022} and set(rows["run_id"]) == {"b"}
    assert found["verdict", "changed"]["before"] == "not_found_could_have_been"
    assert found["estimate", "changed"]["change_in_deviations"] == 3
    assert found["promise", "kept"]["name"] == f"{NEWEST}, rule adjusted"
    broken = found["promise", "broken"]
    assert broken["name"] == f"{NEWEST}, rule committed" and "seed: 5 -> 1" in broken["detail"]
    lost = f"{GDP} of Beijing in 2020, 100 before, none now (blocked by spike)"
    assert found["loss", "changed"]["name"] == lost
    assert found["revision", "changed"]["name"].startswith(f"{GDP} of Beijing in 2015, 100 before")
    assert found["flags", "changed"]["name"] == "blocked by spike, on new or revised values"
    assert found["warning", "new"]["name"] == "marts_leaps"
    assert set(alone["kind"]) == {"verdict", "comparison"}
    assert refused_row(2022, "lost")["status"] == "refused"


@pytest.mark.parametrize(
    ("editions", "settings", "said"),
    [
        ("some", {}, "expected 2020..2024"),
        ("2024..2020", {}, "2024 is after 2020"),
        (None, {"AS_OF_YEAR": "2020"}, "AS_OF_YEAR is set"),
    ],
)
def test_bad_input_is_named_and_nothing_is_run(
    home, tmp_path, monkeypatch, editions, settings, said
):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    landing = write_tidy(tmp_path / "landing", [f"110000,2010,{GDP},5"])
    with pytest.raises(Refused, match=said):
        rehearse(str(landing), editions, None)
    assert end_of(rehearse, str(landing), editions, None) == Exit.BAD_INPUT
    assert not (home / "published").exists()


def test_an_arrival_that_would_be_refused_is_reported_and_one_that_fails_ends_it(
    home, tmp_path, monkeypatch, capsys
):
    landing = write_tidy(tmp_path / "landing", [f"110000,2010,{GDP},5"])
    calls = []

    def arrive(_, edition, scratch, **settings):
        calls.append((edition, settings))
        if len(calls) == 1:
            return Exit.FAILED, "study: this run would lose 3 of 4 values"
        if edition == 2024:
            return Exit.BAD_INPUT, "a file cannot be read"
        first = TABLES.replace("'a' as previous_run_id", "null as previous_run_id")
        put_out(scratch.root, run_of(len(calls)), first)
        return Exit.DONE, "published"

    monkeypatch.setattr("orchestration.commands.rehearse._arrive", arrive)
    assert end_of(rehearse, str(landing), "2022..2024", None) == Exit.BAD_INPUT
    confirmed = {"CONFIRM_SHRINK": "1"}
    assert calls == [(2022, {}), (2022, confirmed), (2023, {}), (2024, {})]
    said = capsys.readouterr().out
    assert "edition 2024 (3 of 3): a file cannot be read; the same command goes on" in said
    rows = pd.read_csv(home / "rehearsal" / "rehearsal.csv")
    (refused,) = rows[rows["status"] == "refused"].to_dict("records")
    assert refused["edition"] == 2022 and "3 of 4 values" in refused["detail"]
    # it goes on with the edition that failed
    assert end_of(rehearse, str(landing), "2022..2024", None) == Exit.BAD_INPUT
    assert calls[4:] == [(2024, {})]


def three_editions(simulated: Run, landing: Path) -> tuple[int, dict[str, str]]:
    """A landing of three editions, each with all years to its own. In the last year of the first a
    decimal point slipped, which the next year shows; the second revises a figure. The first
    edition, and how both are named.
    """
    with duckdb.connect(str(simulated.home / "published" / "citysync.duckdb")) as con:
        values = con.execute(
            f"""select city_id, year, indicator_id, value, city_name_en
            from marts.fct_indicator_observation join marts.dim_city using (city_id)
            where is_current and year >= 2009
                and indicator_id in ('gdp_growth_official_pct', '{GDP}') order by all"""
        ).fetchall()
    last = max(row[1] for row in values)
    levels = [row for row in values if row[2] == GDP]
    slipped = next(row for row in levels if row[1] == last - 2)
    revised = next(row for row in levels if row[1] == 2015 and row[0] != slipped[0])
    lines: dict[int, list[str]] = {last - 1: [], last: [], last + 1: []}
    for row in values:
        city, year, indicator, value, _ = row
        for edition, of_edition in lines.items():
            figure = value
            if row == slipped:
                figure = 10 * value
            elif row == revised and edition >= last:
                figure = 1.03 * value
            if year < edition:
                of_edition.append(f"{city},{year},{indicator},{figure!r}")
    for edition, rows in lines.items():
        write_tidy(landing, rows, f"{edition}/values.csv")
    named = {"loss": slipped, "revision": revised}
    return last - 1, {
        kind: f"{GDP} of {row[4]} in {row[1]}, {value_of(row, kind):,.10g} before"
        for kind, row in named.items()
    }


def value_of(row: tuple, kind: str) -> float:
    """The figure that was in use before, of the planted loss as it slipped."""
    return 10 * row[3] if kind == "loss" else row[3]


@pytest.mark.full
def test_three_editions_arrive_and_what_was_planted_is_reported_by_name(simulated, tmp_path):
    """Interrupted after the first edition, and gone on with."""
    landing = tmp_path / "landing"
    first, planted = three_editions(simulated, landing)
    home = tmp_path / "home"
    given = ("rehearse", f"--landing={landing}", "--editions=3")
    folder = home / "rehearsal"
    process = subprocess.Popen(
        [REPO / ".venv" / "bin" / "citysync", *given],
        env={**os.environ, **SMALL, "CITYSYNC_HOME": str(home)},
        stdout=subprocess.DEVNULL,
    )
    while process.poll() is None and not (folder / "rehearsed.json").exists():
        time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert json.loads((folder / "rehearsed.json").read_text())["editions"] == [first]
    made = run(home, *given)
    assert made.code == 0, made.output
    assert f"edition {first} (1 of 3): has arrived before" in made.output
    rows = pd.read_csv(folder / "rehearsal.csv")
    assert rows["edition"].unique().tolist() == [first, first + 1, first + 2]
    for kind, name in planted.items():
        found = rows.loc[(rows["kind"] == kind) & (rows["edition"] == first + 1), "name"]
        assert found.str.startswith(name).any(), (name, found.tolist())
    assert set(rows.loc[rows["kind"] == "promise", "status"]) == {"kept"}
    moved = rows[(rows["kind"] == "estimate") & (rows["name"] == NEWEST)]
    assert moved["edition"].tolist() == [first + 1, first + 2]
    assert moved["change_in_deviations"].notna().all() and (moved["deviation"] > 0).all()
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert planted["loss"] in page
    # nothing was published in the home of the user, and the homes of the arrivals are gone
    assert not (home / "published").exists() and not (folder / "home").exists()
