"""End to end: from a landing to a publication, as a user runs it, and what ends it before."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import duckdb
import numpy as np
import pandas as pd
import pytest

from estimation.analyses.primary import PRIMARY
from orchestration.command import main
from orchestration.failure_reason import reason_of_failure
from orchestration.home import Home
from orchestration.lock import hold_lock
from tests.conftest import REPO
from tests.estimation.panels import VARIANCE_ESTIMATORS
from tests.estimation.report.city_pages import city_page_faults
from tests.estimation.report.numbers import faults
from tests.orchestration.conftest import (
    SMALL,
    Run,
    refresh,
    run,
    six_cities,
    write_tidy,
)
from tests.warehouse.dbt_build import run_dbt
from warehouse.ingest.simulation.published import simulate_statistics

pytestmark = pytest.mark.e2e
SEEDS = REPO / "warehouse" / "seeds"
HEADLINE = "baseline.cm_growth_official.headline"


def query(made: Run, sql: str) -> list[tuple]:
    """Rows from the run's publication."""
    with duckdb.connect(str(made.home / "published" / "citysync.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_simulated_run_publishes_holds_to_the_contract_and_says_what_it_did(simulated, shared_dir):
    checker = [sys.executable, shared_dir / "tools" / "check_contract.py"]
    done = subprocess.run(
        [*checker, simulated.home / "published"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert simulated.last_line.startswith("citysync: exit 0: published")
    for word in ("read ", "rejected", "flagged", "SIMULATED", "province_jackknife", "truth"):
        assert word in simulated.output
    counts = re.findall(r"(\d+) of (\d+) tables built, (\d+) of (\d+) data", simulated.output)
    assert len(counts) == 2
    assert all(built == tables and passed == tests for built, tables, passed, tests in counts)
    assert simulated.manifest["is_simulated"] is True


def test_the_log_has_every_stage_and_the_end(simulated):
    log = (simulated.home / "refresh.log").read_text(encoding="utf-8").splitlines()
    stages = [line for line in simulated.output.splitlines() if "/7] " in line]
    assert len(stages) == 7 and {*stages, simulated.last_line} <= set(log)


def test_columns_of_every_mart_show_what_they_come_from_in_the_ui(simulated):
    published = query(
        simulated, "select table_name from duckdb_tables() where schema_name = 'marts'"
    )
    with dg.DagsterInstance.from_config(str(simulated.home / "dagster")) as instance:
        for (table,) in published:
            key = dg.AssetKey(["marts", table])
            event = instance.get_latest_materialization_event(key)
            lineage = event.asset_materialization.metadata["dagster/column_lineage"].value
            assert any(lineage.deps_by_column.values()), table


def test_a_spec_is_run_again_on_the_published_file(simulated, capfd):
    database = simulated.home / "published" / "citysync.duckdb"
    assert main(["run", str(database), HEADLINE, "--permutations", "99"]) == 0
    printed = capfd.readouterr().out
    published = f"select distinct estimate from estimates.estimate where spec_id = '{HEADLINE}'"
    ((estimate,),) = query(simulated, published)
    assert f" {estimate:.4f} " in printed and "province_jackknife (default)" in printed


def test_growth_in_the_marts_is_that_of_the_simulated_economy(simulated):
    """Rounding in the files is the only difference."""
    roster = pd.read_csv(SEEDS / "city_roster.csv")
    zones = pd.read_csv(SEEDS / "pilot_zones.csv")
    made = simulate_statistics(roster=roster, pilot_zones=zones, n_cities=48)
    rates = np.round(made.with_effect.tables["gdp_growth_official_pct"], 1)
    growth = 100.0 * np.log1p(rates / 100.0)
    rows = query(
        simulated,
        "select city_id, year, growth_official_pct from marts.fct_city_year where "
        "growth_official_pct is not null",
    )
    ids, first = made.with_effect.roster["city_id"].tolist(), int(made.economy.years[0])
    gaps = [abs(growth[ids.index(city), year - first] - value) for city, year, value in rows]
    assert len(gaps) == np.isfinite(growth).sum() > 800
    # a published growth of 0.1 % is quarantined as a fraction, and the growth of real output stands
    # in
    assert max(gaps) < 0.06 and sum(gap > 1e-9 for gap in gaps) < 5


def test_data_docs_can_be_read_by_anybody_offline(simulated):
    """Filters of theirs call a library that was remote."""
    docs = sorted((simulated.home / "published" / "data_docs").rglob("*.html"))
    assert len(docs) > 1
    for page in docs:
        text = page.read_text(encoding="utf-8")
        assert not any(f'{tag}="http' in text for tag in ("src", "<link href"))
        assert "<script" not in text and "onclick" not in text


def test_every_number_of_the_report_is_that_of_the_published_file(simulated):
    """The pages in both languages, read and held against SQL on the database beside them."""
    published = simulated.home / "published"
    with duckdb.connect(published / "citysync.duckdb", read_only=True) as con:
        count, wrong = faults(con, published / "report")
    assert wrong == [] and count > 1000


def test_every_city_page_states_what_the_published_tables_say(simulated):
    """Growth with its formula and cells, of each city that has values, and who is in the main
    test.
    """
    published = simulated.home / "published"
    with duckdb.connect(published / "citysync.duckdb", read_only=True) as con:
        count, wrong = city_page_faults(con, published / "report")
        counted = f"select n_cities, n_pilots from estimates.primary where spec_id = '{PRIMARY}'"
        (in_the_test,) = con.execute(counted).fetchall()
        ((with_values,),) = con.execute(
            "select count(distinct city_id) from marts.fct_city_year"
        ).fetchall()
    assert wrong == [] and count == with_values == 48
    page = (published / "report/data/pages/cities_en.js").read_text(encoding="utf-8")
    with_zone, without = (len(re.findall(f'"test_{kind}', page)) for kind in ("with\\b", "without"))
    assert in_the_test == (with_zone + without, with_zone)


OF_HEADLINE = f"spec_id = '{HEADLINE}' and term = 'treated'"
#: Questions to the publication, and their rows.
ASKED = {
    "every gate left results": (
        """select stage, bool_and(success or severity = 'warn') from quality.expectation_result
        group by 1 order by 1""",
        [(stage, True) for stage in ("estimates", "marts", "raw", "staging")],
    ),
    "the headline has every line": (
        f"select distinct vcov from estimates.estimate where {OF_HEADLINE} order by 1",
        [(vcov,) for vcov in sorted(VARIANCE_ESTIMATORS)],
    ),
    "the headline has its truth": (
        f"select count(*) from estimates.truth where {OF_HEADLINE}",
        [(1,)],
    ),
    "every primary test that was run has its truth": (
        """select count(*) > 0, bool_and(truth is not null) from estimates.primary
        where p_value is not null""",
        [(True, True)],
    ),
    "the channels have their truth and what was planted": (
        """select count(*) > 0, bool_and(truth is not null and planted is not null),
        bool_and(planted > -1 and planted < 0) filter (channel = 'own_variance')
        from estimates.channel""",
        [(True, True, True)],
    ),
    "intervals that hold the truth are counted": (
        """select distinct scope from estimates.coverage
        where quantity = 'truth_in_interval' and n > 0 order by 1""",
        [("many_economies",), ("this_economy",)],
    ),
    # all that may lack on 48 cities is numbers: zones with a tool, pilots that differ, blocks
    "no series and no text lacks for any analysis": (
        """select reason from estimates.not_run
        where regexp_matches(reason, 'without gaps|not there|source policy_texts')""",
        [],
    ),
    # also a column without a value, such as the reasons why a test was not run
    "every table and column has a comment and a type": (
        """select schema_name || '.' || table_name from duckdb_tables() where comment is null
        union all select schema_name || '.' || table_name || '.' || column_name
        from duckdb_columns() where not internal
        and (comment is null or data_type in ('NULL', '"NULL"'))""",
        [],
    ),
}


@pytest.mark.parametrize(("sql", "rows"), ASKED.values(), ids=ASKED)
def test_the_publication_answers(simulated, sql, rows):
    assert query(simulated, sql) == rows


def test_no_host_but_this_machine_is_looked_up(simulated):
    """What the refresh of `simulated` looked up, swallowed or not, would stand in the log."""
    log = Path(os.environ["CITYSYNC_TEST_LOOKUPS"])
    assert simulated.code == 0 and not log.exists(), log.read_text(encoding="utf-8")


@pytest.mark.full
@pytest.mark.parametrize("of", ["six", "simulated"])
def test_a_publication_is_reproduced_with_another_hash_seed_and_thread_count(of, request, tmp_path):
    """`reproduce` builds it again from its manifest: every table has the same hash, whatever the
    machine's threads.
    """
    given = request.getfixturevalue(of)
    made, landing = (given.run, ["--landing", str(given.landing)]) if of == "six" else (given, [])
    # a home of its own: other tests look at theirs at the same time
    home = shutil.copytree(made.home, tmp_path / "home", symlinks=True)
    run_id = made.manifest["run_id"]
    other = dict.fromkeys(("NUMBA_NUM_THREADS", "CITYSYNC_THREADS"), "1")
    other |= {"OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "4711"}
    done = run(home, "reproduce", "--run", run_id, *landing, **other)
    assert done.code == 0, done.output
    assert f"tables have the hashes of run {run_id}" in done.output
    again = home / "reproduced" / run_id / "published" / "manifest.json"
    mine = made.manifest["tables"]
    theirs = json.loads(again.read_text(encoding="utf-8"))["tables"]
    assert {n for n in mine if not n.startswith("meta.") and mine[n] != theirs.get(n)} == set()


def test_unit_tests_of_the_models_pass(simulated, tmp_path):
    assert len(run_dbt(["test", "--select", "test_type:unit"], simulated.home / "build", tmp_path))


def test_delivered_files_are_published_as_such_and_no_simulated_run_replaces_them(six, here):
    """What is published of these six cities: tests/warehouse/test_models.py."""
    not_run = query(six.run, "select spec_id from estimates.not_run")
    assert (HEADLINE,) in not_run and six.run.manifest["is_simulated"] is False
    # a simulated run never takes the place of delivered files
    refused = here(six.run.home, "refresh")
    assert refused.code == 2 and "CITYSYNC_HOME" in refused.last_line


@pytest.mark.parametrize("words", ["refresh", "rollback", "clean", "reproduce", "verify"])
def test_beside_a_command_another_ends_with_3_and_names_the_holder(six, home_of_six, words, here):
    landing = ["--landing", str(six.landing)] if words not in ("rollback", "clean") else []
    with hold_lock(Home(home_of_six)):
        refused = here(home_of_six, words, *landing)
    assert refused.code == 3 and refused.last_line.startswith("citysync: exit 3:")
    assert str(os.getpid()) in refused.last_line


def test_a_failed_gate_leaves_the_last_publication(six, home_of_six, tmp_path):
    landing = write_tidy(tmp_path / "landing", six_cities())
    write_tidy(landing, ["110000,2010,gdp_real_cny_100m,many"], "without_a_number.csv")
    second = refresh(home_of_six, landing)
    assert second.code == 1, second.output
    assert second.last_line.startswith("citysync: exit 1: gate_raw")
    assert second.manifest["run_id"] == six.run.manifest["run_id"]
    assert (home_of_six / "build" / "citysync.duckdb").exists()


def test_after_a_change_of_estimates_alone_the_marts_of_the_last_run_are_used(six, home_of_six):
    record = home_of_six / "last_refresh.json"
    noted = json.loads(record.read_text(encoding="utf-8"))
    record.write_text(json.dumps(noted | {"publication": "of other code"}), encoding="utf-8")
    again = refresh(home_of_six, six.landing)
    assert again.code == 0, again.output
    assert "only code of estimates or report changed" in again.output
    before = six.run.manifest["run_id"]
    assert again.manifest["run_id"] != before
    assert query(again, "select previous_run_id from meta.run") == [(before,)]
    assert "What changed since the publication of " in again.output
    asked = "from estimates.primary order by spec_id"
    assert query(again, asked) == query(six.run, asked)


@pytest.mark.full
def test_a_refresh_that_failed_is_executed_again_from_where_it_failed(six, home_of_six, tmp_path):
    """A publication that would lose a city stops the refresh; the person confirms it in the UI."""
    rows = [row for row in six_cities() if not row.startswith("500000")]
    landing = write_tidy(tmp_path / "landing", rows)
    failed = refresh(home_of_six, landing)
    assert failed.code == 1 and "CONFIRM_SHRINK=1" in failed.output, failed.output
    again = subprocess.run(
        [sys.executable, "-m", "tests.orchestration.execute_again"],
        cwd=REPO,
        env={
            **os.environ,
            **SMALL,
            "CITYSYNC_HOME": str(home_of_six),
            "CITYSYNC_LANDING": str(landing),
            "CONFIRM_SHRINK": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 0, again.stdout + again.stderr
    told = json.loads(again.stdout.splitlines()[-1])
    assert told["failed"]["citysync/landing"] == str(landing)
    assert told["steps"] == ["publication__published", "publication__report", "study"]
    made = Run(0, "", home_of_six)
    assert made.manifest["run_id"] != six.run.manifest["run_id"]
    assert query(made, "select count(distinct city_id) from marts.fct_city_year") == [(5,)]


def failed(message: str, name: str) -> SimpleNamespace:
    """A step's failure, as Dagster tells of it."""
    text = f"warehouse.errors.{name}: {message}\n"
    error = SimpleNamespace(cls_name=name, message=text, cause=None)
    return SimpleNamespace(is_step_failure=True, event_specific_data=SimpleNamespace(error=error))


def judged(severity: dg.AssetCheckSeverity) -> SimpleNamespace:
    """A check that found something."""
    found = SimpleNamespace(passed=False, severity=severity, check_name="rows", description="few")
    return SimpleNamespace(
        is_step_failure=False,
        event_type_value="ASSET_CHECK_EVALUATION",
        asset_check_evaluation_data=found,
    )


WARNED, STOPPED = judged(dg.AssetCheckSeverity.WARN), judged(dg.AssetCheckSeverity.ERROR)
#: What failed in a run, its exit code and its last line.
ENDINGS = [
    # a fault that every source says is said once
    (
        [("an empty folder", "LandingError")] * 2 + [("no year in b.csv", "LandingError")],
        2,
        "an empty folder | no year in b.csv",
    ),
    # a loss is no bad input
    ([("1 of 6 cities", "PublicationLoses")], 1, "1 of 6 cities"),
    ([("fdi.yml, line 1: this key", "LayoutError")], 2, "fdi.yml, line 1: this key"),
]


@pytest.mark.parametrize(("faults_of_run", "code", "said"), ENDINGS)
def test_what_failed_in_a_run_is_its_ending(tmp_path, faults_of_run, code, said):
    events = [failed(*fault) for fault in faults_of_run]
    assert reason_of_failure(events, Home(tmp_path)) == (code, said)


def test_a_check_that_the_seed_makes_a_warning_is_not_why_a_run_failed(tmp_path):
    assert "rows" not in reason_of_failure([WARNED], Home(tmp_path))[1]
    assert reason_of_failure([WARNED, STOPPED], Home(tmp_path)) == (1, "rows: few")
