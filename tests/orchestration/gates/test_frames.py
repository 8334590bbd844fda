"""The frames that gates judge, on small tables written here, and what the suites say of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from expectations.gate import GateResult, run_gate
from expectations.suites import RULES
from orchestration.gates import queries as sql
from orchestration.gates.asset_checks import judge
from orchestration.gates.frames import (
    STAGES_WITH_MODELS,
    datasets_of,
    read_not_finite,
    read_severity,
)
from orchestration.home import REPO, Home
from tests.orchestration.conftest import Run
from tests.warehouse.dbt_build import run_dbt

GDP, POPULATION = "gdp_nominal_cny_100m", "population_registered_10k"
SECTORS = (
    "value_added_primary_cny_100m",
    "value_added_secondary_cny_100m",
    "value_added_tertiary_cny_100m",
)
ESTIMATE = (
    "create table estimates.estimate(spec_id text, term text, cohort_year int, event_time int, "
    "vcov text, is_default boolean, "
)


def make_values(n_cities: int = 30, years: range = range(2010, 2016)) -> pd.DataFrame:
    """A clean source: product that is the sum of its sectors, and population, in two editions."""
    rng = np.random.default_rng(5)
    rows = []
    for k in range(n_cities):
        level = rng.uniform(100, 2000)
        for year in years:
            sectors = np.round(level * np.array([0.1, 0.5, 0.4]) * 1.08 ** (year - 2010), 2)
            values = dict(zip(SECTORS, sectors, strict=True)) | {
                GDP: float(sectors.sum()),
                POPULATION: 300.0 + 10 * k + (year - 2010),
            }
            rows += [(110000 + 100 * k, year, name, value) for name, value in values.items()]
    frame = pd.DataFrame(rows, columns=["city_id", "year", "indicator_id", "value"])
    source = {"source_id": "made_up", "file_name": "f.csv", "place_level": "city"}
    return (
        pd.concat([frame.assign(edition_year=2015), frame.assign(edition_year=2016)])
        .assign(**source)
        .reset_index(drop=True)
    )


JUDGED = (
    "indicator_of_source",
    "indicator_year",
    "yearly_change",
    "identity",
    "edition",
    "edition_overlap",
    "delivered",
    "freshness",
)


NOT_TAKEN = (
    "source_id",
    "edition_year",
    "file_name",
    "indicator_id",
    "sheet_name",
    "cell_ref",
    "unit_text",
    "reason",
)


def judge_staging(
    tmp_path: Path, values: pd.DataFrame, rejected: pd.DataFrame | None = None
) -> GateResult:
    """The rules of the staging suite that judge coverage, change, identities, editions, freshness
    and what was turned away, on the models of their gate."""
    with duckdb.connect(str(tmp_path / "citysync.duckdb")) as con:
        con.execute("create schema intermediate; create schema seeds")
        con.register("values_frame", values.assign(observation_id=range(len(values))))
        taken = (
            "*, null::varchar as sheet_name, 'B' || observation_id as cell_ref, 'unit' as "
            "unit_delivered"
        )
        con.execute(
            f"create table intermediate.int_raw_observations as select {taken} from values_frame"
        )
        bounds = "'level' as kind, 'cny_100m' as canonical_unit, 0.0 as min_value, 1e9 as max_value"
        con.execute(
            f"create table seeds.indicator_catalog as select distinct indicator_id, {bounds} from "
            "values_frame"
        )
        empty = ", ".join(
            f"null::{'int' if name == 'edition_year' else 'varchar'} as {name}"
            for name in NOT_TAKEN
        )
        con.execute(f"create table intermediate.int_raw_rejections as select {empty} limit 0")
        if rejected is not None:
            con.register("rejected_frame", rejected)
            con.execute(
                "insert into intermediate.int_raw_rejections by name select * from rejected_frame"
            )
    models = [f"gate_staging__{dataset}" for dataset in JUDGED]
    run_dbt(["run", "--select", *models], tmp_path, tmp_path / "dbt_target")
    with duckdb.connect(str(tmp_path / "citysync.duckdb")) as con:
        frames = {
            dataset: con.execute(f"select * from gates.gate_staging__{dataset}").df()
            for dataset in JUDGED
        }
    rules = [rule for rule in RULES["staging"] if rule.dataset in frames]
    return run_gate("staging", rules, frames, tmp_path / "work", tmp_path / "docs")


@pytest.mark.parametrize("stage", STAGES_WITH_MODELS)
def test_each_data_set_of_a_suite_has_its_model_and_each_model_its_data_set(stage: str) -> None:
    models = {
        path.stem
        for path in (REPO / "warehouse" / "models" / "quality" / "gates" / stage).glob("*.sql")
    }
    assert models == {f"gate_{stage}__{dataset}" for dataset in datasets_of(stage)}


def drop_block(values: pd.DataFrame) -> pd.DataFrame:
    return values[
        ~((values["year"] == 2012) & (values["city_id"] < 111000) & (values["indicator_id"] == GDP))
    ]


def wrong_unit_year(values: pd.DataFrame) -> pd.DataFrame:
    wrong = (values["year"] == 2012) & (values["indicator_id"] == POPULATION)
    return values.assign(value=values["value"].mask(wrong, values["value"] * 10))


def shuffled_edition(values: pd.DataFrame) -> pd.DataFrame:
    moved = (values["edition_year"] == 2016) & (values["indicator_id"] == GDP)
    shuffled = values.loc[moved, "value"].sample(frac=1, random_state=3).to_numpy()
    return values.assign(
        value=values["value"].mask(moved, pd.Series(shuffled, index=values.index[moved]))
    )


def sector_in_another_unit(values: pd.DataFrame) -> pd.DataFrame:
    return values.assign(
        value=values["value"].where(values["indicator_id"] != SECTORS[1], values["value"] * 10_000)
    )


def later_edition_with_a_shifted_column(values: pd.DataFrame) -> pd.DataFrame:
    """The first edition lies outside an edition folder; in the second every sector belongs to the
    next row.
    """
    moved = (values["edition_year"] == 2016) & values["indicator_id"].isin(SECTORS)
    shifted = (
        values[moved]
        .groupby(["year", "indicator_id"])["value"]
        .transform(lambda column: np.roll(column, 1))
    )
    return values.assign(
        value=values["value"].mask(moved, shifted),
        edition_year=values["edition_year"].where(values["edition_year"] == 2016),
    )


EXPECTED = {
    "staging_year_complete": drop_block,
    "staging_year_level": wrong_unit_year,
    "staging_edition_likeness": shuffled_edition,
    "staging_identity_gross": sector_in_another_unit,
}


def test_what_a_delivery_lacks_is_named_and_a_clean_source_is_not(tmp_path: Path) -> None:
    damaged = [
        damage(make_values()).assign(source_id=damage.__name__) for damage in EXPECTED.values()
    ]
    late = (
        make_values()
        .query("year == 2015 and indicator_id == @GDP")
        .assign(year=2022, source_id="late")
    )
    result = judge_staging(
        tmp_path, pd.concat([make_values().assign(source_id="sound"), *damaged, late])
    )
    bad = result.results[~result.results["success"].astype(bool)].set_index("check_id")
    for check, damage in EXPECTED.items():
        assert damage.__name__ in bad.loc[check, "sample_rows"]
    assert POPULATION in bad.loc["staging_fresh", "sample_rows"]
    assert not bad["sample_rows"].str.contains("sound").any()
    assert sorted(bad.index[bad["severity"] == "stop"]) == [
        "staging_edition_overlap_gross",
        "staging_identity_gross",
    ]
    assert "shuffled_edition" in bad.loc["staging_edition_overlap_gross", "sample_rows"]


def test_a_shifted_column_of_a_new_edition_stops_though_older_files_are_right(
    tmp_path: Path,
) -> None:
    result = judge_staging(tmp_path, later_edition_with_a_shifted_column(make_values(60)))
    stops = result.failed_stops.set_index("check_id")["sample_rows"]
    assert (
        "edition_year=2016" in stops["staging_identity_gross"]
        and "failing_share_large" in stops["staging_identity_gross"]
    )
    assert all(name in stops["staging_edition_overlap_gross"] for name in SECTORS)
    assert all(name in stops["staging_edition_likeness_gross"] for name in SECTORS)
    assert GDP not in stops["staging_edition_overlap_gross"]


def test_a_wholly_rejected_indicator_unit_or_column_stops(tmp_path: Path) -> None:
    """Two indicators of the newest edition have a unit that no look-up knows; one of them had
    another before, the other none.
    """
    values = make_values()
    lost = (values["edition_year"] == 2016) & (values["indicator_id"] == POPULATION)
    rejected = values[lost].assign(
        file_name="g.csv", sheet_name=None, unit_text="万人(不含", reason="unknown_unit"
    )
    rejected["cell_ref"] = [f"F{k + 2}" for k in range(len(rejected))]
    never_taken = rejected.assign(
        indicator_id="births_10k", cell_ref=rejected["cell_ref"].str.replace("F", "G")
    )
    result = judge_staging(
        tmp_path, values[~lost], pd.concat([rejected, never_taken])[list(NOT_TAKEN)]
    )
    assert list(result.failed_stops["check_id"]) == ["staging_delivered_taken"]
    failing = result.rows.loc[result.rows["check_id"] == "staging_delivered_taken", "failing_row"]
    for part in ("indicator", "unit", "column"):
        assert sum(f"part={part} " in row for row in failing) == 2
    assert any("indicator_id=births_10k" in row and "reason=unknown_unit" in row for row in failing)
    shares = result.rows.loc[result.rows["check_id"] == "staging_rejected_share", "failing_row"]
    assert any("births_10k" in row for row in shares)


def test_the_seed_turns_a_warning_into_a_stop(tmp_path: Path) -> None:
    rules = [rule for rule in RULES["staging"] if rule.check_id == "staging_fresh"]
    frames = {"freshness": pd.DataFrame({"indicator_id": ["a"], "lag_years": [9]})}
    with duckdb.connect() as con:
        assert read_severity(con, "staging") == {}
        con.execute(
            "create schema seeds; create table seeds.check_severity(stage text, check_id text, "
            "severity text)"
        )
        con.execute(
            "insert into seeds.check_severity values ('staging', 'staging_fresh', 'stop'), "
            "('marts', 'marts_leaps', 'stop')"
        )
        severity = read_severity(con, "staging")
    assert severity == {"staging_fresh": "stop"}
    assert run_gate("staging", rules, frames, tmp_path / "a", tmp_path / "docs").passed
    assert not run_gate(
        "staging", rules, frames, tmp_path / "b", tmp_path / "docs", severity
    ).passed


DEFAULT_LINES = [
    ("three", "city", False, None, 3),
    ("three", "dyadic", False, None, 3),
    ("many", "city", True, 0.1, 12),
    ("twice", "city", True, 0.1, 12),
    ("twice", "permutation", True, None, 12),
    # one province carries its pilots, and its estimator has no permutation
    ("carried", "city", False, 0.1, 12),
    ("unmarked", "city", False, 0.1, 12),
    ("unmarked", "permutation", False, None, 12),
    ("placebo", "permutation", False, None, 3),
]


def test_each_coefficient_has_the_default_line_that_it_can_have(tmp_path: Path) -> None:
    with duckdb.connect() as con:
        con.execute("create schema estimates")
        con.execute(ESTIMATE + "std_error double, n_pilots int)")
        for row in DEFAULT_LINES:
            con.execute(
                "insert into estimates.estimate values ('s', ?, null, null, ?, ?, ?, ?)", list(row)
            )
        frames = {"defaults": con.execute(sql.DEFAULTS).df()}
    rules = [rule for rule in RULES["estimates"] if rule.dataset == "defaults"]
    found = run_gate(
        "estimates", rules, frames, tmp_path / "work", tmp_path / "docs"
    ).results.set_index("check_id")["sample_rows"]
    assert "term=twice" in found["estimates_one_default"]
    assert {
        word
        for word in ("three", "many", "carried", "unmarked", "placebo")
        if word in found["estimates_default_given"]
    } == {
        "unmarked",
        "placebo",
    }


def test_inference_beside_the_reason_why_it_is_withheld_stops_the_run(tmp_path: Path) -> None:
    """Two rows with a reason: one has the estimate alone, the other kept its interval."""
    columns = (
        "outcome text, estimate double, std_error double, ci_low double, ci_high double, p_value "
        "double, n_obs int, n_pairs int, "
    )
    with duckdb.connect() as con:
        con.execute("create schema estimates")
        con.execute(
            ESTIMATE + columns + "n_cities int, n_pilots int, p_value_withheld_reason text)"
        )
        insert = (
            "insert into estimates.estimate by name select 's' as spec_id, 'city' as vcov, 0.1 as "
            "estimate"
        )
        for row in (("bare", None, "why"), ("kept", 0.05, "why"), ("free", 0.05, None)):
            con.execute(
                f"{insert}, ? as term, ? as ci_low, ? as p_value_withheld_reason", list(row)
            )
        frames = {"estimate": con.execute(sql.ESTIMATE).df()}
    rules = [rule for rule in RULES["estimates"] if rule.check_id == "estimates_withheld"]
    result = run_gate("estimates", rules, frames, tmp_path / "work", tmp_path / "docs")
    (row,) = result.results.to_dict("records")
    assert not result.passed and row["unexpected_count"] == 1 and "term=kept" in row["sample_rows"]


@pytest.mark.parametrize(
    ("stage", "check_id"), [("marts", "marts_finite"), ("estimates", "estimates_finite")]
)
def test_an_infinite_value_is_a_finding_that_names_its_column(
    tmp_path: Path, stage: str, check_id: str
) -> None:
    with duckdb.connect() as con:
        con.execute(
            f"create schema {stage}; create table {stage}.ties (city int, tie double, share float)"
        )
        con.execute(f"insert into {stage}.ties values (1, 1e308, 0.5), (2, null, null)")
        clean = read_not_finite(con, stage)
        con.execute(f"insert into {stage}.ties values (3, 'inf', 1), (4, '-inf', 'nan')")
        broken = read_not_finite(con, stage)
    rules = [rule for rule in RULES[stage] if rule.check_id == check_id]
    assert run_gate(
        stage, rules, {"not_finite": clean}, tmp_path / "work", tmp_path / "docs"
    ).passed
    result = run_gate(stage, rules, {"not_finite": broken}, tmp_path / "work", tmp_path / "docs")
    assert not result.passed
    (sentence,) = result.sentences()
    assert (
        "table_name=ties column=tie n_not_finite=2" in sentence
        and "column=share n_not_finite=1" in sentence
        and "stop" in sentence
    )


def test_a_refresh_stops_where_the_second_implementation_differs(
    simulated: Run, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    shutil.copytree(simulated.home / "build", home.build)
    assert judge(home, "estimates").passed
    with duckdb.connect(str(home.database)) as con:
        known = con.execute(
            "select count(*) from estimates.diagnostic where diagnostic = 'pyfixest_estimate_gap'"
        ).fetchone()[0]
        assert known == 3
        con.execute(
            "update estimates.diagnostic set value = 2e-6 where diagnostic = "
            "'pyfixest_estimate_gap' and spec_id like 'dynamics%'"
        )
    found = judge(home, "estimates")
    assert not found.passed
    (sentence,) = found.sentences()
    assert "pyfixest" in sentence and "dynamics.cm_growth_official.headline" in sentence
