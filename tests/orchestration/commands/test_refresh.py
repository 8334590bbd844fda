"""End to end: from a landing to a publication, as a user runs it."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

from benchmarks.simulated_landing.run import draw, official_growth
from tests.estimation.report.numbers import mismatches
from tests.orchestration.conftest import REPO, Run, SixCities, refresh, six_cities, write_tidy
from warehouse.ingest.simulation.published import DEFAULT_SEED

pytestmark = pytest.mark.e2e


def query(run: Run, sql: str) -> list[tuple]:
    """Rows from the run's publication."""
    with duckdb.connect(str(run.home / "published" / "citysync.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_simulated_run_publishes_and_holds_to_the_contract(
    simulated: Run, shared_dir: Path
) -> None:
    tool = shared_dir / "tools" / "check_contract.py"
    done = subprocess.run(
        [sys.executable, tool, simulated.home / "published"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_simulated_run_says_what_it_did(simulated: Run) -> None:
    assert simulated.last_line.startswith("citysync: exit 0: published")
    for word in (
        "read ",
        "rejected",
        "flagged",
        "revised",
        "SIMULATED",
        "province_jackknife",
        "permutation",
        "truth",
    ):
        assert word in simulated.output
    assert simulated.manifest["is_simulated"] is True


def test_every_gate_left_results(simulated: Run) -> None:
    rows = query(
        simulated,
        (
            "select stage, count(*), bool_and(success or severity = 'warn') from "
            "quality.expectation_result group by 1 order by 1"
        ),
    )
    assert [row[0] for row in rows] == ["estimates", "marts", "raw", "staging"]
    assert all(row[2] for row in rows)


def test_headline_has_every_line_and_a_truth(simulated: Run) -> None:
    lines = query(
        simulated,
        (
            "select vcov from estimates.estimate where spec_id = "
            "'baseline.cm_growth_official.headline' and term = 'treated' order by 1"
        ),
    )
    assert [line[0] for line in lines] == [
        "city",
        "conventional",
        "dyadic",
        "permutation",
        "province_jackknife",
    ]
    truth = query(
        simulated,
        (
            "select truth from estimates.truth where spec_id = "
            "'baseline.cm_growth_official.headline' "
            "and term = 'treated'"
        ),
    )
    assert len(truth) == 1


def test_simulated_landing_serves_every_analysis(simulated: Run) -> None:
    """All that may lack on 48 cities is numbers: zones with a tool, pilots that differ, blocks.

    No series and no text does.
    """
    reasons = [reason for (reason,) in query(simulated, "select reason from estimates.not_run")]
    lacking = [
        reason
        for reason in reasons
        if "without gaps" in reason or "not there" in reason or "source policy_texts" in reason
    ]
    assert lacking == []


def test_simulated_run_publishes_truths_of_the_primary_test_and_counts_intervals_that_hold_theirs(
    simulated: Run,
) -> None:
    tested = query(simulated, "select truth from estimates.primary where p_value is not null")
    assert tested and all(truth is not None for (truth,) in tested)
    channels = query(simulated, "select channel, truth, planted from estimates.channel")
    assert channels and all(value is not None for row in channels for value in row)
    assert all(-1 < planted < 0 for channel, _, planted in channels if channel == "own_variance")
    counts = query(
        simulated,
        (
            "select scope, sum(n) from estimates.coverage where quantity = 'truth_in_interval' "
            "group "
            "by scope order by 1"
        ),
    )
    assert [scope for scope, _ in counts] == ["many_economies", "this_economy"] and all(
        n > 0 for _, n in counts
    )


def test_growth_in_the_marts_is_that_of_the_measured_economies(simulated: Run) -> None:
    """What is said over 400 economies at city level is said of what a refresh reads: rounding is
    the only difference.
    """
    made = draw(DEFAULT_SEED, n_cities=48)
    growth = official_growth(made.with_effect)
    rows = query(
        simulated,
        (
            "select city_id, year, growth_official_pct from marts.fct_city_year where "
            "growth_official_pct is not null"
        ),
    )
    ids, first = made.with_effect.roster["city_id"].tolist(), int(made.economy.years[0])
    gaps = [abs(growth[ids.index(city), year - first] - value) for city, year, value in rows]
    assert len(gaps) == np.isfinite(growth).sum() > 800
    # a published growth of 0.1 % is quarantined as a fraction, and the growth of real output stands
    # in
    assert max(gaps) < 0.06 and sum(gap > 1e-9 for gap in gaps) < 5


def test_cm_is_the_sum_of_its_parts(simulated: Run) -> None:
    gaps = query(
        simulated,
        """
        select max(abs(cm.estimate - co.estimate - di.estimate)) from estimates.estimate cm
        join estimates.estimate co on co.spec_id = replace(cm.spec_id, '.cm_', '.comove_')
            and co.vcov = cm.vcov
            and co.term = cm.term and co.event_time is not distinct from cm.event_time
            and co.cohort_year is not distinct from cm.cohort_year
        join estimates.estimate di on di.spec_id = replace(cm.spec_id, '.cm_', '.dispersion_')
            and di.vcov = cm.vcov
            and di.term = cm.term and di.event_time is not distinct from cm.event_time
            and di.cohort_year is not distinct from cm.cohort_year
        where cm.outcome like 'cm_growth_%'
        """,
    )
    assert gaps[0][0] is not None
    assert gaps[0][0] < 1e-10


def test_published_files_cannot_be_written_and_pages_load_nothing_remote(simulated: Run) -> None:
    published = simulated.home / "published"
    assert not (published / "citysync.duckdb").stat().st_mode & (
        stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
    )
    for page in [
        published / "report" / "index.html",
        *sorted((published / "data_docs").rglob("*.html")),
    ]:
        text = page.read_text(encoding="utf-8")
        assert 'src="http' not in text
        assert '<link href="http' not in text
        assert '<link rel="stylesheet" href="http' not in text


def test_pages_of_data_docs_keep_no_script_that_cannot_work(simulated: Run) -> None:
    """Their filters call a library that was remote; what they folded stands open instead."""
    pages = sorted((simulated.home / "published" / "data_docs").rglob("*.html"))
    assert len(pages) > 1
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "<script" not in text
        assert "onclick" not in text


def test_every_number_of_the_report_is_that_of_the_published_file(simulated: Run) -> None:
    """The pages in both languages, read and held against SQL on the database beside them."""
    published = simulated.home / "published"
    count, wrong = mismatches(published / "citysync.duckdb", published / "report")
    assert wrong == []
    assert count > 1000


def test_every_published_table_and_column_has_a_comment_and_a_type(simulated: Run) -> None:
    """Also a column without a value, such as the reasons why a test was not run."""
    with duckdb.connect(
        str(simulated.home / "published" / "citysync.duckdb"), read_only=True
    ) as con:
        tables = con.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where comment is null "
            "order by all"
        ).fetchall()
        columns = con.execute(
            "select schema_name || '.' || table_name || '.' || column_name from duckdb_columns() "
            "where not internal and (comment is null or data_type in ('NULL', '\"NULL\"'))"
        ).fetchall()
    assert tables == []
    assert columns == []


def test_a_publication_is_reproduced_with_another_hash_seed_and_thread_count(
    simulated: Run,
) -> None:
    """`reproduce` builds it again from its manifest: every table has the same hash, whatever the
    machine's threads.
    """
    other = {
        "PYTHONHASHSEED": "4711",
        "OMP_NUM_THREADS": "2",
        "NUMBA_NUM_THREADS": "1",
        "CITYSYNC_THREADS": "1",
    }
    env = {**os.environ, "CITYSYNC_HOME": str(simulated.home), **other}
    command = [
        sys.executable,
        "-m",
        "orchestration",
        "reproduce",
        "--run",
        simulated.manifest["run_id"],
    ]
    done = subprocess.run(
        command,
        cwd=REPO,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert f"tables have the hashes of run {simulated.manifest['run_id']}" in done.stdout
    again = (
        simulated.home / "reproduced" / simulated.manifest["run_id"] / "published" / "manifest.json"
    )
    mine, theirs = (
        simulated.manifest["tables"],
        json.loads(again.read_text(encoding="utf-8"))["tables"],
    )
    assert {n for n in mine if not n.startswith("meta.") and mine[n] != theirs.get(n)} == set()


def test_unit_tests_of_the_models_pass(simulated: Run) -> None:
    code = """
from orchestration.dbt_runner import run_dbt
from orchestration.home import Home, set_tool_environment

home = Home.from_environment()
set_tool_environment(home)
results = run_dbt(home, "test", ["test_type:unit"], build=home.build)
bad = [(r.name, r.message) for r in results if r.status != "pass"]
print(len(results), bad)
raise SystemExit(bool(bad) or not results)
"""
    env = {**os.environ, "CITYSYNC_HOME": str(simulated.home)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_six_cities_with_real_gdp_alone_publish_their_synchronization(six: SixCities) -> None:
    run = six.run
    n, complete = query(
        run, "select count(*), count(cm_growth_official) from marts.fct_pair_synchronization"
    )[0]
    assert (n, complete) == (150, 150)
    reasons = dict(query(run, "select spec_id, reason from estimates.not_run"))
    assert "baseline.cm_growth_official.headline" in reasons
    assert run.manifest["is_simulated"] is False


def test_a_simulated_run_never_takes_the_place_of_delivered_files(six: SixCities) -> None:
    refused = refresh(six.run.home)
    assert refused.code == 2
    assert "CITYSYNC_HOME" in refused.last_line


def _nothing(landing: Path) -> None:
    shutil.rmtree(landing, ignore_errors=True)


def _empty(landing: Path) -> None:
    landing.mkdir(parents=True)


def _without_a_column(landing: Path) -> None:
    write_tidy(landing, [])
    (landing / "tidy" / "values.csv").write_text(
        "city_id,year,value\n110000,2010,1\n", encoding="utf-8"
    )


def _another_format(landing: Path) -> None:
    write_tidy(landing, six_cities())
    (landing / "csmar_region").mkdir()
    (landing / "csmar_region" / "CRE_Gdpct.csv").write_bytes(b"\x50\x4b\x03\x04 not a csv")


def _only_an_unknown_city(landing: Path) -> None:
    write_tidy(landing, ["999999,2010,gdp_real_cny_100m,1"])


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (_nothing, "does not exist"),
        (_empty, "landing"),
        (_without_a_column, "indicator_id"),
        (_another_format, "CRE_Gdpct.csv"),
        (_only_an_unknown_city, "999999"),
    ],
)
def test_bad_input_ends_with_2_and_publishes_nothing(
    tmp_path: Path, prepare, expected: str
) -> None:
    landing = tmp_path / "landing"
    prepare(landing)
    run = refresh(tmp_path / "home", landing)
    assert run.code == 2, run.output
    assert run.last_line.startswith("citysync: exit 2:")
    assert expected in run.last_line
    assert not (tmp_path / "home" / "published").exists()


def test_a_failed_gate_leaves_the_last_publication(six: SixCities, tmp_path: Path) -> None:
    first, home = six.run, shutil.copytree(six.run.home, tmp_path / "home", symlinks=True)
    # the whole series in another unit than it says: more than half of it lies outside the catalog's
    # range
    landing = write_tidy(
        tmp_path / "landing", [row.rsplit(",", 1)[0] + ",9e12" for row in six_cities()]
    )
    second = refresh(home, landing)
    assert second.code == 1, second.output
    assert second.last_line.startswith("citysync: exit 1: gate_staging")
    assert second.manifest["run_id"] == first.manifest["run_id"]
    assert (home / "build" / "citysync.duckdb").exists()
