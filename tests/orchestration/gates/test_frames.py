"""The frames that gates judge, on small tables written here, and what the suites say of them."""

import shutil
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from expectations.gate import GateResult, run_gate
from expectations.suites import RULES
from orchestration.gates import queries as sql
from orchestration.gates.asset_checks import check_stage
from orchestration.gates.frames import (
    read_not_finite,
    read_severity,
)
from orchestration.home import Home
from tests.estimation.report.sites import database
from tests.warehouse.dbt_build import run_dbt

GDP, POPULATION = "gdp_nominal_cny_100m", "population_registered_10k"
SECTORS = (
    "value_added_primary_cny_100m",
    "value_added_secondary_cny_100m",
    "value_added_tertiary_cny_100m",
)


def make_values(n_cities: int, years: range = range(2010, 2016)) -> pd.DataFrame:
    """A clean source: product that is the sum of its sectors, and population, in two editions."""
    rng = np.random.default_rng(5)
    rows = []
    for k in range(n_cities):
        level = rng.uniform(100, 2000)
        for year in years:
            sectors = np.round(level * np.array([0.1, 0.5, 0.4]) * 1.08 ** (year - 2010), 2)
            values = dict(zip(SECTORS, sectors, strict=True))
            values |= {GDP: float(sectors.sum()), POPULATION: 300.0 + 10 * k + (year - 2010)}
            rows += [(110000 + 100 * k, year, name, value) for name, value in values.items()]
    frame = pd.DataFrame(rows, columns=["city_id", "year", "indicator_id", "value"])
    frame = frame.assign(source_id="made_up", file_name="f.csv", place_level="city")
    both = [frame.assign(edition_year=edition) for edition in (2015, 2016)]
    return pd.concat(both, ignore_index=True)


SHIFTED, LOST = "a later edition with shifted sectors", "the newest population is gone"
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


def judge_staging(folder: Path, values: pd.DataFrame, rejected: pd.DataFrame) -> GateResult:
    """The rules of the staging suite that judge coverage, change, identities, editions, freshness
    and what was turned away, on the models of their gate."""
    catalog = pd.DataFrame({"indicator_id": values["indicator_id"].unique()})
    bounds = {"kind": "level", "canonical_unit": "cny_100m", "min_value": 0.0, "max_value": 1e9}
    tables = {
        "intermediate.int_raw_observations": values.assign(observation_id=range(len(values))),
        "intermediate.int_raw_rejections": rejected,
        "seeds.indicator_catalog": catalog.assign(**bounds),
    }
    database(tables, folder / "citysync.duckdb").close()
    models = {dataset: f"gate_staging__{dataset}" for dataset in JUDGED}
    run_dbt(["run", "--select", *models.values()], folder, folder / "dbt_target")
    with duckdb.connect(str(folder / "citysync.duckdb")) as con:
        frames = {
            dataset: con.execute(f"select * from gates.{model}").df()
            for dataset, model in models.items()
        }
    rules = [rule for rule in RULES["staging"] if rule.dataset in frames]
    return run_gate("staging", rules, frames, folder / "work", folder / "docs")


def _times(values: pd.DataFrame, where: pd.Series, factor: float) -> pd.DataFrame:
    return values.assign(value=values["value"].mask(where, values["value"] * factor))


def shuffled_edition(values: pd.DataFrame) -> pd.DataFrame:
    """The later edition's products, each at another city or year."""
    moved = (values["edition_year"] == 2016) & (values["indicator_id"] == GDP)
    shuffled = (
        values.loc[moved, "value"].sample(frac=1, random_state=3).set_axis(values.index[moved])
    )
    return values.assign(value=values["value"].mask(moved, shuffled))


def later_edition_with_a_shifted_column(values: pd.DataFrame) -> pd.DataFrame:
    """The first edition lies outside an edition folder; in the second every sector belongs to the
    next row.
    """
    is_second = values["edition_year"] == 2016
    of_sector = values[is_second & values["indicator_id"].isin(SECTORS)]
    columns = of_sector.groupby(["year", "indicator_id"])["value"]
    shifted = columns.transform(lambda column: np.roll(column, 1))
    value = shifted.reindex(values.index).fillna(values["value"])
    return values.assign(value=value, edition_year=values["edition_year"].where(is_second))


def rejected_population() -> pd.DataFrame:
    """Two indicators of the newest edition have a unit that no look-up knows; one of them had
    another before, the other none.
    """
    values = make_values(60)
    lost = values[(values["edition_year"] == 2016) & (values["indicator_id"] == POPULATION)]
    rejected = lost.assign(
        source_id=LOST,
        file_name="g.csv",
        sheet_name=None,
        unit_text="万人(不含",
        reason="unknown_unit",
        cell_ref=[f"F{k + 2}" for k in range(len(lost))],
    )
    column = rejected["cell_ref"].str.replace("F", "G")
    never_taken = rejected.assign(indicator_id="births_10k", cell_ref=column)
    return pd.concat([rejected, never_taken])


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """All sources judged at once."""
    sources = [
        damage(make_values(60)).assign(source_id=name) for name, (damage, *_) in EXPECTED.items()
    ]
    values = pd.concat(sources).assign(sheet_name=None, unit_delivered="unit")
    values["cell_ref"] = [f"B{k}" for k in range(len(values))]
    return judge_staging(tmp_path_factory.mktemp("staging"), values, rejected_population())


GROSS = (
    "staging_identity_gross",
    "staging_edition_overlap_gross",
    "staging_edition_likeness_gross",
)
# what was damaged, how, what shows it, and which of it stops the run
EXPECTED = {
    "nothing": (lambda v: v, (), ()),
    "a block is gone": (
        lambda v: v[~((v["year"] == 2012) & (v["city_id"] < 112000) & (v["indicator_id"] == GDP))],
        ("staging_year_complete",),
        (),
    ),
    "a year in another unit": (
        lambda v: _times(v, (v["year"] == 2012) & (v["indicator_id"] == POPULATION), 10),
        ("staging_year_level",),
        (),
    ),
    "an edition is shuffled": (shuffled_edition, ("staging_edition_likeness",), GROSS),
    "a sector in another unit": (
        lambda v: _times(v, v["indicator_id"] == SECTORS[1], 10_000),
        (),
        ("staging_identity_gross",),
    ),
    SHIFTED: (later_edition_with_a_shifted_column, (), GROSS),
    LOST: (
        lambda v: v[(v["edition_year"] != 2016) | (v["indicator_id"] != POPULATION)],
        ("staging_rejected_share",),
        ("staging_delivered_taken",),
    ),
}


@pytest.mark.parametrize("damage", EXPECTED)
def test_what_a_delivery_lacks_is_named_and_a_clean_source_is_not(judged, damage):
    _, warns, stops = EXPECTED[damage]
    rows = judged.rows[judged.rows["failing_row"].str.contains(f"source_id={damage} ")]
    found = set(rows["check_id"])
    assert found & set(judged.failed("stop")["check_id"]) == set(stops)
    assert found >= set(warns) and (found or damage == "nothing")


def test_rejected_parts_and_shifted_columns_are_named_one_by_one(judged):
    rows = judged.rows.set_index("check_id")["failing_row"]
    taken = rows[["staging_delivered_taken"]]
    for part in ("indicator", "unit", "column"):
        assert taken.str.contains(f"part={part} ").sum() == 2
    assert taken.str.contains("indicator_id=births_10k.*reason=unknown_unit").any()
    shifted = rows[["staging_edition_overlap_gross"]]
    shifted = shifted[shifted.str.contains(SHIFTED)]
    assert all(shifted.str.contains(name).any() for name in SECTORS)
    assert not shifted.str.contains(GDP).any()


def test_the_seed_says_which_warnings_of_a_stage_stop_it(monkeypatch):
    """What a gate makes of it is tested with the gate."""
    rows = [("raw", "raw_year"), ("marts", "x")]
    seed = [{"stage": stage, "check_id": name, "severity": "stop"} for stage, name in rows]
    monkeypatch.setattr("orchestration.gates.frames.read_seed", lambda _: seed)
    assert read_severity("raw") == {"raw_year": "stop"}


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


def judge_estimates(tmp_path: Path, dataset: str, query: str, estimate: pd.DataFrame) -> dict:
    """Rows that failed by check, of the rules of one data set."""
    with database({"estimates.estimate": estimate}) as con:
        frames = {dataset: con.execute(query).df()}
    rules = [rule for rule in RULES["estimates"] if rule.dataset == dataset]
    where = (tmp_path / "work", tmp_path / "docs")
    found = run_gate("estimates", rules, frames, *where).results.set_index("check_id")
    return found["sample_rows"].where(~found["success"].astype(bool), "").to_dict()


SPECS = {
    "estimates.specification": ["fitted", "refused", "lost"],
    "estimates.estimate": ["fitted", "fitted"],
    "estimates.not_run": ["refused"],
}
KEYS = {"spec_id": "s", "cohort_year": None, "event_time": None}


def test_each_coefficient_has_the_default_line_that_it_can_have(tmp_path):
    columns = ["term", "vcov", "is_default", "std_error", "n_pilots"]
    lines = pd.DataFrame(DEFAULT_LINES, columns=columns).assign(**KEYS)
    lines = lines.astype({"cohort_year": "Int64", "event_time": "Int64"})
    found = judge_estimates(tmp_path, "defaults", sql.DEFAULTS, lines)
    assert "term=twice" in found["estimates_one_default"]
    named = {term for term in lines["term"] if term in found["estimates_default_given"]}
    assert named == {"unmarked", "placebo"}


def test_a_spec_without_estimates_and_without_a_reason_is_named(tmp_path):
    of = {name: pd.DataFrame({"spec_id": ids}) for name, ids in SPECS.items()}
    with database(of) as con:
        frames = {"outcome_of_specs": con.execute(sql.OUTCOMES).df()}
    rules = [rule for rule in RULES["estimates"] if rule.dataset in frames]
    (sentence,) = run_gate("estimates", rules, frames, tmp_path, tmp_path / "docs").sentences()
    assert "(spec_id=lost has_outcome=0)" in sentence


def test_inference_beside_the_reason_why_it_is_withheld_stops_the_run(tmp_path):
    """Two rows with a reason: one has the estimate alone, the other kept its interval."""
    numbers = ("std_error", "ci_high", "p_value", "n_obs", "n_pairs", "n_cities", "n_pilots")
    rows = pd.DataFrame(
        {
            "term": ["bare", "kept", "free"],
            "ci_low": [None, 0.05, 0.05],
            "p_value_withheld_reason": ["why", "why", None],
        }
    )
    rows = rows.assign(**KEYS, **dict.fromkeys(numbers, np.nan), outcome="y", estimate=0.1)
    rows = rows.assign(vcov="city", is_default=None)
    rows = rows.astype({"cohort_year": "Int64", "event_time": "Int64", "is_default": "boolean"})
    found = judge_estimates(tmp_path, "estimate", sql.ESTIMATE, rows)["estimates_withheld"]
    assert "term=kept" in found and "term=bare" not in found and "term=free" not in found


@pytest.mark.parametrize("stage", ["marts", "estimates"])
def test_an_infinite_value_is_a_finding_that_names_its_column(tmp_path, stage):
    rules = [rule for rule in RULES[stage] if rule.check_id == f"{stage}_finite"]
    where = (tmp_path / "work", tmp_path / "docs")
    results = []
    with duckdb.connect() as con:
        con.execute(f"create schema {stage}")
        con.execute(f"create table {stage}.ties (city int, tie double, share float)")
        for rows in ("(1, 1e308, 0.5), (2, null, null)", "(3, 'inf', 1), (4, '-inf', 'nan')"):
            con.execute(f"insert into {stage}.ties values {rows}")
            found = {"not_finite": read_not_finite(con, stage)}
            results.append(run_gate(stage, rules, found, *where))
    assert [result.passed for result in results] == [True, False]
    (sentence,) = results[1].sentences()
    for words in ("table_name=ties column=tie n_not_finite=2", "column=share n_not_finite=1"):
        assert words in sentence


def test_a_refresh_stops_where_the_second_implementation_differs(simulated, tmp_path):
    home = Home(tmp_path / "home")
    shutil.copytree(simulated.home / "build", home.build)
    gap = "diagnostic = 'pyfixest_estimate_gap'"
    with duckdb.connect(str(home.database)) as con:
        known = con.execute(f"from estimates.diagnostic where {gap}").fetchall()
        con.execute(
            f"update estimates.diagnostic set value = 2e-6 where {gap} and spec_id like 'dynamics%'"
        )
    (sentence,) = check_stage(home, "estimates").sentences()
    assert len(known) == 3 and "pyfixest" in sentence
    assert "dynamics.cm_growth_official.headline" in sentence
